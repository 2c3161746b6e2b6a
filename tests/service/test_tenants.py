"""Tenants: what one of them keeps is nowhere for the others, in any call, and there for an admin."""

import threading
import time

import grpc
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from calls import portfolio_for, refused
from google.longrunning import operations_pb2
from google.protobuf.message_factory import GetMessageClass

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.client import OptimizerClient, PlanState
from optimizer.errors import InvalidInputError, NotFoundError, ServiceError
from optimizer.service import tokens as tokens_module
from optimizer.service.access import ACCESS, EVERYWHERE, Access
from optimizer.service.database import Database
from optimizer.service.queue import queue_of
from optimizer.service.records import Request
from optimizer.service.security import Security
from optimizer.service.server import Server
from optimizer.service.store import Store
from optimizer.service.tokens import Scope, Tokens

EAST, WEST = Access("east"), Access("west")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"


@pytest.fixture(scope="module")
def guarded(url):
    """A server that asks for tokens, and computes nothing."""
    with Server("127.0.0.1:0", workers=0, heartbeat_s=0.1, security=Security(tokens=True), store=url) as running:
        yield f"127.0.0.1:{running.port}"


@pytest.fixture(scope="module")
def tokens(guarded, url):
    with Database(url, exclusive=False) as database:
        yield Tokens(database)


@pytest.fixture
def connect(guarded, tokens):
    """A client with a new token of a tenant."""
    opened = []

    def made(tenant, scope=Scope.PLAN):
        opened.append(OptimizerClient(guarded, token=tokens.create(tenant, scope, None, tenant)[1], timeout_s=20.0))
        return opened[-1]

    yield made
    for client in opened:
        client.close()


@pytest.fixture
def east(connect):
    return connect("east")


@pytest.fixture
def west(connect):
    return connect("west")


def plan_of(client):
    """The names of a new portfolio and of a plan of it."""
    portfolio = client.create_portfolio(portfolio_for("quick")).name
    return portfolio, client.create_plan(portfolio)


# ----------------------------------------------------------------------------------------------------- over a connection


def test_lists_and_counts_are_of_the_caller(connect, tokens):
    north, south = connect("north"), connect("south")
    portfolio, plan = plan_of(north)
    assert [record.name for record in north.list_plans()] == [plan]
    assert [head.name for head in north.list_portfolios()] == [portfolio]
    assert (list(south.list_plans()), list(south.list_portfolios())) == ([], [])
    assert list(south.list_plans(portfolio_name=portfolio)) == []
    assert (north.server_status().queued_count, south.server_status().queued_count) == (1, 0)
    assert south.server_status().oldest_wait_s is None


def named_methods():
    """Every call whose request names something that is kept, with the field that does."""
    services = [api.DESCRIPTOR.services_by_name["PlanningService"]]
    services.append(operations_pb2.DESCRIPTOR.services_by_name["Operations"])
    offered = {"ListOperations", "DeleteOperation"}  # which are not
    return {
        f"/{service.full_name}/{method.name}": method
        for service in services
        for method in service.methods
        if method.name not in offered and {"name", "plan"} & set(method.input_type.fields_by_name)
    }


def asked(method, name):
    """A request of a method about a name."""
    request = GetMessageClass(method.input_type)()
    if "name" in method.input_type.fields_by_name:
        request.name = name
    else:
        request.plan.portfolio = name
    return request


@pytest.mark.parametrize("path", named_methods())
def test_no_call_tells_what_is_of_another_tenant_from_what_is_nowhere(guarded, connect, tokens, path):
    """The same code, reason and words for both, whatever the call; new calls that name something are among them."""
    owner, method = connect("owner"), named_methods()[path]
    portfolio, plan = plan_of(owner)
    kind = "operations" if "longrunning" in path else "portfolios" if "Portfolio" in path else "plans"
    theirs = portfolio if kind == "portfolios" or "CreatePlan" in path else plan.replace("plans", kind)
    nowhere = theirs.partition("/")[0] + "/" + "0" * 32
    _, secret = tokens.create("stranger", Scope.PLAN, None, "stranger")
    answers = [told(guarded, secret, path, method, name) for name in (theirs, nowhere)]
    assert answers[0][:2] == ("NOT_FOUND", "RESOURCE_NOT_FOUND")
    assert answers[0][2].replace(theirs.partition("/")[2], "") == answers[1][2].replace("0" * 32, "")
    assert owner.get_plan(plan).state is PlanState.QUEUED
    assert owner.get_portfolio(portfolio).tenant == "owner"


