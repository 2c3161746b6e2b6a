"""``optimizer one-more``."""

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
    words = ("one-more", "tiny", plan_file, "--of", "halls", "--of", "budget", "-q")
    done = run(*words)
    assert done.exit_code == ExitCode.GOOD, done.output
    assert "Worth of 1 more, in USD" in done.output
    assert "halls at Pecos" in done.output
    assert "grid" not in done.output
    found = {item["what"]: item for item in json.loads(run(*words, "--json").stdout)["values"]}
    assert found["halls at Pecos"]["price_usd"] > 0.0
    assert found["capex budget 2027"]["holds_until"] is None


def test_what_is_worth_nothing_is_told_in_a_line(plan_file):
    done = run("one-more", "tiny", plan_file, "--of", "budget", "--prices", "-q")
    assert "Worth nothing, with the decisions at hand: capex budget 2027." in done.output


def test_an_unknown_site_is_refused_with_those_that_are_there(plan_file):
    done = run("one-more", "tiny", plan_file, "--site", "nowhere")
    assert isinstance(done.exception, InvalidInputError)
    assert "no site of the portfolio is 'nowhere'" in str(done.exception)
    assert "Moses Lake" in str(done.exception)
