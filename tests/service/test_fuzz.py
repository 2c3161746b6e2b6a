"""Mutated messages, bytes that are none, messages that are too long, and callers that are slow or vanish."""

import socket
import sys
from pathlib import Path

import grpc
import pytest
from calls import portfolio_for

sys.path.append(str(Path(__file__).resolve().parents[1] / "load"))

from fuzz_service import METHODS, Fuzzer

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1 import planning_service_pb2_grpc
from optimizer.client import OptimizerClient
from optimizer.errors import JobCancelledError
from optimizer.service.limits import Limits
from optimizer.service.server import MAXIMUM_MESSAGE_BYTES, Server

COMPUTED_HERE = {"EvaluatePlan", "ComparePlans"}
"""What takes longest of what is computed in the server itself."""
QUICK = [method for method in METHODS if method.name not in COMPUTED_HERE]
COUNT = 8 * len(QUICK)


@pytest.fixture(scope="module")
def target():
    """A server that refuses what takes a process of its own, after it has understood the question."""
    with Server("127.0.0.1:0", workers=1, limits=Limits(10**6), heartbeat_s=0.1, target="fake_targets:quick") as server:
        server._planner.own_processes.ask = refuse
        yield server


def refuse(*_):
    raise JobCancelledError("nobody computes here")


@pytest.fixture
def fuzzed(target):
    with grpc.insecure_channel(f"127.0.0.1:{target.port}") as channel:
        yield Fuzzer(channel, seed=7, deadline_s=10.0)


def is_well(server):
    with OptimizerClient(f"127.0.0.1:{server.port}", timeout_s=5.0) as client:
        return client.server_status().missing == ""


def test_no_message_makes_the_service_fail(target, fuzzed):
    fuzzed.run(COUNT, QUICK)
    fuzzed.run(4, [method for method in METHODS if method.name in COMPUTED_HERE])
    assert [(method, told) for method, told, _ in fuzzed.failures] == []
    assert fuzzed.codes["INVALID_ARGUMENT"] > COUNT / 5, "mutations are refused"
    assert fuzzed.codes["OK"] > COUNT / 20, "but not all of them"
    assert is_well(target)


def test_a_failure_would_be_seen(fuzzed, target, monkeypatch):
    monkeypatch.setattr(target._planner.store, "page_of_jobs", lambda *_: 1 / 0)
    method = next(method for method in METHODS if method.name == "ListPlans")
    for _ in range(5):
        fuzzed.send(method)
    assert fuzzed.failures


def test_a_message_that_is_too_long_is_told(target):
    with grpc.insecure_channel(f"127.0.0.1:{target.port}", options=[("grpc.max_send_message_length", -1)]) as channel:
        stub = planning_service_pb2_grpc.PlanningServiceStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetPlan(api.GetPlanRequest(name="x" * (MAXIMUM_MESSAGE_BYTES + 1)))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert is_well(target)


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", bytes(range(256)) * 40]
)
def test_what_is_no_grpc_is_hung_up_on(target, said):
    with socket.create_connection(("127.0.0.1", target.port), timeout=5.0) as connection:
        connection.sendall(said)
    assert is_well(target)


def test_callers_that_vanish_leave_their_places(target):
    with OptimizerClient(f"127.0.0.1:{target.port}") as client:
        name = client.create_plan(client.create_portfolio(portfolio_for("quick")).name)
        client.wait(name)
    for _ in range(100):  # twice as many as may wait
        channel = grpc.insecure_channel(f"127.0.0.1:{target.port}")
        next(planning_service_pb2_grpc.PlanningServiceStub(channel).WatchPlan(api.WatchPlanRequest(name=name)))
        channel.close()
    assert is_well(target)
