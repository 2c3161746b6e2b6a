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
        self._wrapped: dict[str, Any] = {}

    def intercept_service(self, continuation: Callable[..., Any], handler_call_details: Any) -> Any:
        """The wrapped handler of a method, which is made once.

        A method that is not there is not counted, or anybody could name metrics.
        """
        method = handler_call_details.method
        if method not in self._wrapped:
            handler = continuation(handler_call_details)
            if handler is None:
                return None
            self._wrapped[method] = self._wrap(handler, method)
        return self._wrapped[method]

    def _wrap(self, handler: Any, name: str) -> Any:
        kind = kind_of(handler)
        _, service, method = name.split("/")
        watched = self._watched_stream if handler.response_streaming else self._watched
        behavior = watched(getattr(handler, kind), _Meter(self._metrics, (kind, service, method)))
        return rewrapped(handler, behavior, handler.request_deserializer)

    @staticmethod
    def _watched(behavior: Callable[..., Any], meter: _Meter) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            with meter.measured(context) as messages:
                messages.append(request)
                response = behavior(request, context)
                messages.append(response)
                return response

        return call

    @staticmethod
    def _watched_stream(behavior: Callable[..., Any], meter: _Meter) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            with meter.measured(context) as messages:
                messages.append(request)
                yield from behavior(request, context)

        return call


class _Meter:
    """Measures the calls of one method."""

    def __init__(self, metrics: Metrics, labels: tuple[str, str, str]) -> None:
        self._metrics, self._labels = metrics, labels
        self._begun, self._seconds = metrics.calls_begun.labels(*labels), metrics.call_s.labels(*labels)
        self._is_quiet = labels[1] in _QUIET

    @contextmanager
    def measured(self, context: Any) -> Iterator[list[Any]]:
        """Count a call; the messages that are put into the list say which plan it is about."""
        begin, messages = time.monotonic(), list[Any]()
        request_id = _request_id(context)
        REQUEST_ID.set(request_id)
        context.set_trailing_metadata(((REQUEST_ID_KEY, request_id),))
        self._begun.inc()
        raised = True
        try:
            yield messages
            raised = False
        finally:
            self._ended(_code(context, raised=raised), time.monotonic() - begin, _reason(context), messages)
            REQUEST_ID.set("")

    def _ended(self, code: str, seconds: float, reason: str, messages: list[Any]) -> None:
        self._metrics.calls_ended.labels(*self._labels, code).inc()
        self._seconds.observe(seconds)
        if reason:
            self._metrics.refused.labels(reason).inc()
        level = logging.ERROR if code in _FAULTS else logging.DEBUG if self._is_quiet else logging.INFO
        if not _log.isEnabledFor(level):
            return
        fields = {"service": self._labels[1], "method": self._labels[2], "code": code, "seconds": round(seconds, 6)}
        if reason:
            fields["reason"] = reason
        if plan := next(filter(None, map(_plan, messages)), ""):
            fields["plan"] = plan
        tell(_log, level, "call", **fields)


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
