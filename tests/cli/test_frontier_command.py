"""``optimizer frontier``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError


def run(*arguments):
    return CliRunner().invoke(app, ["frontier", *map(str, arguments)])


def test_a_table_notes_and_files(tmp_path):
    done = run("tiny", "--points", 3, "--gap", 0.01, "-q", "--out", tmp_path / "f.csv", "--plot", tmp_path / "f.svg")
    assert done.exit_code == ExitCode.GOOD
    assert "mean of the worst 5% of 500 futures" in done.output
    assert "from a weight of" in done.output
    assert "the worst futures can be" in done.output
    assert len((tmp_path / "f.csv").read_text().splitlines()) == 4
    assert "CVaR, million USD" in (tmp_path / "f.svg").read_text()


def test_json_and_other_scenarios():
    done = run("tiny", "--points", 2, "--gap", 0.02, "-q", "--json", "--scenarios", 100, "--tail", 0.1)
    found = json.loads(done.stdout)
    assert (found["scenario_count"], found["tail_probability"]) == (100, 0.1)
    assert [point["cvar_weight_frac"] for point in found["points"]] == pytest.approx([0.0, 100.0])


def test_a_bad_question_is_refused_before_any_work():
    done = run("tiny", "--points", 1)
    assert isinstance(done.exception, InvalidInputError)
    assert "point_count: 1 points is outside 2..50" in str(done.exception)


def test_time_that_is_too_short_is_told():
    done = run("tiny", "--points", 8, "--gap", 1e-6, "-q", "--time-limit", 1)
    assert "the time was up" in done.output or done.exit_code == ExitCode.GOOD
