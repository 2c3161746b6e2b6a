"""``optimizer evaluate``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError
from optimizer.io import load_decisions, load_plan

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "evaluate-a-plan.md").read_text(encoding="utf-8")


def run(*words):
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


@pytest.fixture
def stated(tmp_path):
    path = tmp_path / "decisions.yaml"
    path.write_text(re.search(r"```yaml\n(.*?)```", PAGE, re.S)[1])
    return path


def test_the_page_shows_what_is_printed(stated):
    shown = re.search(r"\$ optimizer evaluate tiny decisions.yaml\n(.*?)```", PAGE, re.S)[1]
    done = run("tiny", stated)
    assert done.exit_code == ExitCode.AUDIT_FAILED
    assert [line.rstrip() for line in shown.splitlines()] == [line.rstrip() for line in done.output.splitlines()]


def test_a_plan_file_is_taken_by_its_decisions(stated, tmp_path):
    written = tmp_path / "evaluated.json"
    answer = json.loads(run("tiny", stated, "--out", written, "--json").output)
    assert answer["feasible"] is False
    assert answer["plan"] == json.loads(written.read_text())
    assert load_plan(written).termination.reason == "stated"
    again = run("tiny", written, "--json")
    assert json.loads(again.output)["broken"] == answer["broken"]
    assert load_decisions(written) == load_decisions(stated)


def test_what_is_no_plan_is_refused(tmp_path):
    path = tmp_path / "odd.yaml"
    path.write_text("contract: []\n")
    with pytest.raises(InvalidInputError, match="unknown key 'contract'"):
        load_decisions(path)
