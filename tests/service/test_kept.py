"""What the service keeps: listed in parts, cancelled, deleted by hand and by time; in both kinds of databases."""

import threading
import time

import grpc
import pytest
from calls import portfolio_for, refused
from sqlalchemy import func, select

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1.resources_pb2 import PlanState
from optimizer.client import PlanState as State
from optimizer.errors import InvalidInputError, NotFoundError, ServiceError
from optimizer.service.database import Database
from optimizer.service.leases import Leases
from optimizer.service.records import JobState, Request
from optimizer.service.retention import Retention
from optimizer.service.server import Server
from optimizer.service.store import Store
from optimizer.service.tables import EVENTS, PLANS, REQUESTS
from optimizer.wire.errors import EtagError, PreconditionError

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def server():
    """A server that computes no plans, so that all of them stay queued."""
    with Server("127.0.0.1:0", workers=0, heartbeat_s=0.1) as running:
        yield running


@pytest.fixture
def store(url):
    with_database = Store(Database(url), keep_s=DAY_S)
    yield with_database
    with_database.database.close()


def portfolio_in(store, name="one"):
    return store.add_portfolio(b"content", Request("CreatePortfolio", name, b"")).id


def ended_in(store, portfolio_id, state=JobState.SUCCEEDED, name=""):
    store.add_job(portfolio_id, b"options", Request("CreatePlan", name, b""))
    leases = Leases(store)
    run = leases.claim()
    leases.end(run, [], state, result=b"result")
    return store.job(run.job_id)


def rows_of(store, table):
    with store.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table))


# --------------------------------------------------------------------------------------------------------------- listed


def test_portfolios_are_listed_page_by_page_while_others_come_in(store):
    names = [portfolio_in(store, str(index)) for index in range(5)][::-1]
    first, token = store.page_of_portfolios(2, "")
    portfolio_in(store, "later")
    second, last = store.page_of_portfolios(3, token)
    assert [item.id for item in [*first, *second]] == names
    assert (last, first[0].content) == ("", b"")


def test_portfolios_of_the_same_moment_are_neither_skipped_nor_repeated(store, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1e9)
    names = {portfolio_in(store, str(index)) for index in range(5)}
    found, token = store.page_of_portfolios(2, "")
    while token:
        page, token = store.page_of_portfolios(2, token)
        found += page
    assert len(found) == 5
    assert {item.id for item in found} == names


def test_plans_are_filtered_by_portfolio_and_state(store):
    one, two = portfolio_in(store, "one"), portfolio_in(store, "two")
    good, bad = ended_in(store, one), ended_in(store, one, JobState.FAILED)
    other = ended_in(store, two)
    assert [job.id for job in store.page_of_jobs(0, "", one)[0]] == [bad.id, good.id]
    assert [job.id for job in store.page_of_jobs(0, "", "", [JobState.SUCCEEDED])[0]] == [other.id, good.id]
    assert [job.id for job in store.page_of_jobs(0, "", one, [JobState.FAILED])[0]] == [bad.id]
    _, token = store.page_of_jobs(1, "", one)
    assert [job.id for job in store.page_of_jobs(1, token, one)[0]] == [good.id]
    with pytest.raises(InvalidInputError, match="not a token of this list"):
        store.page_of_jobs(1, token, two)


def test_a_token_stays_good_when_the_newest_plan_is_deleted(store):
    kept = portfolio_in(store)
    jobs = [ended_in(store, kept) for _ in range(3)]
    _, token = store.page_of_jobs(1, "")
    for job in jobs[1:]:
        store.delete_job(job.id)
    assert [job.id for job in store.page_of_jobs(1, token)[0]] == [jobs[0].id]


# -------------------------------------------------------------------------------------------------------------- deleted


def test_a_deleted_plan_leaves_nothing_and_its_request_can_be_made_again(store):
    kept = portfolio_in(store)
    job = ended_in(store, kept, name="again")
    store.delete_job(job.id, job.etag)
    with pytest.raises(NotFoundError):
        store.job(job.id)
    assert (rows_of(store, PLANS), rows_of(store, EVENTS), rows_of(store, REQUESTS)) == (0, 0, 1)
    assert ended_in(store, kept, name="again").id != job.id
    with pytest.raises(NotFoundError):
        store.delete_job(job.id)


def test_a_plan_that_changed_is_not_deleted_by_its_old_etag(store):
    kept = portfolio_in(store)
    queued = store.add_job(kept, b"options", Request("CreatePlan", "", b""))
    with pytest.raises(PreconditionError, match="it is queued; cancel it first"):
        store.delete_job(queued.id, queued.etag)
    store.ask_to_cancel(queued.id)
    with pytest.raises(EtagError, match="look at it again"):
        store.delete_job(queued.id, queued.etag)
    store.delete_job(queued.id, store.job(queued.id).etag)
    assert rows_of(store, PLANS) == 0


def test_a_portfolio_is_deleted_after_its_plans(store):
    kept = portfolio_in(store)
    job = ended_in(store, kept)
    with pytest.raises(PreconditionError, match="1 plan of it must be deleted first"):
        store.delete_portfolio(kept)
    store.delete_job(job.id)
    store.delete_portfolio(kept)
    for forgotten in (store.portfolio, store.delete_portfolio):
        with pytest.raises(NotFoundError):
            forgotten(kept)
    with pytest.raises(NotFoundError):
        store.add_job(kept, b"options", Request("CreatePlan", "", b""))
    assert portfolio_in(store) != kept