def told(guarded, secret, path, method, name):
    """Code, reason and message of a refused call."""
    credentials = grpc.composite_channel_credentials(
        grpc.local_channel_credentials(), grpc.access_token_call_credentials(secret)
    )
    with grpc.secure_channel(guarded, credentials) as channel:
        make = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = make(path, request_serializer=lambda request: request.SerializeToString())
        caught = []

        def ask():
            try:
                answer = call(asked(method, name), timeout=20.0)
                list(answer) if method.server_streaming else answer
            except grpc.RpcError as error:
                caught.append(error.details())
                raise

        code, reason, _ = refused(ask)
    return code, reason, caught[0]


def test_a_request_id_is_a_tenants_own(east, west):
    first, second = (client.create_portfolio(portfolio_for("quick"), request_id="mine") for client in (east, west))
    assert first.name != second.name
    assert east.create_portfolio(portfolio_for("quick"), request_id="mine").name == first.name
    with pytest.raises(InvalidInputError, match="used for another request"):
        east.create_portfolio(portfolio_for("slow"), request_id="mine")
    assert west.create_portfolio(portfolio_for("slow"), request_id="ours").tenant == "west"


def test_an_admin_sees_and_does_everything_and_a_plan_is_whose_its_portfolio_is(connect, east, west):
    (_, of_east), (portfolio, of_west) = plan_of(east), plan_of(west)
    admin = connect("operators", Scope.ADMIN)
    assert {of_east, of_west} <= {record.name for record in admin.list_plans()}
    assert {"east", "west"} <= {head.tenant for head in admin.list_portfolios()}
    made = admin.create_plan(portfolio)
    assert west.get_plan(made).tenant == "west"
    assert admin.cancel(made).state is PlanState.CANCELLED
    assert admin.server_status().queued_count >= 2
    admin.cancel(of_west)
    for name in (made, of_west):
        admin.delete_plan(name)
    west.delete_portfolio(portfolio)
    with pytest.raises(NotFoundError):
        admin.get_portfolio(portfolio)
    assert admin.create_portfolio(portfolio_for("quick")).tenant == "operators"


@pytest.mark.parametrize("over", ["revoked", "expired"])
def test_an_open_stream_ends_with_its_token(guarded, tokens, east, monkeypatch, over):
    monkeypatch.setattr(tokens_module, "RENEW_S", 0.2)
    token, secret = tokens.create("leaver", Scope.READ, None if over == "revoked" else 1e-5, "east")
    _, plan = plan_of(east)
    with OptimizerClient(guarded, token=secret, resume_s=0.0) as client:
        stream = client.watch(plan)
        assert next(stream).stage == "queued"
        if over == "revoked":
            threading.Timer(0.1, tokens.revoke, [token.id]).start()
        begin = time.monotonic()
        with pytest.raises(ServiceError) as caught:
            next(stream)
    assert caught.value.code == "UNAUTHENTICATED"
    assert time.monotonic() - begin < 5.0


def test_an_answer_that_took_long_is_not_given_to_who_may_no_longer_ask(guarded, tokens, east, monkeypatch):
    monkeypatch.setattr(tokens_module, "RENEW_S", 0.2)
    token, secret = tokens.create("leaver", Scope.READ, None, "east")
    _, plan = plan_of(east)
    request = operations_pb2.WaitOperationRequest(name=plan.replace("plans", "operations"))
    request.timeout.FromMilliseconds(600)
    threading.Timer(0.1, tokens.revoke, [token.id]).start()
    method = operations_pb2.DESCRIPTOR.services_by_name["Operations"].methods_by_name["WaitOperation"]
    monkeypatch.setattr(f"{__name__}.asked", lambda *_: request)
    assert told(guarded, secret, "/google.longrunning.Operations/WaitOperation", method, "")[0] == "UNAUTHENTICATED"


