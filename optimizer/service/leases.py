"""Who computes what: jobs are claimed, kept by signs of life, and given to others when these cease.

Runs of a job are numbered; the number is the fence: what a run writes is refused once there is a later one. Clocks of
different machines are never compared: a run is lost when its sign of life has not changed for :data:`LEASE_S` on the
clock of who watches it; who computes it gives up somewhat earlier if his signs do not reach the store.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from optimizer.service.events import append_events, queued_progress
from optimizer.service.records import JobState, Run, Wishes
from optimizer.service.store import Store, cancelled_values
from optimizer.service.tables import PLANS, PORTFOLIOS
from optimizer.wire.errors import JobAbandonedError, to_status

LEASE_S: Final = 10.0
MAXIMUM_LOSSES: Final = 5
"""A job that was lost more often is not tried again: it may be what ends its servers."""


class Leases:
    """The queue and the runs of the store."""

    def __init__(self, store: Store) -> None:
        self._database, self._bells = store.database, store.bells

    def claim(self) -> Run | None:
        """A new run of the job of the highest priority, and of these of the one that has waited longest."""
        waiting = sa.select(PLANS.c.id).where(PLANS.c.state == JobState.QUEUED)
        waiting = waiting.order_by(PLANS.c.priority.desc(), PLANS.c.number).limit(1)
        with self._database.reading() as connection:
            if connection.scalar(waiting) is None:
                return None
        claimed = PLANS.update().where(PLANS.c.id == waiting.with_for_update(skip_locked=True).scalar_subquery())
        now = time.time()
        values = {"state": JobState.RUNNING, "start_time_s": now, "fence": PLANS.c.fence + 1}
        said = (PLANS.c.id, PLANS.c.fence, PLANS.c.portfolio_id, PLANS.c.options, PLANS.c.create_time_s)
        returned = claimed.values(values).returning(*said)
        with self._database.writing() as connection:
            row = connection.execute(returned).first()
            if row is None:
                return None
            content = sa.select(PORTFOLIOS.c.content).where(PORTFOLIOS.c.id == row.portfolio_id)
            portfolio = connection.execute(content).scalar_one()
            return Run(row.id, row.fence, portfolio, row.options, now - row.create_time_s)

    def beat(self, run: Run, progresses: Sequence[bytes]) -> Wishes | None:
        """Say that a run lives and what it has to tell; what callers want of it, or none if it is not ours any more."""
        alive = _of(run).values(beat=PLANS.c.beat + 1)
        with self._database.writing(flushed=False) as connection:
            row = connection.execute(alive.returning(PLANS.c.stop_requested, PLANS.c.cancel_requested)).first()
            if row is None:
                return None
            if progresses:
                append_events(connection, run.job_id, progresses)
        if progresses:
            self._bells.ring(run.job_id)
        return Wishes(row.stop_requested, row.cancel_requested)

    def end(
        self,
        run: Run,
        progresses: Sequence[bytes],
        state: JobState,
        *,
        result: bytes | None = None,
        error: bytes | None = None,
        conclusive: bool = False,
    ) -> None:
        """Keep how a run ended, unless it is not ours any more; a conclusive result answers the same question again."""
        values = {"state": state, "result": result, "error": error, "end_time_s": time.time()}
        values["conclusive"] = conclusive
        self._leave(run, values, [*progresses, state])

    def cancel(self, run: Run) -> None:
        """End a run without an answer, because nobody wants one."""
        self._leave(run, cancelled_values(), [JobState.CANCELLED])

    def release(self, run: Run) -> None:
        """Give a job back to the queue."""
        self._leave(run, {"state": JobState.QUEUED}, [queued_progress()])

    def running(self) -> dict[str, tuple[int, int]]:
        """Fence and beat of all runs."""
        query = sa.select(PLANS.c.id, PLANS.c.fence, PLANS.c.beat).where(PLANS.c.state == JobState.RUNNING)
        with self._database.reading() as connection:
            return {row.id: (row.fence, row.beat) for row in connection.execute(query)}

    def recover(self, job_id: str, fence: int, beat: int) -> bool:
        """Give a lost run's job to the queue, or end it if it was lost too often; false if the run lives after all."""
        lost = PLANS.update().where(
            PLANS.c.id == job_id, PLANS.c.state == JobState.RUNNING, PLANS.c.fence == fence, PLANS.c.beat == beat
        )
        counted = lost.values(lost_count=PLANS.c.lost_count + 1)
        with self._database.writing() as connection:
            row = connection.execute(counted.returning(PLANS.c.lost_count, PLANS.c.cancel_requested)).first()
            if row is None:
                return False
            values: dict[str, Any] = {"state": JobState.QUEUED}
            item: bytes | JobState = queued_progress()
            if row.cancel_requested:
                values, item = cancelled_values(), JobState.CANCELLED
            elif row.lost_count > MAXIMUM_LOSSES:
                error = to_status(JobAbandonedError(row.lost_count)).SerializeToString()
                values, item = {"state": JobState.FAILED, "error": error, "end_time_s": time.time()}, JobState.FAILED
            connection.execute(PLANS.update().where(PLANS.c.id == job_id).values(values))
            append_events(connection, job_id, [item])
        self._bells.ring(job_id)
        return True

    def _leave(self, run: Run, values: dict[str, Any], items: Sequence[bytes | JobState]) -> None:
        with self._database.writing() as connection:
            if connection.execute(_of(run).values(values)).rowcount:
                append_events(connection, run.job_id, items)
        self._bells.ring(run.job_id)


def _of(run: Run) -> sa.Update:
    return PLANS.update().where(PLANS.c.id == run.job_id, PLANS.c.fence == run.fence, PLANS.c.state == JobState.RUNNING)
