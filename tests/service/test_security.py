"""Who may call: tokens and their scopes, certificates, and where a server listens without them."""

import subprocess

import grpc
import pytest
import wire_cases
from calls import refused
from grpc_health.v1 import health_pb2, health_pb2_grpc

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.client import OptimizerClient, tls_credentials
from optimizer.errors import InvalidInputError, NotFoundError, ServiceError
from optimizer.service.database import Database
from optimizer.service.security import Security, refuse_beyond_loopback
from optimizer.service.server import Server
from optimizer.service.tokens import Scope, Tokens
from optimizer.wire.errors import UnauthenticatedError


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"


@pytest.fixture(scope="module")
def guarded(store):
    """A server that asks for tokens, and computes nothing."""
    with Server("127.0.0.1:0", workers=0, security=Security(tokens=True), store=store) as running:
        yield f"127.0.0.1:{running.port}"


@pytest.fixture(scope="module")
def tokens(guarded, store):
    """As another process makes them while the server runs."""
    with Database(store, exclusive=False) as database:
        yield Tokens(database)


def refusal(address, token, ask):
    """Code and reason of a refused call."""
    with OptimizerClient(address, token=token, timeout_s=20.0) as client, pytest.raises(ServiceError) as caught:
        ask(client)
    return caught.value.code, caught.value.reason


def look(client):
    return list(client.list_plans())


def store_one(client):
    return client.create_portfolio(wire_cases.small_portfolio())


# --------------------------------------------------------------------------------------------------------------- tokens


def test_a_token_of_scope_plan_may_do_everything(guarded, tokens):
    _, secret = tokens.create("team", Scope.PLAN, None)
    with OptimizerClient(guarded, token=secret) as client:
        assert client.get_portfolio(store_one(client).name).portfolio == wire_cases.small_portfolio()


def test_a_token_of_scope_read_may_look(guarded, tokens):
    _, secret = tokens.create("board", Scope.READ, 1.0)
    with OptimizerClient(guarded, token=secret) as client:
        assert look(client) == []
        with pytest.raises(NotFoundError):
            list(client.watch("plans/" + "0" * 32))
    denied = ("PERMISSION_DENIED", "SCOPE_TOO_NARROW")
    assert refusal(guarded, secret, store_one) == denied
    assert refusal(guarded, secret, lambda client: client.stop("plans/x")) == denied
    assert refusal(guarded, secret, lambda client: client.cancel("plans/x")) == denied
    assert refusal(guarded, secret, lambda client: client.hashing_curve(wire_cases.hashing_spec())) == denied


@pytest.mark.parametrize("made_up", ["", "x", "opt_", "opt_000000000000_" + "A" * 43, "opt_000000000000_" + "é" * 43])
def test_made_up_tokens_are_refused(guarded, tokens, made_up):
    with pytest.raises(UnauthenticatedError):
        tokens.check(made_up)
    if made_up.isascii():
        assert refusal(guarded, made_up, look) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


def test_the_secret_of_another_token_is_refused(tokens):
    (first, one), (second, other) = tokens.create("a", Scope.PLAN, None), tokens.create("b", Scope.PLAN, None)
    assert tokens.check(one) == first
    with pytest.raises(UnauthenticatedError):
        tokens.check(other.replace(second.id, first.id))
    with pytest.raises(UnauthenticatedError):
        tokens.check(one + "x")


def test_a_revoked_token_is_refused_without_a_restart(guarded, tokens):
    token, secret = tokens.create("leaver", Scope.PLAN, None)
    with OptimizerClient(guarded, token=secret) as client:
        look(client)
        revoked = tokens.revoke(token.id)
        with pytest.raises(ServiceError, match="not known, or over"):
            look(client)
    assert tokens.revoke(token.id) == revoked
    with pytest.raises(NotFoundError):
        tokens.revoke("none")


def test_a_token_ends(guarded, tokens):
    _, secret = tokens.create("guest", Scope.PLAN, 1e-9)
    assert refusal(guarded, secret, look) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    with pytest.raises(InvalidInputError, match="is not positive"):
        tokens.create("guest", Scope.PLAN, 0.0)
    with pytest.raises(InvalidInputError, match="0 characters"):
        tokens.create("", Scope.PLAN, None)


def test_who_may_not_call_is_not_told_what_is_wrong(guarded, tokens):
    """Authorisation comes before validation, for streams too, and a name tells nothing of what exists."""
    with grpc.insecure_channel(guarded) as channel:
        create = channel.unary_unary("/optimizer.api.v1.PlanningService/CreatePortfolio")
        watch = channel.unary_stream("/optimizer.api.v1.PlanningService/WatchPlan")
        cancel = channel.unary_unary("/google.longrunning.Operations/CancelOperation")
        for call in (lambda: create(b"\xff\xff"), lambda: list(watch(b"\xff\xff")), lambda: cancel(b"")):
            assert refused(call) == ("UNAUTHENTICATED", "UNAUTHENTICATED", [])


