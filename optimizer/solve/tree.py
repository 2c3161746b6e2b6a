"""Branch and bound that remembers: a tree whose leaves bound a program under other prices too.

Leaves that cover all whole decisions do so whatever the numbers of the program are. When prices change, the linear
program of each leaf is solved again, and the largest of their optima bounds every plan: a proof for the new program at
the cost of a few linear programs. Where that is not tight enough, the tree grows on from there.

Branching is on whether anything of a group is chosen (``sum x <= 1``: an offer, a site to be opened), then on which
half of the group, then on single whole numbers.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.model.program import Matrix
from optimizer.solve.choices import INTEGRALITY, bounds_if_chosen, choices_of, groups_of, largest_bounds, rounded
from optimizer.solve.dive import Relaxation, follow
from optimizer.solve.highs import PRIMAL_TOLERANCE
from optimizer.solve.live import ABSOLUTE_GAP_MUSD, LiveModel
from optimizer.solve.proof import KnownPlans, with_objective
from optimizer.solve.search import Floats, Search, Solution
from optimizer.units import USD_PER_MUSD

MOST_LEAVES: Final = 8
"""The cover that is kept for other prices has no more; each costs a linear program a time."""
FAR_FRAC: Final = 0.05
"""With a plan further from the bound than this, a dive for a better one comes before all else."""
NODES_BEFORE_DIVE: Final = 32
"""Otherwise it comes after so many linear programs."""
NODES_BETWEEN_ROUNDINGS: Final = 8
"""After so many, what the best leaf mostly chooses is tried as a plan."""
LEAST_S: Final = 0.01
ROOT: Final = "root"


@dataclass(frozen=True, eq=False)
class Leaf:
    """Part of all whole decisions: what is narrowed, and where the linear program was last solved."""

    lower: Mapping[int, float] = field(default_factory=dict)
    """Lower bounds by column, where they are raised."""
    upper: Mapping[int, float] = field(default_factory=dict)
    """Upper bounds by column, where they are cut."""
    least: Mapping[int, float] = field(default_factory=dict)
    """Lower bounds by row, where they are raised."""
    basis: Any = None
    """Where to start."""
    bound_musd: float = np.inf
    """No plan of this part is worth more; minus infinity where there is none."""
    values: Floats | None = None
    """The optimum of the linear program."""
    if_none: Floats | None = None
    """By choice: no plan of this part that takes nothing of it is worth more, in million USD."""
    if_some: Floats | None = None
    """By choice: no plan of this part that takes something of it is worth more."""


class Tree:
    """A program whose linear relaxation stays in HiGHS, and the leaves that cover its whole decisions."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.model = LiveModel(_relaxed(matrix))
        """The linear relaxation."""
        self._groups, self._choices = groups_of(matrix), choices_of(matrix)
        self.root = Leaf()
        """All whole decisions."""
        self.cover: tuple[Leaf, ...] = ()
        """Leaves of the first solve, that cover all whole decisions."""
        self.choice_bounds: dict[int, tuple[float, float]] = {}
        """By row ``sum x <= 1``, after a solve: no plan that chooses nothing of it, or something, is worth more, in
        million USD."""
        self._bases: dict[str, Any] = {}

    @property
    def bases(self) -> dict[str, Any]:
        """Where the last linear programs ended, by what they were."""
        return {ROOT: self.root.basis, **self._bases} if self.root.basis is not None else dict(self._bases)

    def begin_with(self, bases: Mapping[str, Any]) -> None:
        """Begin the next solves with the bases of another tree of the same places."""
        self.root = Leaf(basis=bases.get(ROOT))
        self._bases = {name: basis for name, basis in bases.items() if name != ROOT}

    def become(self, matrix: Matrix) -> bool:
        """Take on the numbers of another program; whether what was learnt of the last one holds for it."""
        groups = groups_of(matrix)
        same = (
            matrix.shape == self.matrix.shape
            and np.array_equal(matrix.integer, self.matrix.integer)
            and len(groups) == len(self._groups)
            and all(
                ours[0] == theirs[0] and np.array_equal(ours[1], theirs[1])
                for ours, theirs in zip(groups, self._groups, strict=True)
            )
        )
        self.matrix, self._groups, self._choices = matrix, groups, choices_of(matrix)
        self.model.become(_relaxed(matrix))
        if not same:
            self.root, self.cover, self._bases = Leaf(), (), {}
        return same

    def fixed(self, what: str, values: Floats, options: SolveOptions, search: Search) -> Solution:
        """Solve with the columns fixed that are not NaN in ``values``, tightly, from a basis of ``what`` or any."""
        given = ~np.isnan(values)
        self.model.update(
            column_lower=np.where(given, values, self.matrix.column_lower),
            column_upper=np.where(given, values, self.matrix.column_upper),
            row_lower=self.matrix.row_lower,
        )
        basis = self._bases.get(what, next(iter(self._bases.values()), None))
        if basis is not None:
            self.model.start_from_basis(basis)
        else:
            self.model.forget()
        tight = {"primal_feasibility_tolerance": PRIMAL_TOLERANCE}
        ended = self._run(options, search, stoppable=False, **tight)
        if ended.reason is not TerminationReason.OPTIMAL:
            return Solution(ended, None)
        self._bases[what] = self.model.basis
        return Solution(ended, self.model.values)

    def solve(self, options: SolveOptions, search: Search, starts: Sequence[Floats] = ()) -> Solution:
        """The best plan to the gap or the limits of ``options``, from the whole decisions of ``starts``.

        Raises:
            SolverError: when HiGHS fails, or a plan is worth more than the bound.
        """
        return _Growth(self, options, search).solution(starts)

    def prepare(self, options: SolveOptions, search: Search, start: Floats) -> None:
        """Grow no further than to a cover, for the solves of other programs; ``start`` is a good plan."""
        _Growth(self, options, search).solution([start], until_cover=True)

    def evaluated(self, leaf: Leaf, options: SolveOptions, search: Search) -> Leaf:
        """The leaf with its linear program solved; its bound stays what it was when a limit comes first."""
        column_lower, column_upper = self.matrix.column_lower.copy(), self.matrix.column_upper.copy()
        row_lower = self.matrix.row_lower.copy()
        for array, changes, narrow in (
            (column_lower, leaf.lower, np.maximum),
            (column_upper, leaf.upper, np.minimum),
            (row_lower, leaf.least, np.maximum),
        ):
            where = np.fromiter(changes, np.int64, len(changes))
            array[where] = narrow(array[where], np.fromiter(changes.values(), float, len(changes)))
        if (column_lower > column_upper).any():
            return replace(leaf, bound_musd=-np.inf, values=None)
        self.model.update(column_lower=column_lower, column_upper=column_upper, row_lower=row_lower)
        if leaf.basis is not None:
            self.model.start_from_basis(leaf.basis)
        ended = self._run(options, search)
        if ended.reason is TerminationReason.OPTIMAL and ended.objective_usd is not None:
            bound = ended.objective_usd / USD_PER_MUSD
            solved = replace(leaf, bound_musd=bound, values=self.model.values, basis=self.model.basis)
            limits, priced = (column_lower, column_upper, row_lower), (self.model.prices, self.model.reduced_costs)
            if_none, if_some = bounds_if_chosen(self._choices, bound, limits, *priced)
            return replace(solved, if_none=if_none, if_some=if_some)
        if ended.reason in (TerminationReason.INFEASIBLE, TerminationReason.UNBOUNDED):
            worth = -np.inf if ended.reason is TerminationReason.INFEASIBLE else np.inf
            return replace(leaf, bound_musd=worth, values=None)
        return replace(leaf, values=None)

    def learn(self, leaves: Sequence[Leaf]) -> None:
        """Note what the leaves that cover all whole decisions say about each choice."""
        if_none = largest_bounds(len(self._choices), [(leaf.bound_musd, leaf.if_none) for leaf in leaves])
        if_some = largest_bounds(len(self._choices), [(leaf.bound_musd, leaf.if_some) for leaf in leaves])
        bounds = zip(if_none.tolist(), if_some.tolist(), strict=True)
        self.choice_bounds = dict(zip((row for row, _ in self._choices), bounds, strict=True))

    def rounded(self, values: Floats) -> Floats:
        """Of each group what is chosen most, if more than half of the group is; all else down."""
        return rounded(self.matrix, self._groups, values)

    def dived(self, options: SolveOptions, search: Search) -> Floats | None:
        """A plan by diving from the root, or None."""
        matrix = self.matrix
        self.model.update(
            column_lower=matrix.column_lower, column_upper=matrix.column_upper, row_lower=matrix.row_lower
        )
        self.model.start_from_basis(self.root.basis)
        try:
            return follow(matrix, Relaxation(self.model, options, search))
        except SolverError:  # a start, never the answer
            return None

    def _run(self, options: SolveOptions, search: Search, **special: Any) -> Termination:
        """Solve from the basis, or from nothing where that leads nowhere."""
        try:
            return self.model.run(options, search, **special)
        except SolverError:
            self.model.forget()
            return self.model.run(options, search, **special)

    def parts(self, leaf: Leaf) -> tuple[Leaf, ...]:
        """Two leaves that cover the same decisions, or none if those of the linear program are whole."""
        values = leaf.values
        assert values is not None
        chosen = np.array([values[columns].sum() for _, columns in self._groups])
        open_by = np.abs(chosen - np.rint(chosen))
        if len(chosen) and open_by.max() > INTEGRALITY:
            row, columns = self._groups[int(np.argmax(open_by))]
            none = {**leaf.upper, **dict.fromkeys(columns.tolist(), 0.0)}
            return replace(leaf, upper=none), replace(leaf, least={**leaf.least, row: 1.0})
        integers = np.flatnonzero(self.matrix.integer)
        open_by = np.abs(values[integers] - np.rint(values[integers]))
        if not len(integers) or open_by.max() <= INTEGRALITY:
            return ()
        column = int(integers[int(np.argmax(open_by))])
        for _, columns in self._groups:
            half = _half(values[columns]) if column in columns else 0
            if half:
                sides = columns[:half].tolist(), columns[half:].tolist()
                return tuple(replace(leaf, upper={**leaf.upper, **dict.fromkeys(side, 0.0)}) for side in sides)
        down, up = float(np.floor(values[column])), float(np.ceil(values[column]))
        return replace(leaf, upper={**leaf.upper, column: down}), replace(leaf, lower={**leaf.lower, column: up})


