"""``optimizer why``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "why.md").read_text(encoding="utf-8")


def run(*words):
    return CliRunner().invoke(app, ["why", *map(str, words)])


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    CliRunner().invoke(app, ["plan", "tiny", "--quiet", "--out", str(path)])
    return path


def test_the_page_shows_what_is_printed(plan):
    """What is lost to a tenth of a million, and which limits price it."""
    for words, shown in re.findall(r"\$ optimizer why tiny plan.json (.*?)\n(.*?)(?=\$|```)", PAGE, re.S):
        done = run("tiny", plan, *re.findall(r"--?\w+|[\w-]+", words))
        assert done.exit_code == ExitCode.GOOD
        assert _lost(done.output) == pytest.approx(_lost(shown), abs=0.1)
        assert _limits(done.output) == _limits(shown)


def _lost(text):
    return [float(number) for number in re.findall(r"\d+\.\d+", text.splitlines()[0])]


def _limits(text):
    return {line.split(" M USD")[0].strip()[:22] for line in text.splitlines() if " within limit" in line}


def test_json_has_the_other_plan(plan):
    answer = json.loads(run("tiny", plan, "northern-cloud", "--month", "2027-01", "--json").output)
    assert answer["signed"]
    assert all(
        item["offer"] != "northern-cloud" or item["sign_month"] != "2027-01" for item in answer["other"]["contracts"]
    )
    assert answer["margin_usd"] == pytest.approx(sum(item["worth_usd"] for item in answer["reasons"]))


def test_what_there_is_not_is_refused_with_what_there_is(plan):
    done = run("tiny", plan, "northern-cloud", "--site", "Moses Lake")
    assert isinstance(done.exception, InvalidInputError)
    assert "it can at Pecos" in str(done.exception)


def test_linear_programs_alone_are_soon(plan):
    done = run("tiny", plan, "northern-cloud", "--relaxed")
    assert done.exit_code == ExitCode.GOOD
    assert "northern-cloud is signed: leaving it out loses between" in done.output
