"""Jobs: what a plan is while it is being computed, and the runner that gives each a process of its own."""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
import time
import uuid
from collections import deque
from enum import StrEnum
from typing import Final

from google.rpc.status_pb2 import Status

from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import JobCancelledError
from optimizer.service.events import EventLog
from optimizer.service.worker import ERROR, PROGRESS, Frame, Worker, progress_of
from optimizer.wire.convert import from_bytes
from optimizer.wire.errors import OverloadedError, WorkerDiedError, to_status

DEFAULT_TARGET: Final = "optimizer.app:plan"
CANCEL_GRACE_S: Final = 2.0
"""A job that is cancelled ends by itself within this time, or is ended."""
_POLL_S: Final = 0.05
_RETRY_AFTER_S: Final = 10.0
_CHECK_S: Final = 5.0
"""How often an idle slot looks whether its worker is still there."""
_SPAWN_RETRY_S: Final = 1.0

_log = logging.getLogger(__name__)


def default_slots() -> int:
    """Jobs at a time: one for every two processors."""
    return max(1, (os.cpu_count() or 2) // 2)


class JobState(StrEnum):
    """How far a job has come."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    AUDIT_FAILED = "audit-failed"

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Job:
    """One plan from question to answer. Its state changes under its condition only; requests are flags that stay up."""

    def __init__(self, portfolio_name: str, portfolio: Portfolio, options: SolveOptions) -> None:
        self.id = uuid.uuid4().hex
        self.portfolio_name, self.portfolio, self.options = portfolio_name, portfolio, options
        self.state = JobState.QUEUED
        self.create_time = dt.datetime.now(dt.UTC)
        self.start_time: dt.datetime | None = None
        self.end_time: dt.datetime | None = None
        self.plan: Plan | None = None
        self.error: Status | None = None
        self.process_id: int | None = None
        self.stop_requested = False
        self.cancel_requested = False
        self.condition = threading.Condition()
        self.events = EventLog(self.condition)
        self.events.append(Progress(stage="queued", elapsed_s=0.0))

    def begin(self, process_id: int | None) -> None:
        """It has a process."""
        with self.condition:
            self.state, self.start_time, self.process_id = JobState.RUNNING, dt.datetime.now(dt.UTC), process_id

    def succeed(self, plan: Plan) -> None:
        """It has an answer, which may have failed its audit."""
        self._end(JobState.AUDIT_FAILED if plan.audit_failed else JobState.SUCCEEDED, plan=plan)

    def fail(self, error: Status) -> None:
        """It has none."""
        self._end(JobState.FAILED, error=error)

    def cancel(self) -> None:
        """Nobody wants one."""
        error = to_status(JobCancelledError("the job was cancelled before it had a plan"))
        self._end(JobState.CANCELLED, error=error)

    def wait(self, timeout_s: float) -> None:
        """Return when it has ended, or after the time."""
        with self.condition:
            self.condition.wait_for(lambda: self.state.ended, timeout_s)

    def _end(self, state: JobState, plan: Plan | None = None, error: Status | None = None) -> None:
        with self.condition:
            if self.state.ended:
                return
            self.state, self.plan, self.error = state, plan, error
            self.end_time = dt.datetime.now(dt.UTC)
            self.events.append(None)


class JobRunner:
    """Runs jobs in order, ``slots`` at a time, each in a process that was started before it was needed."""

    def __init__(self, target: str = DEFAULT_TARGET, slots: int | None = None, queue_limit: int = 64) -> None:
        self._target, self._queue_limit = target, queue_limit
        self._queue: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        count = default_slots() if slots is None else slots
        self._threads = [
            threading.Thread(target=self._serve, name=f"optimizer-slot-{slot}", daemon=True) for slot in range(count)
        ]

    def start(self) -> None:
        """Start the processes."""
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        """Put a job in the queue.

        Raises:
            OverloadedError: the queue is full.
        """
        with self._changed:
            if len(self._queue) >= self._queue_limit:
                raise OverloadedError(f"{self._queue_limit} plans are waiting already; come again", _RETRY_AFTER_S)
            self._queue.append(job)
            self._changed.notify()

    def stop(self, job: Job) -> None:
        """End a running search with the best plan so far. A queued one ends as soon as it has begun."""
        job.stop_requested = True

    def cancel(self, job: Job) -> None:
        """End a job without an answer."""
        job.cancel_requested = True
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
                job.cancel()

    def close(self) -> None:
        """Cancel everything and end all processes."""
        with self._changed:
            self._closed = True
            while self._queue:
                self._queue.popleft().cancel()
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _next(self, worker: Worker) -> Job | None:
        """The next job; none when there will be none, or when the worker for it was ended while it waited."""
        with self._changed:
            while not self._closed and worker.alive:
                if self._queue:
                    return self._queue.popleft()
                self._changed.wait(_CHECK_S)
        return None

    def _serve(self) -> None:
        while not self._closed:
            try:
                worker = Worker(self._target)
            except OSError:
                _log.exception("cannot start a worker; trying again")
                time.sleep(_SPAWN_RETRY_S)
                continue
            try:
                job = self._next(worker)
                if job is not None:
                    self._run(job, worker)
            finally:
                worker.end()

    def _run(self, job: Job, worker: Worker) -> None:
        try:
            self._follow(job, worker)
        except Exception as error:
            job.fail(to_status(error))

    def _follow(self, job: Job, worker: Worker) -> None:
        job.begin(worker.process_id)
        worker.begin(job.portfolio, job.options)
        stop_sent, kill_at = False, float("inf")
        while True:
            try:
                frame = worker.receive(_POLL_S)
            except EOFError:
                if job.cancel_requested or self._closed:
                    job.cancel()
                else:
                    job.fail(to_status(WorkerDiedError(worker.exit_code)))
                return
            if frame is not None and self._take(job, frame):
                return
            cancelled = job.cancel_requested or self._closed
            if (job.stop_requested or cancelled) and not stop_sent:
                stop_sent = True
                worker.stop()
            if cancelled and kill_at == float("inf"):
                kill_at = time.monotonic() + (0.0 if self._closed else CANCEL_GRACE_S)
            if time.monotonic() >= kill_at:
                job.cancel()
                return

    def _take(self, job: Job, frame: Frame) -> bool:
        """Whether the frame ended the job."""
        if frame.kind == PROGRESS:
            job.events.append(progress_of(frame))
            return False
        if job.cancel_requested or self._closed:
            job.cancel()
        elif frame.kind == ERROR:
            job.fail(Status.FromString(frame.body))
        else:
            job.succeed(from_bytes(Plan, frame.body))
        return True
