"""The history of a job, the queue, and what happens to processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fake_targets
import pytest
import wire_cases
from google.rpc.status_pb2 import Status

from optimizer.api.v1.plan_pb2 import Progress as ProgressMessage
from optimizer.domain import Portfolio, Progress, SolveOptions
from optimizer.service.events import CONFLATE_ABOVE, KEPT, Bells, append_events
from optimizer.service.jobs import JobRunner, default_slots
from optimizer.service.limits import Limits
from optimizer.service.records import JobState, Request
from optimizer.service.store import Store
from optimizer.service.worker import PLAN, Worker, load_target
from optimizer.wire.convert import to_bytes
from optimizer.wire.errors import OverloadedError, from_status

TESTS = Path(__file__).resolve().parents[1]
ONCE = Request("CreatePlan", "", b"")


def submitted(runner, target, seconds=20.0):
    """The id of a new job."""
    portfolio = Portfolio.model_validate(wire_cases.small_data() | {"name": target})
    stored = runner._store.add_portfolio(to_bytes(portfolio), ONCE)
    return runner.submit(stored.id, to_bytes(SolveOptions(time_limit_s=seconds)), ONCE).id


def state_of(runner, job_id):
    return runner._store.state(job_id)


def ended(runner, job_id):
    """Its state, once it has ended."""
    until(lambda: state_of(runner, job_id).ended, 20.0)
    return state_of(runner, job_id)


@pytest.fixture
def runner():
    store = Store()
    made = JobRunner(store, "fake_targets:by_name", slots=1, limits=Limits(2))
    made.start()
    yield made
    made.close()
    store.database.close()


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


# --------------------------------------------------------------------------------------------------------------- events


@pytest.fixture
def history():
    """A store with a job that nobody computes, and how to add to its history."""
    store = Store()
    runner = JobRunner(store, slots=0)
    job_id = submitted(runner, "quick")

    def happen(*stages):
        items = [stage if isinstance(stage, JobState) else progress_at(stage) for stage in stages]
        with store.database.writing() as connection:
            append_events(connection, job_id, items)

    yield store, job_id, happen
    store.database.close()


def progress_at(stage):
    return to_bytes(Progress(stage=stage, elapsed_s=0.0))


def sequences(events):
    return [event.sequence for event in events]


def test_events_come_after_the_number_given(history):
    store, job_id, happen = history
    happen("build", "solve", JobState.SUCCEEDED)
    assert sequences(store.events_after(job_id, 0)) == [1, 2, 3, 4]
    assert sequences(store.events_after(job_id, 2)) == [3, 4]
    assert sequences(store.events_after(job_id, 4)) == [4]
    assert sequences(store.events_after(job_id, 99)) == [4]
    assert store.events_after(job_id, 0)[-1].end is JobState.SUCCEEDED


def test_a_reader_waits_for_the_next_bell_and_no_longer():
    bells = Bells()
    begin = time.monotonic()
    bells.wait("a", bells.count("a"), 0.05)
    assert 0.04 < time.monotonic() - begin < 1.0
    count = bells.count("a")
    threading.Timer(0.05, bells.ring, ["a"]).start()
    begin = time.monotonic()
    bells.wait("a", count, 5.0)
    assert time.monotonic() - begin < 2.0
    bells.wait("a", count, 5.0)
    assert time.monotonic() - begin < 2.0, "what rang before is not waited for"


def test_only_so_many_events_are_kept_and_sent(history):
    store, job_id, happen = history
    happen("curves", *["solve"] * (2 * KEPT), "audit", JobState.SUCCEEDED)
    events = store.events_after(job_id, 0)
    stages = [ProgressMessage.FromString(event.progress).stage if event.progress else 0 for event in events]
    assert stages == [event.stage for event in events]
    assert [event.end for event in events] == [None, None, JobState.SUCCEEDED]
    assert sequences(events) == [2 * KEPT + 2, 2 * KEPT + 3, 2 * KEPT + 4]
    assert len(store.events_after(job_id, 2 * KEPT + 4 - CONFLATE_ABOVE)) == CONFLATE_ABOVE


# ---------------------------------------------------------------------------------------------------------------- queue


def test_a_full_queue_says_when_to_come_again(runner):
    running = submitted(runner, "silent")
    until(lambda: state_of(runner, running) is JobState.RUNNING)
    waiting = [submitted(runner, "quick"), submitted(runner, "quick")]
    with pytest.raises(OverloadedError) as caught:
        submitted(runner, "quick")
    assert caught.value.retry_after_s > 0
    runner._store.ask_to_cancel(waiting[0])
    job = runner._store.job(waiting[0])
    assert (job.state, job.start_time) == (JobState.CANCELLED, None)
    submitted(runner, "quick")
    runner._store.ask_to_stop(running)
    assert ended(runner, waiting[1]) is JobState.SUCCEEDED


def test_a_request_that_found_no_room_can_be_repeated():
    store, request = Store(), Request("CreatePlan", "id", b"x")
    portfolio = store.add_portfolio(to_bytes(wire_cases.small_portfolio()), ONCE)
    store.add_job(portfolio.id, b"", ONCE)
    with pytest.raises(OverloadedError):
        store.add_job(portfolio.id, b"", request, Limits(1))
    made = store.add_job(portfolio.id, b"", request, Limits(2))
    assert store.add_job(portfolio.id, b"", request, Limits(1)) == made
    store.database.close()


def test_what_is_stopped_or_cancelled_while_it_waits_is_never_begun(runner):
    running = submitted(runner, "silent")
    until(lambda: state_of(runner, running) is JobState.RUNNING)
    for ask, told in ((runner._store.ask_to_stop, "stopped"), (runner._store.ask_to_cancel, "cancelled")):
        waiting = submitted(runner, "quick")
        ask(waiting)
        job = runner._store.job(waiting)
        assert (job.state, job.start_time) == (JobState.CANCELLED, None)
        assert f"was {told} before it" in from_status(Status.FromString(job.error)).args[0]
    runner._store.ask_to_stop(running)
    assert ended(runner, running) is JobState.SUCCEEDED
    assert runner._store.job(waiting) == job


def test_closing_gives_back_what_runs():
    store = Store()
    runner = JobRunner(store, "fake_targets:by_name", slots=1)
    runner.start()
    job_ids = [submitted(runner, "deaf"), submitted(runner, "quick")]
    until(lambda: store.state(job_ids[0]) is JobState.RUNNING)
    begin = time.monotonic()
    runner.close()
    assert time.monotonic() - begin < 3.0
    assert [store.state(job_id) for job_id in job_ids] == [JobState.QUEUED, JobState.QUEUED]
    store.database.close()


def test_there_is_at_least_one_slot():
    assert default_slots() >= 1


# -------------------------------------------------------------------------------------------------------------- workers


def test_a_worker_that_was_ended_while_it_waited_is_replaced(runner):
    until(lambda: child_processes())
    for child in child_processes():
        os.kill(child, signal.SIGKILL)
    until(lambda: not child_processes())
    assert ended(runner, submitted(runner, "quick")) is JobState.SUCCEEDED


def child_processes():
    """Workers of this process, but not those of the server that other tests use."""
    import multiprocessing

    return [child.pid for child in multiprocessing.active_children() if child.pid not in BEFORE]


BEFORE: set[int] = set()


@pytest.fixture(autouse=True)
def remember_workers():
    import multiprocessing

    BEFORE.clear()
    BEFORE.update(child.pid for child in multiprocessing.active_children())


def test_a_target_that_cannot_be_imported_fails_the_job():
    store = Store()
    runner = JobRunner(store, "fake_targets:nowhere", slots=1)
    runner.start()
    assert ended(runner, submitted(runner, "quick")) is JobState.FAILED
    runner.close()
    store.database.close()


def told_by(script):
    return subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=TESTS.parent
    ).stdout.split()


def test_workers_are_forked_from_a_process_that_knows_no_grpc_and_has_not_solved():
    script = "import sys, threading, optimizer.service.worker, optimizer.service.preloaded, optimizer.app\n"
    script += "print('grpc' in sys.modules, 'highspy' in sys.modules, threading.active_count())"
    assert told_by(script) == ["False", "True", "1"]
    assert told_by("import sys, optimizer.service.server; print('highspy' in sys.modules)") == ["False"]
    first, second = Worker("fake_targets:quick"), Worker("fake_targets:quick")
    try:
        until(lambda: parent_of(first.process_id) == parent_of(second.process_id) not in (None, os.getpid()))
    finally:
        first.end()
        second.end()


def parent_of(process_id):
    """The parent of a process, by the process table of Linux."""
    return int(Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_lost_process_that_forks_is_replaced():
    worker = Worker("fake_targets:quick")
    os.kill(parent_of(worker.process_id), signal.SIGKILL)
    until(lambda: not worker.alive)
    worker.end()
    worker = Worker("fake_targets:quick")
    try:
        worker.begin(to_bytes(wire_cases.small_portfolio()), to_bytes(SolveOptions()))
        until(lambda: (frame := worker.receive(0.1)) is not None and frame.kind == PLAN)
    finally:
        worker.end()


def test_a_worker_ends_with_its_service(tmp_path):
    """The service is killed while a job runs that listens to nobody."""
    script = tmp_path / "service.py"
    script.write_text(
        f"import sys\nsys.path[:0] = [{str(TESTS / 'service')!r}, {str(TESTS / 'wire')!r}, {str(TESTS.parent)!r}]\n"
        "import time\nfrom test_jobs import JobRunner, ProgressMessage, Store, submitted\n"
        "if __name__ == '__main__':\n"
        "    runner = JobRunner(Store(), 'fake_targets:by_name', slots=1)\n"
        "    runner.start()\n    job_id = submitted(runner, 'deaf')\n"
        "    told = ProgressMessage()\n"
        "    while not told.node_count:\n"
        "        time.sleep(0.01)\n"
        "        told = ProgressMessage.FromString(runner._store.job(job_id).progress)\n"
        "    print(told.node_count, flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as service:
        worker_id = int(service.stdout.readline())
        service.kill()
    until(lambda: not runs(worker_id))


def runs(process_id):
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_default_target_is_the_use_case():
    from optimizer.app import plan
    from optimizer.service.jobs import DEFAULT_TARGET

    assert load_target(DEFAULT_TARGET) is plan
    assert load_target("fake_targets:quick") is fake_targets.quick
