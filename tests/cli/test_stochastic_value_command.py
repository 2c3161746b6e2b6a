"""``optimizer stochastic-value``."""

from __future__ import annotations

import json

from support import portfolio
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError
from optimizer.io.save import save_portfolio


def run(*words):
    return CliRunner().invoke(app, ["stochastic-value", *map(str, words)])


def test_a_table_words_and_json():
    words = ("tiny", "--scenarios", 50, "--cvar-weight", 5, "--gap", 0.02, "-q")
    done = run(*words)
    assert done.exit_code == ExitCode.GOOD, done.output
    assert "Over 50 futures" in done.output
    assert "the mean market promised" in done.output
    found = json.loads(run(*words, "--json").stdout)
    assert found["scenario_count"] == 50
    assert 0.0 <= found["value_usd"] <= found["most_value_usd"]
    assert f"{found['mean_plan']['npv_usd'] / 1e6:,.1f}" in done.output


def test_without_a_plan_it_says_why(tmp_path):
    file = tmp_path / "poor.yaml"
    save_portfolio(portfolio(2, finance={"minimum_liquidity_usd": 2e9}), file)
    done = run(file, "-q")
    assert done.exit_code == ExitCode.NO_PLAN
    assert "no plan for the mean market" in done.output


def test_a_tail_above_one_is_refused():
    done = run("tiny", "--tail", 1.5)
    assert isinstance(done.exception, InvalidInputError)
