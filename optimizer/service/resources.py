"""What the service keeps, as the messages that it sends; and requests, as what it keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.longrunning.operations_pb2 import Operation

from optimizer.api.v1.options_pb2 import SolveOptions as SolveOptionsMessage
from optimizer.api.v1.plan_pb2 import Progress
from optimizer.api.v1.planning_service_pb2 import (
    CreatePlanMetadata,
    CreatePlanRequest,
    CreatePortfolioRequest,
    Heartbeat,
    PlanEnd,
    WatchPlanResponse,
)
from optimizer.api.v1.resources_pb2 import Plan, PlanState, Portfolio
from optimizer.domain import portfolio as domain
from optimizer.domain.options import SolveOptions
from optimizer.errors import InvalidInputError, Problem
from optimizer.io.market import load_finance, load_market
from optimizer.io.series import load_hours
from optimizer.service.records import Event, Job, JobState, StoredPortfolio
from optimizer.wire.convert import parse

HIGHEST_PRIORITY: Final = 9
STATES: Final[Mapping[JobState, int]] = {
    JobState.QUEUED: PlanState.PLAN_STATE_QUEUED,
    JobState.RUNNING: PlanState.PLAN_STATE_RUNNING,
    JobState.SUCCEEDED: PlanState.PLAN_STATE_SUCCEEDED,
    JobState.FAILED: PlanState.PLAN_STATE_FAILED,
    JobState.CANCELLED: PlanState.PLAN_STATE_CANCELLED,
    JobState.AUDIT_FAILED: PlanState.PLAN_STATE_AUDIT_FAILED,
}


def resource_id(name: str, collection: str, path: str = "name") -> str:
    """The id in ``plans/{id}``.

    Raises:
        InvalidInputError: it is not the name of one of ``collection``.
    """
    prefix, _, found = name.partition("/")
    if prefix != collection or not found or "/" in found:
        message = f"{name[:80]!r} is not a name in {collection}" if name else "is missing"
        raise InvalidInputError.single(path, message, f"write {collection}/ and the id", "request")
    return found


def content_of(request: Any) -> bytes:
    """The same bytes for the same request."""
    return bytes(request.SerializeToString(deterministic=True))


def parse_portfolio(request: CreatePortfolioRequest) -> domain.Portfolio:
    """The portfolio in a request, complete."""
    return complete(parse(domain.Portfolio, request.portfolio.spec, "portfolio"))


def complete(portfolio: domain.Portfolio) -> domain.Portfolio:
    """The portfolio with the hours of library series and the effects of library overlays; the service reads no files.

    Raises:
        InvalidInputError: for files that were not read before sending.
    """
    problems = [
        Problem(f"series[{index}].hours", "is missing", "read the file before sending; the service reads no files")
        for index, series in enumerate(portfolio.series)
        if series.file is not None and series.hours is None
    ]
    if problems:
        raise InvalidInputError(problems, "portfolio")
    loaded = [
        load_hours(series, None, f"series[{index}]") if series.hours is None else series
        for index, series in enumerate(portfolio.series)
    ]
    market = load_market(portfolio.market, None, portfolio.horizon.start_month)
    finance = load_finance(portfolio.finance)
    return portfolio.model_copy(update={"series": tuple(loaded), "market": market, "finance": finance})


def parse_options(request: CreatePlanRequest) -> SolveOptions:
    """The options in a request."""
    return parse(SolveOptions, request.plan.options, "options")


def parse_priority(request: CreatePlanRequest) -> int:
    """The priority in a request."""
    priority = request.plan.priority
    if not 0 <= priority <= HIGHEST_PRIORITY:
        fix = f"write 0 to {HIGHEST_PRIORITY}; {HIGHEST_PRIORITY} begins first"
        raise InvalidInputError.single("plan.priority", f"{priority} is not a priority", fix, "request")
    return int(priority)


def parse_states(numbers: Sequence[int]) -> list[JobState]:
    """The states in a request."""
    known = {number: state for state, number in STATES.items()}
    problems = [
        Problem(f"states[{index}]", f"{number} is not a state", "name one of PlanState, or none for all")
        for index, number in enumerate(numbers)
        if number not in known
    ]
    if problems:
        raise InvalidInputError(problems, "request")
    return [known[number] for number in numbers]


def portfolio_message(stored: StoredPortfolio) -> Portfolio:
    """The resource of a stored portfolio, or of one that was only checked."""
    message = Portfolio()
    if stored.content:
        message.spec.ParseFromString(stored.content)
    if stored.id:
        message.name = f"portfolios/{stored.id}"
    message.tenant = stored.tenant
    _write_times(message, {"create_time": stored.create_time})
    return message


def plan_message(job: Job) -> Plan:
    """The resource of a job."""
    message = Plan(
        name=f"plans/{job.id}",
        portfolio=f"portfolios/{job.portfolio_id}",
        options=SolveOptionsMessage.FromString(job.options),
        state=STATES[job.state],  # type: ignore[arg-type]
    )
    message.etag, message.tenant, message.priority = job.etag, job.tenant, job.priority
    _write_times(message, {"create_time": job.create_time, "start_time": job.start_time, "end_time": job.end_time})
    _write_times(message, {"expire_time": job.expire_time})
    for name in ("progress", "result", "error"):
        content = getattr(job, name)
        if content is not None:
            getattr(message, name).SetInParent()
            getattr(message, name).ParseFromString(content)
    if job.reused_from is not None:
        message.reused_from = f"plans/{job.reused_from}"
        if message.HasField("result"):
            message.result.manifest.reused_from = message.reused_from
    return message


def checked_operation(request: CreatePlanRequest) -> Operation:
    """The operation of a plan that was only checked."""
    operation = Operation(done=True)
    operation.response.Pack(
        Plan(portfolio=request.plan.portfolio, options=request.plan.options, priority=request.plan.priority)
    )
    return operation


def operation_message(job: Job) -> Operation:
    """The operation of a job."""
    plan = plan_message(job)
    operation = Operation(name=f"operations/{job.id}", done=bool(plan.HasField("end_time")))
    metadata = CreatePlanMetadata(plan=plan.name, state=plan.state, create_time=plan.create_time)
    if plan.HasField("progress"):
        metadata.progress.CopyFrom(plan.progress)
    operation.metadata.Pack(metadata)
    if plan.HasField("error"):
        operation.error.CopyFrom(plan.error)
    elif operation.done:
        operation.response.Pack(plan)
    return operation


def event_message(event: Event) -> WatchPlanResponse:
    """One event of a job."""
    if event.end is not None:
        end = PlanEnd(state=STATES[event.end])  # type: ignore[arg-type]
        return WatchPlanResponse(sequence=event.sequence, end=end)
    return WatchPlanResponse(sequence=event.sequence, progress=Progress.FromString(event.progress or b""))


def heartbeat_message(sequence: int) -> WatchPlanResponse:
    """A sign of life after ``sequence``."""
    return WatchPlanResponse(sequence=sequence, heartbeat=Heartbeat())


def _write_times(message: Any, times: Mapping[str, dt.datetime | None]) -> None:
    for name, time in times.items():
        if time is not None:
            getattr(message, name).FromDatetime(time)
