"""Progress of a plan as server-sent events: ``progress`` for each moment, then ``end`` or ``error``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from optimizer.client import OptimizerClient
from optimizer.console.calls import Connect, Endpoint, token_of
from optimizer.console.failures import error_data, error_response
from optimizer.errors import OptimizerError

MOST_WATCHED: Final = 48
"""Streams that may be open; each holds a thread while it waits."""


def watch_endpoint(connect: Connect) -> Endpoint:
    """What streams the progress of a plan. A plan that is not there, or not to be seen, is an error at once."""
    limiter = CapacityLimiter(MOST_WATCHED)

    async def watched(request: Request) -> Response:
        client = connect(token_of(request))
        name = f"plans/{request.path_params['plan']}"
        try:
            await to_thread.run_sync(client.get_plan, name)
        except OptimizerError as error:
            client.close()
            return error_response(error)
        return StreamingResponse(_events(client, name, limiter), media_type="text/event-stream")

    return watched


async def _events(client: OptimizerClient, name: str, limiter: CapacityLimiter) -> AsyncIterator[str]:
    """The events; where nobody listens any more, closing the client ends the thread that waits for the next one."""
    moments = _moments(client, name)
    try:
        while True:
            event = await to_thread.run_sync(next, moments, None, abandon_on_cancel=True, limiter=limiter)
            if event is None:
                return
            yield f"event: {event[0]}\ndata: {event[1]}\n\n"
    finally:
        client.close()


def _moments(client: OptimizerClient, name: str) -> Iterator[tuple[str, str]]:
    try:
        for progress in client.watch(name):
            yield "progress", progress.model_dump_json(exclude_none=True)
        ended: dict[str, Any] = {"state": client.get_plan(name).state.value}
        yield "end", json.dumps(ended)
    except OptimizerError as error:
        yield "error", json.dumps(error_data(error))
