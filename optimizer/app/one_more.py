"""What one more of something scarce is worth: at the margin, to the decisions at hand, and with all planned anew.

The linear program that is left when the whole decisions of a plan are fixed is solved once. Its dual prices say at once
what any change of limits is worth at the margin; it is solved again with the whole step, and its worth is concave along
the way: where the step earns what the price promises, the price holds all the way to there (proven).

Planned anew, the best plan with the step is worth no less than the best known with it, and no more than the leaves of a
tree over all whole decisions allow: the duals of each leaf bound it under the change too, without a solve; see
:mod:`optimizer.solve.weak_duality`. Searches narrow what that leaves open, as long as there is time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.app.planning import PlanningJob
from optimizer.app.scarce import More, all_asked
from optimizer.curves.futures import Futures
from optimizer.domain.one_more import UNITS, OneMore, OneMoreSpec, OneMoreValue, Scarce
from optimizer.domain.plan import Progress
from optimizer.domain.proof import Limit
from optimizer.errors import InvalidInputError, SolverError
from optimizer.model.calendar import Floats
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.program import Matrix
from optimizer.model.whole import whole_columns
from optimizer.solve import Leaf, LiveModel, Tree, further, most_gained_musd, narrowed_like, only_widens
from optimizer.units import USD_PER_MUSD

ONE_DOLLAR = 1.0
"""Worths are told apart from this on, and a millionth of what the price promises."""
AS_PROMISED_FRAC = 1e-6
NOISE_USD = 0.1
"""Dual prices are right to this."""
FIRST, LESS, FURTHER = (1.0,), (0.1, 0.01), (10.0, 100.0)
"""Multiples of the step at which the price is tried: less where it does not hold for the step, and else further."""
LEAST_SEARCH_S = 2.0
"""A search gets no less, if need be at the cost of those behind it."""


def one_more(
    spec: OneMoreSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> OneMore:
    """What one more of each scarce thing is worth, at the margin and planned anew.

    >>> import optimizer
    >>> from optimizer.domain.one_more import OneMoreSpec
    >>> tiny = optimizer.load_portfolio("tiny")
    >>> plan = optimizer.plan(tiny)
    >>> asked = OneMoreSpec(portfolio=tiny, decisions=plan.decisions, of=("halls",), prices_only=True)
    >>> [(item.what, item.price_usd >= 0.0) for item in optimizer.one_more(asked).values]
    [('halls at Pecos', True), ('halls at Moses Lake', True)]

    Raises:
        InvalidInputError: for a plan that breaks limits.
        SolverError: as :func:`optimizer.plan`.
    """
    return _OneMoreJob(spec, on_progress, should_stop).answer()


@dataclass(eq=False)
class _Question:
    """One thing, and what is known of its worth."""

    more: More
    matrix: Matrix
    """The program with the step."""
    price_usd: float
    """Of the step."""
    holds_until: float | None = 0.0
    """In steps; none if there is no end to it."""
    kept_usd: float | None = None
    planned_usd: float = -np.inf
    """Worth of the best plan that is known with the step."""
    bound_usd: float = np.inf
    """No plan with the step is worth more."""


class _OneMoreJob(PlanningJob):
    """One run of the use case."""

    def __init__(
        self,
        spec: OneMoreSpec,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        super().__init__(spec.portfolio, spec.options, on_progress, should_stop)
        self._spec = spec

    def answer(self) -> OneMore:
        """Prices for all, then what the step earns with the decisions kept, then bounds and searches."""
        self._base = stated = self._stated(Futures.of(self.portfolio))
        self._whole = whole_columns(stated.program, self._spec.decisions)
        at_hand = self._tree.fixed("kept", self._whole, self._remaining(), self._search())
        if at_hand.values is None or at_hand.termination.objective_usd is None:
            told, fix = "is no plan that keeps every limit", "evaluate it to see which it breaks"
            raise InvalidInputError.single("decisions", told, fix, "one more")
        self._worth_usd = at_hand.termination.objective_usd
        self._bound_usd = np.inf if self._spec.bound_usd is None else max(self._spec.bound_usd, self._worth_usd)
        kept, prices = self._tree.model.matrix, self._tree.model.prices
        questions = [self._question(more, kept, prices) for more in all_asked(self._spec)]
        for question in questions:
            self._keep(question)
        if not self._spec.prices_only:
            self._tree.become(stated.matrix)
            self._bound(questions, at_hand.values)
            self._plan_anew(questions)
        limit = Limit.NONE
        if self._is_over():
            limit = Limit.INTERRUPTED if self.should_stop is not None and self.should_stop() else Limit.TIME
        return OneMore(
            objective_usd=self._worth_usd,
            bound_usd=self._bound_usd if np.isfinite(self._bound_usd) else None,
            step=self._spec.step,
            values=tuple(self._told(question) for question in questions),
            limit=limit,
        )

    def _alive(self, matrix: Matrix) -> LiveModel:
        """The relaxation, in a tree."""
        self._tree = Tree(matrix)
        return self._tree.model

    def _question(self, more: More, kept: Matrix, prices: Floats) -> _Question:
        """What the step is worth at the prices of the decisions at hand."""
        problem = self._base.problem.limited(more.portfolio(self.portfolio))
        program = assemble(problem, FORMULATION)
        matrix = program.compile()
        if matrix.shape != self._base.matrix.shape:
            raise SolverError(f"more {more.what} changes what can be decided; state a portfolio with it and compare")
        price = most_gained_musd(kept, narrowed_like(self._base.matrix, kept, matrix), prices)
        if not np.isfinite(price):
            raise SolverError(f"prices tell nothing about more {more.what}; state a portfolio with it and compare")
        return _Question(more, matrix, price * USD_PER_MUSD)

    # -------------------------------------------------------------------------------------------------- decisions kept

    def _keep(self, question: _Question) -> None:
        """Solve with the step, then less far or further along: up to where the price holds."""
        if abs(question.price_usd) <= NOISE_USD and self._only_widens(question):  # weak duality: it earns no more
            question.price_usd, question.kept_usd, question.holds_until = 0.0, 0.0, None
            question.planned_usd = self._worth_usd
            return
        shares = FIRST if question.more.of is Scarce.EARLIER_GRID else (*FIRST, *LESS)
        earned: dict[float, float] = {}
        for share in shares:
            gained = self._earned_usd(question, share)
            if gained is None:
                break
            earned[share] = gained
            if _as_promised(gained, share * question.price_usd):
                break
        else:  # at a corner prices are not unique, and none of them is right for more
            question.price_usd = earned[shares[-1]] / shares[-1]
        question.kept_usd = earned.get(1.0)
        if question.kept_usd is not None:
            question.planned_usd = self._worth_usd + question.kept_usd
        holds = [share for share, gained in earned.items() if _as_promised(gained, share * question.price_usd)]
        question.holds_until = max(holds, default=0.0)
        if question.more.of is Scarce.EARLIER_GRID or 1.0 not in holds:
            return
        for share in FURTHER:
            if self._is_late:
                return
            gained = self._earned_usd(question, share)
            if gained is None or not _as_promised(gained, share * question.price_usd):
                return
            question.holds_until = share

    @property
    def _is_late(self) -> bool:
        """Whether the rest of the time is better spent on what is planned anew."""
        late = self._remaining().time_limit_s < 0.5 * self.options.time_limit_s
        return late and not self._spec.prices_only

    def _earned_usd(self, question: _Question, share: float) -> float | None:
        """What a share of the step, or a multiple, earns with the whole decisions at hand; none if it is not known."""
        matrix = question.matrix if share == 1.0 else further(self._base.matrix, question.matrix, share)
        if matrix is None or self._is_over():
            return None
        self._tree.become(matrix)
        found = self._tree.fixed("kept", self._whole, self._remaining(), self._search())
        worth = found.termination.objective_usd
        return None if found.values is None or worth is None else worth - self._worth_usd

    # ---------------------------------------------------------------------------------------------------- planned anew

    def _bound(self, questions: list[_Question], at_hand: Floats) -> None:
        """Bounds of all questions, by the relaxation and by leaves that cover the whole decisions."""
        self._tree.prepare(self._remaining(0.5), self._search(), at_hand)
        bound_musd, relaxed = self._bounds(self._tree.root, questions)
        covered = [self._bounds(leaf, questions) for leaf in self._tree.cover]
        if covered:
            bound_musd = min(bound_musd, max(bound for bound, _ in covered))
        # a leaf without a plan may have one with the step: of those no more is known than of the relaxation
        leaves = np.array([np.where(np.isneginf(bounds), np.inf, bounds) for _, bounds in covered] or [relaxed])
        self._bound_usd = min(self._bound_usd, max(bound_musd * USD_PER_MUSD, self._worth_usd))
        for question, bound in zip(questions, np.minimum(relaxed, leaves.max(axis=0)), strict=True):
            question.bound_usd = max(bound * USD_PER_MUSD, question.planned_usd)

    def _bounds(self, leaf: Leaf, questions: list[_Question]) -> tuple[float, Floats]:
        """Bound of a leaf as stated and, by its duals, under each question; in million USD."""
        solved = self._tree.evaluated(leaf, self._remaining(), self._search())
        if solved.values is None:
            return solved.bound_musd, np.full(len(questions), -np.inf if solved.bound_musd == -np.inf else np.inf)
        before, prices = self._tree.model.matrix, self._tree.model.prices
        after = [narrowed_like(self._base.matrix, before, question.matrix) for question in questions]
        gained = [most_gained_musd(before, matrix, prices) for matrix in after]
        return solved.bound_musd, solved.bound_musd + np.array(gained)

    def _plan_anew(self, questions: list[_Question]) -> None:
        """Search for what is open, as long as there is time."""
        is_open = [question for question in questions if question.bound_usd - question.planned_usd > ONE_DOLLAR]
        for done, question in enumerate(is_open):
            if self._is_over():
                return
            left_s = self._remaining().time_limit_s
            share = min(max(1.0 / (len(is_open) - done), LEAST_SEARCH_S / left_s), 1.0)
            self._tree.become(question.matrix)
            found = self._tree.solve(self._remaining(share), self._search(), [self._whole])
            ended = found.termination
            if ended.objective_usd is not None:
                question.planned_usd = max(question.planned_usd, ended.objective_usd)
            if ended.bound_usd is not None:
                question.bound_usd = max(min(question.bound_usd, ended.bound_usd), question.planned_usd)

    def _only_widens(self, question: _Question) -> bool:
        return only_widens(self._base.matrix, question.matrix)

    def _told(self, question: _Question) -> OneMoreValue:
        more, step, worth = question.more, self._spec.step, self._worth_usd
        known: dict[str, float] = {}
        if not self._spec.prices_only:
            least = question.planned_usd - self._bound_usd
            if self._only_widens(question):
                least = max(least, 0.0)
            named = {
                "found_usd": question.planned_usd - worth,
                "least_usd": least,
                "most_usd": max(question.bound_usd - worth, least),
            }
            known = {name: value for name, value in named.items() if np.isfinite(value)}
        value = OneMoreValue(
            of=more.of,
            what=more.what,
            site=more.site,
            year=more.year,
            unit=UNITS[more.of],
            price_usd=question.price_usd / step,
            holds_until=None if question.holds_until is None else question.holds_until * step,
            kept_usd=question.kept_usd,
            **known,
            told="",
        )
        return value.model_copy(update={"told": in_words(value, step)})


def in_words(value: OneMoreValue, step: float) -> str:
    """The answer, with what is proven of it and what the gap hides."""
    amount = f"{step:,.10g} {value.unit}{'s' if step != 1.0 and value.unit in ('month', 'machine') else ''}"
    if value.holds_until is None:
        told = f"{value.what}: worth nothing with the decisions at hand, however much more"
    else:
        holds = f", which holds for {value.holds_until:,.10g} more" if value.holds_until else ""
        told = f"{value.what}: {_usd(value.price_usd)} USD a {value.unit} at the margin{holds}"
        if value.kept_usd is None:
            told += f"; whether {amount} more leaves the decisions at hand possible is not known"
        else:
            told += f"; {amount} more earns {_usd(value.kept_usd)} USD with the decisions at hand"
    if value.least_usd is None or value.most_usd is None:
        return f"{told}."
    least, most = _usd(value.least_usd), _usd(value.most_usd)
    if value.most_usd - value.least_usd <= ONE_DOLLAR:
        return f"{told}, {most} USD planned anew (proven)."
    found = "" if value.found_usd is None else f"; the best plan found with it earns {_usd(value.found_usd)} more"
    return f"{told}, between {least} and {most} USD planned anew (proven){found}."


def _usd(value: float) -> str:
    return f"{round(value) + 0:,.0f}"


def _as_promised(earned_usd: float, promised_usd: float) -> bool:
    return abs(earned_usd - promised_usd) <= ONE_DOLLAR * 1e-2 + AS_PROMISED_FRAC * abs(promised_usd)
