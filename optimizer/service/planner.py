"""What the service does, in domain terms: remember, submit, watch, wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError
from optimizer.service.access import Access
from optimizer.service.jobs import JobRunner, default_slots
from optimizer.service.own_process import OwnProcesses
from optimizer.service.records import Event, Job, Request, StoredPortfolio, Terms
from optimizer.service.resources import resource_id
from optimizer.service.reuse import question_sha256
from optimizer.service.store import Store
from optimizer.wire.convert import to_bytes
from optimizer.wire.errors import OverloadedError

MAXIMUM_WAIT_S: Final = 60.0
_RETRY_AFTER_S: Final = 5.0
_ANSWER_MARGIN_S: Final = 0.2
"""Left of a caller's deadline to answer in."""
_SHARED_POLL_S: Final = 0.5


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
        self.own_processes = OwnProcesses(default_slots(), runner.limits)
        """For questions that are answered by solving."""

    def create_portfolio(
        self, portfolio: Portfolio, access: Access, request_id: str, content: bytes, validate_only: bool
    ) -> StoredPortfolio:
        """Keep a portfolio, or only say what would be kept."""
        if validate_only:
            return StoredPortfolio("", to_bytes(portfolio), None, access.tenant)
        request = Request("CreatePortfolio", request_id, content, access.tenant)
        return self.store.add_portfolio(to_bytes(portfolio), request)

    def portfolio(self, name: str, access: Access, path: str = "name") -> StoredPortfolio:
        """A portfolio by the name that a request has at ``path``."""
        return self.store.portfolio(resource_id(name, "portfolios", path), access)

    def create_plan(
        self,
        portfolio: StoredPortfolio,
        options: SolveOptions,
        request: Request,
        *,
        priority: int = 0,
        allow_reuse: bool,
    ) -> Job:
        """Put a job in the queue, unless a plan that is there may answer it and does."""
        stated = to_bytes(options)
        terms = Terms(question_sha256(portfolio.content, stated), allow_reuse, priority)
        return self.runner.submit(portfolio.id, stated, request, terms)

    def job(self, name: str, access: Access, collection: str = "plans") -> Job:
        """The job of a plan or an operation."""
        return self.store.job(resource_id(name, collection), access)

    def stop(self, job: Job) -> Job:
        """End a running search with the best plan so far. A queued one ends without."""
        self.store.ask_to_stop(job.id)
        return self.store.job(job.id)

    def cancel(self, job: Job) -> Job:
        """End a job without an answer."""
        self.store.ask_to_cancel(job.id)
        return self.store.job(job.id)

    def delete_portfolio(self, name: str, access: Access) -> None:
        """Forget a portfolio that has no plans."""
        self.store.delete_portfolio(self.portfolio(name, access).id)

    def wait(self, job: Job, timeout_s: float, caller: Caller) -> Job:
        """The job when it has ended, or when the time is over."""
        remaining = caller.time_remaining()
        patience_s = MAXIMUM_WAIT_S if remaining is None else max(0.0, remaining - _ANSWER_MARGIN_S)
        deadline = time.monotonic() + min(timeout_s or MAXIMUM_WAIT_S, MAXIMUM_WAIT_S, patience_s)
        with self.waiting_room():
            while True:
                count = self.store.bells.count(job.id)
                left_s = deadline - time.monotonic()
                if self.store.state(job.id).ended or left_s <= 0:
                    return self.store.job(job.id)
                self._await_news(job.id, count, left_s)

    def watch(self, job: Job, after_sequence: int, caller: Caller) -> Iterator[Event | int]:
        """Events after a number, to the end; where nothing happens for a while, the last number as a heartbeat."""
        if after_sequence < 0:
            message = f"{after_sequence} is negative"
            raise InvalidInputError.single("after_sequence", message, "pass 0 or the last number seen", "request")
        with self.waiting_room():
            sequence, told_at = after_sequence, time.monotonic()
            while caller.is_active():
                count = self.store.bells.count(job.id)
                for event in self.store.events_after(job.id, sequence):
                    sequence, told_at = event.sequence, time.monotonic()
                    yield event
                    if event.end is not None:
                        return
                quiet_s = time.monotonic() - told_at
                if quiet_s >= self._heartbeat_s:
                    told_at = time.monotonic()
                    self.store.state(job.id)  # raises where it was deleted, so that no stream is left without an end
                    yield sequence
                else:
                    self._await_news(job.id, count, self._heartbeat_s - quiet_s)

    def wake(self, job: Job) -> None:
        """Make who waits for a job look up."""
        self.store.bells.ring(job.id)

    def _await_news(self, job_id: str, count: int, timeout_s: float) -> None:
        """Return when there may be news; those of other servers ring no bell here, and are looked for."""
        shared = self.store.database.shared
        self.store.bells.wait(job_id, count, min(timeout_s, _SHARED_POLL_S) if shared else timeout_s)

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
