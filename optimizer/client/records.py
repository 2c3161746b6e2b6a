"""What the service keeps, as the client hands it out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from optimizer.api.v1 import resources_pb2
from optimizer.domain.curves import HashingCurve, ThroughputCurve
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import OptimizerError, ServiceError
from optimizer.wire.convert import parse
from optimizer.wire.errors import from_status
from optimizer.wire.schema import enum_prefix

CurveT = TypeVar("CurveT", HashingCurve, ThroughputCurve)


class PlanState(StrEnum):
    """How far a plan has come."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    """There is a plan, or a proof or a limit in its place: ``plan.termination`` says which."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    AUDIT_FAILED = "audit-failed"
    """There is a plan, but do not act on it: ``plan.audit`` says why."""

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (PlanState.QUEUED, PlanState.RUNNING)


@dataclass(frozen=True, slots=True)
class PortfolioRecord:
    """A stored portfolio."""

    name: str
    """``portfolios/...``; empty if it was only checked."""
    portfolio: Portfolio
    create_time: dt.datetime | None
    tenant: str
    """Whose it is."""


@dataclass(frozen=True, slots=True)
class PortfolioHead:
    """A stored portfolio in a list."""

    name: str
    """``portfolios/...``."""
    create_time: dt.datetime | None
    tenant: str
    """Whose it is."""


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A plan from the moment it was asked for."""

    name: str
    """``plans/...``."""
    portfolio_name: str
    """``portfolios/...``: the question."""
    options: SolveOptions
    state: PlanState
    create_time: dt.datetime | None
    start_time: dt.datetime | None
    end_time: dt.datetime | None
    progress: Progress | None
    """The latest."""
    plan: Plan | None
    """The answer; absent in lists."""
    error: OptimizerError | None
    """Why there is none."""
    etag: str
    """Another one whenever the plan has changed."""
    expire_time: dt.datetime | None
    """When the service deletes it; none until it has ended, and where nothing is deleted by itself."""
    tenant: str
    """Whose it is."""
    reused_from: str
    """``plans/...``: the plan whose answer this is; empty if it was computed itself."""
    priority: int
    """0 to 9: of those that wait, the highest begins first."""


@dataclass(frozen=True, slots=True)
class CurveAnswer(Generic[CurveT]):
    """The answer to one of many questions: a curve, or why there is none."""

    key: str
    """The caller's own name of the question."""
    curve: CurveT | None
    error: OptimizerError | None


def curve_answer(message: Any, kind: type[CurveT]) -> CurveAnswer[CurveT]:
    """The answer in a response of a stream of curves."""
    if message.WhichOneof("result") == "error":
        return CurveAnswer(message.key, None, from_status(message.error))
    return CurveAnswer(message.key, parse(kind, message.curve, "curve of the service"), None)


def portfolio_record(message: Any) -> PortfolioRecord:
    """The record of a resource."""
    portfolio = parse(Portfolio, message.spec, "portfolio of the service")
    return PortfolioRecord(message.name, portfolio, _time(message, "create_time"), message.tenant)


def portfolio_head(message: Any) -> PortfolioHead:
    """The record of a resource in a list."""
    return PortfolioHead(message.name, _time(message, "create_time"), message.tenant)


def state_numbers(states: Iterable[PlanState]) -> list[Any]:
    """States as the service numbers them."""
    descriptor = resources_pb2.PlanState.DESCRIPTOR
    return [descriptor.values_by_name[enum_prefix(descriptor) + state.name].number for state in states]


def plan_record(message: Any) -> PlanRecord:
    """The record of a resource."""
    return PlanRecord(
        name=message.name,
        portfolio_name=message.portfolio,
        options=parse(SolveOptions, message.options, "options of the service"),
        state=_state(message.state),
        create_time=_time(message, "create_time"),
        start_time=_time(message, "start_time"),
        end_time=_time(message, "end_time"),
        progress=parse(Progress, message.progress, "progress") if message.HasField("progress") else None,
        plan=parse(Plan, message.result, "plan of the service") if message.HasField("result") else None,
        error=from_status(message.error) if message.HasField("error") else None,
        etag=message.etag,
        expire_time=_time(message, "expire_time"),
        tenant=message.tenant,
        reused_from=message.reused_from,
        priority=message.priority,
    )


def _state(number: int) -> PlanState:
    descriptor = resources_pb2.PlanState.DESCRIPTOR
    value = descriptor.values_by_number.get(number)
    name = value.name.removeprefix(enum_prefix(descriptor)) if value is not None else str(number)
    if name in PlanState.__members__:
        return PlanState[name]
    raise ServiceError(f"the service sent a plan in state {name}, which this client does not know", "UNKNOWN")


def _time(message: Any, field: str) -> dt.datetime | None:
    if not message.HasField(field):
        return None
    moment: dt.datetime = getattr(message, field).ToDatetime(dt.UTC)
    return moment
