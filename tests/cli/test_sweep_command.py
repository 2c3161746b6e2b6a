"""``optimizer sweep``."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError


def run(*words):
    return CliRunner().invoke(app, ["sweep", *map(str, words)])


def test_a_table_a_file_and_json(tmp_path):
    words = ("tiny", "--scale", "market.btc_usd=0.8:1.2:2", "--gap", 0.01, "-q")
    done = run(*words, "--out", tmp_path / "s.csv")
    assert done.exit_code == ExitCode.GOOD
    assert "within the gap of each point" in done.output
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 3
    found = json.loads(run(*words, "--json").stdout)
    assert [point["factors"][0]["factor"] for point in found["points"]] == [0.8, 1.2]


def test_a_bad_range_is_refused_before_any_work():
    done = run("tiny", "--scale", "market.btc_usd=0.8")
    assert isinstance(done.exception, InvalidInputError)
    assert "PATH=FROM:TO:POINTS" in str(done.exception)


def test_a_point_without_a_plan_says_why():
    done = run("tiny", "--scale", "finance.minimum_liquidity_usd=1:100:2", "--gap", 0.01, "-q")
    assert done.exit_code == ExitCode.GOOD
    assert "no plan: infeasible" in done.output
