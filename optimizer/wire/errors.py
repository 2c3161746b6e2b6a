"""Errors to and from ``google.rpc.Status``: one table from exception to code and reason.

::

    OptimizerError
    └── ServiceError
        ├── OverloadedError      the queue, or the number of waiting calls, is full; carries when to come again
        │   └── QuotaError       a tenant has as many plans under way as it may
        ├── WorkerDiedError      the process of a job ended without an answer
        ├── JobMemoryError       the process of a job had more memory than it may, and was ended
        ├── JobAbandonedError    the service ended too often while it computed a job
        ├── StoreUnavailableError  what the service keeps cannot be read or written now
        ├── UnauthenticatedError  who calls has not shown who he is
        └── ForbiddenError       who calls may not do this

A status carries one ``ErrorInfo``; wrong input also a ``BadRequest``, one violation a problem, whose description is
what is wrong and, on a second line, what to do. Statuses travel in trailers, which must stay below 8 KiB: texts
are shortened and violations left out until a status fits, and the number left out is in the metadata.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, QuotaFailure, RetryInfo
from google.rpc.status_pb2 import Status

from optimizer.errors import (
    InvalidInputError,
    JobCancelledError,
    ModelAssemblyError,
    NotFoundError,
    OptimizerError,
    Problem,
    SeriesError,
    ServiceError,
    SolverError,
)

DOMAIN: Final = "optimizer.api.v1"
MAXIMUM_VIOLATIONS: Final = 50
MAXIMUM_STATUS_BYTES: Final = 4_500
"""Base64 makes 6,000 of it; the message, in percent encoding, comes on top."""
_MESSAGE_BYTES: Final = 400
_METADATA_CHARS: Final = 200
_VIOLATION_CHARS: Final = (400, 200, 100, 50)
"""Lengths to which the texts of violations are cut, in turn, until all of them fit."""

_log = logging.getLogger(__name__)


class OverloadedError(ServiceError):
    """There is no room for more work now; the caller may come again after ``retry_after_s``."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message, "RESOURCE_EXHAUSTED", "OVERLOADED")
        self.retry_after_s, self.subject = retry_after_s, "service"


class QuotaError(OverloadedError):
    """A tenant has as many plans under way as it may."""

    def __init__(self, tenant: str, quota: int, retry_after_s: float) -> None:
        told = f"tenant {tenant} may have {quota} plan{'s' if quota > 1 else ''} under way and has; come again"
        super().__init__(told, retry_after_s)
        self.reason, self.subject = "QUOTA_EXCEEDED", f"tenants/{tenant}"


class WorkerDiedError(ServiceError):
    """The process of a job ended without an answer."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"the process of the job ended with exit code {exit_code}", "INTERNAL", "WORKER_DIED")
        self.exit_code = exit_code


class JobMemoryError(ServiceError):
    """The process of a job had more memory than it may, and was ended."""

    def __init__(self, limit_gib: float) -> None:
        told = f"the process of the job needed more than the {limit_gib:g} GiB that a job may have, and was ended"
        fix = "ask for fewer scenarios or longer periods, or for a higher --job-memory-gib of the service"
        super().__init__(f"{told}; {fix}", "RESOURCE_EXHAUSTED", "JOB_MEMORY_LIMIT")


class JobAbandonedError(ServiceError):
    """The service ended too often while it computed a job."""

    def __init__(self, lost_count: int) -> None:
        told = f"the service ended {lost_count} times while it computed this plan, and does not try again"
        super().__init__(told, "ABORTED", "JOB_ABANDONED")


class StoreUnavailableError(ServiceError):
    """What the service keeps cannot be read or written now; nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "UNAVAILABLE", "STORE_UNAVAILABLE")


class PreconditionError(ServiceError):
    """A thing is not in the state in which this can be done to it."""

    def __init__(self, kind: str, subject: str, description: str) -> None:
        super().__init__(f"{subject}: {description}", "FAILED_PRECONDITION", "PRECONDITION_FAILED")
        self.kind, self.subject, self.description = kind, subject, description


