"""What a server tells of itself: metrics, the log, request ids, and whether it is ready."""

import io
import json
import logging
import time
import urllib.request
import uuid

import grpc
import pytest
import sqlalchemy as sa
from calls import portfolio_for, refused
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1 import planning_service_pb2_grpc
from optimizer.client import OptimizerClient
from optimizer.domain import Progress
from optimizer.errors import InvalidInputError, ServiceError
from optimizer.service.jobs import JobRunner
from optimizer.service.logs import REQUEST_ID, JsonLines, tell, write_logs
from optimizer.service.memory import peak_bytes, resident_bytes
from optimizer.service.metrics import Metrics, RunMeter
from optimizer.service.queue import Queue, queue_of
from optimizer.service.records import JobState, Request, Run
from optimizer.service.server import Server
from optimizer.service.store import Store
from optimizer.wire.convert import to_bytes

SERVICE = "optimizer.api.v1.PlanningService"


def scraped(port):
    """Every sample of a scrape, by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5.0) as answer:
        text = answer.read().decode()
    return samples(text_string_to_metric_families(text))


def samples(families):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def of(found, name, **labels):
    """The sum over the samples that have these labels, and maybe others."""
    wanted = set(labels.items())
    return sum(value for (there, said), value in found.items() if there == name and wanted <= said)


@pytest.fixture
def log():
    """What is logged meanwhile, line by line."""
    root, ours, target = logging.getLogger(), logging.getLogger("optimizer"), io.StringIO()
    handlers, levels = root.handlers[:], (root.level, ours.level)
    write_logs("debug", target)
    yield lambda: [json.loads(line) for line in target.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture
def watched(log):
    with Server("127.0.0.1:0", workers=1, heartbeat_s=0.1, target="fake_targets:by_name", metrics_port=0) as server:
        yield server


@pytest.fixture
def stub(watched):
    with grpc.insecure_channel(f"127.0.0.1:{watched.port}") as channel:
        yield planning_service_pb2_grpc.PlanningServiceStub(channel)


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def test_a_plan_leaves_its_figures(watched, log):
    with OptimizerClient(f"127.0.0.1:{watched.port}") as client:
        client.plan(portfolio_for("quick"))
    until(lambda: of(scraped(watched.metrics_port), "optimizer_plans_ended_total", state="succeeded") == 1)
    found = scraped(watched.metrics_port)
    assert of(found, "optimizer_plan_wait_seconds_count") == 1
    for stage in ("curves", "build", "solve", "audit"):
        assert of(found, "optimizer_plan_stage_seconds_count", stage=stage) == 1
    assert of(found, "grpc_server_handled_total", grpc_method="CreatePlan", grpc_code="OK") == 1
    assert of(found, "grpc_server_handling_seconds_count", grpc_method="WatchPlan", grpc_type="unary_stream") == 1
    assert of(found, "optimizer_store_up") == 1
    assert of(found, "optimizer_worker_memory_bytes") > 1e6
    assert of(found, "optimizer_plan_memory_bytes_count") == 1
    assert of(found, "process_resident_memory_bytes") > 1e6


def test_the_queue_is_read_when_it_is_asked_for(watched):
    with OptimizerClient(f"127.0.0.1:{watched.port}") as client:
        portfolio = client.create_portfolio(portfolio_for("slow")).name
        first, second = client.create_plan(portfolio), client.create_plan(portfolio)
        until(lambda: of(scraped(watched.metrics_port), "optimizer_plans", state="running") == 1)
        time.sleep(0.05)
        found = scraped(watched.metrics_port)
        assert of(found, "optimizer_plans", state="queued") == 1
        assert of(found, "optimizer_queue_oldest_seconds") >= 0.05
        for name in (first, second):
            client.cancel(name)
        until(lambda: of(scraped(watched.metrics_port), "optimizer_plans_ended_total", state="cancelled") == 1)


def test_refused_calls_are_counted_by_method_code_and_reason(watched, stub):
    assert refused(lambda: stub.GetPlan(api.GetPlanRequest(name="x")))[0] == "INVALID_ARGUMENT"
    found = scraped(watched.metrics_port)
    assert of(found, "grpc_server_handled_total", grpc_method="GetPlan", grpc_code="INVALID_ARGUMENT") == 1
    assert of(found, "optimizer_refused_total", reason="INVALID_INPUT") == 1


def test_an_error_in_the_middle_of_a_stream_is_counted(watched, stub, monkeypatch):
    with OptimizerClient(f"127.0.0.1:{watched.port}") as client:
        name = client.create_plan(client.create_portfolio(portfolio_for("quick")).name)
    monkeypatch.setattr(watched._planner.store, "events_after", lambda *_: (_ for _ in ()).throw(ServiceError("x")))
    assert refused(lambda: list(stub.WatchPlan(api.WatchPlanRequest(name=name))))[0] == "UNKNOWN"
    found = scraped(watched.metrics_port)
    assert of(found, "grpc_server_handled_total", grpc_method="WatchPlan", grpc_code="UNKNOWN") == 1


def test_a_caller_who_leaves_is_counted_as_such(watched, stub):
    with OptimizerClient(f"127.0.0.1:{watched.port}") as client:
        name = client.create_plan(client.create_portfolio(portfolio_for("slow")).name)
        stream = stub.WatchPlan(api.WatchPlanRequest(name=name))
        next(stream)
        stream.cancel()
        with pytest.raises(grpc.RpcError):
            list(stub.WatchPlan(api.WatchPlanRequest(name=name), timeout=0.3))
        counts = {
            code: lambda code=code: of(scraped(watched.metrics_port), "grpc_server_handled_total", grpc_code=code)
            for code in ("CANCELLED", "DEADLINE_EXCEEDED")
        }
        until(lambda: all(count() == 1 for count in counts.values()))
        client.cancel(name)


def test_a_method_that_is_not_there_names_no_metric(watched):
    with grpc.insecure_channel(f"127.0.0.1:{watched.port}") as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/optimizer.api.v1.PlanningService/Nonsense")(b"")
    assert of(scraped(watched.metrics_port), "grpc_server_started_total") == 0


def test_a_call_is_one_line_with_its_request_id_and_its_plan(watched, stub, log):
    name = f"plans/{uuid.uuid4().hex}"
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetPlan(api.GetPlanRequest(name=name), metadata=(("x-request-id", "nightly-7"),))
    assert dict(caught.value.trailing_metadata())["x-request-id"] == "nightly-7"
    assert "grpc-status-details-bin" in dict(caught.value.trailing_metadata())
    (line,) = [line for line in log() if line["event"] == "call"]
    assert line["seconds"] >= 0
    told = {name: line[name] for name in ("level", "method", "code", "reason", "request_id", "plan")}
    assert told == {
        "level": "info", "method": "GetPlan", "code": "NOT_FOUND", "reason": "RESOURCE_NOT_FOUND",
        "request_id": "nightly-7", "plan": name.removeprefix("plans/"),
    }  # fmt: skip


@pytest.mark.parametrize("said", ["", "a b", "x" * 65, 'a"b'])
def test_what_is_no_request_id_is_replaced(watched, stub, said):
    metadata = (("x-request-id", said),) if said else ()
    _, call = stub.ListPlans.with_call(api.ListPlansRequest(), metadata=metadata)
    assert uuid.UUID(hex=dict(call.trailing_metadata())["x-request-id"])


def test_what_is_logged_within_a_call_carries_its_id(watched, stub, log, monkeypatch):
    monkeypatch.setattr(watched._planner.store, "page_of_jobs", lambda *_: 1 / 0)
    assert refused(lambda: stub.ListPlans(api.ListPlansRequest(), metadata=(("x-request-id", "q"),)))[0] == "INTERNAL"
    lines = [line for line in log() if line.get("request_id") == "q"]
    assert [line["event"].split(" ")[0] for line in lines] == ["internal", "call"]
    assert "ZeroDivisionError" in lines[0]["traceback"]
    assert lines[1]["level"] == "error"
    assert REQUEST_ID.get() == ""


def test_the_life_of_a_plan_and_of_a_server_is_told(log):
    with (
        Server("127.0.0.1:0", workers=1, target="fake_targets:by_name") as server,
        OptimizerClient(f"127.0.0.1:{server.port}") as client,
    ):
        name = client.create_plan(client.create_portfolio(portfolio_for("crash")).name)
        client.wait(name)
    lines = log()
    plan_id = name.removeprefix("plans/")
    about = [line["event"] for line in lines if line.get("plan") == plan_id and line["event"] != "call"]
    assert about == ["plan begun", "plan ended"]
    assert next(line for line in lines if line["event"] == "plan ended")["state"] == "failed"
    created = next(line for line in lines if line.get("method") == "CreatePlan")
    assert created["plan"] == plan_id
    own = [line["event"] for line in lines if line["event"] in ("started", "ready", "stopping", "stopped")]
    assert own == ["ready", "started", "stopping", "stopped"]


def test_no_token_and_no_password_is_logged(log, postgres_url):
    password_url = sa.make_url(postgres_url).set(password="hunter2").render_as_string(hide_password=False)
    with (
        Server("127.0.0.1:0", workers=0, store=password_url) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        stub = planning_service_pb2_grpc.PlanningServiceStub(channel)
        stub.ListPlans(api.ListPlansRequest(), metadata=(("authorization", "Bearer opt_secret"),))
    told = json.dumps(log())
    assert "ListPlans" in told
    assert "opt_secret" not in told
    assert "hunter2" not in told


def test_a_line_is_json_whatever_is_in_it():
    record = logging.getLogger("optimizer.x").makeRecord("x", logging.INFO, "", 0, 'a "b"\nc %s', ("é",), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["event"] == 'a "b"\nc é'


def test_levels(log):
    tell(logging.getLogger("optimizer.x"), logging.DEBUG, "here", number=1.5)
    logging.getLogger("somebody.else").info("not here")
    assert [(line["event"], line["number"]) for line in log()] == [("here", 1.5)]
    with pytest.raises(InvalidInputError, match="debug, info, warning, error"):
        write_logs("loud")


def test_a_port_of_metrics_in_use_is_told(watched):
    with pytest.raises(ServiceError, match="cannot serve metrics"):
        Server("127.0.0.1:0", workers=0, metrics_port=watched.metrics_port)


def test_readiness_follows_store_and_workers(watched, log):
    watched._readiness.close()
    with grpc.insecure_channel(f"127.0.0.1:{watched.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)

        def serving(name):
            status = stub.Check(health_pb2.HealthCheckRequest(service=name)).status
            return status == health_pb2.HealthCheckResponse.SERVING

        assert serving(SERVICE)
        watched._runner._down.add(0)
        watched._readiness.check()
        assert not serving(SERVICE)
        assert serving(""), "a restart would not help"
        watched._runner._down.clear()
        watched._readiness.check()
        assert serving(SERVICE)
        with watched._planner.store.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE plans RENAME TO lost")
        watched._readiness.check()
        assert not serving(SERVICE)
        assert of(scraped(watched.metrics_port), "optimizer_store_up") == 0
        with watched._planner.store.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE lost RENAME TO plans")
        watched._readiness.check()
        assert serving(SERVICE)
    assert [line["event"] for line in log() if line["event"] in ("ready", "not ready")] == [
        "ready", "not ready", "ready", "not ready", "ready",
    ]  # fmt: skip


def test_a_slot_without_a_worker_is_not_ready(monkeypatch):
    store = Store()
    monkeypatch.setattr("optimizer.service.jobs.Worker", lambda _: (_ for _ in ()).throw(OSError("no process")))
    monkeypatch.setattr("optimizer.service.jobs._RETRY_S", 0.01)
    runner = JobRunner(store, slots=1)
    assert not runner.ready, "it was not started"
    runner.start()
    until(lambda: runner._down)
    assert not runner.ready
    runner.close()
    store.database.close()


def test_a_run_is_measured_stage_by_stage():
    metrics = Metrics()
    meter = RunMeter(metrics, Run("a", 1, b"", b"", 2.0))
    for stage, elapsed_s, gap_frac in [
        ("build", 0.5, None),
        ("solve", 2.0, 0.5),
        ("solve", 9.0, 0.02),
        ("audit", 12.0, None),
    ]:
        meter.progress(to_bytes(Progress(stage=stage, elapsed_s=elapsed_s, gap_frac=gap_frac)))
    meter.memory(7 * 2**20)
    meter.memory(None)
    meter.ended(JobState.SUCCEEDED)
    RunMeter(metrics, Run("a", 2, b"", b"", 900.0))
    found = samples(metrics.registry.collect())
    assert of(found, "optimizer_plan_stage_seconds_sum", stage="build") == 1.5
    assert of(found, "optimizer_plan_stage_seconds_sum", stage="solve") == 10.0
    assert of(found, "optimizer_plan_gap_frac_sum") == 0.02
    assert of(found, "optimizer_plan_memory_bytes_sum") == 7 * 2**20
    assert of(found, "optimizer_plan_wait_seconds_sum") == 2.0, "a second run waited for another reason"


def test_the_queue_of_a_store():
    store = Store()
    assert queue_of(store.database) == Queue(0, 0, None)
    runner = JobRunner(store, slots=0)
    portfolio = store.add_portfolio(b"", Request("CreatePortfolio", "", b""))
    for _ in range(3):
        runner.submit(portfolio.id, b"", Request("CreatePlan", "", b""))
    runner._leases.claim()
    found = queue_of(store.database)
    assert (found.queued_count, found.running_count) == (2, 1)
    assert 0 <= found.oldest_wait_s < 10
    store.database.close()


def test_the_status_tells_queue_and_running_plans(watched):
    with OptimizerClient(f"127.0.0.1:{watched.port}") as client:
        portfolio = client.create_portfolio(portfolio_for("slow")).name
        first, second = client.create_plan(portfolio), client.create_plan(portfolio)
        until(lambda: any(plan.progress.stage == "solve" for plan in client.server_status().running))
        status = client.server_status()
        assert (status.missing, status.store, status.worker_count) == ("", "sqlite", 1)
        assert (status.queued_count, status.running_count, status.queue_limit) == (1, 1, 64)
        assert 0 <= status.oldest_wait_s <= status.uptime_s < 60
        assert [plan.name for plan in status.running] == [first]
        assert 0 <= status.running[0].running_s <= status.uptime_s
        assert status.worker_memory_bytes > 1e6
        for name in (first, second):
            client.cancel(name)
        for name in (first, second):
            client.wait(name)
        status = client.server_status()
        assert (status.queued_count, status.running_count, status.oldest_wait_s, status.running) == (0, 0, None, ())


def test_a_server_without_its_store_still_tells_how_it_does(watched):
    with OptimizerClient(f"127.0.0.1:{watched.port}") as client:
        with watched._planner.store.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE plans RENAME TO lost")
        status = client.server_status()
    assert "cannot be used now" in status.missing
    assert (status.queued_count, status.running) == (0, ())


def test_memory_of_a_process_that_is_gone_is_not_told():
    assert resident_bytes(2**22 + 1) is None
    assert peak_bytes(None) is None
