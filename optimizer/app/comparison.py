"""Compare two plans: what differs and what each difference is worth, by the audit's arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from optimizer.app.assumptions import assumption_differences, parts_that_differ
from optimizer.app.baselines import baseline_decisions
from optimizer.app.decision_parts import PARTS, Part, Rows
from optimizer.app.evaluation import evaluate
from optimizer.app.own_hashrate import made
from optimizer.audit import recalculate
from optimizer.audit.book import read_decisions
from optimizer.curves.futures import Futures
from optimizer.domain.base import validated
from optimizer.domain.comparison import Comparison, ComparisonSpec, PlanChange
from optimizer.domain.decisions import Decisions
from optimizer.domain.evaluation import Evaluation, EvaluationSpec
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import WorthDifference, worth_difference
from optimizer.errors import InvalidInputError
from optimizer.units import USD_PER_MUSD


def compare(spec: ComparisonSpec) -> Comparison:
    """How a plan differs from another one, and what each difference is worth.

    The other plan becomes this one in steps, each valued as a whole by the audit, so that their worth sums to the
    difference: first what this portfolio does not know is given up, then the assumptions change, then the decisions.

    Raises:
        InvalidInputError: for names, places and months that a portfolio does not have, and for a baseline that is
            infeasible or was not found in time.
    """
    portfolio, other_portfolio = spec.portfolio, spec.other_portfolio or spec.portfolio
    other_decisions = spec.other
    if other_decisions is None:
        assert spec.baseline is not None
        other_decisions = baseline_decisions(portfolio, spec.baseline, spec.options)
        if other_decisions is None:
            told = f"{spec.baseline.value}: the limits leave no such plan"
            fix = "compare with a stated plan, or loosen liquidity and policies"
            raise InvalidInputError.single("baseline", told, fix, "comparison")
    plan = evaluate(EvaluationSpec(portfolio=portfolio, decisions=spec.decisions))
    other = evaluate(EvaluationSpec(portfolio=other_portfolio, decisions=other_decisions))
    changes = changes_between(other_portfolio, other_decisions, spec.decisions, portfolio)
    difference = _npv_usd(plan) - _npv_usd(other)
    best = _best_difference(spec, plan, other)
    told = _told(spec, difference, plan, other)
    return Comparison(
        plan=plan,
        other=other,
        difference_usd=difference,
        best_difference=best,
        changes=changes,
        assumptions=assumption_differences(portfolio, other_portfolio),
        told=told if best is None else f"{told} Between the best plans of both it is {best.told}.",
    )


def _best_difference(spec: ComparisonSpec, plan: Evaluation, other: Evaluation) -> WorthDifference | None:
    """Between the best plans of two portfolios, where both bounds are stated and no limit is broken."""
    if spec.other_portfolio in (None, spec.portfolio) or spec.bound_usd is None or spec.other_bound_usd is None:
        return None
    if not (plan.feasible and other.feasible):
        return None
    return worth_difference(_npv_usd(plan), spec.bound_usd, _npv_usd(other), spec.other_bound_usd)


def changes_between(
    portfolio: Portfolio, before: Decisions, after: Decisions, other_portfolio: Portfolio | None = None
) -> tuple[PlanChange, ...]:
    """From one plan to another, under another portfolio if one is given: their worth sums to the difference of NPV."""
    return tuple(_Walk(portfolio, before).to(other_portfolio or portfolio, after))


class _Walk:
    """A portfolio and decisions that become others step by step, and what they are worth at each."""

    def __init__(self, portfolio: Portfolio, decisions: Decisions) -> None:
        self.portfolio, self.decisions, self.futures = portfolio, decisions, Futures.of(portfolio)
        self.worth_usd = self._valued(self.futures, decisions)

    def to(self, portfolio: Portfolio, decisions: Decisions) -> Iterator[PlanChange]:
        """Every step with what it adds."""
        if parts_that_differ(portfolio, self.portfolio):
            for part in PARTS:
                for _, before in part.differences(Decisions(), self.decisions):
                    unknown = tuple(row for row in before if not knows(portfolio, part, row))
                    if unknown:
                        yield self._without(part, unknown)
            yield from self._assume(portfolio)
        for part in PARTS:
            for after, before in part.differences(decisions, self.decisions):
                yield self._instead(part, after, before)

    def _without(self, part: Part, rows: Rows) -> PlanChange:
        kept = tuple(row for row in getattr(self.decisions, part.field) if row not in rows)
        told = part.told((), rows, self.portfolio)
        return self._decide(told, self.decisions.model_copy(update={part.field: kept}))

    def _instead(self, part: Part, after: Rows, before: Rows) -> PlanChange:
        kept = tuple(row for row in getattr(self.decisions, part.field) if row not in before)
        told = part.told(after, before, self.portfolio)
        return self._decide(told, self.decisions.model_copy(update={part.field: (*kept, *after)}))

    def _decide(self, told: str, decisions: Decisions) -> PlanChange:
        self.decisions = decisions
        return self._moved(told, self._valued(self.futures, decisions))

    def _assume(self, portfolio: Portfolio) -> Iterator[PlanChange]:
        """The assumptions, one part of the portfolio after the other, as far as each leaves one that holds together."""
        reached: dict[str, Any] = {name: getattr(self.portfolio, name) for name in self.portfolio.model_fields_set}
        together: list[str] = []
        for name in parts_that_differ(portfolio, self.portfolio):
            reached[name] = getattr(portfolio, name)
            together.append(name)
            try:
                between = validated(Portfolio, reached, "portfolio")
                futures = Futures.of(between)
                worth = self._valued(futures, self.decisions)
            except InvalidInputError:
                continue  # not without what comes next
            self.portfolio, self.futures = between, futures
            yield self._moved(f"Other assumptions about {', '.join(together)}", worth)
            together = []

    def _moved(self, told: str, worth_usd: float) -> PlanChange:
        change = PlanChange(told=told, npv_usd=worth_usd - self.worth_usd)
        self.worth_usd = worth_usd
        return change

    def _valued(self, futures: Futures, decisions: Decisions) -> float:
        """Expected NPV, under the hashprice that the decisions make where it answers to them."""
        if futures.portfolio.market.own_hashrate_feedback:
            return made(futures, decisions).npv_usd
        return recalculate(futures.portfolio, futures, decisions).npv_usd


def knows(portfolio: Portfolio, part: Part, row: Any) -> bool:
    """Whether a portfolio has the names and the month of a decision."""
    if not 0 <= portfolio.horizon.index_of(getattr(row, part.month)) < portfolio.horizon.month_count:
        return False
    try:
        read_decisions(portfolio, Decisions.model_validate({part.field: (row,)}))
    except InvalidInputError:
        return False
    return True


def _npv_usd(evaluation: Evaluation) -> float:
    assert evaluation.plan.npv is not None
    return evaluation.plan.npv.total_usd


def _told(spec: ComparisonSpec, difference_usd: float, plan: Evaluation, other: Evaluation) -> str:
    worth = f"worth {abs(difference_usd) / USD_PER_MUSD:,.1f} million USD {'more' if difference_usd >= 0.0 else 'less'}"
    broken = [
        f"{name} breaks {len(side.broken)} limits" for name, side in (("it", plan), ("the other", other)) if side.broken
    ]
    held = " and ".join(broken) or "both keep every limit"
    told = f"The plan is {worth} than the other; {held}. All figures are the audit's, of plans as they are stated."
    if spec.baseline is not None:
        told += f" The other was searched for to a gap of {spec.options.gap_frac:.2%}."
    return told
