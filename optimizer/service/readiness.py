"""Whether the service can do what it is asked: its store answers, and its slots have workers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Final

from grpc_health.v1 import health, health_pb2

from optimizer.service.jobs import JobRunner
from optimizer.service.logs import tell
from optimizer.service.queue import queue_of
from optimizer.service.store import Store
from optimizer.wire.errors import StoreUnavailableError

CHECK_S: Final = 1.0

_log = logging.getLogger(__name__)


class Readiness:
    """Keeps the health of services as it is; the server as a whole stays healthy, for a restart would not help."""

    def __init__(
        self, servicer: health.HealthServicer, services: Sequence[str], store: Store, runner: JobRunner
    ) -> None:
        self._health, self._services, self._store, self._runner = servicer, services, store, runner
        self._closed = threading.Event()
        self._missing = ""
        self._thread = threading.Thread(target=self._watch, name="optimizer-readiness", daemon=True)

    def start(self) -> None:
        """Say that all is well, and look from now on."""
        self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        self.check(first=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def missing(self) -> str:
        """What is missing to serve; empty if nothing is."""
        try:
            queue_of(self._store.database)
        except StoreUnavailableError as error:
            return str(error)
        return "" if self._runner.ready else "workers cannot be started"

    def check(self, *, first: bool = False) -> None:
        """Look once, and tell what has changed."""
        missing = self.missing()
        if missing == self._missing and not first:
            return
        self._missing = missing
        state = health_pb2.HealthCheckResponse.NOT_SERVING if missing else health_pb2.HealthCheckResponse.SERVING
        for name in self._services:
            self._health.set(name, state)
        level, event = (logging.ERROR, "not ready") if missing else (logging.INFO, "ready")
        tell(_log, level, event, missing=missing)

    def _watch(self) -> None:
        while not self._closed.wait(CHECK_S):
            self.check()
