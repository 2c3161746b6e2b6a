"""``optimizer alternatives``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "alternatives.md").read_text(encoding="utf-8")


def run(*words):
    return CliRunner().invoke(app, ["alternatives", *map(str, words)])


def test_the_page_shows_what_is_printed():
    """What is found, what each costs to a tenth of a million, and what differs."""
    words, shown = re.search(r"\$ optimizer alternatives (tiny.*?)\n(.*?)```", PAGE, re.S).groups()
    done = run(*words.split())
    assert done.exit_code == ExitCode.GOOD
    assert done.output.splitlines()[0] == shown.splitlines()[0]
    assert costs(done.output) == pytest.approx(costs(shown), abs=0.1)
    assert re.findall(r"all together", done.output) == re.findall(r"all together", shown)


def costs(text):
    return [float(number) for number in re.findall(r"costs (\d+\.\d+) million", text)]


def test_json_from_a_plan_at_hand_and_progress(tmp_path):
    path = tmp_path / "plan.json"
    CliRunner().invoke(app, ["plan", "tiny", "--quiet", "--out", str(path)])
    done = run("tiny", "--plan", path, "--within", 0.3, "--count", 1, "--weight", "chip-lab=2", "--json")
    found = json.loads(done.stdout)
    sides = found["best_decisions"], json.loads(path.read_text())
    here, there = ([(item["offer"], item["site"], item["sign_month"]) for item in side["contracts"]] for side in sides)
    assert here == there
    assert found["plans"][0]["distance"] == 2.0
    assert "found: It costs" in done.stderr


def test_bad_questions_are_refused_before_any_work():
    for words, told in ((("--weight", "chip-lab"), "OFFER=FACTOR"), (("--weight", "x=1"), "no offer is named 'x'")):
        done = run("tiny", *words)
        assert isinstance(done.exception, InvalidInputError)
        assert told in str(done.exception)
