"""The second stage alone: what machines and cash make of first decisions, and the cut there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import TerminationReason
from optimizer.solve.live import LiveModel
from optimizer.solve.search import Floats, Search
from optimizer.solve.site_basis import from_site_basis
from optimizer.solve.stages import Cut, Stages, part

PENALTY_MUSD = 5.0
"""First price of a unit by which a linking row is missed, above what a unit is worth as a rule."""
PENALTY_FACTOR, MOST_PENALTY_MUSD = 4.0, 1e4
"""How the price of missing linking rows grows where decisions that miss some go on looking best."""


@dataclass(frozen=True, eq=False)
class Following:
    """What follows from first decisions: all values, how far linking rows are missed, the worth, and the cut there."""

    values: Floats
    missed: float
    worth_musd: float
    cut: Cut


class Recourse:
    """The second stage for given first decisions, re-solved from basis to basis, or from those of the sites.

    It stands alone, with what first decisions take from its rows on the right: a tenth of the whole's coefficients.
    """

    def __init__(self, stages: Stages, options: SolveOptions, search: Search) -> None:
        self._stages, self._search, self._options = stages, search, options
        self._penalty_musd = PENALTY_MUSD
        self._elastic = elastic = stages.elastic(PENALTY_MUSD)
        self._count = len(stages.matrix.cost)
        self._rows = np.flatnonzero(stages.has_second)
        self._second = np.append(~stages.first, np.ones(len(elastic.cost) - self._count, dtype=np.bool_))
        self._alone = LiveModel(part(elastic, self._rows, self._second))
        self._whole: LiveModel | None = None

    def raise_penalty(self) -> None:
        """Missing linking rows was cheaper than the decisions that it buys: make it dearer."""
        self._penalty_musd = min(PENALTY_FACTOR * self._penalty_musd, MOST_PENALTY_MUSD)
        self._elastic = self._stages.elastic(self._penalty_musd)

    def at(self, first: Floats, deadline: float) -> Following | None:
        """The best that follows first decisions; None if there is no time."""
        elastic, rows, model = self._elastic, self._rows, self._alone
        values, prices = self._given(first), np.zeros(len(elastic.row_lower))
        lower, upper = self._stages.left(first)
        model.update(cost=elastic.cost[self._second], row_lower=lower[rows], row_upper=upper[rows])
        if not self._solve(model, values[self._second], deadline):
            return None
        values[self._second], prices[rows] = model.values, model.prices
        return self._following(values, prices)

    def beside(self, first: Floats, deadline: float) -> Following | None:
        """The best beside whole decisions, with the others of the first stage, like debt, free; None without time."""
        elastic, values = self._elastic, self._given(first)
        given = np.zeros(len(values), dtype=np.bool_)
        given[: self._count] = self._stages.first & self._stages.matrix.integer
        lower = np.where(given, values, elastic.column_lower)
        upper = np.where(given, values, elastic.column_upper)
        if self._whole is None:
            self._whole = LiveModel(elastic)
        self._whole.update(cost=elastic.cost, column_lower=lower, column_upper=upper)
        if not self._solve(self._whole, values, deadline):
            return None
        return self._following(self._whole.values, self._whole.prices)

    def _given(self, first: Floats) -> Floats:
        """All columns, zero but for the first decisions."""
        values = np.zeros(len(self._elastic.cost))
        values[: self._count][self._stages.first] = first
        return values

    def _following(self, values: Floats, prices: Floats) -> Following:
        cost, second = self._elastic.cost, self._second
        cut = self._stages.cut(values, prices, float(cost[second] @ values[second]))
        worth = float(cost @ values + self._elastic.constant)
        return Following(values[: self._count], float(values[self._count :].sum()), worth, cut)

    def _solve(self, model: LiveModel, near: Floats, deadline: float) -> bool:
        """Run from the last basis, or, when there is none, from those of the sites."""
        options = self._options.model_copy(update={"time_limit_s": max(deadline - time.monotonic(), 0.1)})
        special: dict[str, Any] = {"presolve": "off"}
        if not model.has_basis:
            special |= from_site_basis(model, near, options)
        return model.run(options, self._search, **special).reason is TerminationReason.OPTIMAL
