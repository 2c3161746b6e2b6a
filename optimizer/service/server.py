"""The server: start it, stop it, or run it until a signal comes."""

from __future__ import annotations

import datetime as dt
import logging
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from optimizer.api.v1 import planning_service_pb2, planning_service_pb2_grpc
from optimizer.errors import InvalidInputError, ServiceError
from optimizer.service.database import DEFAULT_STORE, TEMPORARY, Database
from optimizer.service.interceptors import ErrorInterceptor
from optimizer.service.jobs import DEFAULT_TARGET, JobRunner
from optimizer.service.leases import LEASE_S
from optimizer.service.limits import Limits
from optimizer.service.logs import tell
from optimizer.service.metrics import Metrics, StateCollector
from optimizer.service.observation import CallObserver
from optimizer.service.planner import Planner
from optimizer.service.planning_service import OperationsServicer, PlanningServicer
from optimizer.service.readiness import Readiness
from optimizer.service.retention import Retention
from optimizer.service.security import Security, refuse_beyond_loopback
from optimizer.service.status import StatusDesk
from optimizer.service.store import Store
from optimizer.service.tokens import Gate, Tokens

DEFAULT_LISTEN: Final = "127.0.0.1:50051"
MAXIMUM_MESSAGE_BYTES: Final = 64 * 1024 * 1024
THREAD_COUNT: Final = 64
WAITING_LIMIT: Final = 48
"""Calls that may hold a thread while they wait; the others keep the service answering."""
_SERVICES: Final = (
    planning_service_pb2.DESCRIPTOR.services_by_name["PlanningService"].full_name,
    operations_pb2.DESCRIPTOR.services_by_name["Operations"].full_name,
)
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # a second server on the same port is a mistake
    ("grpc.max_receive_message_length", MAXIMUM_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAXIMUM_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)

_log = logging.getLogger(__name__)


class Server:
    """A planning server. Port 0 takes any free one; :attr:`port` says which. ``store`` is where it remembers.

    With ``metrics_port`` Prometheus may ask on loopback how it does; :attr:`metrics_port` says where.
    """

    def __init__(
        self,
        listen: str = DEFAULT_LISTEN,
        *,
        workers: int | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        heartbeat_s: float = 5.0,
        insecure_listen: bool = False,
        security: Security = Security(),  # noqa: B008 - it is frozen
        target: str = DEFAULT_TARGET,
        store: str = TEMPORARY,
        lease_s: float = LEASE_S,
        metrics_port: int | None = None,
        keep_days: float | None = None,
    ) -> None:
        if keep_days is not None and keep_days <= 0:
            fix = "leave it out to keep plans until they are deleted"
            raise InvalidInputError.single("keep_days", f"{keep_days:g} is not positive", fix, "server")
        if not insecure_listen:
            refuse_beyond_loopback(listen, security)
        credentials = security.credentials()
        if security.tokens and store == TEMPORARY:
            message = "asks for tokens, of which nobody could make one in a store that is temporary"
            raise InvalidInputError.single("store", message, "name a file or a PostgreSQL", "server")
        self._database = Database(store)
        kept = Store(self._database, None if keep_days is None else dt.timedelta(days=keep_days).total_seconds())
        self._retention = Retention(kept)
        self.metrics = Metrics()
        self._runner = JobRunner(kept, target, workers, limits, lease_s, self.metrics)
        self.metrics.registry.register(StateCollector(self._database, self._runner.memory_bytes))
        self._planner = planner = Planner(kept, self._runner, WAITING_LIMIT, heartbeat_s)
        self._health = health.HealthServicer()
        self._readiness = Readiness(self._health, _SERVICES, kept, self._runner)
        desk = StatusDesk(self._database, self._runner, self._readiness)
        self._threads = ThreadPoolExecutor(THREAD_COUNT, thread_name_prefix="optimizer-rpc")
        self._server = grpc.server(
            self._threads,
            interceptors=[
                CallObserver(self.metrics),
                ErrorInterceptor(Gate(Tokens(self._database) if security.tokens else None)),
            ],
            options=_OPTIONS,
        )
        planning_service_pb2_grpc.add_PlanningServiceServicer_to_server(PlanningServicer(planner, desk), self._server)
        operations_pb2_grpc.add_OperationsServicer_to_server(OperationsServicer(planner), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = self._bind(listen, credentials)
        self.metrics_port, self._close_metrics = self._serve_metrics(metrics_port)

    def start(self) -> Server:
        """Accept calls and start the workers."""
        self._runner.start()
        self._server.start()
        self._readiness.start()
        self._retention.start()
        tell(_log, logging.INFO, "started", port=self.port, metrics_port=self.metrics_port, store=str(self._database))
        return self

    def stop(self, grace_s: float = 5.0) -> None:
        """Report not serving, refuse new calls, give running ones and plans the grace, then end all workers.

        A plan that has not ended by then waits in the store for the next server.
        """
        tell(_log, logging.INFO, "stopping", grace_s=grace_s)
        self._readiness.close()
        self._retention.close()
        self._health.enter_graceful_shutdown()
        calls_ended = self._server.stop(grace_s)
        self._runner.drain(grace_s)
        calls_ended.wait()
        self._runner.close()
        self._threads.shutdown(wait=False)
        self._close_metrics()
        self._database.close()
        tell(_log, logging.INFO, "stopped")

    def __enter__(self) -> Server:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop(grace_s=0.5)

    def _bind(self, listen: str, credentials: grpc.ServerCredentials | None) -> int:
        try:
            if credentials is None:
                port = self._server.add_insecure_port(listen)
            else:
                port = self._server.add_secure_port(listen, credentials)
        except RuntimeError:
            port = 0
        if not port:
            self._database.close()
            raise ServiceError(f"cannot listen on {listen}; is another server there?", "UNAVAILABLE", "CANNOT_LISTEN")
        return int(port)

    def _serve_metrics(self, port: int | None) -> tuple[int | None, Callable[[], None]]:
        if port is None:
            return None, lambda: None
        try:
            return self.metrics.serve(port)
        except ServiceError:
            self._server.stop(None)
            self._database.close()
            raise


def serve(
    listen: str = DEFAULT_LISTEN,
    *,
    workers: int | None = None,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    insecure_listen: bool = False,
    security: Security = Security(),  # noqa: B008 - it is frozen
    store: str = DEFAULT_STORE,
    metrics_port: int | None = None,
    keep_days: float | None = None,
    grace_s: float = 5.0,
    on_ready: Callable[[int], None] = lambda _: None,
) -> None:
    """Run a server until SIGINT or SIGTERM; ``on_ready`` hears its port.

    ``workers`` is how many plans are computed at a time, by default one for every two processors. An address beyond
    this machine needs TLS and tokens or client certificates in ``security``, or ``insecure_listen=True``. What would
    exceed ``limits`` is refused. ``store`` is the URL of a database, ``sqlite:///FILE`` or ``postgresql://...``; what
    is in it outlives the server. Prometheus may ask for metrics on ``metrics_port`` of loopback. Plans are deleted
    ``keep_days`` after they ended, or never. At the end calls and plans have ``grace_s`` to end by themselves.
    """
    server = Server(
        listen,
        workers=workers,
        limits=limits,
        insecure_listen=insecure_listen,
        security=security,
        store=store,
        metrics_port=metrics_port,
        keep_days=keep_days,
    )
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    server.start()
    on_ready(server.port)
    try:
        stopped.wait()
    finally:
        server.stop(grace_s)