class _Growth:
    """One solve: the leaves, and the best plan."""

    def __init__(self, tree: Tree, options: SolveOptions, search: Search) -> None:
        self._tree, self._options, self._search = tree, options, search
        self._deadline = time.monotonic() + options.time_limit_s
        self._open: list[tuple[float, int, Leaf]] = []
        self._has_dived, self._next_rounding = False, NODES_BETWEEN_ROUNDINGS
        self._number, self._done = count(), list[Leaf]()
        self._best: Floats | None = None
        self._worth_musd = -np.inf
        self._known = KnownPlans(tree.matrix)
        self._node_count = 0

    def solution(self, starts: Sequence[Floats], *, until_cover: bool = False) -> Solution:
        """Solve the root, then the cover where there is one, then let it grow."""
        tree = self._tree
        for number, start in enumerate(starts):
            self._try(start, f"start {number}")
        tree.root = root = self._solved(replace(tree.root, bound_musd=np.inf, if_none=None, if_some=None))
        if root.bound_musd == np.inf and not self._is_over:
            return Solution(Termination(reason=TerminationReason.UNBOUNDED), None)
        if root.values is not None and root.bound_musd > self._enough_musd and not self._is_over:
            self._try(tree.rounded(root.values), "rounding")
        kept = tree.cover if root.bound_musd > self._enough_musd else ()
        for leaf in kept:
            self._add(self._solved(replace(root, lower=leaf.lower, upper=leaf.upper, least=leaf.least)))
        if not kept:
            self._add(root)
        while self._open and self._bound_musd > self._enough_musd and not self._is_over:
            if self._should_dive:
                self._dive()
            else:
                self._grow()
            self._tell()
            if not tree.cover and len(self._open) + len(self._done) >= MOST_LEAVES:
                tree.cover = self._leaves
            if tree.cover and until_cover:
                break
        tree.cover = tree.cover or self._leaves
        tree.learn([*(item[2] for item in self._open), *self._done])
        return self._ended()

    def _grow(self) -> None:
        """Part the leaf of the largest bound."""
        leaf = heapq.heappop(self._open)[2]
        if leaf.values is None:  # a limit came before it was solved
            self._add(self._solved(leaf))
            return
        if self._node_count >= self._next_rounding:
            self._next_rounding = self._node_count + NODES_BETWEEN_ROUNDINGS
            self._try(self._tree.rounded(leaf.values), "rounding")
        parts = [self._solved(part) for part in self._tree.parts(leaf)]
        if not parts:
            self._try(leaf.values, "leaf")
            self._done.append(leaf)
            return
        for part in parts:
            self._add(part)

    def _dive(self) -> None:
        self._has_dived = True
        values = self._tree.dived(self._left(), self._search)
        if values is not None:
            self._try(values, "dive")

    def _solved(self, leaf: Leaf) -> Leaf:
        """The leaf with its linear program solved, unless a limit comes first."""
        if self._is_over:
            return replace(leaf, values=None)
        self._node_count += 1
        return self._tree.evaluated(leaf, self._left(), self._search)

    def _left(self) -> SolveOptions:
        left = max(self._deadline - time.monotonic(), LEAST_S)
        return self._options.model_copy(update={"time_limit_s": left})

    def _add(self, leaf: Leaf) -> None:
        if leaf.bound_musd == -np.inf:
            self._done.append(leaf)
        else:
            heapq.heappush(self._open, (-leaf.bound_musd, next(self._number), leaf))

    def _try(self, values: Floats, source: str) -> None:
        """The best plan with these whole decisions, if it is the best so far."""
        whole = np.where(self._tree.matrix.integer, np.rint(values), np.nan)
        found = self._tree.fixed(source, whole, self._options, self._search)
        if found.values is None or found.termination.objective_usd is None:
            return
        self._known.add_worth(f"the plan of a {source}", found.termination.objective_usd)
        worth = found.termination.objective_usd / USD_PER_MUSD
        if worth > self._worth_musd:
            self._best, self._worth_musd = found.values, worth

    @property
    def _is_over(self) -> bool:
        return self._search.stopped or time.monotonic() >= self._deadline

    @property
    def _should_dive(self) -> bool:
        far = self._best is None or self._bound_musd - self._worth_musd > FAR_FRAC * abs(self._worth_musd)
        return not self._has_dived and (far or self._node_count >= NODES_BEFORE_DIVE)

    @property
    def _leaves(self) -> tuple[Leaf, ...]:
        """All leaves, for other prices: without their optima."""
        return tuple(
            replace(leaf, values=None, basis=None, if_none=None, if_some=None)
            for leaf in (*(item[2] for item in self._open), *self._done)
        )

    @property
    def _bound_musd(self) -> float:
        """No plan is worth more."""
        return max([leaf.bound_musd for leaf in (*(item[2] for item in self._open[:1]), *self._done)], default=-np.inf)

    @property
    def _enough_musd(self) -> float:
        """A bound that proves the best plan good enough."""
        gap = max(self._options.gap_frac * abs(self._worth_musd), ABSOLUTE_GAP_MUSD)
        return self._worth_musd + gap if self._best is not None else -np.inf

    def _tell(self) -> None:
        if self._search.on_incumbent is not None:
            worth = None if self._best is None else self._worth_musd * USD_PER_MUSD
            self._search.on_incumbent(worth, self._bound_musd * USD_PER_MUSD, self._node_count)

    def _ended(self) -> Solution:
        bound = self._bound_musd
        limit = Limit.INTERRUPTED if self._search.stopped else Limit.TIME
        if self._best is None:
            if bound == -np.inf:
                return Solution(Termination(reason=TerminationReason.INFEASIBLE, node_count=self._node_count), None)
            told = bound * USD_PER_MUSD if np.isfinite(bound) else None
            reason = TerminationReason.NO_PLAN_FOUND
            return Solution(Termination(reason=reason, limit=limit, bound_usd=told, node_count=self._node_count), None)
        reached = not self._open or bound <= self._enough_musd
        ended = Termination(
            reason=TerminationReason.OPTIMAL if reached else TerminationReason.FEASIBLE,
            limit=Limit.NONE if reached else limit,
            bound_usd=bound * USD_PER_MUSD if np.isfinite(bound) else None,
            node_count=self._node_count,
        )
        self._known.check(ended, "the tree of linear programs")
        return Solution(with_objective(ended, self._worth_musd * USD_PER_MUSD, self._options.gap_frac), self._best)


def _half(values: Floats) -> int:
    """Where to cut a group so that something is chosen on either side; 0 if nothing is."""
    chosen = np.cumsum(values)
    for cut in (int(np.searchsorted(chosen, chosen[-1] / 2.0)) + shift for shift in (1, 0)):
        if 0 < cut < len(values) and INTEGRALITY < chosen[cut - 1] < chosen[-1] - INTEGRALITY:
            return cut
    return 0


def _relaxed(matrix: Matrix) -> Matrix:
    return replace(matrix, integer=np.zeros_like(matrix.integer))
