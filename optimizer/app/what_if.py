"""What-ifs: a portfolio planned once, then the same with other numbers, each an audited plan with a bound of its own.

The program stays in the solver and is re-priced in place. A what-if starts from the whole decisions of the plan before
and of the base, each solved as a linear program, and is bounded by the leaves of the base's tree: see
:mod:`optimizer.solve.tree`. Where that does not prove the gap asked for, the search goes on from there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from optimizer.app.changes import changed
from optimizer.app.planning import Attempt, PlanningJob, Stated, check_highs_once, read_answer
from optimizer.audit import Recalculation
from optimizer.curves.futures import Futures
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError
from optimizer.model.own import OwnRule
from optimizer.model.program import Matrix, Program
from optimizer.solve import Leaf, LiveModel, Search, Tree
from optimizer.solve.bases import basis_of, basis_text
from optimizer.solve.proof import BOUND_TOLERANCE
from optimizer.solve.search import Floats
from optimizer.units import USD_PER_MUSD

TIME_SHARE_FRAC = 0.1
ONCE = "offer_signed_at_most_once"
LEAST_S = 5.0
"""However fast the base was, a what-if may take so long."""
_MATRIX = tuple(item.name for item in fields(Matrix) if item.name != "constant")
WholeDecisions = dict[tuple[str, Any], float]
"""What is chosen of the whole decisions, by variable and key; those at zero are left out."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What other what-ifs begin with: of the base what another process can be sent."""

    matrix: Matrix
    """The program of the base."""
    cover: tuple[Leaf, ...]
    """Leaves that cover its whole decisions."""
    chosen: WholeDecisions
    """Those of its plan."""
    bases: Mapping[str, Any] = field(default_factory=dict)
    """Where its linear programs ended."""

    def dumped(self) -> bytes:
        """JSON on one line, exact to the bit."""
        arrays = {name: getattr(self.matrix, name) for name in _MATRIX}
        matrix = {name: (str(array.dtype), array.tolist()) for name, array in arrays.items()}
        leaves = [
            [_pairs(leaf.lower), _pairs(leaf.upper), _pairs(leaf.least), float(leaf.bound_musd)] for leaf in self.cover
        ]
        bases = {name: basis_text(basis) for name, basis in self.bases.items()}
        return json.dumps([matrix, self.matrix.constant, leaves, list(self.chosen.items()), bases]).encode()

    @classmethod
    def read(cls, document: bytes) -> Kept:
        """The inverse."""
        matrix, constant, leaves, chosen, bases = json.loads(document)
        arrays = {name: np.array(values, dtype=kind) for name, (kind, values) in matrix.items()}
        cover = tuple(
            Leaf(dict(lower), dict(upper), dict(least), bound_musd=bound) for lower, upper, least, bound in leaves
        )
        decisions = {(name, _key(key)): value for (name, key), value in chosen}
        ends = {name: basis_of(*basis) for name, basis in bases.items()}
        return cls(Matrix(**arrays, constant=constant), cover, decisions, ends)


@dataclass(frozen=True, eq=False)
class Bookmark:
    """Where the what-ifs were after one of them: what one next to it begins with."""

    known: tuple[WholeDecisions, ...]
    root: Leaf


