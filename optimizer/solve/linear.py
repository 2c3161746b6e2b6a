"""Linear programs of one program under ever other limits: each begins where the last of its kind ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.model.program import Matrix
from optimizer.solve.highs import PRIMAL_TOLERANCE
from optimizer.solve.live import LiveModel
from optimizer.solve.search import Floats, Search, Solution


class LinearPrograms:
    """The relaxation of a program inside HiGHS."""

    def __init__(self, matrix: Matrix) -> None:
        self.model = LiveModel(replace(matrix, integer=np.zeros_like(matrix.integer)))
        self._bases: dict[str, Any] = {}

    def solved(
        self, kind: str, options: SolveOptions, search: Search, *, whole: Floats | None = None, **limits: Floats
    ) -> Solution:
        """The relaxation within limits, named as in the matrix, with the columns fixed that are not NaN in ``whole``.

        What is fixed outside of the limits of its column is infeasible.
        """
        if whole is not None:
            given = ~np.isnan(whole)
            lower = limits.get("column_lower", self.model.matrix.column_lower)
            upper = limits.get("column_upper", self.model.matrix.column_upper)
            if (whole[given] > upper[given]).any() or (whole[given] < lower[given]).any():
                return Solution(Termination(reason=TerminationReason.INFEASIBLE), None)
            limits["column_lower"] = np.where(given, whole, lower)
            limits["column_upper"] = np.where(given, whole, upper)
        with self.model.changed(**limits):
            if kind in self._bases:
                self.model.start_from_basis(self._bases[kind])
            try:
                ended = self.model.run(options, search, primal_feasibility_tolerance=PRIMAL_TOLERANCE)
            except SolverError:  # it got lost on its way from there
                self.model.forget()
                ended = self.model.run(options, search, primal_feasibility_tolerance=PRIMAL_TOLERANCE)
            if ended.reason is not TerminationReason.OPTIMAL:
                return Solution(ended, None)
            self._bases[kind] = self.model.basis
            return Solution(ended, self.model.values, self.model.prices)
