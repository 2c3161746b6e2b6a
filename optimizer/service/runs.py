"""One run of a job: its worker followed to the end, its progress and signs of life written to the store."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from optimizer.errors import ServiceError
from optimizer.service.leases import Leases
from optimizer.service.limits import Limits
from optimizer.service.logs import tell
from optimizer.service.metrics import RunMeter
from optimizer.service.records import JobState, Run, Wishes
from optimizer.service.reuse import is_conclusive
from optimizer.service.worker import AUDIT_FAILED, ERROR, PROGRESS, Frame, Worker
from optimizer.wire.errors import JobMemoryError, StoreUnavailableError, WorkerDiedError, to_status

CANCEL_GRACE_S: Final = 2.0
"""A job that is cancelled ends by itself within this time, or is ended."""
_POLL_S: Final = 0.05
_NEWS_S: Final = 0.1
"""Progress is written so often at most."""
_BEAT_S: Final = 0.25
"""Signs of life are written, and wishes read, so often at least."""
_GIVE_UP_FRAC: Final = 0.8
"""Of the lease, after which a run without contact to the store is given up: before others may begin one."""

_log = logging.getLogger(__name__)


class Follower:
    """Follows a worker on behalf of the store."""

    def __init__(
        self,
        run: Run,
        worker: Worker,
        leases: Leases,
        meter: RunMeter,
        *,
        is_closed: Callable[[], bool],
        limits: Limits,
        lease_s: float,
    ) -> None:
        self._run, self._worker, self._leases, self._meter, self._is_closed = run, worker, leases, meter, is_closed
        self._limits, self._contact_s = limits, _GIVE_UP_FRAC * lease_s
        self._progresses: list[bytes] = []
        self._wishes = Wishes(stop=False, cancel=False)
        self._tried_at = -float("inf")
        self._kept_at = time.monotonic()
        self._stop_sent = False
        self._kill_at = float("inf")

    def follow(self) -> None:
        """Return when the run has ended, was given back, or is not ours any more."""
        self._worker.begin(self._run.portfolio, self._run.options)
        while not self._is_closed():
            if not self._beaten():
                return
            self._pass_wishes_on()
            try:
                self._limits.check_memory(self._worker.process_id)
                frame = self._worker.receive(_POLL_S)
            except EOFError:
                self._end_without_answer(WorkerDiedError(self._worker.exit_code))
                return
            except JobMemoryError as error:
                self._worker.kill()
                self._end_without_answer(error)
                return
            if frame is not None and frame.kind == PROGRESS:
                self._progresses.append(frame.body)
                self._meter.progress(frame.body)
            elif frame is not None:
                self._end_with(frame)
                return
            if time.monotonic() >= self._kill_at:
                self._end(JobState.CANCELLED)
                return
        self._worker.kill()  # before anybody else may begin
        self._keep(lambda: self._leases.release(self._run))

    def _beaten(self) -> bool:
        """Whether the run is ours still."""
        begin = time.monotonic()
        if begin - self._tried_at < (_NEWS_S if self._progresses else _BEAT_S):
            return True
        self._tried_at = begin
        self._meter.memory(self._worker.peak_memory_bytes)
        try:
            wishes = self._leases.beat(self._run, self._progresses)
        except StoreUnavailableError as error:
            return self._in_contact(error)
        if wishes is None:
            _log.warning("run %d of plan %s was given to another", self._run.fence, self._run.job_id)
            return False
        self._progresses, self._wishes, self._kept_at = [], wishes, begin
        return True

    def _pass_wishes_on(self) -> None:
        if (self._wishes.stop or self._wishes.cancel) and not self._stop_sent:
            self._stop_sent = True
            self._worker.stop()
        if self._wishes.cancel and self._kill_at == float("inf"):
            self._kill_at = time.monotonic() + CANCEL_GRACE_S

    def _end_with(self, frame: Frame) -> None:
        if frame.kind == ERROR:
            self._end(JobState.FAILED, error=frame.body)
        elif frame.kind == AUDIT_FAILED:
            self._end(JobState.AUDIT_FAILED, result=frame.body)
        else:
            conclusive = is_conclusive(frame.body, self._run.options)
            self._end(JobState.SUCCEEDED, result=frame.body, conclusive=conclusive)

    def _end_without_answer(self, error: ServiceError) -> None:
        self._end(JobState.FAILED, error=to_status(error).SerializeToString())

    def _end(
        self, state: JobState, *, result: bytes | None = None, error: bytes | None = None, conclusive: bool = False
    ) -> None:
        if self._wishes.cancel:
            state = JobState.CANCELLED
            self._keep(lambda: self._leases.cancel(self._run))
        else:
            answer = {"result": result, "error": error}
            self._keep(lambda: self._leases.end(self._run, self._progresses, state, **answer, conclusive=conclusive))
        self._meter.memory(self._worker.peak_memory_bytes)
        self._meter.ended(state)
        tell(_log, logging.INFO, "plan ended", plan=self._run.job_id, run=self._run.fence, state=state.value)

    def _keep(self, write: Callable[[], None]) -> None:
        """Write how it ended, as long as nobody else can have begun."""
        while True:
            try:
                return write()
            except StoreUnavailableError as error:
                if not self._in_contact(error):
                    return None
            time.sleep(_BEAT_S)

    def _in_contact(self, error: StoreUnavailableError) -> bool:
        if time.monotonic() - self._kept_at < self._contact_s:
            return True
        _log.error("run %d of plan %s is given up: %s", self._run.fence, self._run.job_id, error)
        return False