class EtagError(ServiceError):
    """A thing has changed since the caller saw it."""

    def __init__(self, name: str, etag: str) -> None:
        super().__init__(f"{name} is not as it was at etag {etag[:40]!r}; look at it again", "ABORTED", "ETAG_MISMATCH")
        self.name, self.etag = name, etag


class UnauthenticatedError(ServiceError):
    """Who calls has not shown who he is."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "UNAUTHENTICATED", "UNAUTHENTICATED")


class ForbiddenError(ServiceError):
    """Who calls may not do this."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "PERMISSION_DENIED", "SCOPE_TOO_NARROW")


class Row(NamedTuple):
    """What the wire says about an exception."""

    code: int
    reason: str


STATUSES: Final[Mapping[type[OptimizerError], Row]] = MappingProxyType(
    {
        InvalidInputError: Row(Code.INVALID_ARGUMENT, "INVALID_INPUT"),
        SeriesError: Row(Code.INVALID_ARGUMENT, "SERIES_UNUSABLE"),
        NotFoundError: Row(Code.NOT_FOUND, "RESOURCE_NOT_FOUND"),
        ModelAssemblyError: Row(Code.INTERNAL, "MODEL_ASSEMBLY"),
        SolverError: Row(Code.INTERNAL, "SOLVER_FAILED"),
        JobCancelledError: Row(Code.CANCELLED, "JOB_CANCELLED"),
        ServiceError: Row(Code.UNKNOWN, "SERVICE_FAILED"),
        OverloadedError: Row(Code.RESOURCE_EXHAUSTED, "OVERLOADED"),
        QuotaError: Row(Code.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED"),
        WorkerDiedError: Row(Code.INTERNAL, "WORKER_DIED"),
        JobMemoryError: Row(Code.RESOURCE_EXHAUSTED, "JOB_MEMORY_LIMIT"),
        JobAbandonedError: Row(Code.ABORTED, "JOB_ABANDONED"),
        StoreUnavailableError: Row(Code.UNAVAILABLE, "STORE_UNAVAILABLE"),
        PreconditionError: Row(Code.FAILED_PRECONDITION, "PRECONDITION_FAILED"),
        EtagError: Row(Code.ABORTED, "ETAG_MISMATCH"),
        UnauthenticatedError: Row(Code.UNAUTHENTICATED, "UNAUTHENTICATED"),
        ForbiddenError: Row(Code.PERMISSION_DENIED, "SCOPE_TOO_NARROW"),
    }
)
"""A subclass that is not listed counts as the nearest class that is."""


def row_of(kind: type[BaseException]) -> Row | None:
    """The row of an exception class, its own or the nearest base's; none for what we never raise on purpose."""
    return next((STATUSES[base] for base in kind.__mro__ if base in STATUSES), None)


# ------------------------------------------------------------------------------------------------------------------ out


def to_status(error: BaseException) -> Status:
    """The status of any exception. One that we never raise on purpose is logged, and told only by an id."""
    row = row_of(type(error))
    if row is None:
        return _internal(error)
    if type(error) is ServiceError and error.code in Code.DESCRIPTOR.values_by_name:  # passed on from another process
        row = Row(Code.Value(error.code), error.reason or row.reason)
    status = Status(code=row.code, message=_cut_bytes(_headline(error), _MESSAGE_BYTES))
    info = ErrorInfo(reason=row.reason, domain=DOMAIN, metadata=_metadata(error))
    details: list[Any] = [info]
    if isinstance(error, OverloadedError):
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(int(error.retry_after_s * 1000))
        violation = QuotaFailure.Violation(subject=error.subject, description=status.message)
        details += [retry, QuotaFailure(violations=[violation])]
    if isinstance(error, PreconditionError):
        unmet = PreconditionFailure.Violation(type=error.kind, subject=error.subject, description=error.description)
        details.append(PreconditionFailure(violations=[unmet]))
    if isinstance(error, InvalidInputError):
        room = MAXIMUM_STATUS_BYTES - status.ByteSize() - info.ByteSize() - 300
        bad_request = _bad_request(error.problems, room)
        left_out = len(error.problems) - len(bad_request.field_violations)
        info.metadata["left_out_count"] = str(left_out)
        details.append(bad_request)
    status.details.extend(_packed(detail) for detail in details)
    return status


def _internal(error: BaseException) -> Status:
    error_id = uuid.uuid4().hex
    _log.error("internal error %s", error_id, exc_info=error)
    info = ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"error_id": error_id})
    message = f"internal error; the service's log has it under {error_id}"
    return Status(code=Code.INTERNAL, message=message, details=[_packed(info)])


