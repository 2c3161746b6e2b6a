"""The calls of the service, over a real connection."""

import os
import signal
import time

import fake_targets
import grpc
import pytest
import wire_cases
from calls import OPTIONS, portfolio_for, refused
from google.longrunning import operations_pb2
from google.rpc.code_pb2 import Code

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1.resources_pb2 import Plan, PlanState, PlanView
from optimizer.client import PlanState as State
from optimizer.domain import Portfolio, SolveOptions
from optimizer.errors import JobCancelledError, ServiceError


def started(client, target):
    name = client.create_plan(client.create_portfolio(portfolio_for(target)).name, OPTIONS)
    for progress in client.watch(name):
        if progress.stage != "queued":
            return name, progress
    return name, None


# ---------------------------------------------------------------------------------------------------------------- plans


def test_a_remote_plan_is_the_local_plan(client):
    portfolio = Portfolio.model_validate(wire_cases.rich_data() | {"name": "quick"})
    assert client.plan(portfolio, OPTIONS) == fake_targets.quick(portfolio, OPTIONS)


def test_what_was_not_stated_is_not_stated_in_the_worker(client):
    plan = client.plan(portfolio_for("quick"))
    assert [item.path for item in plan.filled_in] == [
        "asic_models", "description", "fleets", "gpu_options", "offers", "policy", "risk", "series"
    ]  # fmt: skip
    assert plan.manifest.options == SolveOptions()


def test_every_plan_has_a_process_of_its_own(client):
    pids = {client.plan(portfolio_for("process_id"), allow_reuse=False).format for _ in range(2)}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_how_far_a_plan_has_come_is_told_without_its_result(client, planning):
    name = client.create_plan(client.create_portfolio(portfolio_for("quick")).name)
    client.wait(name)
    full = planning.GetPlan(api.GetPlanRequest(name=name, view=PlanView.PLAN_VIEW_FULL)).plan
    basic = planning.GetPlan(api.GetPlanRequest(name=name, view=PlanView.PLAN_VIEW_BASIC)).plan
    assert planning.GetPlan(api.GetPlanRequest(name=name)).plan == full
    assert full.HasField("result")
    full.ClearField("result")
    assert basic == full


def test_infeasible_is_a_result(client):
    plan = client.plan(portfolio_for("infeasible"))
    assert plan.termination.reason == "infeasible"


def test_a_plan_that_fails_its_audit_is_handed_out_as_such(client, operations):
    name = client.create_plan(client.create_portfolio(portfolio_for("audit_fails")).name)
    record = client.wait(name)
    assert record.state is State.AUDIT_FAILED
    assert record.plan is not None
    assert record.plan.audit_failed
    operation = operations.GetOperation(operations_pb2.GetOperationRequest(name=name.replace("plans/", "operations/")))
    assert operation.done
    assert operation.HasField("response")


@pytest.mark.parametrize(
    ("target", "code", "reason"),
    [
        ("crash", "INTERNAL", "WORKER_DIED"),
        ("refuse", "INTERNAL", "SOLVER_FAILED"),
        ("break_down", "INTERNAL", "INTERNAL"),
    ],
)
def test_a_job_that_fails_says_why_and_harms_no_other(client, target, code, reason):
    with pytest.raises(ServiceError) as caught:
        client.plan(portfolio_for(target))
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert "secret" not in str(caught.value)
    assert client.plan(portfolio_for("quick"), allow_reuse=False).termination.has_plan


def test_a_worker_that_is_killed_fails_its_job_alone(client):
    other, _ = started(client, "slow")
    name, progress = started(client, "deaf")
    os.kill(progress.node_count, signal.SIGKILL)
    record = client.wait(name)
    assert record.state is State.FAILED
    assert isinstance(record.error, ServiceError)
    assert record.error.reason == "WORKER_DIED"
    assert "-9" in str(record.error)
    assert client.stop(other).state is State.RUNNING
    assert client.wait(other).state is State.SUCCEEDED


def test_stop_keeps_the_plan(client):
    name, _ = started(client, "slow")
    client.stop(name)
    record = client.wait(name)
    assert record.state is State.SUCCEEDED
    assert record.plan.termination.limit == "interrupted"
    assert client.stop(name) == record


def test_cancel_discards_it(client, operations):
    name, _ = started(client, "slow")
    begin = time.monotonic()
    client.cancel(name)
    record = client.wait(name)
    assert time.monotonic() - begin < 2.0
    assert (record.state, record.plan) == (State.CANCELLED, None)
    operation = operations.GetOperation(operations_pb2.GetOperationRequest(name=name.replace("plans/", "operations/")))
    assert (operation.done, operation.error.code) == (True, Code.CANCELLED)
    client.cancel(name)


