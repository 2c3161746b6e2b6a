"""How much is waiting in the store, and for how long."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from optimizer.service.access import EVERYWHERE, Access
from optimizer.service.database import Database
from optimizer.service.records import UNENDED, JobState
from optimizer.service.tables import PLANS


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of all servers on the store, at one moment."""

    queued_count: int
    running_count: int
    oldest_wait_s: float | None
    """Of the plan that has waited longest, since it was asked for; none where none waits."""


def queue_of(database: Database, access: Access = EVERYWHERE) -> Queue:
    """The queue now, as far as a call sees it.

    Raises:
        StoreUnavailableError: the store cannot be read.
    """
    counted = sa.select(
        PLANS.c.state, sa.func.count().label("plan_count"), sa.func.min(PLANS.c.create_time_s).label("since")
    )
    unended = counted.where(PLANS.c.state.in_(UNENDED)).group_by(PLANS.c.state)
    unended = unended.where(*access.conditions(PLANS.c.tenant))
    with database.reading() as connection:
        found = {row.state: row for row in connection.execute(unended)}
    queued, running = found.get(JobState.QUEUED), found.get(JobState.RUNNING)
    return Queue(
        queued_count=queued.plan_count if queued else 0,
        running_count=running.plan_count if running else 0,
        oldest_wait_s=max(0.0, time.time() - queued.since) if queued else None,
    )
