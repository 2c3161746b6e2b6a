"""What becomes of accepted plans when servers and workers are killed, and when several servers share a queue."""

import time

import fake_targets
from load.kill_service import kill_runs
from test_jobs import submitted, until

from optimizer.domain import Plan
from optimizer.service.database import Database
from optimizer.service.jobs import JobRunner
from optimizer.service.leases import Leases
from optimizer.service.records import JobState
from optimizer.service.store import Store
from optimizer.wire.convert import from_bytes
from optimizer.wire.errors import StoreUnavailableError

ENDS = {"succeeded", "failed WORKER_DIED"}
COUNTS = {"accepted", "lost", "surplus", "doubled"}


def test_no_plan_is_lost_or_run_twice_when_processes_are_killed(tmp_path):
    counts = kill_runs(f"sqlite:///{tmp_path / 'store.db'}", run_count=3, seed=1)
    assert (counts["lost"], counts["surplus"], counts["doubled"]) == (0, 0, 0)
    assert set(counts) <= ENDS | COUNTS
    assert counts["succeeded"] > 0


def test_servers_that_share_a_queue_take_over_from_each_other(postgres_url):
    counts = kill_runs(postgres_url, run_count=2, seed=3, server_count=2)
    assert (counts["lost"], counts["surplus"], counts["doubled"]) == (0, 0, 0)
    assert set(counts) <= ENDS | COUNTS
    assert counts["succeeded"] > 0


def test_a_restart_goes_on_where_the_history_ended(tmp_path):
    """A claim of a server that is gone: the next one runs the job at once, and readers see its numbers go on."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    before = Store(Database(url))
    job_id = submitted(JobRunner(before, slots=0), "quick")
    Leases(before).claim()
    before.database.close()
    after = Store(Database(url))
    runner = JobRunner(after, "fake_targets:by_name", slots=1, lease_s=600.0)
    runner.start()
    until(lambda: after.state(job_id).ended, 20.0)
    runner.close()
    events = after.events_after(job_id, 0)
    assert [event.sequence for event in events] == list(range(1, 9))
    assert [event.stage for event in events[:2]] == [1, 1], "queued, and queued again"
    plan = from_bytes(Plan, after.job(job_id).result)
    assert plan == fake_targets.plan_of(
        after.portfolio(after.job(job_id).portfolio_id).portfolio, plan.manifest.options
    )
    after.database.close()


def test_a_run_without_contact_is_given_up_before_its_lease_ends(tmp_path, monkeypatch):
    """Nobody can know whether others have taken over; when the store is back, the job is run again."""
    store = Store(Database(f"sqlite:///{tmp_path / 'store.db'}"))
    runner = JobRunner(store, "fake_targets:by_name", slots=1, lease_s=1.0)
    runner.start()
    job_id = submitted(runner, "deaf")
    until(lambda: runner._leases.running().get(job_id, (0, 0))[1] > 1)
    beat = Leases.beat

    def unreachable(*_):
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(Leases, "beat", unreachable)
    begin = time.monotonic()
    until(lambda: runner._leases.running().get(job_id, (2, 0))[0] == 2)
    assert 0.7 < time.monotonic() - begin < 5.0
    monkeypatch.setattr(Leases, "beat", beat)
    store.ask_to_cancel(job_id)
    until(lambda: store.state(job_id) is JobState.CANCELLED)
    runner.close()
    store.database.close()
