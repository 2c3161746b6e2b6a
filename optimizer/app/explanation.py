"""Why a placement is in a plan, or why not: what is lost by having it the other way, and which limits price it.

The worth of the best plan lies between ``L``, the plan at hand, and its bound ``U``; that of the best plan with the
placement the other way between ``l`` and ``u``, from a search of its own. So what is lost is at least ``L - u``, not
less than nothing, and at most ``U - l``. Without a search ``u`` is the worth of the relaxation, and ``l`` that of the
best plan near the one at hand: as proven, but wider, and there in a few linear programs.

The reasons are of the linear program that is left when all whole decisions of the plan are fixed, and a first bit of
the contract is signed (a last bit is not, if it is signed). Its prices split the worth of the contract, row by row,
into its own and what it uses; the sum is exact, but holds at the margin. Without that bit the prices are not unique.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.app.planning import PlanningJob, Stated, check_highs_once
from optimizer.app.pricing import price_parts, rules_broken, rules_in_words
from optimizer.curves.futures import Futures
from optimizer.domain.explanation import Explanation, ExplanationSpec, PriceReason
from optimizer.domain.policy import Placement
from optimizer.domain.proof import Termination, TerminationReason, worth_difference
from optimizer.errors import InvalidInputError, did_you_mean
from optimizer.model.calendar import Floats, Ints
from optimizer.model.families.placements import matching_starts
from optimizer.model.problem import PlanningProblem
from optimizer.model.read import read_solution
from optimizer.model.whole import whole_columns
from optimizer.solve import LinearPrograms, Solution, groups_of, rounded, solve_program
from optimizer.units import USD_PER_MUSD

BIT = 1e-3
"""Of a contract, whose price is asked for."""
ONE_DOLLAR = 1.0
"""What is lost is told as nothing below this."""


def explain(spec: ExplanationSpec) -> Explanation:
    """Why a placement is in a plan, or why not.

    Raises:
        InvalidInputError: for an offer, site or month that there is not, with what there is; for a plan that breaks
            limits; for another solver than HiGHS; and where CVaR counts or hashprice answers to the plan.
        SolverError: as :func:`optimizer.plan`.
    """
    check_highs_once(spec.options, "explanations")
    if spec.portfolio.risk.counts_tail or spec.portfolio.market.own_hashrate_feedback:
        told = "explanations are in expectation, under a hashprice that does not answer to the plan"
        raise InvalidInputError.single("portfolio", told, "compare two plans instead", "explanation")
    return _ExplanationJob(spec).answer()


class _ExplanationJob(PlanningJob):
    """One question."""

    def __init__(self, spec: ExplanationSpec) -> None:
        super().__init__(spec.portfolio, spec.options, None, None)
        self._spec = spec

    def answer(self) -> Explanation:
        """Solve what is needed and tell it."""
        stated = self._stated(Futures.of(self.portfolio))
        self._linear = LinearPrograms(stated.matrix)
        starts = _starts(stated.problem, self._spec.placement)
        whole = whole_columns(stated.program, self._spec.decisions)
        at_hand = self._fixed(whole)
        if at_hand.values is None or at_hand.prices is None:
            told, fix = "is no plan that keeps every limit", "evaluate it to see which it breaks"
            raise InvalidInputError.single("decisions", told, fix, "explanation")
        sign = stated.program.variables["sign"].columns
        signed = bool((whole[sign[starts]] > 0.5).any())
        priced = self._priced(stated, starts, whole, at_hand.prices)
        start = priced.start
        least, most = self._worth(stated, at_hand)
        other = self._other(stated, starts, signed, whole, start)
        decisions = None
        if other.values is not None:
            decisions = read_solution(stated.program, stated.problem, other.values).decisions
        explanation = Explanation(
            signed=signed,
            possible=_possible(other),
            **_lost(least, most, other),
            other=decisions,
            reasons=priced.parts,
            margin_usd=priced.margin_usd if priced.parts else None,
            explained=_placement(stated.problem, start),
            blocked=priced.blocked,
            told="",
        )
        return explanation.model_copy(update={"told": _told(explanation, self._spec)})

    def _worth(self, stated: Stated, at_hand: Solution) -> tuple[float, float]:
        """The plan at hand, and the bound of all plans."""
        worth = at_hand.termination.objective_usd
        assert worth is not None
        bound = self._spec.bound_usd
        if bound is None and self._spec.relaxed_only:
            bound = self._linear.solved("relaxed", self._remaining(0.5), self._search()).termination.objective_usd
        elif bound is None:
            found = solve_program(stated.model, self._remaining(0.5), self._search(), start=at_hand.values)
            bound = found.termination.bound_usd
        return worth, max(np.inf if bound is None else bound, worth)

    def _other(self, stated: Stated, starts: Ints, signed: bool, whole: Floats, start: int) -> Solution:
        """The best plan with the placement, or without it if it is signed."""
        problem, program, matrix, model = stated
        sign, once = program.variables["sign"].columns, program.rows["offer_signed_at_most_once"]
        upper, lower, kept = matrix.column_upper.copy(), matrix.row_lower.copy(), whole.copy()
        offer = problem.starts.offer == problem.starts.offer[start]
        if signed:
            upper[sign[starts]] = 0.0
            kept[sign[starts]] = 0.0
        else:
            elsewhere = offer.copy()
            elsewhere[starts] = False
            upper[sign[elsewhere]] = 0.0
            name = problem.portfolio.offers[problem.starts.offer[start]].name
            lower[program.first_row("offer_signed_at_most_once") + once.keys.index(name)] = 1.0
            kept[sign[offer]] = 0.0
            kept[sign[start]] = 1.0
        limits = {"column_upper": upper, "row_lower": lower}
        if self._spec.relaxed_only:
            return self._near(self._relaxed(limits), stated, kept, int(sign[start]), limits)
        first = self._first(stated, kept, int(sign[start]), limits).values
        with model.changed(**limits):
            return solve_program(model, self._remaining(), self._search(), start=first)

    def _relaxed(self, limits: dict[str, Floats]) -> Solution:
        """The relaxation of the program the other way."""
        return self._linear.solved("relaxed", self._remaining(), self._search(), **limits)

    def _near(
        self, relaxed: Solution, stated: Stated, kept: Floats, column: int, limits: dict[str, Floats]
    ) -> Solution:
        """A plan near the one at hand, within the bound of the relaxation."""
        if relaxed.termination.reason is TerminationReason.INFEASIBLE:
            return relaxed
        found = self._first(stated, kept, column, limits)
        if relaxed.values is not None:
            whole = rounded(stated.matrix, groups_of(stated.matrix), relaxed.values)
            other = self._fixed(np.where(stated.matrix.integer, whole, np.nan), **limits)
            found = max(found, other, key=_worth_usd)
        worth, bound = found.termination.objective_usd, relaxed.termination.objective_usd
        if found.values is None or worth is None:
            ended = Termination(reason=TerminationReason.NO_PLAN_FOUND, bound_usd=bound)
            return Solution(ended, None)
        most = None if bound is None else max(bound, worth)
        ended = Termination(reason=TerminationReason.FEASIBLE, objective_usd=worth, bound_usd=most)
        return Solution(ended, found.values)

    def _first(self, stated: Stated, kept: Floats, column: int, limits: dict[str, Floats]) -> Solution:
        """The best plan of those with what is kept, less a contract, or nothing beside this start."""
        sign = stated.program.variables["sign"].columns
        dropped = [other for other in sign[kept[sign] > 0.5] if other != column]
        nothing = np.where(np.isnan(kept), np.nan, 0.0)
        nothing[column] = kept[column]
        tries = [kept, *[np.where(np.arange(len(kept)) == other, 0.0, kept) for other in dropped], nothing]
        best = self._fixed(tries[0], **limits)
        if best.values is None:
            best = max((self._fixed(whole, **limits) for whole in tries[1:]), key=_worth_usd)
        return best

    def _fixed(self, whole: Floats, **limits: Floats) -> Solution:
        """The best plan with whole decisions, of a program with other limits."""
        return self._linear.solved("kept", self._remaining(), self._search(), whole=whole, **limits)

    def _priced(self, stated: Stated, starts: Ints, whole: Floats, prices: Floats) -> _Priced:
        """The start that is signed, or the one that adds most at the margin.

        Prices without a bit of a start are too kind to it, if anything, so the kindest are tried until none can beat
        the best.
        """
        chosen = [int(i) for i in starts if whole[stated.program.variables["sign"].columns[i]] > 0.5]
        hoped = {start: _sum(price_parts(stated, _direction(stated, start), prices)) for start in chosen or starts}
        best: _Priced | None = None
        for start in sorted(hoped, key=lambda start: -hoped[start]):
            if best is not None and best.margin_usd >= hoped[start]:
                break
            priced = self._priced_at(stated, int(start), whole)
            if best is None or priced.margin_usd > best.margin_usd:
                best = priced
        assert best is not None
        return best

    def _priced_at(self, stated: Stated, start: int, whole: Floats) -> _Priced:
        """What a start adds at the margin; rules of whole decisions that a bit of it breaks are lifted."""
        matrix, column = stated.matrix, stated.program.variables["sign"].columns[start]
        step, signed = _direction(stated, start), bool(whole[column] > 0.5)
        broken = rules_broken(stated, -step if signed else step, whole)
        first = whole.copy()
        first[column] = 1.0 - BIT if signed else BIT
        lifted = {
            "row_lower": np.where(broken, -np.inf, matrix.row_lower),
            "row_upper": np.where(broken, np.inf, matrix.row_upper),
        }
        found = self._fixed(first, **lifted)
        blocked = () if signed else rules_in_words(stated, broken)
        if found.values is None or found.prices is None:
            return _Priced(start, (), blocked)
        whole_contract = np.where(step != 0.0, found.values / first[column], 0.0)
        return _Priced(start, price_parts(stated, whole_contract, found.prices), blocked)


@dataclass(frozen=True)
class _Priced:
    """A start at the margin of a plan."""

    start: int
    parts: tuple[PriceReason, ...]
    blocked: tuple[str, ...]

    @property
    def margin_usd(self) -> float:
        """What a first bit of it adds, or minus infinity where there is no room for any."""
        return _sum(self.parts) if self.parts else -np.inf


def _worth_usd(found: Solution) -> float:
    worth = found.termination.objective_usd
    return -np.inf if found.values is None or worth is None else worth


def _sum(parts: tuple[PriceReason, ...]) -> float:
    return sum(part.worth_usd for part in parts)


def _starts(problem: PlanningProblem, placement: Placement) -> Ints:
    """The starts that are meant; there is at least one."""
    portfolio, path = problem.portfolio, "placement"
    offer = portfolio.offers_by_name.get(placement.offer)
    if offer is None:
        fix = did_you_mean(placement.offer, list(portfolio.offers_by_name)).removeprefix("; ")
        raise InvalidInputError.single(f"{path}.offer", f"no offer is named {placement.offer!r}", fix, "explanation")
    places = [place.site for place in offer.sites]
    if placement.site is not None and placement.site not in places:
        told = f"{offer.name} cannot be placed at {placement.site}"
        raise InvalidInputError.single(f"{path}.site", told, f"it can at {', '.join(places)}", "explanation")
    there = matching_starts(problem, placement.model_copy(update={"sign_month": None}))
    months = sorted({problem.month_keys[int(month)] for month in problem.starts.sign_month[there]})
    at = f" at {placement.site}" if placement.site is not None else ""
    if not months:
        told = f"{offer.name} can be signed in no month{at}: it cannot be energized in time"
        raise InvalidInputError.single(path, told, "widen its window, or let the site be ready earlier", "explanation")
    if placement.sign_month is not None and f"{placement.sign_month:%Y-%m}" not in months:
        told = f"{offer.name} cannot be signed in {placement.sign_month:%Y-%m}{at}"
        raise InvalidInputError.single(f"{path}.sign_month", told, f"it can in {', '.join(months)}", "explanation")
    return np.flatnonzero(matching_starts(problem, placement))


def _direction(stated: Stated, start: int) -> Floats:
    """A contract as a step of the columns: its signature, and its most MW where it scales."""
    problem, program, matrix, _ = stated
    step = np.zeros(program.column_count)
    step[program.variables["sign"].columns[start]] = 1.0
    scalable = np.flatnonzero(problem.starts.scalable)
    if problem.starts.scalable[start]:
        column = program.variables["critical_mw"].columns[int(np.searchsorted(scalable, start))]
        step[column] = matrix.column_upper[column]
    return step


def _placement(problem: PlanningProblem, start: int) -> Placement:
    starts, portfolio = problem.starts, problem.portfolio
    return Placement(
        offer=portfolio.offers[starts.offer[start]].name,
        site=portfolio.sites[starts.site[start]].name,
        sign_month=portfolio.horizon.month_at(int(starts.sign_month[start])),
    )


def _possible(other: Solution) -> bool | None:
    if other.values is not None:
        return True
    return False if other.termination.reason is TerminationReason.INFEASIBLE else None


def _lost(least: float, most: float, other: Solution) -> dict[str, Any]:
    """The interval in which what is lost is proven to lie."""
    end, known = other.termination, dict[str, Any]()
    if end.bound_usd is not None and end.reason is not TerminationReason.INFEASIBLE:
        known["least_lost_usd"] = max(0.0, least - end.bound_usd)
    if end.objective_usd is not None and np.isfinite(most):
        known["most_lost_usd"] = max(0.0, most - end.objective_usd)
    if end.objective_usd is not None:
        bound = most if np.isfinite(most) else None
        known["lost"] = worth_difference(least, bound, end.objective_usd, end.bound_usd, other_is_narrower=True)
    return known


def _told(found: Explanation, spec: ExplanationSpec) -> str:
    asked, relaxed = spec.placement, spec.relaxed_only
    where = f" at {asked.site}" if asked.site is not None else ""
    when = f" in {asked.sign_month:%Y-%m}" if asked.sign_month is not None else ""
    what, other = f"{asked.offer}{where}{when}", "leaving it out" if found.signed else "signing it"
    said = f"{what} is {'' if found.signed else 'not '}signed: "
    if found.possible is False:
        return f"{said}{other} is not possible, no plan that keeps every limit does (proven)."
    least, most = found.least_lost_usd, found.most_lost_usd
    if most is None or found.lost is None:
        known = "" if not least else f" It loses at least {least / USD_PER_MUSD:,.2f} million USD (proven)."
        when = "without a search" if relaxed else "in time"
        return f"{said}no plan was found {when} by {other}.{known}"
    if not least or least < ONE_DOLLAR:
        hint = "; a search may find it as good" if relaxed else ""
        return f"{said}{other} loses {found.lost.told}{hint}."
    low, high = f"{least / USD_PER_MUSD:,.2f}", f"{most / USD_PER_MUSD:,.2f}"
    lost = f"{low} million USD" if low == high else f"between {low} and {high} million USD"
    return f"{said}{other} loses {lost} (proven)."
