"""Every error of every call becomes a status here, also one that is raised in the middle of a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from optimizer.errors import InvalidInputError
from optimizer.service.access import ACCESS
from optimizer.service.tokens import Gate, Pass
from optimizer.wire.errors import to_status

Check = Callable[[grpc.ServicerContext], Pass]


class ErrorInterceptor(grpc.ServerInterceptor):  # type: ignore[type-arg, unused-ignore]
    """Maps the errors of every kind of call: one request or a stream of them, one response or a stream of them.

    Before a call is looked at, ``gate`` says whether it may be made at all, and what it may see; what takes a while
    goes out only if the call could still be made.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        """Wrap the handler."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        guarded = _guarded_stream if handler.response_streaming else _guarded
        decoded = _decoded_each if handler.request_streaming else _decoded
        check = partial(self._gate.check, handler_call_details.method)
        behavior = guarded(getattr(handler, kind_of(handler)), decoded, check)
        return rewrapped(handler, behavior, _tolerant(handler.request_deserializer))


def kind_of(handler: Any) -> str:
    """``unary_stream`` and the like: requests and responses of a handler."""
    sides = (handler.request_streaming, handler.response_streaming)
    return "_".join("stream" if streaming else "unary" for streaming in sides)


def rewrapped(handler: Any, behavior: Callable[..., Any], request_deserializer: Callable[[bytes], Any]) -> Any:
    """A handler like another one, with other behaviour."""
    return getattr(grpc, f"{kind_of(handler)}_rpc_method_handler")(
        behavior, request_deserializer=request_deserializer, response_serializer=handler.response_serializer
    )


def _guarded(behavior: Callable[..., Any], decoded: Callable[[Any], Any], check: Check) -> Callable[..., Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        with _mapped(context):
            admitted = check(context)
            ACCESS.set(admitted.access)
            return admitted.renewed(behavior(decoded(request), context))

    return call


def _guarded_stream(behavior: Callable[..., Any], decoded: Callable[[Any], Any], check: Check) -> Callable[..., Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        with _mapped(context):  # around the iteration, in which most of a stream's errors are raised
            admitted = check(context)
            ACCESS.set(admitted.access)
            yield from map(admitted.renewed, behavior(decoded(request), context))

    return call


@contextmanager
def _mapped(context: Any) -> Iterator[None]:
    try:
        yield
    except NotImplementedError:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "this method is not offered")
    except grpc.RpcError:
        raise  # the caller's stream of requests broke off, and nobody is left to be told
    except Exception as error:
        if context.code() is not None:  # whoever raised it has said already what the caller gets
            raise
        status = rpc_status.to_status(to_status(error))
        context.set_trailing_metadata((*(context.trailing_metadata() or ()), *status.trailing_metadata))
        context.abort(status.code, status.details)


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


def _decoded_each(requests: Iterator[Any]) -> Iterator[Any]:
    return map(_decoded, requests)
