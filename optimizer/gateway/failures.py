"""Errors of a call as JSON (AIP-193), with the code of HTTP that belongs to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from google.rpc.status_pb2 import Status
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.wire.errors import to_status
from optimizer.wire.transcoding import retry_after_s, status_data

_METHOD_NOT_ALLOWED: Final = 405
_TOO_LARGE: Final = 413


class BodyTooLargeError(InvalidInputError):
    """A body is larger than what is read."""


def error_data(error: BaseException) -> dict[str, Any]:
    """An error as plain data: code, message, status, and with wrong input what is wrong where."""
    return status_data(to_status(error))


def error_response(error: BaseException) -> JSONResponse:
    """The answer to a call that failed."""
    answer = status_response(to_status(error))
    if isinstance(error, BodyTooLargeError):
        answer.status_code = _TOO_LARGE
    return answer


def status_response(status: Status) -> JSONResponse:
    """The answer to a call that the service refused."""
    data = status_data(status)
    headers: dict[str, str] = {}
    if (wait_s := retry_after_s(status)) is not None:
        headers["Retry-After"] = str(math.ceil(wait_s))
    if data["status"] == "UNAUTHENTICATED":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": data}, data["code"], headers)


def not_offered(request: Request, verbs: Mapping[str, Any]) -> JSONResponse:
    """The answer to a call that is not there, or only with other verbs."""
    answer = error_response(NotFoundError("call", f"{request.method} {request.url.path}", verbs))
    if verbs:
        answer.status_code = _METHOD_NOT_ALLOWED
        answer.headers["Allow"] = ", ".join(sorted(verbs))
    return answer


async def nothing_there(request: Request, error: Exception) -> Response:
    """What Starlette answers where it has no route."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    return not_offered(request, dict.fromkeys(allowed.split(", "), None) if allowed else {})
