"""From a call of HTTP to the function that answers it, and from what that returns to the answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from optimizer.client import OptimizerClient
from optimizer.errors import InvalidInputError, OptimizerError
from optimizer.gateway.failures import error_response
from optimizer.gateway.requests import body_of, token_of

Connect = Callable[[str], OptimizerClient]
"""A client of the service that shows a token; it shows none for the empty one."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call, read."""

    client: OptimizerClient
    path: Mapping[str, str]
    """What stands in the path, by name."""
    query: Mapping[str, str]
    body: Any
    """The JSON that came with it; none for a call without a body."""

    def stated(self, known: frozenset[str], needed: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The body as an object with these keys.

        Raises:
            InvalidInputError: it is none, has another key or lacks one that is needed.
        """
        if not isinstance(self.body, dict):
            raise InvalidInputError.single("", "the body is not an object", "send a JSON object", "request")
        for name in sorted(self.body.keys() - known):
            fix = f"known keys are {', '.join(sorted(known))}"
            raise InvalidInputError.single(name, f"unknown key {name!r}", fix, "request")
        for name in sorted(needed - self.body.keys()):
            raise InvalidInputError.single(name, "is missing", f"add {name!r}", "request")
        return self.body

    def numbers(self, name: str) -> dict[str, float]:
        """The numbers by name that the body has under ``name``; none if it lacks that.

        Raises:
            InvalidInputError: something else stands there.
        """
        found = self.body.get(name, {})
        if not isinstance(found, dict):
            raise InvalidInputError.single(name, "is not an object", "write numbers by path", "request")
        for path, value in found.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidInputError.single(f"{name}.{path}", f"{value!r} is not a number", "write one", "request")
        return found


Answer = Callable[[Call], Any]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(answer: Answer, connect: Connect) -> Endpoint:
    """What Starlette calls: reads the call, answers it in a thread, and tells errors as data."""

    async def answered(request: Request) -> Response:
        try:
            body = await _body(request) if request.method == "POST" else None
            return await run_in_threadpool(_answered, answer, connect, request, body)
        except OptimizerError as error:
            return error_response(error)

    return answered


def _answered(answer: Answer, connect: Connect, request: Request, body: Any) -> Response:
    with connect(token_of(request)) as client:
        found = answer(Call(client, request.path_params, request.query_params, body))
    match found:
        case Response():
            return found
        case BaseModel():
            return Response(found.model_dump_json(), media_type="application/json")
    return JSONResponse(found)


async def _body(request: Request) -> Any:
    try:
        return json.loads(await body_of(request) or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidInputError.single("", f"the body is not JSON: {error}", "correct it there", "request") from None
