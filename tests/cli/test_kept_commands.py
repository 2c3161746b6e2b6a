"""``optimizer plans`` and ``optimizer portfolios``, against a server that computes nothing."""

import json

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.client import OptimizerClient
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio
from optimizer.service.server import Server

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def address():
    with Server("127.0.0.1:0", workers=0) as server:
        yield f"127.0.0.1:{server.port}"


def run(address, *arguments):
    done = RUNNER.invoke(app, [*arguments, "--server", address], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_plans_and_portfolios_are_listed_cancelled_and_deleted(address):
    with OptimizerClient(address) as client:
        portfolio = client.create_portfolio(load_portfolio("tiny")).name
        name = client.create_plan(portfolio)
    assert run(address, "plans", "stop", name) == f"{name} is cancelled\n"
    assert run(address, "plans", "cancel", name) == f"{name} is cancelled\n"
    (row,) = json.loads(run(address, "plans", "list", "--portfolio", portfolio, "--state", "cancelled", "--json"))
    assert (row["name"], row["state"], row["expire_time"]) == (name, "cancelled", None)
    assert json.loads(run(address, "plans", "list", "--state", "running", "--json")) == []
    assert "Plans (UTC)" in run(address, "plans", "list")
    assert [item["name"] for item in json.loads(run(address, "portfolios", "list", "--json"))] == [portfolio]
    assert "Portfolios (UTC)" in run(address, "portfolios", "list")
    assert run(address, "plans", "delete", name, "--etag", row["etag"]) == f"{name} is deleted\n"
    assert run(address, "portfolios", "delete", portfolio) == f"{portfolio} is deleted\n"
    assert json.loads(run(address, "portfolios", "list", "--json")) == []


def test_a_state_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(InvalidInputError, match="write queued, running"):
        RUNNER.invoke(app, ["plans", "list", "--state", "waiting"], catch_exceptions=False)
