"""Every error of every call becomes a status here, also one that is raised in the middle of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from optimizer.errors import InvalidInputError
from optimizer.wire.errors import to_status


class ErrorInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg, unused-ignore]
    """Maps errors of calls with one request; streams of requests pass as they are."""

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        """Wrap the handler."""
        handler = continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        wrap, make = (
            (_guarded_stream, grpc.unary_stream_rpc_method_handler)
            if handler.response_streaming
            else (_guarded, grpc.unary_unary_rpc_method_handler)
        )
        behavior = handler.unary_stream if handler.response_streaming else handler.unary_unary
        return make(
            wrap(behavior),
            request_deserializer=_tolerant(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )


def _guarded(behavior: Callable[..., Any]) -> Callable[..., Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        with _mapped(context):
            return behavior(_decoded(request), context)

    return call


def _guarded_stream(behavior: Callable[..., Any]) -> Callable[..., Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        with _mapped(context):
            yield from behavior(_decoded(request), context)

    return call


@contextmanager
def _mapped(context: Any) -> Iterator[None]:
    try:
        yield
    except NotImplementedError:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "this method is not offered")
    except Exception as error:
        if context.code() is not None:  # whoever raised it has said already what the caller gets
            raise
        context.abort_with_status(rpc_status.to_status(to_status(error)))


def _tolerant(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Bytes that are no message reach the handler as an error, which then has a status like any other."""

    def call(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError as error:
            return error

    return call


def _decoded(request: Any) -> Any:
    if isinstance(request, DecodeError):
        raise InvalidInputError.single("", "the request is not a message of this call", "send another", "request")
    return request
