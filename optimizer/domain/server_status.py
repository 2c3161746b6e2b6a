"""How a server does, for people who ask it."""

from __future__ import annotations

from optimizer.domain.base import Real, Value
from optimizer.domain.plan import Progress


class RunningPlan(Value):
    """A plan that is being computed."""

    name: str
    """``plans/...``."""
    running_s: Real
    """Since its latest run began."""
    progress: Progress | None = None
    """The latest."""


class ServerStatus(Value):
    """A server at one moment. The queue is that of all servers on its store."""

    version: str
    """Of the server."""
    uptime_s: Real
    """Since it started."""
    store: str
    """Kind of its store: sqlite or postgresql."""
    missing: str = ""
    """What is missing to serve, in words; empty if it is ready."""
    worker_count: int
    """Solves at a time."""
    worker_memory_bytes: int
    """What its workers have now; 0 where the system does not say so."""
    queue_limit: int
    """Plans that may wait."""
    queued_count: int = 0
    """Plans that wait."""
    running_count: int = 0
    """Plans that are being computed."""
    oldest_wait_s: Real | None = None
    """How long the plan that has waited longest has waited."""
    running: tuple[RunningPlan, ...] = ()
    """Plans that are being computed, the oldest first; at most 100."""
