"""The history of a plan, from which any number of readers take at their own pace."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from optimizer.domain.plan import Progress

KEPT: Final = 256
"""Events kept for readers that resume."""
CONFLATE_ABOVE: Final = 32
"""A reader with more events than this before it gets the last one of every stage."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    sequence: int
    """Ascending from 1."""
    progress: Progress | None
    """The progress; none for the end."""


class EventLog:
    """Events in order, the last :data:`KEPT` of them."""

    def __init__(self, condition: threading.Condition) -> None:
        self._condition = condition
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._sequence = 0
        self._ended = False
        self._wake_count = 0

    @property
    def last_progress(self) -> Progress | None:
        """The latest progress, if any."""
        with self._condition:
            return next((event.progress for event in reversed(self._events) if event.progress), None)

    def append(self, progress: Progress | None) -> None:
        """Add a progress, or the end; what comes after the end is dropped."""
        with self._condition:
            if self._ended:
                return
            self._sequence += 1
            self._ended = progress is None
            self._events.append(Event(self._sequence, progress))
            self._condition.notify_all()

    def wake(self) -> None:
        """Make all waiting readers look up."""
        with self._condition:
            self._wake_count += 1
            self._condition.notify_all()

    def after(self, sequence: int, timeout_s: float) -> list[Event]:
        """Events after ``sequence``, waiting for one; empty at the timeout. Past the end, the end once more."""
        deadline = time.monotonic() + timeout_s
        with self._condition:
            woken = self._wake_count
            while not self._ended and self._sequence <= sequence and self._wake_count == woken:
                left = deadline - time.monotonic()
                if left <= 0:
                    return []
                self._condition.wait(left)
            pending = [event for event in self._events if event.sequence > sequence]
            return conflated(pending) or ([self._events[-1]] if self._ended else [])


def conflated(events: list[Event]) -> list[Event]:
    """``events``; where there are too many, the last one of every stage, and the end."""
    if len(events) <= CONFLATE_ABOVE:
        return events
    stages = [event.progress.stage if event.progress else None for event in events]
    return [event for event, stage, later in zip(events, stages, [*stages[1:], ""], strict=True) if stage != later]
