"""What is measured, for Prometheus: calls by the names that gRPC servers elsewhere use, the rest as ``optimizer_...``.

A scrape reads the queue from the store, so that every server tells the queue that it shares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from optimizer.domain.plan import Progress
from optimizer.errors import ServiceError
from optimizer.service.database import Database
from optimizer.service.queue import Queue, queue_of
from optimizer.service.records import JobState, Run
from optimizer.wire.convert import from_bytes
from optimizer.wire.errors import StoreUnavailableError

METRICS_HOST: Final = "127.0.0.1"
_CALL: Final = ("grpc_type", "grpc_service", "grpc_method")
_CALL_S: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_WORK_S: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
_GAP_FRAC: Final = (0.0, 1e-4, 1e-3, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_MEMORY_BYTES: Final = tuple(2.0**power for power in range(26, 38))


class Metrics:
    """Counters and histograms of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

        def counter(name: str, told: str, labels: tuple[str, ...]) -> Counter:
            return Counter(name, told, labels, registry=self.registry)

        def histogram(name: str, told: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, told, labels, buckets=buckets, registry=self.registry)

        self.calls_begun = counter("grpc_server_started", "Calls that began.", _CALL)
        self.calls_ended = counter("grpc_server_handled", "Calls that ended, by code.", (*_CALL, "grpc_code"))
        self.call_s = histogram("grpc_server_handling_seconds", "From begin to end of a call.", _CALL, _CALL_S)
        self.refused = counter("optimizer_refused", "Calls that were answered by an error, by its reason.", ("reason",))
        self.plans_ended = counter("optimizer_plans_ended", "Plans that ended here, by state.", ("state",))
        self.wait_s = histogram("optimizer_plan_wait_seconds", "From asking for a plan to its first run.", (), _WORK_S)
        self.stage_s = histogram("optimizer_plan_stage_seconds", "How long a stage took.", ("stage",), _WORK_S)
        self.gap_frac = histogram("optimizer_plan_gap_frac", "Relative gap when a plan ended.", (), _GAP_FRAC)
        self.memory_bytes = histogram(
            "optimizer_plan_memory_bytes", "Most memory of the process of a plan.", (), _MEMORY_BYTES
        )

    def serve(self, port: int) -> tuple[int, Callable[[], None]]:
        """Answer scrapes on loopback; the port, of which 0 takes any, and how to end it.

        Raises:
            ServiceError: the port is taken.
        """
        try:
            server, _ = start_http_server(port, METRICS_HOST, self.registry)
        except OSError as error:
            message = f"cannot serve metrics on {METRICS_HOST}:{port}: {error.strerror}"
            raise ServiceError(message, "UNAVAILABLE", "CANNOT_LISTEN") from error

        def close() -> None:
            server.shutdown()
            server.server_close()

        return int(server.server_port), close


class RunMeter:
    """Measures one run of a job."""

    def __init__(self, metrics: Metrics, run: Run) -> None:
        self._metrics = metrics
        self._last: Progress | None = None
        self._gap_frac: float | None = None
        self._memory_bytes = 0
        if run.fence == 1:
            metrics.wait_s.observe(max(0.0, run.waited_s))

    def progress(self, body: bytes) -> None:
        """A serialised ``Progress`` came."""
        now, last = from_bytes(Progress, body), self._last
        if last is None or last.stage != now.stage:
            if last is not None:
                self._metrics.stage_s.labels(last.stage).observe(max(0.0, now.elapsed_s - last.elapsed_s))
            self._last = now
        if now.gap_frac is not None:
            self._gap_frac = now.gap_frac

    def memory(self, peak_bytes: int | None) -> None:
        """The process has had so much at most."""
        self._memory_bytes = max(self._memory_bytes, peak_bytes or 0)

    def ended(self, state: JobState) -> None:
        """The run ended the job."""
        self._metrics.plans_ended.labels(state.value).inc()
        if self._gap_frac is not None:
            self._metrics.gap_frac.observe(self._gap_frac)
        if self._memory_bytes:
            self._metrics.memory_bytes.observe(self._memory_bytes)


class StateCollector(Collector):
    """What is read when somebody asks: the queue in the store, and the memory of the workers."""

    def __init__(self, database: Database, worker_memory_bytes: Callable[[], int]) -> None:
        self._database, self._worker_memory_bytes = database, worker_memory_bytes

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment; without the queue where the store does not answer."""
        try:
            queue: Queue | None = queue_of(self._database)
        except StoreUnavailableError:
            queue = None
        yield GaugeMetricFamily("optimizer_store_up", "Whether the store answers.", 0.0 if queue is None else 1.0)
        if queue is not None:
            plans = GaugeMetricFamily("optimizer_plans", "Plans in the store that have not ended.", labels=["state"])
            plans.add_metric([JobState.QUEUED.value], queue.queued_count)
            plans.add_metric([JobState.RUNNING.value], queue.running_count)
            yield plans
            told = "How long the plan that has waited longest has waited."
            yield GaugeMetricFamily("optimizer_queue_oldest_seconds", told, queue.oldest_wait_s or 0.0)
        told = "Memory of the workers now."
        yield GaugeMetricFamily("optimizer_worker_memory_bytes", told, self._worker_memory_bytes())
