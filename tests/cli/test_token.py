"""``optimizer token``: made, listed and revoked beside a store that nobody else has to have opened."""

import json

import pytest
from typer.testing import CliRunner

from optimizer.cli.main import app
from optimizer.errors import InvalidInputError
from optimizer.service.database import Database
from optimizer.service.tokens import Tokens
from optimizer.wire.errors import UnauthenticatedError

RUNNER = CliRunner()


@pytest.fixture
def store(tmp_path):
    return f"sqlite:///{tmp_path / 'store.db'}"


def run(store, *arguments):
    done = RUNNER.invoke(app, ["token", *arguments, "--store", store], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_token_is_made_listed_and_revoked(store):
    secret = run(store, "create", "planning team", "--scope", "plan", "--days", "90").strip()
    made = json.loads(run(store, "create", "board", "--tenant", "east", "--json"))
    with Database(store) as database:
        token = Tokens(database).check(secret)
        assert Tokens(database).check(made["token"]).id == made["id"]
    assert run(store, "revoke", token.id) == f"{token.id} (planning team) is revoked\n"
    first, second = json.loads(run(store, "list", "--json"))
    assert (first["id"], first["scope"], first["usable"], first["tenant"]) == (token.id, "plan", False, "default")
    assert (second["label"], second["scope"], second["usable"], second["expire_time"]) == ("board", "read", True, None)
    assert second["tenant"] == "east"
    table = run(store, "list")
    assert "planning team" in table
    assert secret.rpartition("_")[2] not in table
    with Database(store) as database, pytest.raises(UnauthenticatedError):
        Tokens(database).check(secret)


def test_a_tenant_that_cannot_be_one_is_told(store):
    for name in ("", "East", "-east", "e" * 64, "east\n"):
        with pytest.raises(InvalidInputError, match="cannot be a tenant"):
            run(store, "create", "x", "--tenant", name)


def test_an_unknown_scope_is_told(store):
    with pytest.raises(InvalidInputError, match="write read, plan or admin"):
        run(store, "create", "x", "--scope", "everything")
