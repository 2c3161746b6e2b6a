"""A first good plan by diving: fix whole decisions one by one along the linear relaxation, from basis to basis.

HiGHS spends long on cuts before its own heuristics start, because the cash rows are dense; with a plan in hand it fixes
columns by reduced cost at once. The plan is a start for branch and bound, never the answer.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import TerminationReason
from optimizer.model.program import Matrix
from optimizer.solve.live import LiveModel
from optimizer.solve.search import Floats, Search

INTEGRALITY = 1e-6
AT_ONCE = 10
"""One fractional integer in so many is fixed in a step."""
TIME_SHARE = 0.3
"""Share of the time limit that a dive may take."""


def dive(program: Matrix | LiveModel, options: SolveOptions, search: Search) -> Floats | None:
    """A feasible solution of a mixed-integer program, or None if none is found in a share of the time limit.

    In each step all integers that the relaxation has at a whole number above their lower bound are fixed there, and of
    the others those with the largest fractions are fixed up: fewer of them while that is infeasible, and a single one
    down.
    """
    model = LiveModel.of(program)
    matrix = model.matrix
    relaxed = {
        "integer": np.zeros_like(matrix.integer),
        "column_lower": matrix.column_lower,
        "column_upper": matrix.column_upper,
    }
    with model.changed(**relaxed):
        model.forget()
        return follow(matrix, Relaxation(model, options, search))


def follow(matrix: Matrix, relaxation: Relaxation) -> Floats | None:
    """Dive along a relaxation of ``matrix``, which says what is whole, from where it stands."""
    integers = np.flatnonzero(matrix.integer)
    lower, upper = relaxation.lower, relaxation.upper
    values = relaxation.solve()
    while values is not None:
        whole = np.abs(values[integers] - np.rint(values[integers])) <= INTEGRALITY
        if whole.all():
            return values
        settled = integers[whole & (lower[integers] < upper[integers]) & (values[integers] > lower[integers] + 0.5)]
        lower[settled] = upper[settled] = np.rint(values[settled])
        fractional = integers[~whole]
        order = np.argsort(np.floor(values[fractional]) - values[fractional], kind="stable")
        batch = fractional[order[: 1 + len(fractional) // AT_ONCE]]
        downs = dict(zip(batch.tolist(), np.floor(values[batch]).tolist(), strict=True))
        basis = relaxation.basis
        values = None
        while values is None and len(batch) and not relaxation.out_of_time:
            lower[batch] = upper[batch] = [downs[column] + 1.0 for column in batch.tolist()]
            values = relaxation.solve(basis)
            if values is None:
                lower[batch], upper[batch] = matrix.column_lower[batch], matrix.column_upper[batch]
                if len(batch) == 1:
                    lower[batch] = upper[batch] = downs[int(batch[0])]
                    values = relaxation.solve(basis)
                batch = batch[: len(batch) // 2]
    return None


class Relaxation:
    """The linear relaxation between bounds that a dive narrows, re-solved in place."""

    def __init__(self, model: LiveModel, options: SolveOptions, search: Search) -> None:
        self._model, self._options, self._search = model, options, search
        self._deadline = time.monotonic() + TIME_SHARE * options.time_limit_s
        self.lower, self.upper = model.matrix.column_lower.copy(), model.matrix.column_upper.copy()

    @property
    def basis(self) -> Any:
        """Where the last solve ended."""
        return self._model.basis

    @property
    def out_of_time(self) -> bool:
        """Whether to give up."""
        return self._search.stopped or time.monotonic() >= self._deadline

    def solve(self, basis: Any = None) -> Floats | None:
        """The optimum, from a basis or the last one; None if there is none, or no time."""
        if self.out_of_time:
            return None
        self._model.update(column_lower=self.lower.copy(), column_upper=self.upper.copy())
        if basis is not None:
            self._model.start_from_basis(basis)
        options = self._options.model_copy(update={"time_limit_s": self._deadline - time.monotonic()})
        ended = self._model.run(options, self._search)
        return self._model.values if ended.reason is TerminationReason.OPTIMAL else None