class WhatIfs:
    """A portfolio, its plan, and the program that finds plans for variations of it.

    >>> from optimizer.domain import SolveOptions
    >>> import optimizer
    >>> what_ifs = WhatIfs(optimizer.load_portfolio("tiny"), SolveOptions(gap_frac=0.01))
    >>> cheap = what_ifs.plan(scale={"market.btc_usd": 0.9})
    >>> cheap.audit.passed and cheap.npv.mining_usd < what_ifs.base.npv.mining_usd
    True

    Prices, levels, budgets and costs are changed in place. A variation with other sites, offers or months is planned as
    well, from the decisions that it shares with the plan before, but not faster than anew.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        options: SolveOptions | None = None,
        own_constraints: Sequence[OwnRule] = (),
        on_progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        time_share_frac: float = TIME_SHARE_FRAC,
    ) -> None:
        """Plan the portfolio within ``options``; each what-if takes ``time_share_frac`` of the time that this took.

        Raises:
            InvalidInputError: for a solver other than HiGHS or a paranoid search; otherwise as :func:`optimizer.plan`.
            SolverError: as :func:`optimizer.plan`.
        """
        self.portfolio, self.options = portfolio, options or SolveOptions()
        check_highs_once(self.options, "what-ifs")
        self._own_constraints, self._listeners = own_constraints, (on_progress, should_stop)
        self._tree: Tree | None = None
        self._known: list[WholeDecisions] = []
        self._prepared: Kept | None = None
        began = time.monotonic()
        self.base: Plan = self.plan(portfolio)
        """The plan of the portfolio as it is."""
        self.kept: Kept | None = self._prepared
        """What :meth:`resumed` takes; None where the portfolio has no plan."""
        audit_s = sum(item.seconds for item in self.base.manifest.timings if item.stage == "audit")
        share = max(time_share_frac * (time.monotonic() - began) - audit_s, LEAST_S)
        self.options = self.options.model_copy(update={"time_limit_s": min(share, self.options.time_limit_s)})

    def plan(
        self,
        portfolio: Portfolio | None = None,
        *,
        scale: Mapping[str, float] | None = None,
        change: Mapping[str, object] | None = None,
    ) -> Plan:
        """The plan of a variation: another ``portfolio``, or this one with numbers scaled or changed.

        ``scale`` and ``change`` take paths as :func:`~optimizer.app.changes.changed` does.

        Raises:
            InvalidInputError: for a path that does not exist, a number that the domain refuses, or where CVaR counts.
            SolverError: as :func:`optimizer.plan`.
        """
        asked = changed(portfolio or self.portfolio, scale or {}, change or {})
        if asked.risk.counts_tail:
            told = "what-ifs are re-priced in expectation, without CVaR"
            raise InvalidInputError.single("risk", told, "plan such a variation by itself", "portfolio")
        return self.job(asked).run()

    def job(self, portfolio: Portfolio, *, in_full: bool = True) -> WhatIf:
        """The run of a variation; its plan without risk and tables by month where it is not ``in_full``."""
        return WhatIf(self, in_full, portfolio, self.options, *self._listeners, self._own_constraints)

    @classmethod
    def resumed(cls, portfolio: Portfolio, options: SolveOptions, kept: Kept | None) -> WhatIfs:
        """What-ifs about a portfolio that was planned elsewhere; each takes the time of ``options``."""
        what_ifs = cls.__new__(cls)
        what_ifs.portfolio, what_ifs.options, what_ifs.kept = portfolio, options, kept
        what_ifs._own_constraints, what_ifs._listeners = (), (None, None)
        what_ifs.rewind()
        return what_ifs

    def listen(self, on_progress: Callable[[Progress], None] | None, should_stop: Callable[[], bool] | None) -> None:
        """Tell others from now on."""
        self._listeners = (on_progress, should_stop)

    def rewind(self) -> None:
        """Forget all what-ifs: the next is as if it were the first, to the bit."""
        self._tree, self._known = None, []
        if self.kept is not None:
            self._tree, self._known = Tree(self.kept.matrix), [self.kept.chosen]
            self._tree.cover = self.kept.cover
            self._tree.begin_with(self.kept.bases)

    def bookmark(self) -> Bookmark:
        """Where the last what-if left off."""
        root = Leaf() if self._tree is None else self._tree.root
        return Bookmark(tuple(self._known), root)

    def go_on_from(self, place: Bookmark) -> None:
        """Begin the next what-if where the one of a bookmark left off."""
        self._known = list(place.known)
        if self._tree is not None:
            self._tree.root = place.root

    @property
    def choice_bounds(self) -> Mapping[int, tuple[float, float]]:
        """What the last solve says about each choice: see :attr:`optimizer.solve.Tree.choice_bounds`."""
        return {} if self._tree is None else self._tree.choice_bounds

    def alive(self, matrix: Matrix) -> Tree:
        """The tree with the numbers of a program."""
        if self._tree is None:
            self._tree = Tree(matrix)
        else:
            self._tree.become(matrix)
        return self._tree

    @property
    def has_base(self) -> bool:
        """Whether there is a plan to start from."""
        return bool(self._known)

    def prepare(self, stated: Stated, values: Floats, options: SolveOptions, search: Search) -> None:
        """Keep the base's plan, and leaves that cover its whole decisions."""
        self.remember(stated.program, values)
        tree = self.alive(stated.matrix)
        tree.prepare(options, search, values)
        self._prepared = Kept(stated.matrix, tree.cover, self._known[0], tree.bases)

    def starts(self, program: Program, matrix: Matrix) -> list[Floats]:
        """Whole decisions of the plan before and of the base, as far as they exist in a program."""
        place = {
            (name, key): block.offset + position
            for name, block in program.variables.items()
            if block.integer
            for position, key in enumerate(block.keys)
        }
        found: list[Floats] = []
        for known in self._known:
            vector = np.where(matrix.integer, 0.0, np.nan)
            for decision, value in known.items():
                if decision in place:
                    vector[place[decision]] = value
            found.append(vector)
        return found

    def remember(self, program: Program, values: Floats) -> None:
        """Keep the whole decisions of a plan: the base's for good, beside it those of the last."""
        chosen = {
            (name, key): float(round(value))
            for name, block in program.variables.items()
            if block.integer
            for key, value in zip(block.keys, values[block.columns].tolist(), strict=True)
            if round(value)
        }
        self._known = [chosen, *[item for item in self._known[-1:] if item != chosen]]


