"""``OptimizerClient``: the planning service as Python calls."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Final, NoReturn

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from grpc_status import rpc_status

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1 import planning_service_pb2_grpc
from optimizer.client.choices import Choices
from optimizer.client.credentials import environment_credentials, with_token
from optimizer.client.records import (
    CurveAnswer,
    CurveT,
    PlanRecord,
    PortfolioRecord,
    curve_answer,
    plan_record,
    portfolio_record,
)
from optimizer.domain.base import Value
from optimizer.domain.cluster_curves import ClusterCurve, ClusterCurveSpec, ClusterValue, ClusterValueSpec
from optimizer.domain.comparison import Comparison, ComparisonSpec
from optimizer.domain.curves import (
    BreakevenSpec,
    HashingCurve,
    HashingCurveSpec,
    ModeBreakevens,
    ThroughputCurve,
    ThroughputCurveSpec,
)
from optimizer.domain.diagnosis import Diagnosis, DiagnosisSpec
from optimizer.domain.evaluation import Evaluation, EvaluationSpec
from optimizer.domain.explanation import Explanation, ExplanationSpec
from optimizer.domain.frontier import Frontier, FrontierSpec
from optimizer.domain.market_answers import MarketCalibration, MarketCalibrationSpec, MarketFan, MarketFanSpec
from optimizer.domain.merit_order import MeritOrder, MeritOrderSpec
from optimizer.domain.network_curves import NetworkCurve, NetworkCurveSpec
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.server_status import ServerStatus
from optimizer.errors import OptimizerError, ServiceError
from optimizer.wire.convert import parse, to_message
from optimizer.wire.errors import from_status

MAXIMUM_MESSAGE_BYTES: Final = 64 * 1024 * 1024
ProgressCallback = Callable[[Progress], None]
_RETRY_UNAVAILABLE: Final = {
    "methodConfig": [
        {
            "name": [{"service": "optimizer.api.v1.PlanningService"}, {"service": "google.longrunning.Operations"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "3s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
"""Only what surely did no harm is repeated; creations carry a request id, so they are made once."""
_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_RETRY_UNAVAILABLE)),
    ("grpc.enable_retries", 1),
    ("grpc.max_receive_message_length", MAXIMUM_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAXIMUM_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)
_RESUME_WAIT_S: Final = 0.5


class OptimizerClient(Choices):
    """Calls a planning service.

    Errors are those of a local call: :class:`~optimizer.errors.InvalidInputError` with every problem and its path,
    :class:`~optimizer.errors.NotFoundError`, :class:`~optimizer.errors.JobCancelledError`; everything else is a
    :class:`~optimizer.errors.ServiceError` with code and reason.

    ``timeout_s`` is the deadline of each call, ``resume_s`` how long a watched plan outlives a lost connection.
    Without ``credentials`` (see :func:`~optimizer.client.tls_credentials`) the connection is not encrypted, and a
    ``token`` is sent to this machine only.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        timeout_s: float = 60.0,
        resume_s: float = 60.0,
        credentials: grpc.ChannelCredentials | None = None,
        token: str = "",
    ) -> None:
        self._timeout_s, self._resume_s = timeout_s, resume_s
        if token:
            credentials = with_token(credentials, token)
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options=_OPTIONS)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=_OPTIONS)
        self._planning: Any = planning_service_pb2_grpc.PlanningServiceStub(self._channel)
        self._operations: Any = operations_pb2_grpc.OperationsStub(self._channel)

    @classmethod
    def from_environment(cls, target: str) -> OptimizerClient:
        """A client with the token and the certificates that ``OPTIMIZER_TOKEN`` and ``OPTIMIZER_TLS_...`` name."""
        credentials, token = environment_credentials()
        return cls(target, credentials=credentials, token=token)

    def __enter__(self) -> OptimizerClient:
        """The client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection. Plans go on."""
        self._channel.close()

    # ------------------------------------------------------------------------------------------------------ portfolios

    def create_portfolio(
        self, portfolio: Portfolio, *, request_id: str = "", validate_only: bool = False
    ) -> PortfolioRecord:
        """Store a portfolio, or only check it."""
        request = api.CreatePortfolioRequest(request_id=request_id or _new_id(), validate_only=validate_only)
        request.portfolio.spec.CopyFrom(to_message(portfolio))
        return portfolio_record(self._call(self._planning.CreatePortfolio, request).portfolio)

    def get_portfolio(self, name: str) -> PortfolioRecord:
        """A stored portfolio."""
        return portfolio_record(self._call(self._planning.GetPortfolio, api.GetPortfolioRequest(name=name)).portfolio)

    # ----------------------------------------------------------------------------------------------------------- plans

    def plan(
        self,
        portfolio: Portfolio | str,
        options: SolveOptions | None = None,
        *,
        progress: bool | ProgressCallback = False,
    ) -> Plan:
        """The plan of a portfolio, or of a stored one by name; returns when it is there.

        ``progress=True`` writes a line for every step to standard error; a function is called with each
        :class:`~optimizer.domain.plan.Progress`. A connection that is lost is resumed. Ctrl-C ends the search, and the
        best plan found by then is returned; a second one leaves it to the service (:meth:`list_plans` finds it).
        """
        name = portfolio if isinstance(portfolio, str) else self.create_portfolio(portfolio).name
        planned = self.create_plan(name, options)
        try:
            record = self.wait(planned, progress=progress)
        except KeyboardInterrupt:
            self.stop(planned)
            record = self.wait(planned, progress=progress)
        if record.plan is not None:
            return record.plan
        raise record.error or ServiceError(f"{record.name} ended as {record.state.value} without a plan")

    def create_plan(
        self,
        portfolio_name: str,
        options: SolveOptions | None = None,
        *,
        request_id: str = "",
        validate_only: bool = False,
    ) -> str:
        """Ask for the plan of a stored portfolio; its name, or nothing if the request was only checked."""
        request = api.CreatePlanRequest(request_id=request_id or _new_id(), validate_only=validate_only)
        request.plan.portfolio = portfolio_name
        if options is not None:
            request.plan.options.CopyFrom(to_message(options))
        metadata = api.CreatePlanMetadata()
        self._call(self._planning.CreatePlan, request).metadata.Unpack(metadata)
        return metadata.plan

    def wait(self, name: str, *, progress: bool | ProgressCallback = False) -> PlanRecord:
        """The record of a plan once it has ended, with or without an answer."""
        tell = progress if callable(progress) else _write_line if progress else None
        for event in self.watch(name):
            if tell is not None:
                tell(event)
        return self.get_plan(name)

    def watch(self, name: str, after_sequence: int = 0) -> Iterator[Progress]:
        """Progress of a plan to its end; where the connection is lost, it goes on after what was seen last."""
        sequence, give_up_at = after_sequence, time.monotonic() + self._resume_s
        while True:
            request = api.WatchPlanRequest(name=name, after_sequence=sequence)
            try:
                for event in self._planning.WatchPlan(request):
                    sequence, give_up_at = event.sequence, time.monotonic() + self._resume_s
                    if event.WhichOneof("event") == "end":
                        return
                    if event.WhichOneof("event") == "progress":
                        yield parse(Progress, event.progress, "progress")
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > give_up_at:
                    _raise(error)
            else:
                raise ServiceError(f"the stream of {name} ended before the plan did", "DATA_LOSS", "STREAM_ENDED")
            time.sleep(_RESUME_WAIT_S)

    def get_plan(self, name: str) -> PlanRecord:
        """A plan as it is now."""
        return plan_record(self._call(self._planning.GetPlan, api.GetPlanRequest(name=name)).plan)

    def list_plans(self, page_size: int = 0) -> Iterator[PlanRecord]:
        """All plans, newest first, without their answers; pages are fetched as they are needed."""
        token = ""
        while True:
            request = api.ListPlansRequest(page_size=page_size, page_token=token)
            page = self._call(self._planning.ListPlans, request)
            yield from map(plan_record, page.plans)
            token = page.next_page_token
            if not token:
                return

    def stop(self, name: str) -> PlanRecord:
        """End the search now and keep the best plan so far; the plan as it is at this moment."""
        return plan_record(self._call(self._planning.StopPlan, api.StopPlanRequest(name=name)).plan)

    def cancel(self, name: str) -> None:
        """End a plan and discard what there is."""
        operation = "operations/" + name.removeprefix("plans/")
        self._call(self._operations.CancelOperation, operations_pb2.CancelOperationRequest(name=operation))

    def server_status(self) -> ServerStatus:
        """How the server does: version, store, queue, and what is being computed."""
        answer = self._call(self._planning.GetServerStatus, api.GetServerStatusRequest())
        return parse(ServerStatus, answer.status, "status of the service")

    # --------------------------------------------------------------------------------------------------------- answers

    def evaluate(self, spec: EvaluationSpec) -> Evaluation:
        """What a plan that somebody else wrote is worth, and what is wrong with it."""
        request = api.EvaluatePlanRequest(spec=to_message(spec))
        return parse(Evaluation, self._call(self._planning.EvaluatePlan, request).evaluation, "evaluation")

    def compare(self, spec: ComparisonSpec) -> Comparison:
        """How a plan differs from another one, and what each difference is worth."""
        request, work_s = api.ComparePlansRequest(spec=to_message(spec)), spec.options.time_limit_s
        return parse(Comparison, self._call(self._planning.ComparePlans, request, work_s).comparison, "comparison")

    def diagnose(self, spec: DiagnosisSpec) -> Diagnosis:
        """Why a portfolio has no plan, and what would give it one."""
        request, work_s = api.DiagnosePortfolioRequest(spec=to_message(spec)), spec.options.time_limit_s
        return parse(Diagnosis, self._call(self._planning.DiagnosePortfolio, request, work_s).diagnosis, "diagnosis")

    def explain(self, spec: ExplanationSpec) -> Explanation:
        """Why a placement is in a plan, or why not."""
        request, work_s = api.ExplainPlacementRequest(spec=to_message(spec)), spec.options.time_limit_s
        answer = self._call(self._planning.ExplainPlacement, request, work_s)
        return parse(Explanation, answer.explanation, "explanation")

    def frontier(self, spec: FrontierSpec) -> Frontier:
        """The best plans for ever more weight on the worst futures."""
        request, work_s = api.ComputeFrontierRequest(spec=to_message(spec)), spec.options.time_limit_s
        return parse(Frontier, self._call(self._planning.ComputeFrontier, request, work_s).frontier, "frontier")

    # ---------------------------------------------------------------------------------------------------------- curves

    def hashing_curve(self, spec: HashingCurveSpec) -> HashingCurve:
        """What one machine earns over a range of hashprices."""
        request = api.ComputeHashingCurveRequest(spec=to_message(spec))
        return parse(HashingCurve, self._call(self._planning.ComputeHashingCurve, request).curve, "curve")

    def throughput_curve(self, spec: ThroughputCurveSpec) -> ThroughputCurve:
        """What a GPU cluster gets done over a range of power caps."""
        request = api.ComputeThroughputCurveRequest(spec=to_message(spec))
        return parse(ThroughputCurve, self._call(self._planning.ComputeThroughputCurve, request).curve, "curve")

    def merit_order(self, spec: MeritOrderSpec) -> MeritOrder:
        """What a month is worth by the MW that a site leaves to its fleet."""
        request = api.ComputeMeritOrderRequest(spec=to_message(spec))
        return parse(MeritOrder, self._call(self._planning.ComputeMeritOrder, request).merit_order, "merit order")

    def cluster_curve(self, spec: ClusterCurveSpec) -> ClusterCurve:
        """What GPU clusters of several sizes get done."""
        request = api.ComputeClusterCurveRequest(spec=to_message(spec))
        return parse(ClusterCurve, self._call(self._planning.ComputeClusterCurve, request).curve, "curve")

    def cluster_value(self, spec: ClusterValueSpec) -> ClusterValue:
        """What a GPU cluster earns over its size in MW, in straight pieces."""
        request = api.ComputeClusterValueRequest(spec=to_message(spec))
        return parse(ClusterValue, self._call(self._planning.ComputeClusterValue, request).value, "value")

    def network_curve(self, spec: NetworkCurveSpec) -> NetworkCurve:
        """Difficulty and hashprice of a network's hashrate by month, and what an exit does to them."""
        request = api.ComputeNetworkCurveRequest(spec=to_message(spec))
        return parse(NetworkCurve, self._call(self._planning.ComputeNetworkCurve, request).curve, "curve")

    def mode_breakevens(self, spec: BreakevenSpec) -> ModeBreakevens:
        """Power prices at which the modes of a machine stop paying."""
        request = api.ComputeBreakevensRequest(spec=to_message(spec))
        return parse(ModeBreakevens, self._call(self._planning.ComputeBreakevens, request).breakevens, "breakevens")

    def calibrate_market(self, spec: MarketCalibrationSpec) -> MarketCalibration:
        """Volatility, mean reversion and correlations of market factors, fitted to their history."""
        request = api.CalibrateMarketRequest(spec=to_message(spec))
        return parse(MarketCalibration, self._call(self._planning.CalibrateMarket, request).calibration, "calibration")

    def market_fan(self, spec: MarketFanSpec) -> MarketFan:
        """Where a quantity of a portfolio's market may be, by month."""
        request = api.ComputeMarketFanRequest(spec=to_message(spec))
        return parse(MarketFan, self._call(self._planning.ComputeMarketFan, request).fan, "fan")

    def stream_hashing_curves(
        self, questions: Iterable[tuple[str, HashingCurveSpec]]
    ) -> Iterator[CurveAnswer[HashingCurve]]:
        """Answers to any number of questions ``(key, specification)``, in their order, each as soon as it is there.

        A question that is wrong is answered by its error. ``questions`` is read in another thread, a few ahead of the
        answers; what it raises is raised here after the answers to what came before. Ending the iteration early
        cancels the rest. There is no deadline.
        """
        return _streamed(self._planning.StreamHashingCurves, api.StreamHashingCurvesRequest, questions, HashingCurve)

    def stream_throughput_curves(
        self, questions: Iterable[tuple[str, ThroughputCurveSpec]]
    ) -> Iterator[CurveAnswer[ThroughputCurve]]:
        """As :meth:`stream_hashing_curves`, for clusters of GPUs."""
        return _streamed(
            self._planning.StreamThroughputCurves, api.StreamThroughputCurvesRequest, questions, ThroughputCurve
        )

    def _call(self, method: Any, request: Any, work_s: float = 0.0) -> Any:
        """The answer to a request that may take the usual time, and ``work_s`` beside it."""
        try:
            return method(request, timeout=self._timeout_s + work_s)
        except grpc.RpcError as error:
            _raise(error)


