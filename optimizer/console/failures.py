"""Errors of a call as JSON, with the status of HTTP that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import JSONResponse

from optimizer.errors import InvalidInputError, JobCancelledError, NotFoundError, OptimizerError, ServiceError

STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "INVALID_ARGUMENT": 400,
        "FAILED_PRECONDITION": 400,
        "OUT_OF_RANGE": 400,
        "UNAUTHENTICATED": 401,
        "PERMISSION_DENIED": 403,
        "NOT_FOUND": 404,
        "ABORTED": 409,
        "ALREADY_EXISTS": 409,
        "RESOURCE_EXHAUSTED": 429,
        "CANCELLED": 499,
        "UNIMPLEMENTED": 501,
        "UNAVAILABLE": 503,
        "DEADLINE_EXCEEDED": 504,
    }
)
"""HTTP's number for the service's codes, as Google's APIs have it; 500 for every other."""


def error_data(error: OptimizerError) -> dict[str, Any]:
    """An error as plain data: code, message and, for wrong input, every problem with path and fix."""
    problems = error.problems if isinstance(error, InvalidInputError) else ()
    return {
        "code": code_of(error),
        "message": f"{error.what} is wrong" if isinstance(error, InvalidInputError) else str(error),
        "problems": [{"path": item.path, "message": item.message, "fix": item.fix} for item in problems],
    }


def error_response(error: OptimizerError) -> JSONResponse:
    """The answer to a call that failed."""
    return JSONResponse({"error": error_data(error)}, STATUSES.get(code_of(error), 500))


def code_of(error: OptimizerError) -> str:
    """The service's code of an error."""
    match error:
        case InvalidInputError():
            return "INVALID_ARGUMENT"
        case NotFoundError():
            return "NOT_FOUND"
        case JobCancelledError():
            return "CANCELLED"
        case ServiceError():
            return error.code
    return "UNKNOWN"
