"""Questions about other plans and other numbers."""

from __future__ import annotations

from typing import Any

from optimizer.api.v1 import planning_service_pb2 as api
from optimizer.domain.alternatives import Alternatives, AlternativesSpec
from optimizer.domain.backtest import Backtest, BacktestSpec
from optimizer.domain.break_evens import BreakEvens, BreakEvensSpec
from optimizer.domain.one_more import OneMore, OneMoreSpec
from optimizer.domain.replan import Replan, ReplanSpec
from optimizer.domain.simulation import Simulation, SimulationSpec
from optimizer.domain.stochastic_value import StochasticValue, StochasticValueSpec
from optimizer.domain.sweep import Sweep, SweepSpec
from optimizer.wire.convert import parse, to_message


class Choices:
    """What a client asks when there is more than one plan to choose from."""

    _planning: Any
    _call: Any

    def alternatives(self, spec: AlternativesSpec) -> Alternatives:
        """Other plans that are nearly as good as the best and differ in contracts."""
        request, work_s = api.FindAlternativesRequest(spec=to_message(spec)), spec.options.time_limit_s
        answer = self._call(self._planning.FindAlternatives, request, work_s)
        return parse(Alternatives, answer.alternatives, "alternatives")

    def break_evens(self, spec: BreakEvensSpec) -> BreakEvens:
        """The prices, or other terms, at which offers enter a plan or leave it."""
        request, work_s = api.FindBreakEvenPricesRequest(spec=to_message(spec)), spec.options.time_limit_s
        answer = self._call(self._planning.FindBreakEvenPrices, request, work_s)
        return parse(BreakEvens, answer.break_evens, "break_evens")

    def stochastic_value(self, spec: StochasticValueSpec) -> StochasticValue:
        """What planning for the scenarios is worth beside planning for their mean."""
        request, work_s = api.ComputeStochasticValueRequest(spec=to_message(spec)), spec.options.time_limit_s
        answer = self._call(self._planning.ComputeStochasticValue, request, work_s)
        return parse(StochasticValue, answer.stochastic_value, "stochastic_value")

    def one_more(self, spec: OneMoreSpec) -> OneMore:
        """What one more of what is scarce is worth."""
        request, work_s = api.ValueOneMoreRequest(spec=to_message(spec)), spec.options.time_limit_s
        return parse(OneMore, self._call(self._planning.ValueOneMore, request, work_s).one_more, "one_more")

    def simulate(self, spec: SimulationSpec) -> Simulation:
        """A plan on simulated paths, held as it is and planned again."""
        request, work_s = api.SimulatePlanRequest(spec=to_message(spec)), spec.patience_s
        return parse(Simulation, self._call(self._planning.SimulatePlan, request, work_s).simulation, "simulation")

    def backtest(self, spec: BacktestSpec) -> Backtest:
        """A plan in a past that is known by now, held as it is and planned again."""
        request, work_s = api.BacktestPlanRequest(spec=to_message(spec)), spec.patience_s
        return parse(Backtest, self._call(self._planning.BacktestPlan, request, work_s).backtest, "backtest")

    def replan(self, spec: ReplanSpec) -> Replan:
        """The next plan from the current one, and what each change earns."""
        request, work_s = api.ReplanPortfolioRequest(spec=to_message(spec)), spec.options.time_limit_s
        return parse(Replan, self._call(self._planning.ReplanPortfolio, request, work_s).replan, "re-plan")

    def sweep(self, spec: SweepSpec) -> Sweep:
        """Plans under a range of other assumptions."""
        request, work_s = api.SweepAssumptionsRequest(spec=to_message(spec)), spec.patience_s
        return parse(Sweep, self._call(self._planning.SweepAssumptions, request, work_s).sweep, "sweep")
