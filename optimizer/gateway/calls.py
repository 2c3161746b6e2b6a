"""From a call of HTTP to the call of the service that it stands for.

A stream of answers is lines of JSON, each ``{"result": ...}``; one that breaks ends with ``{"error": ...}``. A caller
who goes away ends his call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import grpc
from anyio import CapacityLimiter, to_thread
from google.protobuf.message_factory import GetMessageClass
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from optimizer.client.connection import OPTIONS
from optimizer.client.credentials import environment_credentials
from optimizer.errors import OptimizerError, ServiceError
from optimizer.gateway.failures import error_response, not_offered, status_response
from optimizer.gateway.requests import body_of, token_of
from optimizer.wire.errors import to_status
from optimizer.wire.http_rules import HttpRule, rules_at
from optimizer.wire.transcoding import json_text, request_message, status_data

PATHS: Final = "/v1{rest:path}"
"""Where calls are; which one is meant is the gateway's to say."""
LINES: Final = "application/x-ndjson"
MOST_STREAMS: Final = 64
"""Streams that may be open, each of which holds a thread; as many as the service has threads."""
_NO_MESSAGE: Final = b"\xff"
"""Bytes that no message begins with."""
_FORBIDDING: Final = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED})
_ENDED: Final = 499
"""Told to nobody: the caller went away."""


class Gateway:
    """Answers calls of HTTP by those of the service at ``target``.

    The certificates of its connection are those of a client, by the environment; tokens come with the calls.
    """

    def __init__(self, target: str) -> None:
        credentials, _ = environment_credentials()
        self._channel = (
            grpc.insecure_channel(target, options=OPTIONS)
            if credentials is None
            else grpc.secure_channel(target, credentials, options=OPTIONS)
        )
        self._limiter: CapacityLimiter | None = None

    def close(self) -> None:
        """Close the connection, and end the calls that are open."""
        self._channel.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call of any verb."""
        answer = await self._answer(Request(scope, receive, send))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        rules = rules_at(request.url.path)
        if request.method not in rules:
            return not_offered(request, rules)
        rule, variables = rules[request.method]
        token = token_of(request)
        metadata = [("authorization", f"Bearer {token}")] if token else []
        try:
            body = await body_of(request)
            query = request.query_params.multi_items()
            message = await run_in_threadpool(request_message, rule, variables, query, body)
        except OptimizerError as error:
            forbidden = await run_in_threadpool(self._forbidden, rule, metadata)
            return error_response(error) if forbidden is None else status_response(forbidden)
        if rule.method.server_streaming:
            return await self._streamed(rule, message, metadata)
        return await self._answered(rule, message, metadata, request)

    def _forbidden(self, rule: HttpRule, metadata: Any) -> Status | None:
        """Why the caller may not make this call at all, which is told before what is wrong with it.

        The service says so of what is no message, too, and then does nothing.
        """
        channel: Any = self._channel
        ask = (channel.unary_stream if rule.method.server_streaming else channel.unary_unary)(rule.call)
        try:
            answer = ask(_NO_MESSAGE, metadata=metadata)
            if rule.method.server_streaming:
                next(answer)
        except grpc.RpcError as error:
            status = _status(error)
            return status if status.code in _FORBIDDING else None
        return None

    async def _answered(self, rule: HttpRule, message: Any, metadata: Any, request: Request) -> Response:
        call = _callable(self._channel.unary_unary, rule).future(message, metadata=metadata)
        done, loop = asyncio.Event(), asyncio.get_running_loop()

        def tell(_: object) -> None:
            with suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(done.set)

        call.add_done_callback(tell)
        waits = [asyncio.ensure_future(done.wait()), asyncio.ensure_future(_gone(request))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            if not call.done():
                call.cancel()
        if not done.is_set():
            return Response(status_code=_ENDED)
        try:
            text = await run_in_threadpool(json_text, call.result())
        except (grpc.RpcError, grpc.FutureCancelledError):
            return status_response(_status(call))
        return Response(text, media_type="application/json")

    async def _streamed(self, rule: HttpRule, message: Any, metadata: Any) -> Response:
        """The stream, once its first answer is there: what is refused at once has its code of HTTP."""
        call = _callable(self._channel.unary_stream, rule)(message, metadata=metadata)
        try:
            first = await self._next(call)
        except grpc.RpcError:
            return status_response(_status(call))
        except asyncio.CancelledError:
            call.cancel()
            raise
        return StreamingResponse(self._lines(call, first), media_type=LINES)

    async def _lines(self, call: Any, line: str | None) -> AsyncIterator[str]:
        try:
            while line is not None:
                yield line
                line = await self._next(call)
        except grpc.RpcError:
            yield json.dumps({"error": status_data(_status(call))}) + "\n"
        finally:
            call.cancel()

    async def _next(self, call: Any) -> str | None:
        if self._limiter is None:
            self._limiter = CapacityLimiter(MOST_STREAMS)  # belongs to the loop in which it is made
        return await to_thread.run_sync(_line, call, abandon_on_cancel=True, limiter=self._limiter)


def _line(call: Any) -> str | None:
    message = next(call, None)
    return None if message is None else f'{{"result":{json_text(message)}}}\n'


def _callable(kind: Any, rule: HttpRule) -> Any:
    reads, writes = GetMessageClass(rule.method.output_type), GetMessageClass(rule.method.input_type)
    return kind(rule.call, request_serializer=writes.SerializeToString, response_deserializer=reads.FromString)


def _status(call: Any) -> Status:
    """Why a call failed."""
    status: Status | None = rpc_status.from_call(call)
    if status is None:
        status = to_status(ServiceError(call.details() or "the call failed", call.code().name))
    return status


async def _gone(request: Request) -> None:
    """Return when the caller has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
