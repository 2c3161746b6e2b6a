"""Choices of a program, rows ``sum x <= 1`` over whole numbers, and what a linear program proves about each.

By weak duality the optimum of a linear program falls by at least the price of a row for a unit that it may give less,
and by the reduced cost of a column for a unit that it is moved: a bound of all plans that choose nothing, or
something, without another solve.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.model.program import Ints, Matrix
from optimizer.solve.search import Floats

Choice = tuple[int, Ints]
"""A row, and its columns."""
INTEGRALITY = 1e-6
"""By which a whole number may be off."""


def choices_of(matrix: Matrix) -> list[Choice]:
    """Rows ``sum x <= 1`` over whole numbers alone, each with its columns."""
    lengths = np.diff(matrix.start)
    row_of = np.repeat(np.arange(len(lengths)), lengths)
    fits = (matrix.value == 1.0) & matrix.integer[matrix.index] & (matrix.column_lower[matrix.index] >= 0.0)
    misfits = np.bincount(row_of, weights=~fits, minlength=len(lengths))
    rows = np.flatnonzero((matrix.row_upper == 1.0) & (matrix.row_lower <= 0.0) & (misfits == 0) & (lengths > 0))
    return [(int(row), matrix.index[matrix.start[row] : matrix.start[row + 1]].astype(np.int64)) for row in rows]


def groups_of(matrix: Matrix) -> list[Choice]:
    """Choices among several; not those that contain another."""
    groups = [(row, columns) for row, columns in choices_of(matrix) if len(columns) > 1]
    sets = [frozenset(columns.tolist()) for _, columns in groups]
    return [group for group, ours in zip(groups, sets, strict=True) if not any(other < ours for other in sets)]


def rounded(matrix: Matrix, groups: Sequence[Choice], values: Floats) -> Floats:
    """Of each group what is chosen most, if more than half of the group is; all else down."""
    whole = np.where(matrix.integer, np.floor(values + INTEGRALITY), values)
    for _, columns in groups:
        if values[columns].sum() > 0.5:
            whole[columns] = 0.0
            whole[columns[int(np.argmax(values[columns]))]] = 1.0
    return whole


def bounds_if_chosen(
    choices: Sequence[Choice],
    bound_musd: float,
    limits: tuple[Floats, Floats, Floats],
    prices: Floats,
    reduced_costs: Floats,
) -> tuple[Floats, Floats]:
    """By choice: no plan that takes nothing of it is worth more, and none that takes something, in million USD.

    Of the linear program with these limits, of columns from and to and of rows from, its optimum ``bound_musd`` and its
    prices; minus infinity where there is no such plan.
    """
    column_lower, column_upper, row_lower = limits
    if_none, if_some = np.full(len(choices), bound_musd), np.full(len(choices), bound_musd)
    for choice, (row, columns) in enumerate(choices):
        lower, upper, reduced = column_lower[columns], column_upper[columns], reduced_costs[columns]
        given = np.maximum(reduced, 0.0) @ np.minimum(upper, 1.0)
        taken = row_lower[row] > 0.0 or (lower > 0.0).any()
        if_none[choice] -= np.inf if taken else max(prices[row], 0.0) + given
        free = upper >= 1.0
        if free.any():
            if_some[choice] += 0.0 if taken else min(float(reduced[free].max()), 0.0)
        else:
            if_some[choice] = -np.inf
    return if_none, if_some


def largest_bounds(count: int, leaves: Sequence[tuple[float, Floats | None]]) -> Floats:
    """By choice: the largest bound of leaves, each with one of its own and with one a choice, where that is known."""
    largest = np.full(count, -np.inf)
    for bound, known in leaves:
        largest = np.maximum(largest, np.full(count, bound) if known is None else np.minimum(known, bound))
    return largest
