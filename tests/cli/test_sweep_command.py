"""``optimizer sweep``."""

from __future__ import annotations

import json
import time

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


def test_what_is_proven_and_what_moves_the_worth_are_told():
    done = run("tiny", "--scale", "market.btc_usd=0.8:1.2:2", "--gap", 0.01, "-q")
    assert "northern-cloud*" in done.output
    assert "* is signed by every best plan there (proven)" in done.output
    assert "market.btc_usd from 0.8 to 1.2 moves the worth by" in done.output


def test_where_a_contract_comes_in_is_told():
    words = (
        "tiny",
        "--scale",
        "offers[chip-lab].price_usd_per_kw_month=0.3:1:2",
        "--tolerance",
        0.2,
        "--gap",
        0.01,
        "-q",
    )
    done = run(*words)
    assert "offers[chip-lab]" in done.output
    assert "chip-lab comes into the plan between the factors 0.65 and 0.825, as found" in done.output


def test_a_page_has_what_the_table_has(tmp_path):
    page = tmp_path / "s.html"
    done = run("tiny", "--scale", "market.btc_usd=0.8:1.2:2", "--gap", 0.01, "-q", "--page", page)
    assert f"page written to {page}" in done.output.replace("\n", "")
    assert "Plans of tiny under other assumptions" in page.read_text()


def test_points_that_time_left_out_are_told(monkeypatch):
    monkeypatch.setattr(time, "time", iter(range(0, 10**9, 3600)).__next__)
    done = run("tiny", "--scale", "market.btc_usd=0.8:1.2:2", "--gap", 0.01, "--sweep-time", 60, "-q")
    assert done.exit_code == ExitCode.NO_PLAN
    assert "2 points were not reached: give more time, or state fewer" in done.output


def test_a_bad_range_is_refused_before_any_work():
    done = run("tiny", "--scale", "market.btc_usd=0.8")
    assert isinstance(done.exception, InvalidInputError)
    assert "PATH=FROM:TO:POINTS" in str(done.exception)


def test_a_point_without_a_plan_says_why():
    done = run("tiny", "--scale", "finance.minimum_liquidity_usd=1:100:2", "--gap", 0.01, "-q")
    assert done.exit_code == ExitCode.GOOD
    assert "no plan: infeasible" in done.output
