"""The price at which an offer enters a plan, or leaves it: where the best plan with it is worth the best without.

The best plan with a contract is worth the more, the more the contract pays; the best without does not depend on that.
At each price both are proven to lie in an interval, from a plan to a bound. Where the bound with the contract is no
more than the plan without, the contract is out; where the plan with it is worth no less than the bound without, it is
in; so every answer is two prices, each held by a solve of its own. Between them the gap decides.

Prices to try are where lines through what is known meet the worth without. Linear programs come first: a relaxation for
the bound, the decisions of a known plan for the plan. Searches narrow what these leave open, as long as there is time.
One statement serves all offers, each at a price of its own: what a price changes is in the columns of its offer. Rent
decides what debt it carries, so all programs are written in the places of one in which every offer is at its dearest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from optimizer.app.break_even_prices import DEAREST, NOTHING_KNOWN, PriceQuestion, Worth, in_words
from optimizer.app.planning import PlanningJob, Stated
from optimizer.curves.futures import Futures
from optimizer.domain.base import validated
from optimizer.domain.break_evens import BreakEvens, BreakEvensSpec, PriceBreakEven
from optimizer.domain.plan import Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Limit, TerminationReason
from optimizer.errors import InvalidInputError, SolverError
from optimizer.model.calendar import Floats, Ints
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix, Program
from optimizer.model.whole import whole_columns
from optimizer.solve import PRIMAL_TOLERANCE, Solution, solve_fixed, solve_program

MOST_ROUNDS = 14
"""Prices of one offer that are tried by linear programs, and again by searches."""
OF_CONTRACTS = ("sign", "critical_mw", "debt_musd")
"""Variables that a price changes; their keys begin with the offer."""
STARTS_TRIED = 3
"""Of an offer, beside the whole decisions of the plan."""


def break_evens(
    spec: BreakEvensSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> BreakEvens:
    """The price at which each offer enters the plan, or leaves it, as an interval that is proven.

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
        self._spec = spec
        self._bases: dict[str, Any] = {}
        """Of the last linear program of each kind."""
        self._plans: dict[tuple[int, bool], Floats] = {}
        """Whole decisions of the best plan seen, by offer and whether it is signed in it."""

    def answer(self) -> BreakEvens:
        """Linear programs for all offers, then searches as long as there is time."""
        self._base = stated = self._stated(Futures.of(self.portfolio))
        self._columns = _columns_by_offer(stated)
        whole = whole_columns(stated.program, self._spec.decisions)
        at_hand = solve_fixed(stated.model, self._remaining(), whole)
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
            prices=tuple(self._told(question) for question in questions),
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

    def _question(self, offer: int, whole: Floats) -> PriceQuestion:
        sign = self._signs(offer)
        signed = bool((whole[sign] > 0.5).any())
        self._plans[offer, signed] = whole
        return PriceQuestion(offer, self.portfolio.offers[offer].price_usd_per_kw_month, signed)

    def _signs(self, offer: int) -> Ints:
        return np.asarray(self._base.program.variables["sign"].columns[self._base.problem.starts.offer == offer])

    def _narrow(self, questions: list[PriceQuestion], best: Worth, *, searching: bool) -> None:
        """Try prices, all open questions a round, until none is left that would tell more."""
        for question in questions:
            question.tried.clear()
            known = NOTHING_KNOWN if question.signed else best
            if question.signed and not self._is_over():
                known = self._worth(question.offer, searching=searching, signed=False, share=1.0 / len(questions))
            question.without = question.without.narrowed(Worth(known.least, min(known.most, best.most)))
        for _ in range(MOST_ROUNDS):
            prices = {item.offer: item.next_price for item in questions if len(self._signs(item.offer))}
            asked = {offer: price for offer, price in prices.items() if price is not None}
            if not asked or self._is_over():
                return
            joint = self._stated_at(asked)
            for done, question in enumerate(item for item in questions if item.offer in asked):
                if self._is_over():
                    return
                self._base.model.become(self._own(joint, question.offer))
                share = 0.5 / (len(asked) - done)
                worth = self._worth(question.offer, searching=searching, signed=True, share=share)
                self._base.model.become(self._base.matrix)
                if question.signed and asked[question.offer] == question.price:
                    worth = worth.narrowed(best)
                question.learn(asked[question.offer], worth)

    def _stated(self, futures: Futures) -> Stated:
        """The program with room for all that any price allows: where rent carries no debt, there is none to decide."""
        self._futures = futures
        with self._stage("build"):
            self._wide = self._program_at(dict.fromkeys(range(len(self.portfolio.offers)), DEAREST))
            self._wide_matrix = self._wide.compile()
            matrix = self._stated_at({})
        with self._stage("pass", told="build"):
            model = self._alive(matrix)
        return Stated(PlanningProblem.of(self.portfolio, futures), self._wide, matrix, model)

    def _program_at(self, prices: dict[int, float]) -> Program:
        """The program with offers at these prices."""
        offers = tuple(
            offer.model_copy(update={"price_usd_per_kw_month": prices.get(i, offer.price_usd_per_kw_month)})
            for i, offer in enumerate(self.portfolio.offers)
        )
        fields = {name: getattr(self.portfolio, name) for name in self.portfolio.model_fields_set}
        portfolio = validated(Portfolio, {**fields, "offers": offers}, "break-evens")
        return assemble(PlanningProblem.of(portfolio, self._futures), FORMULATION)

    def _stated_at(self, prices: dict[int, float]) -> Matrix:
        """The same in the places of the wide one: what these prices do not allow is zero, and its rows are empty."""
        program, wide = self._program_at(prices), self._wide_matrix
        matrix, columns = program.compile(), _places(program.variables, self._wide.variables)
        rows = _places(program.rows, self._wide.rows)[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.start))]
        cost, upper = np.zeros_like(wide.cost), np.zeros_like(wide.column_upper)
        cost[columns], upper[columns] = matrix.cost, matrix.column_upper
        return _by_rows(
            replace(wide, constant=matrix.constant, cost=cost, column_upper=upper),
            rows,
            columns[matrix.index],
            matrix.value,
        )

    def _own(self, joint: Matrix, offer: int) -> Matrix:
        """The program in which only this offer has its price of the joint one; coefficients may vanish or appear."""
        base, own = self._base.matrix, self._columns == offer
        parts = [(base, ~own[base.index]), (joint, own[joint.index])]
        row = np.concatenate([np.repeat(np.arange(part.shape[0]), np.diff(part.start))[at] for part, at in parts])
        priced = replace(
            base,
            cost=np.where(own, joint.cost, base.cost),
            column_upper=np.where(own, joint.column_upper, base.column_upper),
        )
        index, value = (np.concatenate([getattr(part, of)[at] for part, at in parts]) for of in ("index", "value"))
        return _by_rows(priced, row, index, value)

    def _worth(self, offer: int, *, searching: bool, signed: bool, share: float) -> Worth:
        """What the best plan with an offer, or without it, is worth at the prices that the program has now."""
        model, matrix = self._base.model, self._base.model.matrix
        upper, lower = matrix.column_upper.copy(), matrix.row_lower.copy()
        if signed:
            lower[self._once(offer)] = 1.0
        else:
            upper[self._signs(offer)] = 0.0
        with model.changed(column_upper=upper, row_lower=lower):
            if searching:
                return self._searched(offer, signed, share)
            most = self._relaxed()
            if most == -np.inf:
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
            whole = np.where(self._base.matrix.integer, np.rint(found.values), np.nan)
            self._plans[offer, signed] = whole
        return Worth(
            -np.inf if ended.objective_usd is None else ended.objective_usd,
            np.inf if ended.bound_usd is None else ended.bound_usd,
        )

    def _relaxed(self) -> float:
        """No plan of the program is worth more: the worth of its relaxation."""
        reason, worth = self._linear("relaxed", integer=np.zeros_like(self._base.matrix.integer))
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
        """How a linear program ends and what it is worth, from the basis of the last of its kind."""
        model = self._base.model
        with model.changed(**arrays):
            if kind in self._bases:
                model.start_from_basis(self._bases[kind])
            try:
                ended = model.run(self._remaining(), self._search(), primal_feasibility_tolerance=PRIMAL_TOLERANCE)
            except SolverError:  # nothing is known then
                model.forget()
                return TerminationReason.FEASIBLE, None
            if ended.reason is not TerminationReason.OPTIMAL:
                return ended.reason, None
            self._bases[kind], self._values = model.basis, model.values
            return ended.reason, ended.objective_usd

    def _told(self, question: PriceQuestion) -> PriceBreakEven:
        offer, possible = self.portfolio.offers[question.offer], bool(len(self._signs(question.offer)))
        return PriceBreakEven(
            offer=offer.name,
            signed=question.signed,
            price_usd_per_kw_month=question.price,
            out_usd_per_kw_month=question.out,
            in_usd_per_kw_month=question.in_,
            told=in_words(offer.name, question, possible=possible),
        )


def _places(blocks: Mapping[str, Any], wide: Mapping[str, Any]) -> Ints:
    """Where the items of blocks are among those of a program that has them all."""
    place = {item: i for i, item in enumerate((name, key) for name, block in wide.items() for key in block.keys)}
    return np.array([place[name, key] for name, block in blocks.items() for key in block.keys], dtype=np.int64)


def _by_rows(matrix: Matrix, row: Ints, index: Ints, value: Floats) -> Matrix:
    """A program with these coefficients."""
    order = np.lexsort((index, row))
    start = np.searchsorted(row[order], np.arange(matrix.shape[0] + 1)).astype(np.int32)
    return replace(matrix, start=start, index=index[order].astype(np.int32), value=value[order])


def _columns_by_offer(stated: Stated) -> Ints:
    """The offer that each column is of, by its key; -1 for all others."""
    place = {offer.name: i for i, offer in enumerate(stated.problem.portfolio.offers)}
    found = np.full(stated.program.column_count, -1)
    for name in OF_CONTRACTS:
        block = stated.program.variables[name]
        found[block.columns] = [place[key[0]] for key in block.keys]  # type: ignore[index]
    return found
