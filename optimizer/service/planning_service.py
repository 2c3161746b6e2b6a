# ruff: noqa: ARG002, N802 - gRPC names the methods, and passes a context to all of them
"""The calls: parse, delegate, serialise. Errors are mapped by the interceptor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from google.longrunning import operations_pb2_grpc
from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.api.v1 import planning_service_pb2_grpc
from optimizer.api.v1.resources_pb2 import PlanView
from optimizer.service import curve_answers as answers
from optimizer.service import plan_answers
from optimizer.service.access import ACCESS
from optimizer.service.planner import Planner
from optimizer.service.records import Request
from optimizer.service.resources import (
    checked_operation,
    content_of,
    event_message,
    heartbeat_message,
    operation_message,
    parse_options,
    parse_portfolio,
    parse_priority,
    parse_states,
    plan_message,
    portfolio_message,
    resource_id,
)
from optimizer.service.status import StatusDesk
from optimizer.wire.convert import to_message

MS_PER_S = 1000.0


class PlanningServicer(planning_service_pb2_grpc.PlanningServiceServicer):
    """``optimizer.api.v1.PlanningService``."""

    def __init__(self, planner: Planner, desk: StatusDesk) -> None:
        self._planner, self._desk = planner, desk

    def CreatePortfolio(self, request: Any, context: grpc.ServicerContext) -> api.CreatePortfolioResponse:
        """Store a portfolio."""
        stored = self._planner.create_portfolio(
            parse_portfolio(request), ACCESS.get(), request.request_id, content_of(request), request.validate_only
        )
        return api.CreatePortfolioResponse(portfolio=portfolio_message(stored))

    def GetPortfolio(self, request: Any, context: grpc.ServicerContext) -> api.GetPortfolioResponse:
        """Return a portfolio."""
        stored = self._planner.portfolio(request.name, ACCESS.get())
        return api.GetPortfolioResponse(portfolio=portfolio_message(stored))

    def ListPortfolios(self, request: Any, context: grpc.ServicerContext) -> api.ListPortfoliosResponse:
        """List portfolios."""
        page, token = self._planner.store.page_of_portfolios(request.page_size, request.page_token, ACCESS.get())
        return api.ListPortfoliosResponse(portfolios=map(portfolio_message, page), next_page_token=token)

    def DeletePortfolio(self, request: Any, context: grpc.ServicerContext) -> api.DeletePortfolioResponse:
        """Delete a portfolio."""
        self._planner.delete_portfolio(request.name, ACCESS.get())
        return api.DeletePortfolioResponse()

    def CreatePlan(self, request: Any, context: grpc.ServicerContext) -> Operation:
        """Queue a job."""
        options, priority = parse_options(request), parse_priority(request)
        portfolio = self._planner.portfolio(request.plan.portfolio, ACCESS.get(), "plan.portfolio")
        if request.validate_only:
            return checked_operation(request)
        asked = Request("CreatePlan", request.request_id, content_of(request), ACCESS.get().tenant)
        allow_reuse = request.allow_reuse or not request.HasField("allow_reuse")
        return operation_message(
            self._planner.create_plan(portfolio, options, asked, priority=priority, allow_reuse=allow_reuse)
        )

    def GetPlan(self, request: Any, context: grpc.ServicerContext) -> api.GetPlanResponse:
        """Return a plan."""
        plan = plan_message(self._planner.job(request.name, ACCESS.get()))
        if request.view == PlanView.PLAN_VIEW_BASIC:
            plan.ClearField("result")
        return api.GetPlanResponse(plan=plan)

    def ListPlans(self, request: Any, context: grpc.ServicerContext) -> api.ListPlansResponse:
        """List plans."""
        portfolio_id = resource_id(request.portfolio, "portfolios", "portfolio") if request.portfolio else ""
        states = parse_states(request.states)
        jobs, token = self._planner.store.page_of_jobs(
            request.page_size, request.page_token, portfolio_id, states, ACCESS.get()
        )
        plans = [plan_message(job) for job in jobs]
        return api.ListPlansResponse(plans=plans, next_page_token=token)

    def StopPlan(self, request: Any, context: grpc.ServicerContext) -> api.StopPlanResponse:
        """Ask a job to end with what it has."""
        job = self._planner.job(request.name, ACCESS.get())
        return api.StopPlanResponse(plan=plan_message(self._planner.stop(job)))

    def CancelPlan(self, request: Any, context: grpc.ServicerContext) -> api.CancelPlanResponse:
        """End a job without a plan."""
        job = self._planner.job(request.name, ACCESS.get())
        return api.CancelPlanResponse(plan=plan_message(self._planner.cancel(job)))

    def DeletePlan(self, request: Any, context: grpc.ServicerContext) -> api.DeletePlanResponse:
        """Delete a plan that has ended."""
        self._planner.store.delete_job(self._planner.job(request.name, ACCESS.get()).id, request.etag)
        return api.DeletePlanResponse()

    def WatchPlan(self, request: Any, context: grpc.ServicerContext) -> Iterator[api.WatchPlanResponse]:
        """Stream a job's progress."""
        job = self._planner.job(request.name, ACCESS.get())
        context.add_callback(lambda: self._planner.wake(job))
        for event in self._planner.watch(job, request.after_sequence, context):
            yield heartbeat_message(event) if isinstance(event, int) else event_message(event)

    def EvaluatePlan(self, request: Any, context: grpc.ServicerContext) -> api.EvaluatePlanResponse:
        """Evaluate a plan that somebody else wrote."""
        with self._planner.waiting_room():
            return api.EvaluatePlanResponse(evaluation=plan_answers.evaluation(request.spec))

    def ComparePlans(self, request: Any, context: grpc.ServicerContext) -> api.ComparePlansResponse:
        """Compare two plans."""
        with self._planner.waiting_room():
            return api.ComparePlansResponse(comparison=plan_answers.comparison(request.spec, self._planner, context))

    def DiagnosePortfolio(self, request: Any, context: grpc.ServicerContext) -> api.DiagnosePortfolioResponse:
        """Find out why a portfolio has no plan."""
        with self._planner.waiting_room():
            diagnosis = plan_answers.diagnosis(request.spec, self._planner, context)
            return api.DiagnosePortfolioResponse(diagnosis=diagnosis)

    def ExplainPlacement(self, request: Any, context: grpc.ServicerContext) -> api.ExplainPlacementResponse:
        """Explain why a placement is in a plan, or why not."""
        with self._planner.waiting_room():
            explanation = plan_answers.explanation(request.spec, self._planner, context)
            return api.ExplainPlacementResponse(explanation=explanation)

    def ComputeFrontier(self, request: Any, context: grpc.ServicerContext) -> api.ComputeFrontierResponse:
        """Find the best plans for ever more weight on the worst futures."""
        with self._planner.waiting_room():
            return api.ComputeFrontierResponse(frontier=plan_answers.frontier(request.spec, self._planner, context))

    def FindAlternatives(self, request: Any, context: grpc.ServicerContext) -> api.FindAlternativesResponse:
        """Find other plans that are nearly as good as the best and differ in contracts."""
        with self._planner.waiting_room():
            found = plan_answers.alternatives(request.spec, self._planner, context)
            return api.FindAlternativesResponse(alternatives=found)

    def FindBreakEvenPrices(self, request: Any, context: grpc.ServicerContext) -> api.FindBreakEvenPricesResponse:
        """Find the prices, or other terms, at which offers enter a plan or leave it."""
        with self._planner.waiting_room():
            found = plan_answers.break_evens(request.spec, self._planner, context)
            return api.FindBreakEvenPricesResponse(break_evens=found)

    def ComputeStochasticValue(self, request: Any, context: grpc.ServicerContext) -> api.ComputeStochasticValueResponse:
        """Compute what planning for the scenarios is worth beside planning for their mean."""
        with self._planner.waiting_room():
            found = plan_answers.stochastic_value(request.spec, self._planner, context)
            return api.ComputeStochasticValueResponse(stochastic_value=found)

    def ValueOneMore(self, request: Any, context: grpc.ServicerContext) -> api.ValueOneMoreResponse:
        """Tell what one more of what is scarce is worth."""
        with self._planner.waiting_room():
            return api.ValueOneMoreResponse(one_more=plan_answers.one_more(request.spec, self._planner, context))

    def SimulatePlan(self, request: Any, context: grpc.ServicerContext) -> api.SimulatePlanResponse:
        """Hold a plan on simulated paths, and plan again on them."""
        with self._planner.waiting_room():
            return api.SimulatePlanResponse(simulation=plan_answers.simulation(request.spec, self._planner, context))

    def BacktestPlan(self, request: Any, context: grpc.ServicerContext) -> api.BacktestPlanResponse:
        """Test a plan in a known past."""
        with self._planner.waiting_room():
            return api.BacktestPlanResponse(backtest=plan_answers.backtest(request.spec, self._planner, context))

    def ReplanPortfolio(self, request: Any, context: grpc.ServicerContext) -> api.ReplanPortfolioResponse:
        """Plan again from a plan that is being carried out, with what is decided kept and changes limited or priced."""
        with self._planner.waiting_room():
            found = plan_answers.replan(request.spec, self._planner, context)
            return api.ReplanPortfolioResponse(replan=found)

    def SweepAssumptions(self, request: Any, context: grpc.ServicerContext) -> api.SweepAssumptionsResponse:
        """Sweep assumptions: the plan under each of a range of other numbers."""
        with self._planner.waiting_room():
            found = plan_answers.sweep(request.spec, self._planner, context)
            return api.SweepAssumptionsResponse(sweep=found)

    def ComputeHashingCurve(self, request: Any, context: grpc.ServicerContext) -> api.ComputeHashingCurveResponse:
        """Compute what a machine earns."""
        return api.ComputeHashingCurveResponse(curve=answers.hashing_curve(request.spec))

    def ComputeThroughputCurve(self, request: Any, context: grpc.ServicerContext) -> api.ComputeThroughputCurveResponse:
        """Compute what a cluster gets done."""
        return api.ComputeThroughputCurveResponse(curve=answers.throughput_curve(request.spec))

    def ComputeMeritOrder(self, request: Any, context: grpc.ServicerContext) -> api.ComputeMeritOrderResponse:
        """Compute what a fleet is worth over MW."""
        return api.ComputeMeritOrderResponse(merit_order=answers.merit_order(request.spec))

    def ComputeClusterCurve(self, request: Any, context: grpc.ServicerContext) -> api.ComputeClusterCurveResponse:
        """Compute what clusters of several sizes get done."""
        return api.ComputeClusterCurveResponse(curve=answers.cluster_curve(request.spec))

    def ComputeClusterValue(self, request: Any, context: grpc.ServicerContext) -> api.ComputeClusterValueResponse:
        """Compute what a cluster earns over MW."""
        return api.ComputeClusterValueResponse(value=answers.cluster_value(request.spec))

    def ComputeNetworkCurve(self, request: Any, context: grpc.ServicerContext) -> api.ComputeNetworkCurveResponse:
        """Compute what the protocol makes of a hashrate."""
        return api.ComputeNetworkCurveResponse(curve=answers.network_curve(request.spec))

    def ComputeBreakevens(self, request: Any, context: grpc.ServicerContext) -> api.ComputeBreakevensResponse:
        """Compute where modes stop paying."""
        return api.ComputeBreakevensResponse(breakevens=answers.mode_breakevens(request.spec))

    def CalibrateMarket(self, request: Any, context: grpc.ServicerContext) -> api.CalibrateMarketResponse:
        """Fit uncertainty to history."""
        return api.CalibrateMarketResponse(calibration=answers.market_calibration(request.spec))

    def ComputeMarketFan(self, request: Any, context: grpc.ServicerContext) -> api.ComputeMarketFanResponse:
        """Compute where the market may be."""
        with self._planner.waiting_room():
            return api.ComputeMarketFanResponse(fan=answers.market_fan(request.spec))

    def StreamHashingCurves(
        self, request_iterator: Iterator[Any], context: grpc.ServicerContext
    ) -> Iterator[api.StreamHashingCurvesResponse]:
        """Compute what many machines earn."""
        with self._planner.waiting_room():
            yield from answers.each(request_iterator, answers.hashing_curve, api.StreamHashingCurvesResponse)

    def StreamThroughputCurves(
        self, request_iterator: Iterator[Any], context: grpc.ServicerContext
    ) -> Iterator[api.StreamThroughputCurvesResponse]:
        """Compute what many clusters get done."""
        with self._planner.waiting_room():
            yield from answers.each(request_iterator, answers.throughput_curve, api.StreamThroughputCurvesResponse)

    def GetServerStatus(self, request: Any, context: grpc.ServicerContext) -> api.GetServerStatusResponse:
        """Tell how the server does."""
        return api.GetServerStatusResponse(status=to_message(self._desk.status(ACCESS.get())))


class OperationsServicer(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]
    """``google.longrunning.Operations`` for plans; listing and deleting are not offered."""

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def GetOperation(self, request: Any, context: grpc.ServicerContext) -> Operation:
        """Return an operation."""
        return operation_message(self._planner.job(request.name, ACCESS.get(), "operations"))

    def WaitOperation(self, request: Any, context: grpc.ServicerContext) -> Operation:
        """Return an operation once it is done, or when the time is over."""
        job = self._planner.job(request.name, ACCESS.get(), "operations")
        return operation_message(self._planner.wait(job, request.timeout.ToMilliseconds() / MS_PER_S, context))

    def CancelOperation(self, request: Any, context: grpc.ServicerContext) -> Empty:
        """End a job without a plan."""
        self._planner.cancel(self._planner.job(request.name, ACCESS.get(), "operations"))
        return Empty()
