"""``AsyncClient``: the planning service as Python calls.

Generated from ``optimizer/client/client.py`` by ``protos/generate.py``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Any

import grpc

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1 import planning_service_pb2_grpc
from optimizer.client.aio.choices import Choices
from optimizer.client.aio.curve_questions import CurveQuestions
from optimizer.client.connection import OPTIONS, RESUME_WAIT_S, new_id, raise_for, write_line
from optimizer.client.credentials import environment_credentials, with_token
from optimizer.client.records import (
    PlanRecord,
    PlanState,
    PortfolioHead,
    PortfolioRecord,
    plan_record,
    portfolio_head,
    portfolio_record,
    state_numbers,
)
from optimizer.domain.comparison import Comparison, ComparisonSpec
from optimizer.domain.diagnosis import Diagnosis, DiagnosisSpec
from optimizer.domain.evaluation import Evaluation, EvaluationSpec
from optimizer.domain.explanation import Explanation, ExplanationSpec
from optimizer.domain.frontier import Frontier, FrontierSpec
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.server_status import ServerStatus
from optimizer.errors import ServiceError
from optimizer.wire.convert import parse, to_message

ProgressCallback = Callable[[Progress], None]


class AsyncClient(CurveQuestions, Choices):
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
        self._timeout_s, self._resume_s = (timeout_s, resume_s)
        if token:
            credentials = with_token(credentials, token)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, options=OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, options=OPTIONS)
        self._planning: Any = planning_service_pb2_grpc.PlanningServiceStub(self._channel)

    @classmethod
    def from_environment(cls, target: str, token: str | None = None) -> AsyncClient:
        """A client with the token and the certificates that ``OPTIMIZER_TOKEN`` and ``OPTIMIZER_TLS_...`` name.

        ``token`` takes the place of the one that is named, also where it is empty.
        """
        credentials, named = environment_credentials()
        return cls(target, credentials=credentials, token=named if token is None else token)

    async def __aenter__(self) -> AsyncClient:
        """The client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection. Plans go on."""
        await self._channel.close()

    async def create_portfolio(
        self, portfolio: Portfolio, *, request_id: str = "", validate_only: bool = False
    ) -> PortfolioRecord:
        """Store a portfolio, or only check it."""
        request = api.CreatePortfolioRequest(request_id=request_id or new_id(), validate_only=validate_only)
        request.portfolio.spec.CopyFrom(to_message(portfolio))
        return portfolio_record((await self._call(self._planning.CreatePortfolio, request)).portfolio)

    async def get_portfolio(self, name: str) -> PortfolioRecord:
        """A stored portfolio."""
        return portfolio_record(
            (await self._call(self._planning.GetPortfolio, api.GetPortfolioRequest(name=name))).portfolio
        )

    async def list_portfolios(self, page_size: int = 0) -> AsyncIterator[PortfolioHead]:
        """All portfolios, newest first, without what they state; pages are fetched as they are needed."""
        request = api.ListPortfoliosRequest(page_size=page_size)
        while True:
            page = await self._call(self._planning.ListPortfolios, request)
            for portfolio in page.portfolios:
                yield portfolio_head(portfolio)
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    async def delete_portfolio(self, name: str) -> None:
        """Delete a portfolio of which there are no plans."""
        await self._call(self._planning.DeletePortfolio, api.DeletePortfolioRequest(name=name))

    async def plan(
        self,
        portfolio: Portfolio | str,
        options: SolveOptions | None = None,
        *,
        progress: bool | ProgressCallback = False,
        allow_reuse: bool = True,
        priority: int = 0,
    ) -> Plan:
        """The plan of a portfolio, or of a stored one by name; returns when it is there.

        ``progress=True`` writes a line for every step to standard error; a function is called with each
        :class:`~optimizer.domain.plan.Progress`. A connection that is lost is resumed.

        The answer to the same question from before is taken at once, as ``plan.manifest.reused_from`` tells, unless
        ``allow_reuse=False``.

        A task that is cancelled leaves the plan to the service (:meth:`list_plans` finds it); :meth:`stop` ends it.
        """
        name = portfolio if isinstance(portfolio, str) else (await self.create_portfolio(portfolio)).name
        planned = await self.create_plan(name, options, allow_reuse=allow_reuse, priority=priority)
        record = await self.wait(planned, progress=progress)
        if record.plan is not None:
            return record.plan
        raise record.error or ServiceError(f"{record.name} ended as {record.state.value} without a plan")

    async def create_plan(
        self,
        portfolio_name: str,
        options: SolveOptions | None = None,
        *,
        request_id: str = "",
        validate_only: bool = False,
        allow_reuse: bool = True,
        priority: int = 0,
    ) -> str:
        """Ask for the plan of a stored portfolio; its name, or nothing if the request was only checked.

        It has ended at once where a plan that answered the same question may answer this one. Of plans that wait, those
        of the highest ``priority``, 0 to 9, begin first.
        """
        request = api.CreatePlanRequest(
            request_id=request_id or new_id(), validate_only=validate_only, allow_reuse=allow_reuse
        )
        request.plan.portfolio, request.plan.priority = (portfolio_name, priority)
        if options is not None:
            request.plan.options.CopyFrom(to_message(options))
        metadata = api.CreatePlanMetadata()
        (await self._call(self._planning.CreatePlan, request)).metadata.Unpack(metadata)
        return metadata.plan

    async def wait(self, name: str, *, progress: bool | ProgressCallback = False) -> PlanRecord:
        """The record of a plan once it has ended, with or without an answer."""
        tell = progress if callable(progress) else write_line if progress else None
        async for event in self.watch(name):
            if tell is not None:
                tell(event)
        return await self.get_plan(name)

    async def watch(self, name: str, after_sequence: int = 0) -> AsyncIterator[Progress]:
        """Progress of a plan to its end; where the connection is lost, it goes on after what was seen last."""
        sequence, give_up_at, ended = (after_sequence, time.monotonic() + self._resume_s, False)
        while True:
            stream = self._planning.WatchPlan(api.WatchPlanRequest(name=name, after_sequence=sequence))
            try:
                async for event in stream:
                    sequence, give_up_at = (event.sequence, time.monotonic() + self._resume_s)
                    ended = ended or event.WhichOneof("event") == "end"
                    if event.WhichOneof("event") == "progress":
                        yield parse(Progress, event.progress, "progress")
            except grpc.RpcError as error:
                lost = error.code() is grpc.StatusCode.UNAVAILABLE and time.monotonic() <= give_up_at
                if not (ended or lost):
                    raise_for(error)
            else:
                if not ended:
                    raise ServiceError(f"the stream of {name} ended before the plan did", "DATA_LOSS", "STREAM_ENDED")
            if ended:
                return
            await asyncio.sleep(RESUME_WAIT_S)

    async def get_plan(self, name: str) -> PlanRecord:
        """A plan as it is now."""
        return plan_record((await self._call(self._planning.GetPlan, api.GetPlanRequest(name=name))).plan)

    async def list_plans(
        self, page_size: int = 0, *, portfolio_name: str = "", states: Iterable[PlanState] = ()
    ) -> AsyncIterator[PlanRecord]:
        """Plans, newest first, without their answers, of all portfolios or of one, in any state or in some.

        Pages are fetched as they are needed.
        """
        request = api.ListPlansRequest(page_size=page_size, portfolio=portfolio_name, states=state_numbers(states))
        while True:
            page = await self._call(self._planning.ListPlans, request)
            for plan in page.plans:
                yield plan_record(plan)
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    async def delete_plan(self, name: str, *, etag: str = "") -> None:
        """Delete a plan that has ended; with an ``etag``, only if it is as it was then."""
        await self._call(self._planning.DeletePlan, api.DeletePlanRequest(name=name, etag=etag))

    async def stop(self, name: str) -> PlanRecord:
        """End the search now and keep the best plan so far; the plan as it is at this moment.

        One that waits still is cancelled.
        """
        return plan_record((await self._call(self._planning.StopPlan, api.StopPlanRequest(name=name))).plan)

    async def cancel(self, name: str) -> PlanRecord:
        """End a plan and discard what there is; the plan as it is at this moment."""
        return plan_record((await self._call(self._planning.CancelPlan, api.CancelPlanRequest(name=name))).plan)

    async def server_status(self) -> ServerStatus:
        """How the server does: version, store, queue, and what is being computed."""
        answer = await self._call(self._planning.GetServerStatus, api.GetServerStatusRequest())
        return parse(ServerStatus, answer.status, "status of the service")

    async def evaluate(self, spec: EvaluationSpec) -> Evaluation:
        """What a plan that somebody else wrote is worth, and what is wrong with it."""
        request = api.EvaluatePlanRequest(spec=to_message(spec))
        return parse(Evaluation, (await self._call(self._planning.EvaluatePlan, request)).evaluation, "evaluation")

    async def compare(self, spec: ComparisonSpec) -> Comparison:
        """How a plan differs from another one, and what each difference is worth."""
        request, work_s = (api.ComparePlansRequest(spec=to_message(spec)), spec.options.time_limit_s)
        return parse(
            Comparison, (await self._call(self._planning.ComparePlans, request, work_s)).comparison, "comparison"
        )

    async def diagnose(self, spec: DiagnosisSpec) -> Diagnosis:
        """Why a portfolio has no plan, and what would give it one."""
        request, work_s = (api.DiagnosePortfolioRequest(spec=to_message(spec)), spec.options.time_limit_s)
        return parse(
            Diagnosis, (await self._call(self._planning.DiagnosePortfolio, request, work_s)).diagnosis, "diagnosis"
        )

    async def explain(self, spec: ExplanationSpec) -> Explanation:
        """Why a placement is in a plan, or why not."""
        request, work_s = (api.ExplainPlacementRequest(spec=to_message(spec)), spec.options.time_limit_s)
        answer = await self._call(self._planning.ExplainPlacement, request, work_s)
        return parse(Explanation, answer.explanation, "explanation")

    async def frontier(self, spec: FrontierSpec) -> Frontier:
        """The best plans for ever more weight on the worst futures."""
        request, work_s = (api.ComputeFrontierRequest(spec=to_message(spec)), spec.options.time_limit_s)
        return parse(Frontier, (await self._call(self._planning.ComputeFrontier, request, work_s)).frontier, "frontier")

    async def _call(self, unary: Any, request: Any, work_s: float = 0.0) -> Any:
        """The answer to a request that may take the usual time, and ``work_s`` beside it."""
        try:
            return await unary(request, timeout=self._timeout_s + work_s)
        except grpc.RpcError as error:
            raise_for(error)
