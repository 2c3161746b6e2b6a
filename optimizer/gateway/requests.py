"""What a call over HTTP brings: a body within bounds, and a token."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from optimizer.errors import InvalidInputError, Problem
from optimizer.gateway.failures import BodyTooLargeError

MOST_BODY_BYTES: Final = 64 * 1024 * 1024
"""As large as a message to the service may be."""


async def body_of(request: Request) -> bytes:
    """The JSON that came with a call; empty without a body.

    Raises:
        BodyTooLargeError: it is longer than :data:`MOST_BODY_BYTES`.
        InvalidInputError: it is not said to be JSON, which no form of another page could say.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BODY_BYTES:
            told = f"the body has more than {MOST_BODY_BYTES // 2**20} MiB"
            raise BodyTooLargeError([Problem("", told, "send less at a time")], "request")
        chunks.append(chunk)
    if size and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise InvalidInputError.single("", "the body is not JSON", "send Content-Type: application/json", "request")
    return b"".join(chunks)


def token_of(request: Request) -> str:
    """The bearer token of a call; empty without one, or with what no token can be."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.isascii() else ""