def test_a_plan_expires_only_after_its_end(store, monkeypatch):
    kept = portfolio_in(store)
    old = ended_in(store, kept)
    queued = store.add_job(kept, b"options", Request("CreatePlan", "", b""))
    assert (old.expire_time - old.end_time).total_seconds() == pytest.approx(DAY_S)
    assert queued.expire_time is None
    assert store.delete_expired() == 0
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + DAY_S + 60.0)
    assert store.delete_expired() == 1
    assert [job.id for job in store.page_of_jobs(0, "")[0]] == [queued.id]
    store.keep_s = None
    assert store.delete_expired() == 0


def test_a_server_looks_for_what_is_over(tmp_path):
    with Database(f"sqlite:///{tmp_path / 'store.db'}") as database:
        store = Store(database, keep_s=0.01)
        job, retention = ended_in(store, portfolio_in(store)), Retention(store, check_s=0.02)
        retention.start()
        deadline = time.monotonic() + 5.0
        while rows_of(store, PLANS) and time.monotonic() < deadline:
            time.sleep(0.02)
        retention.close()
        with pytest.raises(NotFoundError):
            store.job(job.id)


def test_a_server_that_would_keep_nothing_is_refused():
    with pytest.raises(InvalidInputError, match="keep_days"):
        Server("127.0.0.1:0", keep_days=0.0)


# --------------------------------------------------------------------------------------------------- over a connection


def test_the_client_lists_cancels_and_deletes(client):
    stored = client.create_portfolio(portfolio_for("quick")).name
    first, second = client.create_plan(stored), client.create_plan(stored)
    assert client.cancel(first).state is State.CANCELLED
    assert [item.name for item in client.list_plans(1, portfolio_name=stored)] == [second, first]
    listed = client.list_plans(1, portfolio_name=stored, states=[State.CANCELLED, State.FAILED])
    assert [item.name for item in listed] == [first]
    assert stored in [item.name for item in client.list_portfolios(1)]
    with pytest.raises(ServiceError) as caught:
        client.delete_plan(second)
    assert (caught.value.code, caught.value.reason) == ("FAILED_PRECONDITION", "PRECONDITION_FAILED")
    with pytest.raises(ServiceError, match="2 plans of it"):
        client.delete_portfolio(stored)
    etag = client.get_plan(second).etag
    client.cancel(second)
    with pytest.raises(ServiceError) as caught:
        client.delete_plan(second, etag=etag)
    assert caught.value.code == "ABORTED"
    client.delete_plan(first)
    client.delete_plan(second, etag=client.get_plan(second).etag)
    client.delete_portfolio(stored)
    for gone in (client.get_portfolio, client.delete_portfolio):
        with pytest.raises(NotFoundError):
            gone(stored)


def test_who_watches_a_plan_that_is_deleted_is_told(client, server, planning):
    name = client.create_plan(client.create_portfolio(portfolio_for("quick")).name)
    client.cancel(name)
    stream = planning.WatchPlan(api.WatchPlanRequest(name=name, after_sequence=99))
    assert [event.end.state for event in stream] == [PlanState.PLAN_STATE_CANCELLED]
    other = client.create_plan(client.list_plans().__next__().portfolio_name)
    told = []

    def watch():
        with pytest.raises(grpc.RpcError) as caught:
            list(planning.WatchPlan(api.WatchPlanRequest(name=other)))
        told.append(caught.value.code())

    watching = threading.Thread(target=watch)
    watching.start()
    time.sleep(0.3)
    with server._database.writing() as connection:  # as another server does, between its end and our look
        connection.execute(EVENTS.delete().where(EVENTS.c.plan_id == other.removeprefix("plans/")))
        connection.execute(REQUESTS.delete().where(REQUESTS.c.resource_id == other.removeprefix("plans/")))
        connection.execute(PLANS.delete().where(PLANS.c.id == other.removeprefix("plans/")))
    watching.join(10.0)
    assert told == [grpc.StatusCode.NOT_FOUND]


def test_filters_and_names_that_are_none_are_refused(planning):
    request = api.ListPlansRequest(portfolio="plans/a", states=[1])
    assert refused(lambda: planning.ListPlans(request))[2] == ["portfolio"]
    request = api.ListPlansRequest(states=[1, 0, 99])
    assert refused(lambda: planning.ListPlans(request))[2] == ["states[1]", "states[2]"]
    assert refused(lambda: planning.ListPortfolios(api.ListPortfoliosRequest(page_token="x")))[2] == ["page_token"]
    assert refused(lambda: planning.DeletePlan(api.DeletePlanRequest(name="plans/none")))[0] == "NOT_FOUND"
    assert refused(lambda: planning.CancelPlan(api.CancelPlanRequest()))[2] == ["name"]
    assert refused(lambda: planning.DeletePortfolio(api.DeletePortfolioRequest(name="plans/a")))[2] == ["name"]