def test_cancel_ends_one_that_does_not_listen(client):
    name, progress = started(client, "deaf")
    begin = time.monotonic()
    client.cancel(name)
    assert isinstance(client.wait(name).error, JobCancelledError)
    assert time.monotonic() - begin < 6.0
    assert gone(progress.node_count)


def gone(process_id):
    for _ in range(100):
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_plan_can_be_cancelled_before_it_has_begun(client):
    name = client.create_plan(client.create_portfolio(portfolio_for("silent")).name)
    client.cancel(name)
    record = client.wait(name)
    assert record.state is State.CANCELLED


# ---------------------------------------------------------------------------------------------------------------- watch


def test_a_stream_counts_up_and_ends_with_the_state(client, planning):
    name = client.create_plan(client.create_portfolio(portfolio_for("quick")).name, allow_reuse=False)
    events = list(planning.WatchPlan(api.WatchPlanRequest(name=name)))
    kinds = [event.WhichOneof("event") for event in events if event.WhichOneof("event") != "heartbeat"]
    assert kinds == ["progress"] * 6 + ["end"]
    numbers = [event.sequence for event in events if event.WhichOneof("event") != "heartbeat"]
    assert numbers == list(range(1, 8))
    assert events[-1].end.state == PlanState.PLAN_STATE_SUCCEEDED
    resumed = list(planning.WatchPlan(api.WatchPlanRequest(name=name, after_sequence=4)))
    assert [event.sequence for event in resumed] == [5, 6, 7]
    again = list(planning.WatchPlan(api.WatchPlanRequest(name=name, after_sequence=7)))
    assert [event.WhichOneof("event") for event in again] == ["end"]


def test_a_quiet_search_sends_signs_of_life(client, planning):
    name, _ = started(client, "slow")
    client.stop(name)
    name = client.create_plan(client.create_portfolio(portfolio_for("silent")).name)
    stream = planning.WatchPlan(api.WatchPlanRequest(name=name))
    kinds = []
    for event in stream:
        kinds.append(event.WhichOneof("event"))
        if kinds.count("heartbeat") == 2:
            client.stop(name)
    assert kinds[0] == "progress"
    assert kinds[-1] == "end"
    assert kinds.count("heartbeat") >= 2


def test_a_reader_that_comes_late_gets_the_last_of_every_stage(client, planning):
    name = client.create_plan(client.create_portfolio(portfolio_for("chatty")).name)
    assert client.wait(name).state is State.SUCCEEDED
    events = list(planning.WatchPlan(api.WatchPlanRequest(name=name)))
    assert len(events) <= 3
    assert events[-2].progress.node_count == 1999
    assert events[-1].sequence == 2002


def test_an_error_of_a_stream_is_mapped_too(planning):
    unknown = api.WatchPlanRequest(name="plans/none")
    assert refused(lambda: list(planning.WatchPlan(unknown))) == ("NOT_FOUND", "RESOURCE_NOT_FOUND", [])
    assert refused(lambda: list(planning.WatchPlan(api.WatchPlanRequest())))[2] == ["name"]


def test_a_negative_sequence_is_refused(client, planning):
    name = client.create_plan(client.create_portfolio(portfolio_for("quick")).name)
    request = api.WatchPlanRequest(name=name, after_sequence=-1)
    assert refused(lambda: list(planning.WatchPlan(request)))[2] == ["after_sequence"]


# ----------------------------------------------------------------------------------------------------------- operations


def test_an_operation_can_be_waited_for(client, operations, planning):
    name, _ = started(client, "slow")
    operation_name = name.replace("plans/", "operations/")
    request = operations_pb2.WaitOperationRequest(name=operation_name)
    request.timeout.FromMilliseconds(200)
    assert not operations.WaitOperation(request).done
    client.stop(name)
    request.timeout.FromSeconds(10)
    operation = operations.WaitOperation(request)
    plan, metadata = Plan(), api.CreatePlanMetadata()
    operation.response.Unpack(plan)
    operation.metadata.Unpack(metadata)
    assert operation.done
    assert plan == planning.GetPlan(api.GetPlanRequest(name=name)).plan
    assert (metadata.plan, metadata.state) == (name, PlanState.PLAN_STATE_SUCCEEDED)


def test_what_operations_do_not_offer_is_unimplemented(operations):
    with pytest.raises(grpc.RpcError) as caught:
        operations.ListOperations(operations_pb2.ListOperationsRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_an_unknown_operation_is_not_found(operations):
    request = operations_pb2.GetOperationRequest(name="operations/none")
    assert refused(lambda: operations.GetOperation(request))[0] == "NOT_FOUND"
