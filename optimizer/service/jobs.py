"""The runner: takes jobs from the store, and gives each a process of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import Final

from optimizer.service.leases import LEASE_S, Leases
from optimizer.service.limits import Limits
from optimizer.service.logs import tell
from optimizer.service.metrics import Metrics, RunMeter
from optimizer.service.records import NO_TERMS, Job, JobState, Request, Run, Terms
from optimizer.service.runs import Follower
from optimizer.service.store import Store
from optimizer.service.worker import Worker
from optimizer.wire.errors import StoreUnavailableError, to_status

DEFAULT_TARGET: Final = "optimizer.app:plan"
_CHECK_S: Final = 5.0
"""How often an idle slot looks whether its worker is still there."""
_SHARED_CHECK_S: Final = 0.5
"""How often it looks for jobs that came to other servers."""
_RETRY_S: Final = 1.0
_LOOKS_PER_LEASE: Final = 5

_log = logging.getLogger(__name__)


def default_slots() -> int:
    """Jobs at a time: one for every two processors."""
    return max(1, (os.cpu_count() or 2) // 2)


class JobRunner:
    """Runs jobs by priority, then in order, ``slots`` at a time, each in a process that was started before."""

    def __init__(
        self,
        store: Store,
        target: str = DEFAULT_TARGET,
        slots: int | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        lease_s: float = LEASE_S,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._store, self._leases = store, Leases(store)
        self._target, self.limits, self._lease_s = target, limits, lease_s
        self._check_s = _SHARED_CHECK_S if store.database.shared else _CHECK_S
        self._changed = threading.Condition()
        self._change_count = 0
        self._closed, self._draining = threading.Event(), threading.Event()
        self.slot_count = default_slots() if slots is None else slots
        self._workers: dict[int, Worker] = {}
        """By slot."""
        self._down: set[int] = set()
        """Slots whose worker cannot be started."""
        self._slots = [
            threading.Thread(target=self._serve, args=(slot,), name=f"optimizer-slot-{slot}", daemon=True)
            for slot in range(self.slot_count)
        ]
        leases = threading.Thread(target=self._watch_leases, name="optimizer-leases", daemon=True)
        self._threads = [*self._slots, leases]

    def start(self) -> None:
        """Take up what a server before left unfinished, and start the processes."""
        if not self._store.database.shared:  # whoever ran these is gone, or we would not have the file
            for job_id, (fence, beat) in self._leases.running().items():
                self._leases.recover(job_id, fence, beat)
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> bool:
        """Whether every slot has a worker, or will have one at once."""
        return not self._down and all(thread.is_alive() for thread in self._threads)

    def memory_bytes(self) -> int:
        """What all workers have now."""
        return sum(worker.memory_bytes or 0 for worker in list(self._workers.values()))

    def submit(self, portfolio_id: str, options: bytes, request: Request, terms: Terms = NO_TERMS) -> Job:
        """Put a job in the queue, unless it is answered already.

        Raises:
            OverloadedError: the queue is full, or the tenant has as much under way as it may.
        """
        job = self._store.add_job(portfolio_id, options, request, self.limits, terms)
        self._wake()
        return job

    def drain(self, grace_s: float) -> None:
        """Begin nothing more, and return when what runs has ended, or after the grace."""
        self._draining.set()
        self._wake()
        deadline = time.monotonic() + grace_s
        for thread in self._slots:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Give what runs back to the queue, and end all processes."""
        self._closed.set()
        self.drain(0.0)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _wake(self) -> None:
        with self._changed:
            self._change_count += 1
            self._changed.notify_all()

    def _next(self, worker: Worker) -> Run | None:
        """The next run; none when there will be none, or when the worker for it was ended while it waited."""
        while not self._draining.is_set() and worker.alive:
            count, wait_s = self._change_count, self._check_s
            try:
                run = self._leases.claim()
            except StoreUnavailableError as error:
                _log.warning("cannot look for jobs: %s", error)
                run, wait_s = None, _RETRY_S
            if run is not None:
                return run
            with self._changed:
                self._changed.wait_for(lambda seen=count: self._change_count != seen, wait_s)  # type: ignore[misc]
        return None

    def _serve(self, slot: int) -> None:
        while not self._draining.is_set():
            try:
                worker = self._workers[slot] = Worker(self._target)
            except OSError:
                self._down.add(slot)
                _log.exception("cannot start a worker; trying again")
                self._closed.wait(_RETRY_S)
                continue
            self._down.discard(slot)
            try:
                run = self._next(worker)
                if run is not None:
                    self._run(run, worker)
            finally:
                del self._workers[slot]
                worker.end()

    def _run(self, run: Run, worker: Worker) -> None:
        tell(_log, logging.INFO, "plan begun", plan=run.job_id, run=run.fence, waited_s=round(run.waited_s, 3))
        meter = RunMeter(self._metrics, run)
        follower = Follower(
            run,
            worker,
            self._leases,
            meter,
            is_closed=self._closed.is_set,
            limits=self.limits,
            lease_s=self._lease_s,
        )
        try:
            follower.follow()
        except Exception as error:
            with contextlib.suppress(StoreUnavailableError):  # its lease will end
                self._leases.end(run, [], JobState.FAILED, error=to_status(error).SerializeToString())

    def _watch_leases(self) -> None:
        """Recover runs whose sign of life does not change while the store can be read."""
        seen: dict[str, tuple[tuple[int, int], float]] = {}
        while not self._closed.wait(self._lease_s / _LOOKS_PER_LEASE):
            now = time.monotonic()
            try:
                found = self._leases.running()
                seen = {
                    job_id: seen[job_id] if job_id in seen and seen[job_id][0] == sign else (sign, now)
                    for job_id, sign in found.items()
                }
                for job_id, ((fence, beat), since) in seen.items():
                    if now - since >= self._lease_s and self._leases.recover(job_id, fence, beat):
                        tell(_log, logging.WARNING, "plan lost; it waits again", plan=job_id, run=fence)
                        self._wake()
            except StoreUnavailableError as error:
                _log.warning("cannot look for lost plans: %s", error)
                seen = {}
