"""The value of the stochastic solution: what planning for the scenarios is worth beside planning for their mean.

The mean market has one future, :func:`optimizer.curves.mean_market.mean_portfolio`. The whole decisions of the best
plan for it are kept, the rest is done at its best over the scenarios, as the model lets a planner who has signed: what
that is worth less than the plan for the scenarios is the value (Birge and Louveaux 2011, section 4.2). The search for
the plan begins there, so the value is never negative, and the bound of the search limits it from above.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.app.decision_parts import told_differences
from optimizer.app.outcome import tail_scenarios
from optimizer.app.planning import PlanningJob, Stated, claims_of, plan
from optimizer.app.tail_rounds import TailRounds
from optimizer.audit import audit
from optimizer.curves.futures import Futures
from optimizer.curves.mean_market import mean_portfolio
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Termination, TerminationReason
from optimizer.domain.stochastic_value import PlanOverScenarios, StochasticValue, StochasticValueSpec
from optimizer.model.read import read_solution
from optimizer.model.whole import whole_columns
from optimizer.risk import cvar_usd, fresh_npv_usd, scenario_npv_usd
from optimizer.solve import Search, Solution, solve_fixed
from optimizer.units import USD_PER_MUSD

Floats = NDArray[np.float64]
MEAN_SHARE = 0.4
"""Of the time limit, for the plan for the mean market."""
NOTHING_MUSD = 0.05
"""A value that is told as none."""


def stochastic_value(
    spec: StochasticValueSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> StochasticValue:
    """What planning for the scenarios is worth beside planning for the mean market.

    >>> import optimizer
    >>> from optimizer.domain.stochastic_value import StochasticValueSpec
    >>> found = optimizer.stochastic_value(StochasticValueSpec(portfolio=optimizer.load_portfolio("tiny")))
    >>> 0.0 <= found.value_usd <= found.most_value_usd
    True

    Raises:
        SolverError: as :func:`optimizer.plan`.
    """
    return _StochasticJob(spec.portfolio, spec.options, on_progress, should_stop).answer()


class _StochasticJob(PlanningJob):
    """One run of the use case."""

    _both: TailRounds | None = None

    def answer(self) -> StochasticValue:
        """Plan for the mean, hold what it signs over the scenarios, and begin the search for the plan there."""
        futures = Futures.of(self.portfolio)
        mean = self._for_the_mean(futures)
        stated = self._stated(futures)
        search = self._search(stated)
        held = self._beside(futures, stated, mean, search) if mean.termination.has_plan else None
        with self._stage("twin"):
            starts = [None if held is None else held.values, self._twin(stated.program, stated.model, search).values]
        with self._stage("solve"):
            found, _ = self._solved(futures, stated, starts, search)
        with self._stage("audit"):
            return self._told(futures, stated, mean, held, found)

    def _for_the_mean(self, futures: Futures) -> Plan:
        options = self._remaining(MEAN_SHARE)
        return plan(mean_portfolio(futures), options, self.on_progress, self.should_stop)

    def _beside(self, futures: Futures, stated: Stated, mean: Plan, search: Search) -> Solution:
        """The best over the scenarios beside the whole decisions of the plan for the mean."""
        whole = whole_columns(stated.program, mean.decisions)
        with self._stage("solve"):
            if self.portfolio.risk.counts_tail:
                return self._rounds(futures, stated, 1.0, search).beside(whole)
            return solve_fixed(stated.model, self._remaining(), whole, search)

    def _rounds(self, futures: Futures, stated: Stated, share: float, search: Search) -> TailRounds:
        """The same for both plans: cuts hold for either."""
        if self._both is None:
            self._both = super()._rounds(futures, stated, share, search)
        return self._both

    def _told(
        self, futures: Futures, stated: Stated, mean: Plan, held: Solution | None, found: Solution
    ) -> StochasticValue:
        ours, other = self._valued(futures, stated, found), self._valued(futures, stated, held)
        ended = found.termination
        answer = {
            "objective": self.portfolio.finance.objective,
            "scenario_count": futures.scenario_count,
            "tail_probability": self.portfolio.risk.tail_probability,
            "promised_usd": mean.termination.objective_usd,
            "mean_plan": None if other is None else other.plan,
            "plan": None if ours is None else ours.plan,
            "bound_usd": ended.bound_usd,
            "gap_frac": ended.gap_frac,
            "limit": ended.limit,
        }
        if ours is not None and other is not None:
            answer |= _differences(self.portfolio, ours, other, ended.bound_usd)
        return StochasticValue(**answer, told=_in_words(answer, mean, held, found))

    def _valued(self, futures: Futures, stated: Stated, solution: Solution | None) -> _Valued | None:
        """A plan with its NPV in every scenario; None if there is none."""
        if solution is None or solution.values is None:
            return None
        reading, portfolio = read_solution(stated.program, stated.problem, solution.values), self.portfolio
        decisions = reading.decisions
        tail = tail_scenarios(portfolio, futures, decisions)
        _, report = audit(portfolio, futures, decisions, claims_of(reading), tail)
        npv = scenario_npv_usd(portfolio, futures, decisions, reading.npv_usd)
        fresh = fresh_npv_usd(portfolio, futures, decisions, npv)
        told = PlanOverScenarios(
            objective_usd=reading.objective_usd,
            npv_usd=reading.npv_usd,
            cvar_usd=cvar_usd(npv, portfolio.risk.tail_probability)[1],
            decisions=decisions,
            audit_passed=report.passed,
        )
        return _Valued(told, npv, fresh)


class _Valued(NamedTuple):
    """A plan, and its NPV in every scenario and in fresh ones, ``[W]``; of the latter None if nothing is drawn."""

    plan: PlanOverScenarios
    npv_usd: Floats
    fresh_npv_usd: Floats | None

    @property
    def fresh_mean_usd(self) -> float:
        """Its NPV in fresh scenarios."""
        return float((self.npv_usd if self.fresh_npv_usd is None else self.fresh_npv_usd).mean())


def _differences(portfolio: Portfolio, ours: _Valued, other: _Valued, bound_usd: float | None) -> dict[str, Any]:
    """What the plan is worth more than the one for the mean."""
    more, count = ours.npv_usd - other.npv_usd, len(ours.npv_usd)
    drawn = ours.fresh_npv_usd is not None or other.fresh_npv_usd is not None
    return {
        "value_usd": ours.plan.objective_usd - other.plan.objective_usd,
        "most_value_usd": None if bound_usd is None else bound_usd - other.plan.objective_usd,
        "npv_difference_usd": float(more.mean()),
        "npv_difference_standard_error_usd": float(more.std(ddof=1)) / math.sqrt(count) if count > 1 else None,
        "fresh_npv_difference_usd": ours.fresh_mean_usd - other.fresh_mean_usd if drawn else None,
        "differs": told_differences(portfolio, other.plan.decisions, ours.plan.decisions),
    }


def _in_words(answer: dict[str, Any], mean: Plan, held: Solution | None, found: Solution) -> str:
    """What there is to say, the first that is missing first."""
    if held is None:
        return f"no plan for the mean market: {_why(mean.termination)}"
    if held.values is None:
        return f"what is signed for the mean market cannot be kept over the scenarios: {_why(held.termination)}"
    if found.values is None:
        return f"no plan for the scenarios: {_why(found.termination)}"
    value, most = answer["value_usd"] / USD_PER_MUSD, answer["most_value_usd"]
    proven = "no bound is known" if most is None else f"no more than {most / USD_PER_MUSD:,.1f} can be (proven)"
    if value < NOTHING_MUSD:
        return f"the decisions for the mean market are the best found over the scenarios too; {proven}"
    return f"planning for the scenarios is worth {value:,.1f} million USD as found; {proven}"


def _why(ended: Termination) -> str:
    infeasible = ended.reason is TerminationReason.INFEASIBLE
    return ended.detail or ("it breaks a limit" if infeasible else "none was found in time")
