"""``optimizer break-evens``."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.cli.output import ExitCode
from optimizer.errors import InvalidInputError


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("plans") / "plan.json"
    assert run("plan", "tiny", "--gap", 0.01, "-q", "--out", file).exit_code == ExitCode.GOOD
    return file


def test_a_table_words_and_json(plan_file):
    words = ("break-evens", "tiny", plan_file, "--offer", "northern-cloud", "--relaxed", "--gap", 0.01, "-q")
    done = run(*words)
    assert done.exit_code == ExitCode.GOOD, done.output
    assert "northern-cloud, signed at 145.00 USD/kW-month, leaves" in done.output
    assert "chip-lab" not in done.output
    (found,) = json.loads(run(*words, "--json").stdout)["prices"]
    assert found["out_usd_per_kw_month"] < found["in_usd_per_kw_month"] < found["price_usd_per_kw_month"]


def test_other_terms_have_a_table_too(plan_file):
    words = ("break-evens", "tiny", plan_file, "--offer", "chip-lab", "--of", "capex", "--relaxed", "--gap", 0.01, "-q")
    done = run(*words)
    assert done.exit_code == ExitCode.GOOD, done.output
    assert "In times its capex" in done.output
    assert "chip-lab, signed at 1.000 times its capex, leaves" in done.output
    assert json.loads(run(*words, "--json").stdout)["prices"] == []


def test_an_unknown_offer_is_refused_with_those_that_are_there(plan_file):
    done = run("break-evens", "tiny", plan_file, "--offer", "nobody")
    assert isinstance(done.exception, InvalidInputError)
    assert "no offer is named 'nobody'" in str(done.exception)
    assert "chip-lab" in str(done.exception)