def test_health_needs_no_token(guarded):
    with grpc.insecure_channel(guarded) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_store_has_no_secret(guarded, tokens, store):
    _, secret = tokens.create("team", Scope.PLAN, None)
    for path in (store.removeprefix("sqlite:///"), store.removeprefix("sqlite:///") + "-wal"):
        with open(path, "rb") as file:
            assert secret.rpartition("_")[2].encode() not in file.read()
    assert secret not in repr(tokens.all())


def test_every_method_has_a_scope_by_its_name():
    """A new method that only looks must begin like one; all others need ``plan``."""
    names = [method.name for method in api.DESCRIPTOR.services_by_name["PlanningService"].methods]
    looks = [name for name in names if name.startswith(("Get", "List", "Watch", "Wait", "Check"))]
    assert set(looks) == {"GetPortfolio", "ListPortfolios", "GetPlan", "ListPlans", "WatchPlan", "GetServerStatus"}


# ------------------------------------------------------------------------------------------------------------------ TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A certificate of this machine that signs itself, and one that it did not sign."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("own", "other"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, capture_output=True,
        )  # fmt: skip
    return folder


def test_tls_lets_in_who_trusts_it(certificates):
    security = Security(certificates / "own.pem", certificates / "own.key")
    with Server("127.0.0.1:0", workers=0, security=security) as server:
        address = f"127.0.0.1:{server.port}"
        with OptimizerClient(address, credentials=tls_credentials(certificates / "own.pem")) as client:
            assert look(client) == []
        stranger = tls_credentials(certificates / "other.pem")
        with OptimizerClient(address, credentials=stranger, timeout_s=2.0) as client, pytest.raises(ServiceError):
            look(client)
        assert refusal_of_plain(address)


def refusal_of_plain(address):
    with OptimizerClient(address, timeout_s=1.0) as client, pytest.raises(ServiceError) as caught:
        look(client)
    return caught.value.code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_clients_show_their_certificate_where_it_is_wanted(certificates):
    own, key = certificates / "own.pem", certificates / "own.key"
    with Server("127.0.0.1:0", workers=0, security=Security(own, key, tls_client_ca=own)) as server:
        address = f"127.0.0.1:{server.port}"
        with OptimizerClient(address, credentials=tls_credentials(own, own, key)) as client:
            assert look(client) == []
        for wrong in (
            tls_credentials(own),
            tls_credentials(own, certificates / "other.pem", certificates / "other.key"),
        ):
            with OptimizerClient(address, credentials=wrong, timeout_s=2.0) as client, pytest.raises(ServiceError):
                look(client)


def test_tokens_travel_by_tls_as_the_environment_says(certificates, store, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    security = Security(certificates / "own.pem", certificates / "own.key", tokens=True)
    with Server("0.0.0.0:0", workers=0, security=security, store=url) as server:
        with Database(url, exclusive=False) as database:
            _, secret = Tokens(database).create("team", Scope.READ, None)
        monkeypatch.setenv("OPTIMIZER_TLS_CA", str(certificates / "own.pem"))
        with OptimizerClient.from_environment(f"127.0.0.1:{server.port}") as client, pytest.raises(ServiceError):
            look(client)
        monkeypatch.setenv("OPTIMIZER_TOKEN", secret)
        with OptimizerClient.from_environment(f"127.0.0.1:{server.port}") as client:
            assert look(client) == []
    monkeypatch.setenv("OPTIMIZER_TLS_KEY", "key.pem")
    with pytest.raises(InvalidInputError, match="OPTIMIZER_TLS_CERTIFICATE"):
        OptimizerClient.from_environment("127.0.0.1:1")


@pytest.mark.parametrize(
    ("security", "path"),
    [
        (Security(tls_certificate="own.pem"), "tls_key"),
        (Security(tls_key="own.key"), "tls_certificate"),
        (Security(tls_client_ca="own.pem"), "tls_certificate"),
    ],
)
def test_half_of_tls_is_told(security, path):
    with pytest.raises(InvalidInputError) as caught:
        security.credentials()
    assert [problem.path for problem in caught.value.problems] == [path]


def test_tokens_need_a_store_that_others_can_open():
    with pytest.raises(InvalidInputError, match="nobody could make one"):
        Server("127.0.0.1:0", workers=0, security=Security(tokens=True))


def test_files_that_are_not_there_are_told(certificates):
    with pytest.raises(InvalidInputError, match="No such file"):
        Security(certificates / "none.pem", certificates / "own.key").credentials()
    with pytest.raises(InvalidInputError, match="No such file"):
        tls_credentials(certificates / "none.pem")


def test_only_tls_with_login_may_be_reached_from_elsewhere(certificates):
    own, key = certificates / "own.pem", certificates / "own.key"
    for too_little in (Security(tokens=True), Security(own, key)):
        with pytest.raises(InvalidInputError, match="without encryption or login"):
            refuse_beyond_loopback("0.0.0.0:0", too_little)
    refuse_beyond_loopback("0.0.0.0:0", Security(own, key, tokens=True))
    refuse_beyond_loopback("0.0.0.0:0", Security(own, key, tls_client_ca=own))
