"""What the store hands out: readings of one moment, which do not change any more; messages stay serialised."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from optimizer.domain.portfolio import Portfolio
from optimizer.service.access import DEFAULT_TENANT
from optimizer.wire.convert import from_bytes


class JobState(StrEnum):
    """How far a job has come."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    AUDIT_FAILED = "audit-failed"

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self not in UNENDED


UNENDED: Final = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Request:
    """A call that may come twice, and does its work once."""

    method: str
    id: str
    """What the caller named it; empty if it may not come twice."""
    content: bytes
    """The same bytes for the same request."""
    tenant: str = DEFAULT_TENANT
    """Of who asks."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a plan is asked for."""

    question_sha256: str | None = None
    """The same for the same question; none where it is not to be known again."""
    allow_reuse: bool = False
    """Whether a plan that answered the same question may answer this one."""
    priority: int = 0
    """Of those that wait, the highest begins first."""


NO_TERMS: Final = Terms()


@dataclass(frozen=True, slots=True)
class StoredPortfolio:
    """A portfolio with its name in the service."""

    id: str
    content: bytes
    """``PortfolioSpec``; empty in lists."""
    create_time: dt.datetime | None
    """None where it was only checked."""
    tenant: str
    """Whose it is."""

    @property
    def portfolio(self) -> Portfolio:
        """What the planner states."""
        return from_bytes(Portfolio, self.content)


@dataclass(frozen=True, slots=True)
class Job:
    """A plan from question to answer."""

    id: str
    portfolio_id: str
    options: bytes
    """``SolveOptions``."""
    state: JobState
    create_time: dt.datetime
    start_time: dt.datetime | None
    """Of its latest run."""
    end_time: dt.datetime | None
    progress: bytes | None
    """The latest ``Progress``."""
    result: bytes | None
    """``PlanResult``; absent in lists, while it is computed, and where there is none."""
    error: bytes | None
    """``google.rpc.Status``: why there is none."""
    sequence: int
    """That of its last event."""
    expire_time: dt.datetime | None
    """When it is deleted; none until it has ended, and where nothing is deleted by itself."""
    tenant: str
    """Whose it is: that of its portfolio."""
    reused_from: str | None
    """The id of the plan that was computed, where this one was not."""
    priority: int
    """Of those that wait, the highest begins first, and of equals the one that came first."""

    @property
    def etag(self) -> str:
        """Another one whenever the job has changed."""
        return hashlib.sha256(f"{self.id} {self.state} {self.sequence}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a job: a progress, or its end."""

    sequence: int
    """Ascending from 1."""
    stage: int
    """That of the ``Progress`` message; 0 for the end."""
    progress: bytes | None
    """``Progress``; none for the end."""
    end: JobState | None
    """In which state it ended."""


@dataclass(frozen=True, slots=True)
class Run:
    """The right to compute a job, as long as nobody else was given a later one."""

    job_id: str
    fence: int
    """Ascending with every run of the job; what an earlier run writes is refused."""
    portfolio: bytes
    """``PortfolioSpec``."""
    options: bytes
    """``SolveOptions``."""
    waited_s: float
    """Since it was asked for."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What callers want of a running job."""

    stop: bool
    """The best plan so far."""
    cancel: bool
    """No plan."""