def test_without_tokens_everything_is_of_the_default_tenant():
    with Server("127.0.0.1:0", workers=0) as server, OptimizerClient(f"127.0.0.1:{server.port}") as client:
        store = server._planner.store
        hidden = store.add_portfolio(b"", Request("CreatePortfolio", "", b"", "east"))
        portfolio, plan = plan_of(client)
        assert (client.get_portfolio(portfolio).tenant, client.get_plan(plan).tenant) == ("default", "default")
        assert [head.name for head in client.list_portfolios()] == [portfolio]
        with pytest.raises(NotFoundError):
            client.get_portfolio(f"portfolios/{hidden.id}")


# ------------------------------------------------------------------------------------------------------------ in a store


def test_what_a_call_may_see_has_no_value_outside_of_calls():
    with pytest.raises(LookupError):
        ACCESS.get()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_store_without_tenants_keeps_everything(kind, tmp_path, request):
    """Brought up from the revision before: all of it is of the default tenant, and a request is known again."""
    url = f"sqlite:///{tmp_path / 'store.db'}" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    at_revision(url, "0003")
    with Database(url) as database:
        store, asked_before = Store(database), Request("CreatePortfolio", "id", b"x")
        assert store.portfolio("a" * 32).tenant == "default"
        assert store.job("b" * 32, Access()).tenant == "default"
        assert store.add_portfolio(b"", asked_before).id == "a" * 32
        assert [token.tenant for token in Tokens(database).all()] == ["default"]
        with pytest.raises(NotFoundError):
            store.portfolio("a" * 32, EAST)
        store.delete_job("b" * 32)
        store.delete_portfolio("a" * 32)
        assert store.add_portfolio(b"", asked_before).id != "a" * 32


def at_revision(url, revision):
    """An old store with one of everything."""
    from hashlib import sha256

    from optimizer.service.database import parsed_url

    engine = sa.create_engine(parsed_url(url), poolclass=sa.NullPool)
    config = Config()
    config.set_main_option("script_location", "optimizer.service:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        no = "false" if engine.dialect.name == "postgresql" else "0"
        hashes = [sha256(part).hexdigest() for part in (b"id", b"x")]
        for statement in (
            f"INSERT INTO portfolios VALUES ('{'a' * 32}', '', 1.0)",
            "INSERT INTO plans (id, portfolio_id, options, state, create_time_s, stop_requested, cancel_requested, "
            "sequence, fence, beat, lost_count) "
            f"VALUES ('{'b' * 32}', '{'a' * 32}', '', 'succeeded', 1.0, {no}, {no}, 0, 0, 0, 0)",
            f"INSERT INTO requests VALUES ('CreatePortfolio', '{hashes[0]}', '{hashes[1]}', '{'a' * 32}')",
            "INSERT INTO tokens (id, secret_sha256, label, scope, create_time_s) VALUES ('t', '', 'team', 'plan', 1.0)",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_pages_of_one_tenant_are_not_continued_by_another(tmp_path):
    with Database(f"sqlite:///{tmp_path / 'store.db'}") as database:
        store = Store(database)
        ids = {
            access: [store.add_portfolio(b"", Request("CreatePortfolio", "", b"", access.tenant)).id for _ in range(3)]
            for access in (EAST, WEST)
        }
        first, token = store.page_of_portfolios(2, "", EAST)
        second, last = store.page_of_portfolios(2, token, EAST)
        assert ([item.id for item in [*first, *second]], last) == (ids[EAST][::-1], "")
        for other in (WEST, EVERYWHERE):
            with pytest.raises(InvalidInputError, match="not a token of this list"):
                store.page_of_portfolios(2, token, other)
        store.add_job(ids[EAST][0], b"", Request("CreatePlan", "", b"", "east"))
        assert [job.tenant for job in store.page_of_jobs(0, "", access=EVERYWHERE)[0]] == ["east"]
        assert store.page_of_jobs(0, "", access=WEST)[0] == []
        assert (queue_of(database, EAST).queued_count, queue_of(database, WEST).queued_count) == (1, 0)
        assert queue_of(database).queued_count == 1
