"""The terms on which an offer enters a plan, or leaves it: where the best plan with it is worth the best without.

The best plan with a contract is worth the more, the more the contract pays, and the less, the more it costs to build;
the best without does not depend on that. At each price both are proven to lie in an interval, from a plan to a bound.
Where the bound with the contract is no more than the plan without, the contract is out; where the plan with it is worth
no less than the bound without, it is in; so every answer is two prices, each held by a solve of its own. Between them
the gap decides. Capex, delay and hazard are asked for in the same way.

Terms to try are where lines through what is known meet the worth without. Linear programs come first: a relaxation for
the bound, the decisions of a known plan for the plan. Searches narrow what these leave open, as long as there is time.
One statement serves all offers, each on a term of its own: see :mod:`optimizer.app.term_programs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from optimizer.app.break_even_questions import (
    NOTHING_KNOWN,
    Question,
    Worth,
    in_words,
    scale_of,
    stated,
    value_of,
)
from optimizer.app.planning import PlanningJob, Stated
from optimizer.app.term_programs import TermPrograms
from optimizer.curves.futures import Futures
from optimizer.domain.break_evens import (
    UNITS,
    BreakEvens,
    BreakEvensSpec,
    ContractTerm,
    PriceBreakEven,
    TermBreakEven,
)
from optimizer.domain.plan import Progress
from optimizer.domain.proof import Certainty, Limit, TerminationReason
from optimizer.errors import InvalidInputError, SolverError
from optimizer.model.calendar import Floats, Ints
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix
from optimizer.model.whole import whole_columns
from optimizer.solve import PRIMAL_TOLERANCE, Solution, solve_fixed, solve_program

MOST_ROUNDS = 14
"""Terms of one offer that are tried by linear programs, and again by searches."""
STARTS_TRIED = 3
"""Of an offer, beside the whole decisions of the plan."""


def break_evens(
    spec: BreakEvensSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> BreakEvens:
    """The term on which each offer enters the plan, or leaves it, as an interval that is proven.

    Raises:
        InvalidInputError: for a plan that breaks limits.
        SolverError: as :func:`optimizer.plan`.
    """
    return _BreakEvensJob(spec, on_progress, should_stop).answer()


class _BreakEvensJob(PlanningJob):
    """One run of the use case."""

    def __init__(
        self,
        spec: BreakEvensSpec,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        super().__init__(spec.portfolio, spec.options, on_progress, should_stop)
        self._spec, self._of = spec, spec.of
        self._bases: dict[tuple[Any, ...], Any] = {}
        """Of the last linear program of each kind, and of those of each kind, offer and whether it is signed."""
        self._plans: dict[tuple[int, bool], Floats] = {}
        """Whole decisions of the best plan seen, by offer and whether it is signed in it."""

    def answer(self) -> BreakEvens:
        """Linear programs for all offers, then searches as long as there is time."""
        self._base = base = self._stated(Futures.of(self.portfolio))
        whole = whole_columns(base.program, self._spec.decisions)
        at_hand = solve_fixed(base.model, self._remaining(), whole)
        if at_hand.values is None or at_hand.termination.objective_usd is None:
            told, fix = "is no plan that keeps every limit", "evaluate it to see which it breaks"
            raise InvalidInputError.single("decisions", told, fix, "break-evens")
        best = Worth(at_hand.termination.objective_usd, self._bound(at_hand))
        questions = [self._question(offer, whole) for offer in self._asked()]
        self._narrow(questions, best, searching=False)
        if not self._spec.relaxed_only:
            self._narrow(questions, best, searching=True)
        limit = Limit.NONE
        if self._is_over():
            limit = Limit.INTERRUPTED if self.should_stop is not None and self.should_stop() else Limit.TIME
        return BreakEvens(
            objective_usd=best.least,
            bound_usd=best.most if np.isfinite(best.most) else None,
            prices=tuple(self._told_price(question) for question in questions if self._of is ContractTerm.PRICE),
            terms=tuple(self._told_term(question) for question in questions if self._of is not ContractTerm.PRICE),
            limit=limit,
        )

    def _asked(self) -> list[int]:
        names = self._spec.offers
        return [i for i, offer in enumerate(self.portfolio.offers) if not names or offer.name in names]

    def _bound(self, at_hand: Solution) -> float:
        """No plan is worth more."""
        worth, bound = at_hand.termination.objective_usd, self._spec.bound_usd
        assert worth is not None
        if bound is None:
            found = solve_program(self._base.model, self._remaining(0.5), self._search(), start=at_hand.values)
            bound = found.termination.bound_usd
        return np.inf if bound is None else max(bound, worth)

    def _question(self, offer: int, whole: Floats) -> Question:
        item = self.portfolio.offers[offer]
        signed = bool((whole[self._signs(offer)] > 0.5).any())
        self._plans[offer, signed] = whole
        return Question(offer, stated(self._of, item), signed, scale_of(self._of, item, self.portfolio))

    def _signs(self, offer: int) -> Ints:
        columns = self._base.program.variables["sign"].columns
        return np.asarray(columns[self._programs.offer_of_column[columns] == offer])

    def _narrow(self, questions: list[Question], best: Worth, *, searching: bool) -> None:
        """Try terms, all open questions a round, until none is left that would tell more."""
        for question in questions:
            question.tried.clear()
            known = NOTHING_KNOWN if question.signed else best
            if question.signed and not self._is_over():
                known = self._worth(question.offer, searching=searching, signed=False, share=1.0 / len(questions))
            question.without = question.without.narrowed(Worth(known.least, min(known.most, best.most)))
        for _ in range(MOST_ROUNDS):
            numbers = {item.offer: item.next_number for item in questions if len(self._signs(item.offer))}
            asked = {offer: number for offer, number in numbers.items() if number is not None}
            if not asked or self._is_over():
                return
            joint = None if self._of is ContractTerm.HAZARD else self._stated_at(asked)
            for done, question in enumerate(item for item in questions if item.offer in asked):
                if self._is_over():
                    return
                number = asked[question.offer]
                at = joint or self._stated_at({question.offer: number})  # a tenant has one hazard a statement
                self._base.model.become(self._programs.own(at, question.offer))
                share = 0.5 / (len(asked) - done)
                least = question.without.least
                worth = self._worth(question.offer, searching=searching, signed=True, share=share, idle_usd=least)
                self._base.model.become(self._programs.base)
                if question.signed and number == question.stated:
                    worth = worth.narrowed(best)
                question.learn(number, worth)

    def _stated(self, futures: Futures) -> Stated:
        """The program as stated, in places with room for all that any term allows."""
        with self._stage("build"):
            self._programs = TermPrograms(self.portfolio, futures, self._of)
        with self._stage("pass", told="build"):
            model = self._alive(self._programs.base)
        problem = PlanningProblem.of(self.portfolio, futures)
        return Stated(problem, self._programs.wide, self._programs.base, model)

    def _stated_at(self, numbers: Mapping[int, float]) -> Matrix:
        """The program with these offers on other terms; the one as stated may need more room for it."""
        matrix = self._programs.at(numbers)
        if self._programs.base.shape != self._base.model.matrix.shape:
            self._base.model.become(self._programs.base)
            self._bases.clear()
        return matrix

    def _worth(self, offer: int, *, searching: bool, signed: bool, share: float, idle_usd: float = -np.inf) -> Worth:
        """What the best plan with an offer, or without it, is worth on the terms that the program has now.

        Where a bound is no more than ``idle_usd``, no plan is looked for: the offer is out.
        """
        model, matrix = self._base.model, self._base.model.matrix
        self._of_linear = offer, signed
        upper, lower = matrix.column_upper.copy(), matrix.row_lower.copy()
        if signed:
            lower[self._once(offer)] = 1.0
        else:
            upper[self._signs(offer)] = 0.0
        with model.changed(column_upper=upper, row_lower=lower):
            if searching:
                return self._searched(offer, signed, share)
            most = self._relaxed()
            if most <= idle_usd:
                return Worth(-np.inf, most)
            return Worth(self._planned(offer, signed), most)

    def _once(self, offer: int) -> int:
        program = self._base.program
        keys = program.rows["offer_signed_at_most_once"].keys
        return program.first_row("offer_signed_at_most_once") + keys.index(self.portfolio.offers[offer].name)

    def _searched(self, offer: int, signed: bool, share: float) -> Worth:
        """By a search, from the best plan of its kind that is known."""
        model, start = self._base.model, None
        if (known := self._plans.get((offer, signed))) is not None:
            start = solve_fixed(model, self._remaining(), known).values
        found = solve_program(model, self._remaining(share), self._search(), start=start)
        ended = found.termination
        if ended.reason is TerminationReason.INFEASIBLE:
            return Worth(-np.inf, -np.inf)
        if found.values is not None:
            whole = np.where(self._programs.base.integer, np.rint(found.values), np.nan)
            self._plans[offer, signed] = whole
        return Worth(
            -np.inf if ended.objective_usd is None else ended.objective_usd,
            np.inf if ended.bound_usd is None else ended.bound_usd,
        )

    def _relaxed(self) -> float:
        """No plan of the program is worth more: the worth of its relaxation."""
        reason, worth = self._linear("relaxed", integer=np.zeros_like(self._programs.base.integer))
        if reason is TerminationReason.INFEASIBLE:
            return -np.inf
        return np.inf if worth is None else worth

    def _planned(self, offer: int, signed: bool) -> float:
        """A plan of the program: the decisions of the best of its kind that is known, or some near those at hand."""
        known = self._plans.get((offer, signed))
        for tries in [[known]] if known is not None else self._near(offer, signed):
            found = [self._beside(whole) for whole in tries]
            if max(found) > -np.inf:
                self._plans[offer, signed] = tries[int(np.argmax(found))]
                return max(found)
        return -np.inf

    def _beside(self, whole: Floats) -> float:
        """The worth of the best plan with these whole decisions; minus infinity if there is none."""
        given, matrix = ~np.isnan(whole), self._base.model.matrix
        if (whole[given] > matrix.column_upper[given]).any():
            return -np.inf
        reason, worth = self._linear(
            "beside",
            column_lower=np.where(given, whole, matrix.column_lower),
            column_upper=np.where(given, whole, matrix.column_upper),
            integer=matrix.integer & ~given,
        )
        return -np.inf if reason is not TerminationReason.OPTIMAL or worth is None else worth

    def _near(self, offer: int, signed: bool) -> Iterator[list[Floats]]:
        """The decisions at hand without the offer; or with it, beside the rest, or else with less of the rest."""
        sign, own = self._base.program.variables["sign"].columns, self._signs(offer)
        without = self._plans[offer, not signed].copy()
        without[own] = 0.0
        if not signed:
            yield [without]
            return
        promising = own[np.argsort(-self._values[own], kind="stable")][:STARTS_TRIED]
        columns = np.arange(len(without))
        yield [np.where(columns == start, 1.0, without) for start in promising]
        for start in promising:
            for dropped in sign[without[sign] > 0.5]:
                yield [np.where(columns == start, 1.0, np.where(columns == dropped, 0.0, without))]

    def _linear(self, kind: str, **arrays: Any) -> tuple[TerminationReason, float | None]:
        """How a linear program ends and what it is worth, from the basis of the last that was most like it."""
        model, same = self._base.model, (kind, *self._of_linear)
        with model.changed(**arrays):
            basis = self._bases.get(same, self._bases.get((kind,)))
            if basis is not None:
                model.start_from_basis(basis)
            try:
                ended = model.run(self._remaining(), self._search(), primal_feasibility_tolerance=PRIMAL_TOLERANCE)
            except SolverError:  # nothing is known then
                model.forget()
                return TerminationReason.FEASIBLE, None
            if ended.reason is not TerminationReason.OPTIMAL:
                return ended.reason, None
            self._bases[same] = self._bases[kind,] = model.basis
            self._values = model.values
            return ended.reason, ended.objective_usd

    def _told_price(self, question: Question) -> PriceBreakEven:
        return PriceBreakEven(
            offer=self.portfolio.offers[question.offer].name,
            signed=question.signed,
            price_usd_per_kw_month=question.stated,
            out_usd_per_kw_month=question.out,
            in_usd_per_kw_month=question.in_,
            certainty=self._certainty(question),
            told=self._in_words(question),
        )

    def _told_term(self, question: Question) -> TermBreakEven:
        return TermBreakEven(
            offer=self.portfolio.offers[question.offer].name,
            signed=question.signed,
            unit=UNITS[self._of],
            stated=value_of(self._of, question.stated),
            in_until=None if question.in_ is None else value_of(self._of, question.in_),
            out_from=None if question.out is None else value_of(self._of, question.out),
            certainty=self._certainty(question),
            told=self._in_words(question),
        )

    def _certainty(self, question: Question) -> Certainty:
        possible = bool(len(self._signs(question.offer)))
        return question.certainty if possible else Certainty.PROVEN

    def _in_words(self, question: Question) -> str:
        possible = bool(len(self._signs(question.offer)))
        return in_words(self.portfolio.offers[question.offer].name, self._of, question, possible=possible)
