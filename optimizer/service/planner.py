"""What the service does, in domain terms: remember, submit, watch, wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError
from optimizer.service.events import Event
from optimizer.service.jobs import Job, JobRunner, default_slots
from optimizer.service.own_process import OwnProcesses
from optimizer.service.resources import resource_id
from optimizer.service.store import Store, StoredPortfolio
from optimizer.wire.errors import OverloadedError

MAXIMUM_WAIT_S: Final = 60.0
_RETRY_AFTER_S: Final = 5.0
_ANSWER_MARGIN_S: Final = 0.2
"""Left of a caller's deadline to answer in."""


class Caller(Protocol):
    """What is known about a call while it runs."""

    def is_active(self) -> bool:
        """Whether somebody still listens."""

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up."""


class Planner:
    """The store and the runner behind one door."""

    def __init__(self, store: Store, runner: JobRunner, waiting_limit: int = 48, heartbeat_s: float = 5.0) -> None:
        self.store, self.runner, self._heartbeat_s = store, runner, heartbeat_s
        self._waiting_limit = waiting_limit
        self._waiting = threading.BoundedSemaphore(waiting_limit)
        self.own_processes = OwnProcesses(default_slots())
        """For questions that are answered by solving."""

    def create_portfolio(
        self, portfolio: Portfolio, request_id: str, content: bytes, validate_only: bool
    ) -> StoredPortfolio:
        """Keep a portfolio, or only say what would be kept."""
        if validate_only:
            return StoredPortfolio(portfolio, id="")
        return self.store.once("CreatePortfolio", request_id, content, lambda: self.store.add_portfolio(portfolio))

    def create_plan(self, portfolio: StoredPortfolio, options: SolveOptions, request_id: str, content: bytes) -> Job:
        """Put a job in the queue."""

        def create() -> Job:
            job = Job(f"portfolios/{portfolio.id}", portfolio.portfolio, options)
            self.runner.submit(job)
            self.store.add_job(job)
            return job

        return self.store.once("CreatePlan", request_id, content, create)

    def job(self, name: str, collection: str = "plans") -> Job:
        """The job of a plan or an operation."""
        return self.store.job(resource_id(name, collection))

    def wait(self, job: Job, timeout_s: float, caller: Caller) -> None:
        """Return when the job has ended, or the time is over."""
        remaining = caller.time_remaining()
        deadline_s = MAXIMUM_WAIT_S if remaining is None else max(0.0, remaining - _ANSWER_MARGIN_S)
        with self.waiting_room():
            job.wait(min(timeout_s or MAXIMUM_WAIT_S, MAXIMUM_WAIT_S, deadline_s))

    def watch(self, job: Job, after_sequence: int, caller: Caller) -> Iterator[Event | int]:
        """Events after a number, to the end; where nothing happens for a while, the last number as a heartbeat."""
        if after_sequence < 0:
            message = f"{after_sequence} is negative"
            raise InvalidInputError.single("after_sequence", message, "pass 0 or the last number seen", "request")
        with self.waiting_room():
            sequence = after_sequence
            while caller.is_active():
                events = job.events.after(sequence, self._heartbeat_s)
                if not events:
                    yield sequence
                for event in events:
                    sequence = event.sequence
                    yield event
                    if event.progress is None:
                        return

    @contextmanager
    def waiting_room(self) -> Iterator[None]:
        """A place for one of a limited number of calls that hold a thread while they wait.

        Raises:
            OverloadedError: all places are taken.
        """
        if not self._waiting.acquire(blocking=False):
            raise OverloadedError(f"{self._waiting_limit} calls are waiting already; come again", _RETRY_AFTER_S)
        try:
            yield
        finally:
            self._waiting.release()
