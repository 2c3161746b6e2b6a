"""What HiGHS is asked: the whole program, or what is left of it when some columns are fixed."""

from __future__ import annotations

import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.model.program import Matrix
from optimizer.solve.live import LiveModel
from optimizer.solve.search import Floats, Search, Solution
from optimizer.solve.site_basis import from_site_basis
from optimizer.solve.status import AMBIGUOUS

LARGE_NONZEROS = 50_000
"""Programs with fewer coefficients are solved at once from nothing."""
PRIMAL_TOLERANCE = 1e-9
"""Rows and bounds of the final linear program hold to this, in million USD and MW: a tenth of a cent."""


def solve_with_highs(
    model: LiveModel, options: SolveOptions, search: Search, start: Floats | None = None, presolve: str = "choose"
) -> Solution:
    """The whole program, from a feasible ``start`` if there is one, whatever the model was used for before.

    Raises:
        SolverError: when HiGHS fails.
    """
    model.forget()
    if start is not None:
        model.start_from_plan(start)
    termination = model.run(options, search, presolve=presolve)
    if model.status in AMBIGUOUS and not search.stopped:
        # presolve saw "infeasible or unbounded"; without it HiGHS tells which
        termination = model.run(options, search, presolve="off")
    return Solution(termination, model.values if termination.has_plan else None)


def solve_fixed(
    program: Matrix | LiveModel,
    options: SolveOptions,
    fixed: Floats,
    search: Search | None = None,
    *,
    apart: bool = False,
) -> Solution:
    """Solve with some columns fixed: ``fixed`` has their value, and NaN where a column is free.

    At tight tolerance. It is not stopped with the search, for it is what there is to fall back on; it only takes note
    of Ctrl-C. Where sites hardly share anything, as when nothing is signed, a large program begins ``apart``, where
    they end one by one.
    """
    model, given = LiveModel.of(program), ~np.isnan(fixed)
    matrix = model.matrix
    narrowed = {
        "column_lower": np.where(given, fixed, matrix.column_lower),
        "column_upper": np.where(given, fixed, matrix.column_upper),
        "integer": matrix.integer & ~given,
    }
    with model.changed(**narrowed):
        model.forget()
        special: dict[str, float | str] = {"primal_feasibility_tolerance": PRIMAL_TOLERANCE}
        if apart and len(matrix.value) >= LARGE_NONZEROS:
            elsewhere = np.maximum(matrix.column_lower, 0.0)
            special |= from_site_basis(model, np.where(given, fixed, elsewhere), options)
        termination = model.run(options, search or Search(), stoppable=False, **special)
        if not termination.has_plan:
            return Solution(termination, None)
        return Solution(termination, model.values, None if narrowed["integer"].any() else model.prices)
