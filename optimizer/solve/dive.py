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
from optimizer.solve.highs import Search, load, set_option

Floats = NDArray[np.float64]
INTEGRALITY = 1e-6
TIME_SHARE = 0.3
"""Share of the time limit that a dive may take."""


def dive(matrix: Matrix, options: SolveOptions, search: Search) -> Floats | None:
    """A feasible solution of a mixed-integer program, or None if none is found in a share of the time limit.

    In each step all integers that the relaxation has at a whole number above their lower bound are fixed there, and of
    the others the one with the largest fraction is fixed up, or down where up is infeasible.
    """
    deadline = time.monotonic() + TIME_SHARE * options.time_limit_s
    relaxed = replace(matrix, integer=np.zeros_like(matrix.integer))
    relaxation = _Relaxation(load(relaxed, options), deadline)
    integers = np.flatnonzero(matrix.integer)
    lower, upper = matrix.column_lower.copy(), matrix.column_upper.copy()

    def fix(column: int, value: float) -> None:
        lower[column] = upper[column] = value
        relaxation.fix(column, value)

    values = relaxation.solve()
    while values is not None and not search.should_stop():
        whole = np.abs(values[integers] - np.rint(values[integers])) <= INTEGRALITY
        if whole.all():
            return values
        settled = integers[whole & (lower[integers] < upper[integers]) & (values[integers] > lower[integers] + 0.5)]
        for column in settled:
            fix(int(column), float(np.rint(values[column])))
        fractional = integers[~whole]
        column = int(fractional[np.argmax(values[fractional] - np.floor(values[fractional]))])
        down = float(np.floor(values[column]))
        basis = relaxation.basis()
        fix(column, down + 1.0)
        values = relaxation.solve()
        if values is None and time.monotonic() < deadline:
            fix(column, down)
            values = relaxation.solve(basis)
    return None


class _Relaxation:
    """The linear relaxation, re-solved in place."""

    def __init__(self, highs: Any, deadline: float) -> None:
        self._highs, self._deadline = highs, deadline

    def fix(self, column: int, value: float) -> None:
        self._highs.changeColBounds(column, value, value)

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
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self._highs.getSolution().col_value)
