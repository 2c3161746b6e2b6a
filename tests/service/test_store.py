"""What is kept in both kinds of databases: found again, made once, claimed once, refused from who lost his claim."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from google.rpc.status_pb2 import Status

from optimizer.domain import Progress
from optimizer.errors import InvalidInputError, NotFoundError, ServiceError
from optimizer.service.database import Database, parsed_url
from optimizer.service.leases import MAXIMUM_LOSSES, Leases
from optimizer.service.records import JobState, Request
from optimizer.service.store import Store
from optimizer.service.tables import METADATA
from optimizer.wire.convert import to_bytes
from optimizer.wire.errors import StoreUnavailableError, from_status

NEVER_TWICE = Request("CreatePlan", "", b"")
PROGRESS = to_bytes(Progress(stage="solve", elapsed_s=1.0))


@pytest.fixture
def store(url):
    with_database = Store(Database(url))
    yield with_database
    with_database.database.close()


@pytest.fixture
def leases(store):
    return Leases(store)


def added(store, request=NEVER_TWICE):
    portfolio = store.add_portfolio(b"content", Request("CreatePortfolio", "the portfolio", b""))
    return store.add_job(portfolio.id, b"options", request).id


# ----------------------------------------------------------------------------------------------------------------- kept


def test_what_was_accepted_is_there_after_opening_again(url):
    first = Store(Database(url))
    job = first.job(added(first, Request("CreatePlan", "one", b"x")))
    portfolio = first.portfolio(job.portfolio_id)
    first.database.close()
    second = Store(Database(url))
    assert second.job(job.id) == job
    assert second.portfolio(job.portfolio_id) == portfolio
    assert added(second, Request("CreatePlan", "one", b"x")) == job.id
    with pytest.raises(InvalidInputError, match="'one' was used for another request"):
        added(second, Request("CreatePlan", "one", b"y"))
    assert [item.id for item in second.page_of_jobs(10, "")[0]] == [job.id]
    second.database.close()


def test_the_same_request_at_the_same_time_makes_one_thing(store):
    both = threading.Barrier(8)

    def ask(_):
        both.wait()
        return added(store, Request("CreatePlan", "again\0", b"x"))

    added(store)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(ask, range(8)))
    assert len(made) == 1
    assert len(store.page_of_jobs(10, "")[0]) == 2


@pytest.mark.parametrize("name", ["none", "f" * 32, "F" * 32, "\0", "' OR 1=1 --", "f" * 33])
def test_what_is_not_there_is_not_found(store, name):
    added(store)
    with pytest.raises(NotFoundError):
        store.job(name)
    with pytest.raises(NotFoundError):
        store.portfolio(name)


def test_migrations_make_the_tables_of_today(store):
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


# --------------------------------------------------------------------------------------------------------------- claims


def test_every_job_is_claimed_once_and_in_order(store, leases):
    job_ids = [added(store) for _ in range(12)]
    first = leases.claim()
    assert (first.job_id, first.fence, first.portfolio, first.options) == (job_ids[0], 1, b"content", b"options")
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: leases.claim(), range(16)))
    claimed = [run.job_id for run in runs if run is not None]
    assert sorted(claimed) == sorted(job_ids[1:])
    assert leases.claim() is None


def test_who_lost_his_claim_is_refused(store, leases):
    job_id = added(store)
    old = leases.claim()
    assert leases.recover(job_id, *leases.running()[job_id])
    assert leases.beat(old, [PROGRESS]) is None
    new = leases.claim()
    assert (new.job_id, new.fence) == (job_id, 2)
    assert leases.beat(old, [PROGRESS]) is None
    leases.end(old, [], JobState.SUCCEEDED, result=b"old")
    leases.release(old)
    leases.cancel(old)
    assert store.state(job_id) is JobState.RUNNING
    leases.end(new, [PROGRESS], JobState.SUCCEEDED, result=b"new")
    leases.end(old, [], JobState.FAILED, error=b"")
    job = store.job(job_id)
    assert (job.state, job.result, job.error) == (JobState.SUCCEEDED, b"new", None)
    assert [event.sequence for event in store.events_after(job_id, 0)] == [1, 2, 3, 4], "queued, queued, solve, end"


def test_who_gives_signs_of_life_keeps_his_claim(store, leases):
    job_id = added(store)
    run = leases.claim()
    seen = leases.running()[job_id]
    assert leases.beat(run, []) is not None
    assert not leases.recover(job_id, *seen)
    assert store.state(job_id) is JobState.RUNNING


def test_a_job_that_is_lost_too_often_fails_with_a_reason(store, leases):
    job_id = added(store)
    for _ in range(MAXIMUM_LOSSES + 1):
        assert store.state(job_id) is JobState.QUEUED
        leases.claim()
        leases.recover(job_id, *leases.running()[job_id])
    job = store.job(job_id)
    error = from_status(Status.FromString(job.error))
    assert (job.state, error.code, error.reason) == (JobState.FAILED, "ABORTED", "JOB_ABANDONED")
    assert store.events_after(job_id, 0)[-1].end is JobState.FAILED


def test_giving_back_is_no_loss(store, leases):
    job_id = added(store)
    for _ in range(MAXIMUM_LOSSES + 2):
        leases.release(leases.claim())
    assert store.state(job_id) is JobState.QUEUED


def test_wishes_reach_the_run_and_outlive_it(store, leases):
    job_id = added(store)
    run = leases.claim()
    wishes = leases.beat(run, [])
    assert (wishes.stop, wishes.cancel) == (False, False)
    store.ask_to_stop(job_id)
    assert leases.beat(run, []).stop
    store.ask_to_cancel(job_id)
    assert leases.beat(run, []).cancel
    leases.recover(job_id, *leases.running()[job_id])
    assert store.state(job_id) is JobState.CANCELLED, "nobody wants it any more, so that it is not run again"


# -------------------------------------------------------------------------------------------------------------- opening


def test_a_file_has_one_server(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    first = Database(url)
    with pytest.raises(ServiceError, match="another server uses") as caught:
        Database(url)
    assert caught.value.reason == "STORE_IN_USE"
    first.close()
    Database(url).close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "is not the URL of a database"),
        ("sqlite://", "would keep nothing"),
        ("sqlite:///:memory:", "would keep nothing"),
        ("mysql://u:p@h/d", "'mysql' is not supported"),
        ("sqlite:////nowhere/store.db", "cannot be written"),
    ],
)
def test_urls_that_cannot_be_used_are_told_with_a_fix(url, told):
    with pytest.raises(InvalidInputError, match=told) as caught:
        Database(url)
    assert caught.value.problems[0].path == "store"
    assert caught.value.problems[0].fix


def test_a_file_that_is_something_else_is_left_alone(tmp_path):
    path = tmp_path / "store.db"
    path.write_text("a plan" * 1000)
    with pytest.raises(ServiceError, match="is not a database"):
        Database(f"sqlite:///{path}")
    assert path.read_text() == "a plan" * 1000


def test_passwords_are_not_told():
    assert parsed_url("postgresql://u:p@h/d").drivername == "postgresql+psycopg"
    with pytest.raises(StoreUnavailableError) as caught:
        Database("postgresql://somebody:secret@127.0.0.1:1/d")
    assert "secret" not in str(caught.value)
    assert "somebody:***@127.0.0.1" in str(caught.value)


def test_a_store_of_a_later_version_is_left_alone(url):
    database = Database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(ServiceError, match="later version"):
        Database(url)


def test_a_full_disk_accepts_nothing_and_harms_nothing(tmp_path):
    store = Store(Database(f"sqlite:///{tmp_path / 'store.db'}"))
    kept = added(store)
    with store.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    store.database._engine.dispose()
    sa.event.listen(store.database._engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count={pages + 2}"))
    request = Request("CreatePortfolio", "big", b"x")
    with pytest.raises(StoreUnavailableError, match="full"):
        store.add_portfolio(b"x" * 1_000_000, request)
    assert store.state(kept) is JobState.QUEUED
    small = store.add_portfolio(b"x", request)
    assert store.add_portfolio(b"x", request) == small
    store.database.close()
