"""The server around the calls: addresses, health, reflection, stopping, limits."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import wire_cases
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from optimizer.client import OptimizerClient
from optimizer.domain import Portfolio
from optimizer.errors import InvalidInputError, ServiceError
from optimizer.service import server as server_module
from optimizer.service.access import EVERYWHERE, Access
from optimizer.service.jobs import JobRunner
from optimizer.service.planner import Planner
from optimizer.service.records import Request
from optimizer.service.security import Security, refuse_beyond_loopback
from optimizer.service.server import Server
from optimizer.service.store import Store
from optimizer.wire.errors import OverloadedError

SERVICE = "optimizer.api.v1.PlanningService"


@pytest.mark.parametrize("listen", ["127.0.0.1:99999", "nonsense", "127.0.0.1:http", "127.0.0.1:-1", ":50051"])
def test_an_address_without_a_port_is_told(listen):
    with pytest.raises(InvalidInputError, match="port below 65536"):
        refuse_beyond_loopback(listen, Security())


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.168.0.1:50051", "example.org:50051"])
def test_an_address_beyond_this_machine_must_be_wanted(listen):
    with pytest.raises(InvalidInputError, match="insecure_listen=True"):
        Server(listen, target="fake_targets:quick")


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0", "[::1]:50051", "unix:/tmp/x.sock"])
def test_this_machine_is_fine(listen):
    refuse_beyond_loopback(listen, Security())


def test_another_address_can_be_wanted():
    server = Server("0.0.0.0:0", workers=0, insecure_listen=True, target="fake_targets:quick")
    with server:
        assert server.port > 0


def test_a_port_in_use_is_told(server):
    with pytest.raises(ServiceError, match="cannot listen"):
        Server(f"127.0.0.1:{server.port}", target="fake_targets:quick")


def test_health_follows_the_server():
    with grpc.insecure_channel(f"127.0.0.1:{(server := Server('127.0.0.1:0', workers=0).start()).port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE, "google.longrunning.Operations"):
            status = stub.Check(health_pb2.HealthCheckRequest(service=name)).status
            assert status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="unheard"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        stopper = threading.Thread(target=server.stop, args=[1.0])
        stopper.start()
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        stopper.join()


def test_reflection_lists_the_services(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([request]))
        names = {service.name for service in answer.list_services_response.service}
    assert {SERVICE, "google.longrunning.Operations", "grpc.health.v1.Health"} <= names


def test_stopping_lets_a_stream_end_first():
    server = Server("127.0.0.1:0", workers=1, target="fake_targets:by_name").start()
    portfolio = Portfolio.model_validate(wire_cases.small_data() | {"name": "slow"})
    with OptimizerClient(f"127.0.0.1:{server.port}") as client, ThreadPoolExecutor(1) as pool:
        name = client.create_plan(client.create_portfolio(portfolio).name)
        events = client.watch(name)
        assert next(events).stage == "queued"
        assert next(events).stage == "solve"
        stopping = pool.submit(server.stop, 10.0)
        time.sleep(0.2)
        server._planner.stop(server._planner.job(name, EVERYWHERE))
        assert [event.stage for event in events][-1:] in (["solve"], [])
        stopping.result(5.0)


def test_waiting_calls_leave_room_for_others():
    store = Store()
    planner = Planner(store, JobRunner(store, "fake_targets:quick", slots=0), waiting_limit=1)
    stored = planner.create_portfolio(wire_cases.small_portfolio(), Access(), "", b"", validate_only=False)
    job = planner.create_plan(stored, wire_cases.options(), Request("CreatePlan", "", b""), allow_reuse=False)

    class Caller:
        def is_active(self):
            return True

        def time_remaining(self):
            return None

    watching = planner.watch(job, 0, Caller())
    assert next(watching).sequence == 1
    with pytest.raises(OverloadedError):
        planner.wait(job, 0.1, Caller())
    watching.close()
    assert not planner.wait(job, 0.01, Caller()).state.ended
    store.database.close()


def test_serving_ends_with_a_signal(monkeypatch):
    handlers, stopped = {}, []
    monkeypatch.setattr(server_module.signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(Server, "start", lambda _: handlers[server_module.signal.SIGTERM](15, None))
    monkeypatch.setattr(Server, "stop", lambda self, grace_s: (stopped.append(grace_s), self._database.close()))
    server_module.serve("127.0.0.1:0", workers=0, grace_s=3.0, store="temporary")
    assert stopped == [3.0]


def test_the_planner_itself_gives_the_same_plan_as_here():
    from optimizer.app import plan

    portfolio = Portfolio.model_validate(wire_cases.small_data() | {"risk": {"scenario_count": 10}})
    with Server("127.0.0.1:0", workers=1) as server, OptimizerClient(f"127.0.0.1:{server.port}") as client:
        remote, local = client.plan(portfolio), plan(portfolio)
    assert untimed(remote) == untimed(local)


def untimed(plan):
    return plan.model_copy(update={"manifest": plan.manifest.model_copy(update={"timings": ()})})
