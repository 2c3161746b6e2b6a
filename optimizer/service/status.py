"""How a server does, as it tells who asks."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Final

import sqlalchemy as sa

from optimizer.domain.plan import Progress
from optimizer.domain.server_status import RunningPlan, ServerStatus
from optimizer.service.access import Access
from optimizer.service.database import Database
from optimizer.service.jobs import JobRunner
from optimizer.service.queue import queue_of
from optimizer.service.readiness import Readiness
from optimizer.service.records import JobState
from optimizer.service.tables import PLANS
from optimizer.wire.convert import from_bytes

MOST_SHOWN: Final = 100


class StatusDesk:
    """Answers how the server does, also when its store does not answer."""

    def __init__(self, database: Database, runner: JobRunner, readiness: Readiness) -> None:
        self._database, self._runner, self._readiness = database, runner, readiness
        self._began = time.monotonic()

    def status(self, access: Access) -> ServerStatus:
        """The server now; of its plans, those that a call sees."""
        status = ServerStatus(
            version=version("capacity-optimizer"),
            uptime_s=time.monotonic() - self._began,
            store="postgresql" if self._database.shared else "sqlite",
            missing=self._readiness.missing(),
            worker_count=self._runner.slot_count,
            worker_memory_bytes=self._runner.memory_bytes(),
            queue_limit=self._runner.limits.queue_limit,
        )
        if status.missing:
            return status
        queue = queue_of(self._database, access)
        counts = {name: getattr(queue, name) for name in ("queued_count", "running_count", "oldest_wait_s")}
        return status.model_copy(update=counts | {"running": _running(self._database, access)})


def _running(database: Database, access: Access) -> tuple[RunningPlan, ...]:
    query = sa.select(PLANS.c.id, PLANS.c.start_time_s, PLANS.c.progress).where(PLANS.c.state == JobState.RUNNING)
    query = query.where(*access.conditions(PLANS.c.tenant))
    with database.reading() as connection:
        rows = connection.execute(query.order_by(PLANS.c.number).limit(MOST_SHOWN)).all()
    now = time.time()
    return tuple(
        RunningPlan(
            name=f"plans/{row.id}",
            running_s=max(0.0, now - row.start_time_s),
            progress=None if row.progress is None else from_bytes(Progress, row.progress),
        )
        for row in rows
    )
