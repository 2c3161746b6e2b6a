"""The efficient frontier of mean and CVaR: the best plan for ever more weight on the tail, each with a proven bound.

Under the share ``theta`` of CVaR the worth ``(1 - theta) objective + theta CVaR`` of a plan is linear in ``theta``, so
the best worth is convex: between two weights it is at most the chord of their bounds. With the plans of the neighbours
that often proves a weight without a search. Cuts hold for every weight and are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from optimizer.app.decision_parts import told_differences
from optimizer.app.outcome import tail_scenarios
from optimizer.app.planning import PlanningJob, Stated, claims_of
from optimizer.app.tail_rounds import TailRounds
from optimizer.audit import audit
from optimizer.curves.futures import Futures
from optimizer.domain.frontier import Frontier, FrontierPoint, FrontierSpec
from optimizer.domain.plan import Progress
from optimizer.domain.proof import Limit, TerminationReason
from optimizer.model.read import Reading, read_solution
from optimizer.model.tail import cvar_cost
from optimizer.units import USD_PER_MUSD

Floats = NDArray[np.float64]
MOST_WEIGHT_FRAC = 100.0
"""Weight of the last point: nothing but CVaR counts, and the mean chooses among equals."""
NOTHING_FRAC = 1e-9
"""A relative gap that is none."""


def frontier(
    spec: FrontierSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Frontier:
    """The best plan for every weight of CVaR, from none to nothing else, each audited and bounded.

    >>> import optimizer
    >>> from optimizer.domain.frontier import FrontierSpec
    >>> found = optimizer.frontier(FrontierSpec(portfolio=optimizer.load_portfolio("tiny"), point_count=3))
    >>> found.points[0].npv_usd > found.points[-1].npv_usd and found.points[0].cvar_usd < found.points[-1].cvar_usd
    True

    Raises:
        SolverError: as :func:`optimizer.plan`.
    """
    risk = spec.portfolio.risk.model_copy(update={"cvar_weight_frac": 1.0})
    weighted = spec.portfolio.model_copy(update={"risk": risk})
    return _FrontierJob(weighted, spec.options, on_progress, should_stop).points(spec.point_count)


@dataclass(frozen=True, eq=False)
class _Known:
    """A plan: its vector, its worth without CVaR, and CVaR, in million USD."""

    values: Floats
    base_musd: float
    cvar_musd: float

    def at(self, theta: float) -> float:
        """Worth under a share of CVaR."""
        return (1.0 - theta) * self.base_musd + theta * self.cvar_musd


@dataclass(eq=False)
class _Searched:
    """What is known of all weights: plans, and bounds where searches were made."""

    plans: list[_Known] = field(default_factory=list)
    bounds: dict[float, float] = field(default_factory=dict)

    def best(self, theta: float) -> _Known:
        """The plan that is worth most under a share of CVaR."""
        return max(self.plans, key=lambda plan: plan.at(theta))

    def bound(self, theta: float) -> float:
        """The least bound: its own, or a chord of two others."""
        found = self.bounds.get(theta, np.inf)
        for (left, low), (right, high) in combinations(sorted(self.bounds.items()), 2):
            if left <= theta <= right:
                found = min(found, low + (theta - left) / (right - left) * (high - low))
        return found

    def gap(self, theta: float) -> float:
        """Relative gap between the two."""
        worth = self.best(theta).at(theta)
        return (self.bound(theta) - worth) / max(abs(worth), 1e-6)


class _FrontierJob(PlanningJob):
    """One run of the use case."""

    def points(self, point_count: int) -> Frontier:
        """Search from the ends inwards, always where the gap is widest, until all are proven or the time is up."""
        most = MOST_WEIGHT_FRAC / (1.0 + MOST_WEIGHT_FRAC)
        thetas = [most * index / (point_count - 1) for index in range(point_count)]
        futures = Futures.of(self.portfolio)
        stated, known = self._stated(futures), _Searched()
        with self._stage("twin"):
            twin = self._twin(stated.program, stated.model, self._search()).values
        self._cost, self._cuts = stated.matrix.cost, 0
        with self._stage("solve"):
            waiting = [thetas[0], thetas[-1], *thetas[1:-1]]
            while waiting:
                theta = waiting.pop(0) if len(known.bounds) < 2 else max(waiting, key=known.gap)
                if len(known.bounds) >= 2:
                    if known.gap(theta) <= self.options.gap_frac + NOTHING_FRAC or self._is_over():
                        break
                    waiting.remove(theta)
                ended = self._searched_at(theta, futures, stated, known, twin, len(waiting) + 1)
                if not known.plans:
                    return self._frontier((), Limit.NONE, ended)
        return self._told(thetas, futures, stated, known)

    def _searched_at(
        self, theta: float, futures: Futures, stated: Stated, known: _Searched, twin: Floats | None, left: int
    ) -> str:
        """Search under one share; why there is no plan, if there is none."""
        weight = theta / (1.0 - theta)
        constant, tail = cvar_cost(stated.program)
        base = self._cost - tail
        stated.model.update(cost=base + weight * tail, constant=stated.matrix.constant + (weight - 1.0) * constant)
        options = self._remaining(1.0 / left)
        floor = self.portfolio.risk.minimum_cvar_usd
        rounds = TailRounds(
            futures, stated.problem, stated.program, stated.model, options, self._search(), weight, floor, self._cuts
        )
        found = rounds.run([twin, *[plan.values for plan in known.plans]])
        self._cuts = rounds.cut_count
        if found.termination.bound_usd is not None:
            known.bounds[theta] = found.termination.bound_usd / USD_PER_MUSD / (1.0 + weight)
        if found.values is not None:
            cvar = float(tail @ found.values) + constant
            worth = float(base @ found.values) + stated.matrix.constant - constant
            known.plans.append(_Known(found.values, worth, cvar))
        ended = found.termination
        return ended.detail or (
            ended.reason.value if ended.reason is TerminationReason.INFEASIBLE else "no plan in time"
        )

    def _told(self, thetas: list[float], futures: Futures, stated: Stated, known: _Searched) -> Frontier:
        """Every weight with its best plan, audited once."""
        readings: dict[int, tuple[Reading, bool]] = {}
        points: list[FrontierPoint] = []
        with self._stage("audit"):
            for theta in thetas:
                plan, weight = known.best(theta), theta / (1.0 - theta)
                if id(plan) not in readings:
                    readings[id(plan)] = self._audited(futures, stated, plan)
                reading, passed = readings[id(plan)]
                worth, bound = plan.at(theta), max(known.bound(theta), plan.at(theta))
                proven = np.isfinite(bound)
                points.append(
                    FrontierPoint(
                        cvar_weight_frac=weight,
                        npv_usd=reading.npv_usd,
                        cvar_usd=plan.cvar_musd * USD_PER_MUSD,
                        objective_usd=(1.0 + weight) * worth * USD_PER_MUSD,
                        bound_usd=(1.0 + weight) * bound * USD_PER_MUSD if proven else None,
                        gap_frac=(bound - worth) / max(abs(worth), 1e-6) if proven else None,
                        searched=theta in known.bounds,
                        differs=told_differences(self.portfolio, points[-1].decisions, reading.decisions)
                        if points
                        else (),
                        decisions=reading.decisions,
                        audit_passed=passed,
                    )
                )
        open_gap = any(item.gap_frac is None or item.gap_frac > self.options.gap_frac + NOTHING_FRAC for item in points)
        limit = Limit.NONE if not open_gap else Limit.TIME if not self._stopped else Limit.INTERRUPTED
        return self._frontier(tuple(points), limit)

    @property
    def _stopped(self) -> bool:
        return self.should_stop is not None and self.should_stop()

    def _audited(self, futures: Futures, stated: Stated, plan: _Known) -> tuple[Reading, bool]:
        reading = read_solution(stated.program, stated.problem, plan.values)
        tail = tail_scenarios(self.portfolio, futures, reading.decisions)
        _, report = audit(self.portfolio, futures, reading.decisions, claims_of(reading), tail)
        return reading, report.passed

    def _frontier(self, points: tuple[FrontierPoint, ...], limit: Limit, detail: str = "") -> Frontier:
        return Frontier(
            objective=self.portfolio.finance.objective,
            scenario_count=self.portfolio.risk.scenario_count,
            tail_probability=self.portfolio.risk.tail_probability,
            points=points,
            limit=limit,
            detail=detail,
        )