class WhatIf(PlanningJob):
    """One what-if."""

    def __init__(self, what_ifs: WhatIfs, in_full: bool, *terms: Any) -> None:
        super().__init__(*terms)
        self._what_ifs, self._in_full = what_ifs, in_full

    def proven_offers(self, objective_usd: float | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Offers that every plan signs that is worth as much, and those that none does, as the last solve proves."""
        if objective_usd is None or self.portfolio.market.own_hashrate_feedback:
            return (), ()  # there is no plan, or the bounds are of another hashprice than its own
        program, bounds = self._last.program, self._what_ifs.choice_bounds
        worth = objective_usd / USD_PER_MUSD
        worth -= BOUND_TOLERANCE * max(abs(worth), 1.0)
        first, names = program.first_row(ONCE), [str(name) for name in program.rows[ONCE].keys]
        known = {name: bounds.get(first + place, (np.inf, np.inf)) for place, name in enumerate(names)}
        signed = tuple(sorted(name for name, (if_none, _) in known.items() if if_none < worth))
        return signed, tuple(sorted(name for name, (_, if_some) in known.items() if if_some < worth))

    def _outcome(self, futures: Futures, found: Recalculation, cut_count: int) -> dict[str, Any]:
        if self._in_full:
            return super()._outcome(futures, found, cut_count)
        return {"decisions": found.decisions, "contracts": found.contracts, "npv": found.npv}

    def _stated(self, futures: Futures) -> Stated:
        self._last = super()._stated(futures)
        return self._last

    def _alive(self, matrix: Matrix) -> LiveModel:
        """The program that the what-ifs keep in the solver, once there is one."""
        return self._what_ifs.alive(matrix).model if self._what_ifs.has_base else super()._alive(matrix)

    def _attempt(self, futures: Futures, share: float, earlier: Attempt | None = None) -> Attempt:
        """Re-price and solve the program of these futures within a share of the time that is left; the first anew."""
        if not self._what_ifs.has_base:
            attempt = super()._attempt(futures, share, earlier)
            if attempt.solution.values is not None:
                with self._stage("cover", told="solve"):
                    self._what_ifs.prepare(self._last, attempt.solution.values, self._remaining(), self._search())
            return attempt
        problem, program, matrix, _ = self._stated(futures)
        tree, search = self._what_ifs.alive(matrix), self._search()
        if earlier is None:
            with self._stage("twin"):
                solved = tree.fixed("twin", self._twin_columns(program), self._remaining(), search)
                twin = read_answer(program, problem, solved)
        else:
            twin = earlier.twin
        with self._stage("solve"):
            starts = [*self._what_ifs.starts(program, matrix), *_first(twin.solution.values)]
            solution = tree.solve(self._remaining(share), search, starts)
            if solution.values is not None:
                self._what_ifs.remember(program, solution.values)
        return Attempt(futures, matrix, twin, *read_answer(program, problem, solution))


def _first(values: Floats | None) -> list[Floats]:
    return [] if values is None else [values]


def _pairs(limits: Mapping[int, float]) -> list[tuple[int, float]]:
    return [(int(place), float(limit)) for place, limit in limits.items()]


def _key(read: Any) -> Any:
    """A key as it was before JSON made lists of its parts."""
    return tuple(map(_key, read)) if isinstance(read, list) else read