def _headline(error: BaseException) -> str:
    if isinstance(error, InvalidInputError):
        first = f": {error.problems[0]}" if error.problems else ""
        return f"{error.what} has {len(error.problems)} problem{'s' if len(error.problems) != 1 else ''}{first}"
    return str(error)


def _metadata(error: BaseException) -> dict[str, str]:
    match error:
        case InvalidInputError():
            return {"what": _cut(error.what, _METADATA_CHARS), "problem_count": str(len(error.problems))}
        case NotFoundError():
            return {"kind": error.kind, "name": _cut(error.name, _METADATA_CHARS)}
        case WorkerDiedError():
            return {"exit_code": str(error.exit_code)}
        case ServiceError():
            return {"code": error.code, "reason": _cut(error.reason, _METADATA_CHARS)}
    return {}


def _bad_request(problems: tuple[Problem, ...], room: int) -> BadRequest:
    shown = problems[:MAXIMUM_VIOLATIONS]
    for chars in _VIOLATION_CHARS:
        message = BadRequest(field_violations=[_violation(problem, chars) for problem in shown])
        if message.ByteSize() <= room:
            return message
    while message.ByteSize() > room:
        del message.field_violations[-1]
    return message


def _violation(problem: Problem, chars: int) -> BadRequest.FieldViolation:
    text, fix = _cut(problem.message, chars), _cut(problem.fix, chars)
    description = f"{text}\n{fix}" if fix else text
    return BadRequest.FieldViolation(field=_cut_left(problem.path, chars), description=description)


def _packed(detail: Any) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 3] + "..."


def _cut_left(text: str, chars: int) -> str:
    return text if len(text) <= chars else "..." + text[3 - chars :]


def _cut_bytes(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore") if len(text.encode()) > size else text


# ------------------------------------------------------------------------------------------------------------------- in


def from_status(status: Status) -> OptimizerError:
    """The exception that a status stands for, with the problems that came with it."""
    info, bad_request = ErrorInfo(), BadRequest()
    for detail in status.details:
        for known in (info, bad_request):
            if detail.Is(known.DESCRIPTOR):
                detail.Unpack(known)
    if info.domain == DOMAIN:
        match status.code:
            case Code.INVALID_ARGUMENT:
                return _invalid_input(info, bad_request)
            case Code.NOT_FOUND:
                return NotFoundError(info.metadata["kind"], info.metadata["name"])
            case Code.CANCELLED:
                return JobCancelledError(status.message)
    return ServiceError(status.message, Code.Name(status.code), info.reason)


def _invalid_input(info: ErrorInfo, bad_request: BadRequest) -> InvalidInputError:
    problems = []
    for violation in bad_request.field_violations:
        text, _, fix = violation.description.partition("\n")
        problems.append(Problem(violation.field, text, fix))
    left_out = int(info.metadata["left_out_count"] or 0)
    if left_out:
        problems.append(Problem("", f"{left_out} more problems were left out", "repair these first"))
    kind = SeriesError if info.reason == STATUSES[SeriesError].reason else InvalidInputError
    return kind(problems, info.metadata["what"])
