"""Every call is counted, timed and told in the log, however it ends, and has an id by which it is found there.

The id is the caller's ``x-request-id``, where it is one, or is made; it goes back in the trailers.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from optimizer.service.interceptors import kind_of, rewrapped
from optimizer.service.logs import REQUEST_ID, tell
from optimizer.service.metrics import Metrics

REQUEST_ID_KEY: Final = "x-request-id"
_REQUEST_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_PLAN: Final = re.compile("(?:plans|operations)/([0-9a-f]{32})")
_STATUS_KEY: Final = "grpc-status-details-bin"
_QUIET: Final = ("grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection")
"""Services whose calls only tell at ``debug``."""
_FAULTS: Final = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS"})

_log = logging.getLogger(__name__)


class CallObserver(grpc.ServerInterceptor):  # type: ignore[type-arg, unused-ignore]
    """Watches calls from outside of all other interceptors."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        """Wrap the handler; a method that is not there is not counted, or anybody could name metrics."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        kind = kind_of(handler)
        behavior = getattr(handler, kind)
        _, service, method = handler_call_details.method.split("/")
        watched = (self._watched_stream if handler.response_streaming else self._watched)(
            behavior, (kind, service, method)
        )
        return rewrapped(handler, watched, handler.request_deserializer)

    def _watched(self, behavior: Callable[..., Any], labels: tuple[str, str, str]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            with self._measured(labels, context) as plans:
                plans.append(request)
                response = behavior(request, context)
                plans.append(response)
                return response

        return call

    def _watched_stream(self, behavior: Callable[..., Any], labels: tuple[str, str, str]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with self._measured(labels, context) as plans:
                plans.append(request)
                yield from behavior(request, context)

        return call

    @contextmanager
    def _measured(self, labels: tuple[str, str, str], context: Any) -> Iterator[list[Any]]:
        """Count a call; the messages that are put into the list say which plan it is about."""
        metrics, begin, messages = self._metrics, time.monotonic(), list[Any]()
        request_id = _request_id(context)
        REQUEST_ID.set(request_id)
        context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
        metrics.calls_begun.labels(*labels).inc()
        raised = True
        try:
            yield messages
            raised = False
        finally:
            code, seconds = _code(context, raised=raised), time.monotonic() - begin
            metrics.calls_ended.labels(*labels, code).inc()
            metrics.call_s.labels(*labels).observe(seconds)
            fields = {"service": labels[1], "method": labels[2], "code": code, "seconds": round(seconds, 6)}
            if reason := _reason(context):
                metrics.refused.labels(reason).inc()
                fields["reason"] = reason
            if plan := next(filter(None, map(_plan, messages)), ""):
                fields["plan"] = plan
            tell(_log, _level(labels[1], code), "call", **fields)
            REQUEST_ID.set("")


def _request_id(context: Any) -> str:
    said = dict(context.invocation_metadata() or ()).get(REQUEST_ID_KEY, "")
    return said if isinstance(said, str) and _REQUEST_ID.fullmatch(said) else uuid.uuid4().hex


def _code(context: Any, *, raised: bool) -> str:
    """The code that the caller gets, or would have got."""
    said: grpc.StatusCode | None = context.code()
    if said is not None:
        return said.name
    if context.is_active():
        return "UNKNOWN" if raised else "OK"
    remaining_s = context.time_remaining()
    return "DEADLINE_EXCEEDED" if remaining_s is not None and remaining_s <= 0 else "CANCELLED"


def _reason(context: Any) -> str:
    """Of the error that the caller gets; empty where there is none."""
    packed = dict(context.trailing_metadata() or ()).get(_STATUS_KEY)
    info = ErrorInfo()
    if packed is not None:
        for detail in Status.FromString(packed).details:
            if detail.Unpack(info):
                return str(info.reason)
    return ""


def _plan(message: Any) -> str:
    """The id of the plan that a request or a response names; empty if it names none."""
    match = _PLAN.fullmatch(str(getattr(message, "name", "")))
    return match[1] if match else ""


def _level(service: str, code: str) -> int:
    if code in _FAULTS:
        return logging.ERROR
    return logging.DEBUG if service in _QUIET else logging.INFO
