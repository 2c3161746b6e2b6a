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

from optimizer.domain import Portfolio, Progress, SolveOptions
from optimizer.service.events import CONFLATE_ABOVE, KEPT, EventLog
from optimizer.service.jobs import Job, JobRunner, JobState, default_slots
from optimizer.service.store import Store
from optimizer.service.worker import Worker, load_target
from optimizer.wire.errors import OverloadedError

TESTS = Path(__file__).resolve().parents[1]


def job_for(target, seconds=20.0):
    portfolio = Portfolio.model_validate(wire_cases.small_data() | {"name": target})
    return Job("portfolios/x", portfolio, SolveOptions(time_limit_s=seconds))


@pytest.fixture
def runner():
    made = JobRunner("fake_targets:by_name", slots=1, queue_limit=2)
    made.start()
    yield made
    made.close()


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


# --------------------------------------------------------------------------------------------------------------- events


def log_of(*stages, end=False):
    log = EventLog(threading.Condition())
    for stage in stages:
        log.append(Progress(stage=stage, elapsed_s=0.0))
    if end:
        log.append(None)
    return log


def sequences(events):
    return [event.sequence for event in events]


def test_events_come_after_the_number_given():
    log = log_of("curves", "build", "solve", end=True)
    assert sequences(log.after(0, 0.0)) == [1, 2, 3, 4]
    assert sequences(log.after(2, 0.0)) == [3, 4]
    assert sequences(log.after(4, 0.0)) == [4]
    assert sequences(log.after(99, 0.0)) == [4]


def test_nothing_comes_after_the_end():
    log = log_of("solve", end=True)
    log.append(Progress(stage="done", elapsed_s=1.0))
    assert sequences(log.after(0, 0.0)) == [1, 2]


def test_a_reader_waits_for_the_next_event_and_no_longer():
    log = log_of("solve")
    begin = time.monotonic()
    assert log.after(1, 0.05) == []
    assert 0.04 < time.monotonic() - begin < 1.0
    threading.Timer(0.05, log.append, [None]).start()
    assert sequences(log.after(1, 5.0)) == [2]


def test_a_reader_can_be_woken():
    log = log_of("solve")
    threading.Timer(0.05, log.wake).start()
    begin = time.monotonic()
    assert log.after(1, 5.0) == []
    assert time.monotonic() - begin < 2.0


def test_only_so_many_events_are_kept_and_sent():
    log = log_of("curves", *["solve"] * (2 * KEPT), "audit", end=True)
    events = log.after(0, 0.0)
    assert [event.progress.stage if event.progress else "end" for event in events] == ["solve", "audit", "end"]
    assert sequences(events) == [2 * KEPT + 1, 2 * KEPT + 2, 2 * KEPT + 3]
    assert len(log.after(2 * KEPT + 3 - CONFLATE_ABOVE, 0.0)) == CONFLATE_ABOVE


# ---------------------------------------------------------------------------------------------------------------- queue


def test_a_full_queue_says_when_to_come_again(runner):
    running = job_for("silent")
    runner.submit(running)
    until(lambda: running.state is JobState.RUNNING)
    waiting = [job_for("quick"), job_for("quick")]
    for job in waiting:
        runner.submit(job)
    with pytest.raises(OverloadedError) as caught:
        runner.submit(job_for("quick"))
    assert caught.value.retry_after_s > 0
    runner.cancel(waiting[0])
    assert waiting[0].state is JobState.CANCELLED
    assert waiting[0].start_time is None
    runner.submit(job_for("quick"))
    runner.stop(running)
    waiting[1].wait(20.0)
    assert waiting[1].state is JobState.SUCCEEDED


def test_a_request_that_found_no_room_can_be_repeated(runner):
    store, running = Store(), job_for("silent")

    def full():
        raise OverloadedError("full", 1.0)

    with pytest.raises(OverloadedError):
        store.once("CreatePlan", "id", b"x", full)
    assert store.once("CreatePlan", "id", b"x", lambda: running) is running


def test_a_stop_before_the_begin_is_kept(runner):
    first, second = job_for("silent"), job_for("silent")
    runner.submit(first)
    runner.submit(second)
    runner.stop(second)
    runner.stop(first)
    second.wait(20.0)
    assert (first.state, second.state) == (JobState.SUCCEEDED, JobState.SUCCEEDED)


def test_closing_cancels_everything():
    runner = JobRunner("fake_targets:by_name", slots=1, queue_limit=2)
    runner.start()
    jobs = [job_for("deaf"), job_for("quick")]
    for job in jobs:
        runner.submit(job)
    until(lambda: jobs[0].state is JobState.RUNNING)
    begin = time.monotonic()
    runner.close()
    assert time.monotonic() - begin < 3.0
    assert [job.state for job in jobs] == [JobState.CANCELLED, JobState.CANCELLED]


def test_there_is_at_least_one_slot():
    assert default_slots() >= 1


# -------------------------------------------------------------------------------------------------------------- workers


def test_a_worker_that_was_ended_while_it_waited_is_replaced(runner):
    until(lambda: child_processes())
    for child in child_processes():
        os.kill(child, signal.SIGKILL)
    until(lambda: not child_processes())
    job = job_for("quick")
    runner.submit(job)
    job.wait(20.0)
    assert job.state is JobState.SUCCEEDED


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
    runner = JobRunner("fake_targets:nowhere", slots=1)
    runner.start()
    job = job_for("quick")
    runner.submit(job)
    job.wait(20.0)
    runner.close()
    assert job.state is JobState.FAILED


def test_a_worker_is_spawned_and_knows_no_grpc():
    script = "import sys, optimizer.service.worker as w; print('grpc' in sys.modules, 'pyomo' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=TESTS.parent)
    assert out.stdout.split() == ["False", "False"]
    worker = Worker("fake_targets:quick")
    try:
        assert type(worker._process).__name__ == "SpawnProcess"
    finally:
        worker.end()


def test_a_worker_ends_with_its_service(tmp_path):
    """The service is killed while a job runs that listens to nobody."""
    script = tmp_path / "service.py"
    script.write_text(
        f"import sys\nsys.path[:0] = [{str(TESTS / 'service')!r}, {str(TESTS / 'wire')!r}, {str(TESTS.parent)!r}]\n"
        "import time\nfrom test_jobs import JobRunner, job_for\n"
        "if __name__ == '__main__':\n"
        "    runner, job = JobRunner('fake_targets:by_name', slots=1), job_for('deaf')\n"
        "    runner.start()\n    runner.submit(job)\n"
        "    while job.events.last_progress.stage == 'queued':\n        time.sleep(0.01)\n"
        "    print(job.process_id, flush=True)\n    time.sleep(60)\n"
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
