"""``optimizer compare``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.app.changes import changed
from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio, save_portfolio

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "compare-plans.md").read_text(encoding="utf-8")
LEASE = "contracts:\n- {offer: northern-cloud, site: Pecos, sign_month: 2027-01, critical_mw: 56}\n"


def run(*words):
    return CliRunner().invoke(app, ["compare", *map(str, words)])


@pytest.fixture
def board_paper(tmp_path):
    path = tmp_path / "board-paper.yaml"
    path.write_text(LEASE)
    return path


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    CliRunner().invoke(app, ["plan", "tiny", "--quiet", "--out", str(path)])
    return path


def test_the_page_shows_what_is_printed(plan):
    """But for the machines: plans that are worth the same may move others."""
    shown = re.search(r"\$ optimizer compare tiny plan.json\n(.*?)```", PAGE, re.S)[1]
    done = run("tiny", plan)
    assert done.exit_code == ExitCode.GOOD
    assert _figures(done.output) == _figures(shown)


def _figures(text):
    return [line.rstrip() for line in text.split("From the other plan")[0].splitlines()]


def test_another_plan_as_json(plan, board_paper):
    answer = json.loads(run("tiny", plan, board_paper, "--json").output)
    assert sum(item["npv_usd"] for item in answer["changes"]) == pytest.approx(answer["difference_usd"], abs=1.0)
    assert not answer["other"]["feasible"]


def test_the_same_plan_and_another_portfolio(board_paper, tmp_path):
    assert "The two decide the same." in run("tiny", board_paper, board_paper).output
    richer = tmp_path / "richer.yaml"
    save_portfolio(changed(load_portfolio("tiny"), {"market.btc_usd": 1.1}, {}), richer)
    done = run("tiny", board_paper, board_paper, "--other-portfolio", richer)
    assert "Other assumptions about market" in done.output
    assert "market.btc_usd" in done.output


def test_both_another_plan_and_a_baseline_are_refused(board_paper):
    done = run("tiny", board_paper, board_paper, "--baseline", "mine-on")
    assert isinstance(done.exception, InvalidInputError)
