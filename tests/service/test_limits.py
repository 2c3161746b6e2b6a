"""What is refused, what begins first, and what is ended: queue, quotas, priorities, memory, messages and the end."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from calls import portfolio_for, refused
from google.rpc.error_details_pb2 import QuotaFailure, RetryInfo
from grpc_status import rpc_status

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.client import OptimizerClient, PlanState
from optimizer.client.connection import MAXIMUM_MESSAGE_BYTES
from optimizer.domain import SolveOptions
from optimizer.errors import InvalidInputError, JobCancelledError, ServiceError
from optimizer.service import limits as limits_module
from optimizer.service.database import Database
from optimizer.service.leases import Leases
from optimizer.service.limits import Limits
from optimizer.service.own_process import OwnProcesses
from optimizer.service.records import JobState, Request, Terms
from optimizer.service.server import Server
from optimizer.service.store import NO_LIMITS, Store
from optimizer.wire.errors import JobMemoryError, OverloadedError, QuotaError

MOST_GIB = 0.75
"""More than a process has when it begins, and less than ``grab`` takes."""


@pytest.fixture(scope="module")
def server():
    """A server that computes nothing, and lets a tenant have three plans under way."""
    with Server("127.0.0.1:0", workers=0, limits=Limits(queue_limit=5, tenant_quota=3)) as running:
        yield running


@pytest.fixture
def store(url):
    with_database = Store(Database(url))
    yield with_database
    with_database.database.close()


def portfolio_in(store, tenant="default"):
    return store.add_portfolio(b"content", Request("CreatePortfolio", tenant, b"", tenant)).id


def asked(store, tenant="default", limits=NO_LIMITS, priority=0):
    terms = Terms(priority=priority)
    return store.add_job(portfolio_in(store, tenant), b"", Request("CreatePlan", "", b""), limits, terms).id


def test_the_highest_priority_begins_first_and_of_equals_the_first(store):
    waiting = [(asked(store, priority=priority), priority) for priority in (0, 5, 9, 5, 0, 9)]
    leases = Leases(store)
    begun = [leases.claim().job_id for _ in waiting]
    assert begun == [job_id for job_id, _ in sorted(waiting, key=lambda item: -item[1])]
    assert [store.job(job_id).priority for job_id in begun] == [9, 9, 5, 5, 0, 0]


def test_who_is_given_back_keeps_its_place(store):
    first, second, leases = asked(store), asked(store), Leases(store)
    leases.release(leases.claim())
    assert [leases.claim().job_id, leases.claim().job_id] == [first, second]


def test_a_tenant_has_so_many_plans_under_way_and_others_have_theirs(store):
    limits, leases = Limits(queue_limit=9, tenant_quota=2), Leases(store)
    asked(store, "east", limits)
    asked(store, "east", limits)
    run = leases.claim()
    with pytest.raises(QuotaError, match="tenant east may have 2 plans under way"):
        asked(store, "east", limits)
    asked(store, "west", limits)
    leases.end(run, [], JobState.SUCCEEDED, result=b"")
    asked(store, "east", limits)
    with pytest.raises(OverloadedError, match="3 plans are waiting"):
        asked(store, "west", Limits(queue_limit=3))


def test_the_last_place_is_given_once(store):
    limits = Limits(queue_limit=9, tenant_quota=3)
    portfolio_in(store)

    def ask(_):
        try:
            return asked(store, limits=limits)
        except QuotaError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert len([job_id for job_id in pool.map(ask, range(8)) if job_id]) == 3


@pytest.mark.parametrize(("name", "value"), [("queue_limit", 0), ("tenant_quota", -1), ("job_memory_gib", 0.0)])
def test_limits_within_which_nothing_can_be_done_are_refused(name, value):
    with pytest.raises(InvalidInputError) as caught:
        Limits(**{name: value})
    assert [problem.path for problem in caught.value.problems] == [name]


# --------------------------------------------------------------------------------------------------------------- memory


def test_a_job_that_takes_too_much_memory_fails_with_the_limit_and_costs_nobody_else():
    limits = Limits(job_memory_gib=MOST_GIB)
    with (
        Server("127.0.0.1:0", workers=2, limits=limits, target="fake_targets:by_name") as server,
        OptimizerClient(f"127.0.0.1:{server.port}") as client,
    ):
        other = client.create_plan(client.create_portfolio(portfolio_for("slow")).name, SolveOptions(time_limit_s=30.0))
        with pytest.raises(ServiceError, match=f"more than the {MOST_GIB:g} GiB that a job may have") as caught:
            client.plan(portfolio_for("greedy"))
        assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "JOB_MEMORY_LIMIT")
        while client.get_plan(other).state is PlanState.QUEUED:
            time.sleep(0.02)
        client.stop(other)
        assert client.wait(other).state is PlanState.SUCCEEDED
        assert client.plan(portfolio_for("quick")).termination.has_plan


def test_a_question_that_takes_too_much_memory_is_refused():
    with pytest.raises(JobMemoryError):
        OwnProcesses(1, Limits(job_memory_gib=MOST_GIB)).ask("fake_targets:grab", b"", lambda: True)
    assert OwnProcesses(1, Limits(job_memory_gib=MOST_GIB)).ask("fake_targets:upper", b"why", lambda: True) == b"WHY"


def test_a_system_that_does_not_tell_memory_has_no_limit_of_it(monkeypatch):
    monkeypatch.setattr(limits_module, "resident_bytes", lambda _: None)
    with pytest.raises(InvalidInputError, match="does not tell how much memory"):
        Limits(job_memory_gib=1.0)
    Limits().check_memory(None)


# ------------------------------------------------------------------------------------------------------------- stopping


def stopped_while_running(tmp_path, seconds, grace_s):
    """The plan of a server that is stopped while it computes that and another one waits, and what it says after."""
    url, options = f"sqlite:///{tmp_path / 'store.db'}", SolveOptions(time_limit_s=seconds)
    server = Server("127.0.0.1:0", workers=1, target="fake_targets:by_name", store=url).start()
    with OptimizerClient(f"127.0.0.1:{server.port}") as client:
        portfolio = client.create_portfolio(portfolio_for("slow")).name
        names = [client.create_plan(portfolio, options) for _ in range(2)]
        while client.get_plan(names[0]).state is not PlanState.RUNNING:
            time.sleep(0.02)
    begin = time.monotonic()
    server.stop(grace_s)
    took_s = time.monotonic() - begin
    with Database(url) as database:
        return [Store(database).state(name.removeprefix("plans/")) for name in names], took_s


def test_a_plan_that_ends_within_the_grace_is_kept_and_none_is_begun(tmp_path):
    states, took_s = stopped_while_running(tmp_path, seconds=1.0, grace_s=60.0)
    assert states == [JobState.SUCCEEDED, JobState.QUEUED]
    assert took_s < 30.0


def test_a_plan_that_does_not_waits_for_the_next_server(tmp_path):
    states, took_s = stopped_while_running(tmp_path, seconds=600.0, grace_s=0.5)
    assert states == [JobState.QUEUED, JobState.QUEUED]
    assert took_s < 30.0


# ----------------------------------------------------------------------------------------------------- over a connection


def test_a_message_that_is_too_large_is_told_with_what_to_do(client):
    portfolio = portfolio_for("quick").model_copy(update={"description": "x" * (MAXIMUM_MESSAGE_BYTES + 1)})
    with pytest.raises(ServiceError, match="64 MiB at most; name series of the library") as caught:
        client.create_portfolio(portfolio)
    assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")


def test_a_call_over_quota_says_whose_it_is_and_when_to_come_again(server, client, planning):
    portfolio = client.create_portfolio(portfolio_for("quick")).name
    names = [client.create_plan(portfolio, priority=priority) for priority in (9, 0, 3)]
    assert [client.get_plan(name).priority for name in names] == [9, 0, 3]
    request = api.CreatePlanRequest()
    request.plan.portfolio = portfolio
    with pytest.raises(grpc.RpcError) as caught:
        planning.CreatePlan(request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    failure, retry = QuotaFailure(), RetryInfo()
    for detail in rpc_status.from_call(caught.value).details:
        for known in (failure, retry):
            detail.Unpack(known)
    assert [violation.subject for violation in failure.violations] == ["tenants/default"]
    assert retry.retry_delay.seconds > 0
    assert client.stop(names[0]).state is PlanState.CANCELLED
    with pytest.raises(JobCancelledError, match="stopped before it had begun"):
        raise client.wait(names[0]).error
    client.create_plan(portfolio)


@pytest.mark.parametrize("priority", [-1, 10, 2**31 - 1])
def test_a_priority_that_is_none_is_refused(planning, client, priority):
    request = api.CreatePlanRequest()
    request.plan.portfolio = client.create_portfolio(portfolio_for("quick")).name
    request.plan.priority = priority
    for only_check in (False, True):
        request.validate_only = only_check
        assert refused(lambda: planning.CreatePlan(request)) == ("INVALID_ARGUMENT", "INVALID_INPUT", ["plan.priority"])


def test_the_status_tells_the_limit_of_the_queue(server):
    with OptimizerClient(f"127.0.0.1:{server.port}") as client:
        assert client.server_status().queue_limit == 5
