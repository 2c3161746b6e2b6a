"""A first good plan by diving: fix whole decisions one by one along the linear relaxation, from basis to basis.

HiGHS spends long on cuts before its own heuristics start, because the cash rows are dense; with a plan in hand it fixes
columns by reduced cost at once. The plan is a start for branch and bound, never the answer.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from optimizer.domain.options import SolveOptions
from optimizer.model.program import Matrix
from optimizer.solve.highs import Search, load, run, set_option

Floats = NDArray[np.float64]
INTEGRALITY = 1e-6
AT_ONCE = 10
"""One fractional integer in so many is fixed in a step."""
TIME_SHARE = 0.3
"""Share of the time limit that a dive may take."""


def dive(matrix: Matrix, options: SolveOptions, search: Search) -> Floats | None:
    """A feasible solution of a mixed-integer program, or None if none is found in a share of the time limit.

    In each step all integers that the relaxation has at a whole number above their lower bound are fixed there, and of
    the others those with the largest fractions are fixed up: fewer of them while that is infeasible, and a single one
    down.
    """
    deadline = time.monotonic() + TIME_SHARE * options.time_limit_s
    relaxed = replace(matrix, integer=np.zeros_like(matrix.integer))
    relaxation = _Relaxation(load(relaxed, options, _quietly(search)), search, deadline)
    integers = np.flatnonzero(matrix.integer)
    lower, upper = matrix.column_lower.copy(), matrix.column_upper.copy()

    def fix(column: int, value: float) -> None:
        lower[column] = upper[column] = value
        relaxation.bound(column, value, value)

    def free(column: int) -> None:
        lower[column], upper[column] = matrix.column_lower[column], matrix.column_upper[column]
        relaxation.bound(column, float(lower[column]), float(upper[column]))

    values = relaxation.solve()
    while values is not None and not search.stopped:
        whole = np.abs(values[integers] - np.rint(values[integers])) <= INTEGRALITY
        if whole.all():
            return values
        settled = integers[whole & (lower[integers] < upper[integers]) & (values[integers] > lower[integers] + 0.5)]
        for column in settled:
            fix(int(column), float(np.rint(values[column])))
        fractional = integers[~whole]
        order = np.argsort(np.floor(values[fractional]) - values[fractional], kind="stable")
        batch = [int(column) for column in fractional[order[: 1 + len(fractional) // AT_ONCE]]]
        downs = {column: float(np.floor(values[column])) for column in batch}
        basis = relaxation.basis()
        values = None
        while values is None and batch and time.monotonic() < deadline:
            for column in batch:
                fix(column, downs[column] + 1.0)
            values = relaxation.solve(basis)
            if values is None:
                for column in batch[1:]:
                    free(column)
                if len(batch) == 1:
                    fix(batch[0], downs[batch[0]])
                    values = relaxation.solve(basis)
                batch = batch[: len(batch) // 2]
    return None


def _quietly(search: Search) -> Search:
    """Stopped when the search is; its linear programs are no incumbents."""
    return Search(should_stop=lambda: search.stopped)


class _Relaxation:
    """The linear relaxation, re-solved in place."""

    def __init__(self, highs: Any, search: Search, deadline: float) -> None:
        self._highs, self._search, self._deadline = highs, search, deadline

    def bound(self, column: int, lower: float, upper: float) -> None:
        self._highs.changeColBounds(column, lower, upper)

    def basis(self) -> Any:
        return self._highs.getBasis()

    def solve(self, basis: Any = None) -> Floats | None:
        """The optimum, from a basis or the last one; None if there is none, or no time."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return None
        if basis is not None:
            self._highs.setBasis(basis)
        set_option(self._highs, "time_limit", self._highs.getRunTime() + left)
        run(self._highs, self._search)
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self._highs.getSolution().col_value)