def _streamed(
    method: Any, request: Any, questions: Iterable[tuple[str, Value]], kind: type[CurveT]
) -> Iterator[CurveAnswer[CurveT]]:
    failures: list[Exception] = []

    def asked() -> Iterator[Any]:
        try:
            for key, spec in questions:
                yield request(key=key, spec=to_message(spec))
        except Exception as error:  # gRPC would log it, and tell the caller nothing
            failures.append(error)

    stream = method(asked())
    try:
        for answer in stream:
            yield curve_answer(answer, kind)
    except grpc.RpcError as error:
        _raise(error)
    finally:
        stream.cancel()
    if failures:
        raise failures[0]


def _raise(error: Any) -> NoReturn:
    """Raise what a failed call stands for."""
    status = rpc_status.from_call(error)
    if status is not None:
        raise from_status(status) from None
    failure: OptimizerError = ServiceError(error.details() or "the call failed", error.code().name)
    raise failure from None


def _new_id() -> str:
    return uuid.uuid4().hex


def _write_line(progress: Progress) -> None:
    numbers = [f"{progress.elapsed_s:8.1f} s  {progress.stage:<7}"]
    if progress.incumbent_usd is not None:
        numbers.append(f"best {progress.incumbent_usd:,.0f} USD")
    if progress.bound_usd is not None:
        numbers.append(f"at most {progress.bound_usd:,.0f} USD")
    if progress.gap_frac is not None:
        numbers.append(f"gap {progress.gap_frac:.2%}")
    sys.stderr.write("  ".join(numbers) + "\n")
