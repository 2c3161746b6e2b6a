"""``optimizer diagnose``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optimizer.app.changes import changed
from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.io import load_portfolio, save_portfolio

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "no-plan.md").read_text(encoding="utf-8")
MUST = [
    {"offer": "northern-cloud", "sign_month": "2027-01"},
    {"offer": "chip-lab", "site": "Moses Lake", "sign_month": "2027-01"},
]


def run(*words):
    return CliRunner().invoke(app, ["diagnose", *map(str, words)])


@pytest.fixture
def strict(tmp_path):
    path = tmp_path / "strict.yaml"
    budget = "finance.capex_budgets[2027].maximum_capex_usd"
    save_portfolio(changed(load_portfolio("tiny"), {budget: 0.4}, {"policy.mandatory": MUST}), path)
    return path


def test_the_page_shows_what_is_printed(strict):
    """But for the last digits of the plans."""
    shown = re.search(r"\$ optimizer diagnose strict.yaml\n(.*?)```", PAGE, re.S)[1]
    done = run(strict)
    assert done.exit_code == ExitCode.NO_PLAN
    words, numbers = _split(done.output)
    assert (words, numbers) == (_split(shown)[0], pytest.approx(_split(shown)[1], abs=0.3))


def _split(text):
    number = r"[\d,]+\.\d+"
    words = re.sub(r"[\s─]+", " ", re.sub(number, "#", text))
    return words, [float(item.replace(",", "")) for item in re.findall(number, text)]


def test_a_portfolio_with_a_plan_is_good():
    done = run("tiny", "--json")
    assert done.exit_code == ExitCode.GOOD
    assert json.loads(done.output)["feasible"] is True
