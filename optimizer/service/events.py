"""The history of a job in the store, from which any number of readers take at their own pace."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from optimizer.api.v1.plan_pb2 import Progress as ProgressMessage
from optimizer.domain.plan import Progress
from optimizer.service.records import Event, JobState
from optimizer.service.tables import EVENTS, PLANS
from optimizer.wire.convert import to_bytes

KEPT: Final = 256
"""Events of a job that are kept for readers that resume."""
CONFLATE_ABOVE: Final = 32
"""A reader with more events than this before it gets the last one of every stage."""
_BELL_COUNT: Final = 64


def append_events(connection: sa.Connection, job_id: str, items: Sequence[bytes | JobState]) -> None:
    """Add serialised ``Progress``, or an end, to the history of a job, of which the last :data:`KEPT` stay."""
    counted = PLANS.update().where(PLANS.c.id == job_id).values(sequence=PLANS.c.sequence + len(items))
    last = connection.execute(counted.returning(PLANS.c.sequence)).scalar_one()
    rows = [_row(job_id, last - len(items) + index, item) for index, item in enumerate(items, start=1)][-KEPT:]
    connection.execute(EVENTS.insert(), rows)
    connection.execute(EVENTS.delete().where(EVENTS.c.plan_id == job_id, EVENTS.c.sequence <= last - KEPT))
    progresses = [row["progress"] for row in rows if row["progress"] is not None]
    if progresses:
        connection.execute(PLANS.update().where(PLANS.c.id == job_id).values(progress=progresses[-1]))


def queued_progress() -> bytes:
    """What a job says that waits."""
    return to_bytes(Progress(stage="queued", elapsed_s=0.0))


def conflated(events: list[Event]) -> list[Event]:
    """``events``; where there are too many, the last one of every stage, and the end."""
    if len(events) <= CONFLATE_ABOVE:
        return events
    later_stages = [*(event.stage for event in events[1:]), -1]
    return [event for event, later in zip(events, later_stages, strict=True) if event.stage != later]


class Bells:
    """Wakes who waits for news of a job. Jobs share bells, so that news may turn out to be of another job."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._counts = [0] * _BELL_COUNT

    def count(self, job_id: str) -> int:
        """How often it has rung; taken before one looks for news."""
        return self._counts[hash(job_id) % _BELL_COUNT]

    def ring(self, job_id: str) -> None:
        """There is news."""
        with self._condition:
            self._counts[hash(job_id) % _BELL_COUNT] += 1
            self._condition.notify_all()

    def wait(self, job_id: str, count: int, timeout_s: float) -> None:
        """Return when it has rung since ``count`` was taken, or after the time."""
        with self._condition:
            self._condition.wait_for(lambda: self.count(job_id) != count, timeout_s)


def _row(job_id: str, sequence: int, item: bytes | JobState) -> dict[str, Any]:
    row: dict[str, Any] = {"plan_id": job_id, "sequence": sequence, "stage": 0, "progress": None, "end_state": None}
    if isinstance(item, bytes):
        return row | {"progress": item, "stage": ProgressMessage.FromString(item).stage}
    return row | {"end_state": item}
