"""Other plans that are nearly as good: each the best that keeps a distance in contracts from all before it.

The distance from a known plan is linear in the signatures, so it is a row for each plan that is known. What the best
plan is worth at most bounds all others as well: plans that differ by one contract, which cost a linear program each,
are often proven by it without a search.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.app.comparison import changes_between
from optimizer.app.planning import PlanningJob, Solved, Stated, better, claims_of, read_answer
from optimizer.audit import audit
from optimizer.curves.futures import Futures
from optimizer.domain.alternatives import Alternative, Alternatives, AlternativesSpec, DistanceMeasure
from optimizer.domain.decisions import ContractDecision, Decisions
from optimizer.domain.plan import Progress
from optimizer.domain.proof import Certainty, Limit, Termination, TerminationReason, musd_text, worth_difference
from optimizer.errors import InvalidInputError, SolverError
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix
from optimizer.model.read import Reading
from optimizer.model.whole import whole_columns
from optimizer.solve import PRIMAL_TOLERANCE, Solution, solve_fixed, solve_program, with_objective
from optimizer.units import USD_PER_MUSD

Floats = NDArray[np.float64]
BEST_SHARE = 0.5
"""Share of the time for the best plan, where it is not at hand."""
AROUND_SHARE = 0.4
"""Share of the time that is left then for plans to start from."""
ROUNDING = 1e-6
"""By which a distance may fall short."""


class DistanceRow(NamedTuple):
    """``coefficient sign >= least``: the distance from a plan."""

    coefficient: Floats
    least: float


def alternatives(
    spec: AlternativesSpec,
    on_found: Callable[[Alternative], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Alternatives:
    """Plans within a share of the best that differ in contracts, audited, the best first; ``on_found`` hears of each.

    >>> import optimizer
    >>> from optimizer.domain.alternatives import AlternativesSpec
    >>> found = optimizer.alternatives(AlternativesSpec(portfolio=optimizer.load_portfolio("tiny"), within_frac=0.5))
    >>> found.plans[0].costs_usd <= found.plans[1].costs_usd
    True

    Raises:
        InvalidInputError: for a best plan at hand that breaks limits.
        SolverError: as :func:`optimizer.plan`.
    """
    return _AlternativesJob(spec, on_found, on_progress, should_stop).answer()


def distance(spec: AlternativesSpec, decisions: Decisions, other: Decisions) -> float:
    """How far two plans are apart, as the spec says."""
    ours, theirs = ({item.offer: item for item in side.contracts} for side in (decisions, other))
    return sum(
        spec.counts(offer) * _differs(spec, ours.get(offer), theirs.get(offer)) for offer in sorted({*ours, *theirs})
    )


def _differs(spec: AlternativesSpec, contract: ContractDecision | None, other: ContractDecision | None) -> float:
    if contract is None or other is None or contract.site != other.site:
        return 1.0
    return spec.other_month_frac if contract.sign_month != other.sign_month else 0.0


def distance_row(spec: AlternativesSpec, problem: PlanningProblem, signed: NDArray[np.bool_]) -> DistanceRow:
    """The distance from a plan as a row over the signatures; ``signed`` are those of the plan."""
    starts = problem.starts
    counts = np.array([spec.counts(offer.name) for offer in problem.portfolio.offers])
    coefficient, least = counts[starts.offer], spec.minimum_distance
    for start in np.flatnonzero(signed):
        own = starts.offer == starts.offer[start]
        same_site = starts.site[own] == starts.site[start]
        other_month = starts.sign_month[own] != starts.sign_month[start]
        differs = np.where(same_site, np.where(other_month, spec.other_month_frac, 0.0), 1.0)
        coefficient[own] *= differs - 1.0
        least -= counts[starts.offer[start]]
    return DistanceRow(coefficient, least)


class _AlternativesJob(PlanningJob):
    """One run of the use case."""

    def __init__(
        self,
        spec: AlternativesSpec,
        on_found: Callable[[Alternative], None] | None,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        super().__init__(spec.portfolio, spec.options, on_progress, should_stop)
        self._spec, self._on_found = spec, on_found
        self._starts: list[Floats] = []
        self._bound_usd = np.inf
        """No plan is worth more."""

    def answer(self) -> Alternatives:
        """The best plan, then one after the other until there are enough, no more, or no time."""
        futures = Futures.of(self.portfolio)
        stated = self._stated(futures)
        best = self._best(stated)
        if best.reading is None or best.solution.values is None:
            return Alternatives(limit=best.solution.termination.limit, told=_no_best(best.solution.termination))
        self._bound_usd = self._bound_of_all(best.solution.termination)
        floor = best.reading.objective_usd - self._spec.within_frac * abs(best.reading.objective_usd)
        known, found, last = [best.reading.decisions], list[Alternative](), None
        self._look_around(stated, best.solution.values)
        self._keep_away(stated, best.solution.values)
        while len(found) < self._spec.count and not self._is_over():
            with self._stage("solve"):
                last = self._next(stated, floor, 1.0 / (self._spec.count - len(found)))
            if last.reading is None or last.solution.values is None or last.reading.objective_usd < floor:
                break
            found.append(self._alternative(futures, best.reading, known, last.reading, last.solution.termination))
            known.append(last.reading.decisions)
            self._keep_away(stated, last.solution.values)
            if self._on_found is not None:
                self._on_found(found[-1])
        no_more = len(found) < self._spec.count and last is not None and _proves_no_more(last, floor)
        return self._answered(best.reading, found, no_more, futures)

    def _best(self, stated: Stated) -> Solved:
        """The plan at hand with what is not whole at its best, or the best plan that is found in half of the time."""
        with self._stage("solve"):
            if self._spec.decisions is None:
                return self._searched(stated, BEST_SHARE)
            solution = solve_fixed(stated.model, self._remaining(), whole_columns(stated.program, self._spec.decisions))
        if solution.values is None:
            told, fix = "is no plan that keeps every limit", "evaluate it to see which it breaks"
            raise InvalidInputError.single("decisions", told, fix, "alternatives")
        return read_answer(stated.program, stated.problem, solution)

    def _bound_of_all(self, ended: Termination) -> float:
        """No plan is worth more; infinite if that is not known."""
        if self._spec.decisions is None:
            return _bound(ended)
        return np.inf if self._spec.bound_usd is None else self._spec.bound_usd

    def _look_around(self, stated: Stated, values: Floats) -> None:
        """Plans to start from: the best with one contract more, less or elsewhere, the most promising first."""
        matrix, sign, offer = stated.matrix, stated.program.variables["sign"].columns, stated.problem.starts.offer
        whole, until = np.where(matrix.integer, np.rint(values), np.nan), self._remaining(AROUND_SHARE).time_limit_s
        row, began = distance_row(self._spec, stated.problem, whole[sign] > 0.5), time.monotonic()
        with self._stage("neighbours", told="solve"), stated.model.changed(**_fixed(matrix, whole)):
            self._solved_beside(stated, whole)
            for start in np.argsort(-stated.model.reduced_costs[sign], kind="stable"):
                other = whole.copy()
                other[sign[offer == offer[start]]] = 0.0
                other[sign[start]] = 1.0 - whole[sign[start]]
                if row.coefficient @ other[sign] < row.least - ROUNDING:
                    continue
                if self._is_over() or time.monotonic() - began > until:
                    break
                found = self._solved_beside(stated, other)
                self._starts += [found] if found is not None else []

    def _solved_beside(self, stated: Stated, whole: Floats) -> Floats | None:
        """The best beside whole decisions, from the basis of the last such run."""
        stated.model.update(**_fixed(stated.matrix, whole))
        tight: dict[str, Any] = {"primal_feasibility_tolerance": PRIMAL_TOLERANCE}
        try:
            ended = stated.model.run(self._remaining(), self._search(), **tight)
        except SolverError:  # a start, never the answer
            stated.model.forget()
            return None
        return stated.model.values if ended.reason is TerminationReason.OPTIMAL else None

    def _next(self, stated: Stated, floor_usd: float, share: float) -> Solved:
        """What is found in a share of the time that is left; in all of it, where that share leaves it open."""
        found = self._searched(stated, share)
        open_still = found.reading is None or found.reading.objective_usd < floor_usd
        if share < 1.0 and open_still and not _proves_no_more(found, floor_usd) and not self._is_over():
            return self._searched(stated, 1.0)
        return found

    def _searched(self, stated: Stated, share: float) -> Solved:
        start = better(stated.model.matrix, *self._starts)
        solution = self._good_enough(stated, start)
        if solution is None:
            solution = solve_program(stated.model, self._remaining(share), self._search(), start=start)
        return read_answer(stated.program, stated.problem, solution)

    def _good_enough(self, stated: Stated, start: Floats | None) -> Solution | None:
        """The plan to start from, where what the best plan can be worth at most proves it."""
        if start is None:
            return None
        worth = float(stated.matrix.cost @ start + stated.matrix.constant) * USD_PER_MUSD
        bounded = Termination(reason=TerminationReason.FEASIBLE, bound_usd=_stated(self._bound_usd))
        ended = with_objective(bounded, worth, self.options.gap_frac)
        return Solution(ended, start) if ended.reason is TerminationReason.OPTIMAL else None

    def _keep_away(self, stated: Stated, values: Floats) -> None:
        """Let the program find only plans at a distance from this one."""
        columns = stated.program.variables["sign"].columns
        row = distance_row(self._spec, stated.problem, values[columns] > 0.5)
        used = np.flatnonzero(row.coefficient)
        stated.model.add_row(columns[used], row.coefficient[used], row.least, np.inf)

    def _audited(self, futures: Futures, reading: Reading) -> bool:
        with self._stage("audit"):
            return audit(self.portfolio, futures, reading.decisions, claims_of(reading))[1].passed

    def _alternative(
        self, futures: Futures, best: Reading, known: list[Decisions], reading: Reading, ended: Termination
    ) -> Alternative:
        bound = min(_bound(ended), self._bound_usd)
        alternative = Alternative(
            objective_usd=reading.objective_usd,
            bound_usd=_stated(max(bound, reading.objective_usd)),
            npv_usd=reading.npv_usd,
            costs_usd=best.objective_usd - reading.objective_usd,
            most_cost_usd=_stated(max(self._bound_usd - reading.objective_usd, 0.0)),
            difference=worth_difference(
                best.objective_usd,
                _stated(self._bound_usd),
                reading.objective_usd,
                reading.objective_usd,
                other_is_narrower=True,
            ),
            distance=min(distance(self._spec, reading.decisions, other) for other in known),
            changes=changes_between(self.portfolio, known[0], reading.decisions),
            decisions=reading.decisions,
            audit_passed=self._audited(futures, reading),
            told="",
        )
        return alternative.model_copy(update={"told": _told(alternative)})

    def _answered(self, best: Reading, found: list[Alternative], no_more: bool, futures: Futures) -> Alternatives:
        limit = Limit.NONE
        if len(found) < self._spec.count and not no_more:
            limit = Limit.INTERRUPTED if self.should_stop is not None and self.should_stop() else Limit.TIME
        return Alternatives(
            best_objective_usd=best.objective_usd,
            best_bound_usd=_stated(self._bound_usd),
            best_decisions=best.decisions,
            best_audit_passed=self._audited(futures, best),
            plans=tuple(found),
            no_more=no_more,
            limit=limit,
            told=_all_told(self._spec, len(found), no_more, limit),
        )


def _fixed(matrix: Matrix, whole: Floats) -> dict[str, Any]:
    """Arrays of the linear program beside whole decisions; NaN is free."""
    given = ~np.isnan(whole)
    return {
        "column_lower": np.where(given, whole, matrix.column_lower),
        "column_upper": np.where(given, whole, matrix.column_upper),
        "integer": matrix.integer & ~given,
    }


def _bound(ended: Termination) -> float:
    return np.inf if ended.bound_usd is None else ended.bound_usd


def _stated(usd: float) -> float | None:
    return usd if np.isfinite(usd) else None


def _proves_no_more(last: Solved, floor_usd: float) -> bool:
    """Whether a search proves that nothing at this distance is worth the floor."""
    ended = last.solution.termination
    return ended.reason is TerminationReason.INFEASIBLE or _bound(ended) < floor_usd


def _no_best(ended: Termination) -> str:
    if ended.reason is TerminationReason.INFEASIBLE:
        return "There is no plan that keeps every limit (proven), so there are no alternatives."
    return f"No plan was found to be an alternative to: the search ended as {ended.reason}."


def _told(found: Alternative) -> str:
    """What an alternative costs, as far as it is proven."""
    costs, most = found.costs_usd / USD_PER_MUSD, found.most_cost_usd
    if costs < 0.0:
        said = f"It is worth {-costs:,.2f} million USD more than the best plan found, whose gap hid it"
    else:
        said = f"It costs {costs:,.2f} million USD against the best plan found"
    if most is None:
        return f"{said}; how far that is from the best possible is not known."
    said += f", and at most {musd_text(most)} against the best possible (proven)"
    proven = found.difference.certainty is Certainty.PROVEN
    return f"{said}." if proven else f"{said}; which of the two is better the gap hides."


def _all_told(spec: AlternativesSpec, count: int, no_more: bool, limit: Limit) -> str:
    by_mw, least = spec.measure is DistanceMeasure.MW, spec.minimum_distance
    unit = "MW of contracts" if by_mw else "contract" if least == 1.0 else "contracts"
    plans = f"{count or 'No'} {'plan' if count == 1 else 'plans'}"
    said = f"{plans} within {spec.within_frac:.2%} of the best and at least {least:g} {unit} apart"
    if no_more:
        return f"{said}; there are no more (proven)."
    if count == spec.count:
        return f"{said}; there may be more."
    why = "it was stopped" if limit is Limit.INTERRUPTED else "time and gap allowed no more"
    return f"{said}; there may be more, but {why}: give more time or a narrower gap."
