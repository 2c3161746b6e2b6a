"""A basis to start the second stage from, put together of one small linear program a site.

Machines hardly move, so sites are almost independent: with moves left out, a site's program has a few hundred columns
and all of them together take a tenth of the time of the whole. From their bases the whole needs few further steps.
"""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import TerminationReason
from optimizer.model.program import COMPANY, FIRST_STAGE, Matrix
from optimizer.solve.live import LiveModel
from optimizer.solve.search import Floats, Search
from optimizer.solve.stages import Bools, Ints, activity, entry_rows, part, row_sites

PRIMAL_SIMPLEX = 4
LOWER, BASIC = highspy.HighsBasisStatus.kLower, highspy.HighsBasisStatus.kBasic


def site_basis(matrix: Matrix, first: Floats, options: SolveOptions, search: Search) -> Any | None:
    """A feasible basis of a program whose first-stage columns have the values ``first``, or None if none is found."""
    local, count = row_sites(matrix), len(matrix.row_lower)
    values = np.where(matrix.site == FIRST_STAGE, first, np.maximum(matrix.column_lower, 0.0))
    still = _exchanged(matrix, local)
    columns: list[Any] = [LOWER] * len(matrix.cost)
    rows: list[Any] = [BASIC] * count
    for site in (*range(int(matrix.site.max()) + 1), COMPANY):
        ours, theirs = np.flatnonzero(local == site), np.flatnonzero((matrix.site == site) & ~still)
        if not len(theirs):
            continue
        values[theirs] = 0.0
        given = activity(matrix, values)[ours] if site == COMPANY else _given(matrix, values, ours)
        block = part(matrix, ours, theirs)
        block.row_lower[:] -= given
        block.row_upper[:] -= given
        model = LiveModel(block)
        if model.run(options, search).reason is not TerminationReason.OPTIMAL:
            return None
        values[theirs] = model.values
        basis = model.basis
        for status, numbers, target in ((basis.col_status, theirs, columns), (basis.row_status, ours, rows)):
            for number, item in zip(numbers.tolist(), status, strict=True):
                target[number] = item
    found = highspy.HighsBasis()
    found.col_status, found.row_status, found.valid = columns, rows, True
    return found


def from_site_basis(model: LiveModel, near: Floats, options: SolveOptions) -> dict[str, Any]:
    """Let the next run of a linear program begin near given first-stage values; the options that it needs for that.

    The run itself is not stopped with the search, so nothing here is.
    """
    basis = site_basis(model.matrix, near, options, Search()) if (model.matrix.site > 0).any() else None
    if basis is None:
        return {}
    model.start_from_basis(basis)
    return {"presolve": "off", "simplex_strategy": PRIMAL_SIMPLEX}


def _given(matrix: Matrix, values: Floats, rows: Ints) -> Floats:
    """What the columns that are settled already add to some rows."""
    few = part(matrix, rows, np.arange(len(matrix.cost)))
    return activity(few, values)


def _exchanged(matrix: Matrix, local: Ints) -> Bools:
    """Columns by which sites exchange something in an equality among themselves: left where they are."""
    row = entry_rows(matrix)
    others = np.bincount(row[matrix.site[matrix.index] < 0], minlength=len(local)) > 0
    between = (local == COMPANY) & ~others & (matrix.row_lower == matrix.row_upper)
    still = np.zeros(len(matrix.cost), dtype=np.bool_)
    still[matrix.index[between[row]]] = True
    return still
