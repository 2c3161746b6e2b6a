"""``optimizer replan``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from optimizer.app.changes import changed
from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.io import load_portfolio, save_portfolio


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture(scope="module")
def current(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    run("plan", "tiny", "--quiet", "--out", path)
    return path


def test_the_same_data_change_no_contract(current, tmp_path):
    done = run("replan", "tiny", "--from", current, "--most-changes", 0, "-q", "--out", tmp_path / "next.json")
    assert done.exit_code == ExitCode.GOOD
    assert done.output.startswith("No changes of contracts and orders")
    sides = [json.loads(path.read_text())["contracts"] for path in (current, tmp_path / "next.json")]
    assert sides[0] == sides[1]


def test_json_says_how_many_changes_and_what_they_bring(current, tmp_path):
    nothing = tmp_path / "nothing.json"
    nothing.write_text("{}")
    done = run("replan", "tiny", "--from", nothing, "--change-cost", 60e6, "-q", "--json", "--gap", 0.01)
    found = json.loads(done.stdout)
    assert found["change_count"] == found["plan"]["hurdle"]["change_count"] == 1
    assert found["comparison"]["difference_usd"] > 60e6


def test_no_plan_has_its_own_exit_code(current, tmp_path):
    barred = changed(load_portfolio("tiny"), {}, {"policy.forbidden": [{"offer": "northern-cloud"}]})
    save_portfolio(barred, tmp_path / "now.yaml")
    done = run("replan", tmp_path / "now.yaml", "--from", current, "--freeze-until", "2027-02", "-q")
    assert done.exit_code == ExitCode.NO_PLAN
    assert "there is no plan that keeps every limit (proven)" in done.output
