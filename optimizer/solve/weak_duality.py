r"""What the optimum of a linear program gains at most when its numbers change, by the dual prices that it had before.

For prices ``y`` the worth of ``max c x`` over rows ``L <= A x <= U`` and columns ``l <= x <= u`` is at most

.. math:: D(y) = y^+ U - y^- L + d^+ u - d^- l \qquad d = c - A^T y

whatever the program, and equal to it at prices that are optimal. So at the optimal prices of one program the optimum of
another exceeds the first by no more than the difference of the two ``D``: no solve is needed. At the margin that is the
dual price of the change. Only what differs is counted, so that the rounding of all else does not matter.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.program import Matrix
from optimizer.solve.live import LIMITS
from optimizer.solve.search import Floats


def most_gained_musd(before: Matrix, after: Matrix, prices: Floats) -> float:
    """The most by which the optimum of ``after`` exceeds that of ``before``, whose prices these are, in million USD.

    Rows and columns have the same places in both. Infinite where the prices of the one tell nothing about the other.
    """
    rows = _most((prices, after.row_lower, after.row_upper), (prices, before.row_lower, before.row_upper))
    columns = _most(
        (_reduced_costs(after, prices), after.column_lower, after.column_upper),
        (_reduced_costs(before, prices), before.column_lower, before.column_upper),
    )
    return after.constant - before.constant + rows + columns


def narrowed_like(base: Matrix, narrowed: Matrix, other: Matrix) -> Matrix:
    """Another program with the limits by which a base was narrowed."""
    limits = {}
    for name in LIMITS:
        stated, tight, free = (getattr(matrix, name) for matrix in (base, narrowed, other))
        limits[name] = np.where(stated != tight, tight, free)
    return Matrix(**{**vars(other), **limits})


def only_widens(before: Matrix, after: Matrix) -> bool:
    """Whether every plan of one program is one of another too, and worth the same there."""
    alike = ("cost", "start", "index", "value")
    if before.constant != after.constant or not all(
        np.array_equal(getattr(before, name), getattr(after, name)) for name in alike
    ):
        return False
    lower = (after.row_lower <= before.row_lower).all() and (after.column_lower <= before.column_lower).all()
    upper = (after.row_upper >= before.row_upper).all() and (after.column_upper >= before.column_upper).all()
    return bool(lower and upper)


def further(before: Matrix, after: Matrix, share: float) -> Matrix | None:
    """The program that lies further along, or less far, from one to another; none where their terms differ in place."""
    if not np.array_equal(before.start, after.start) or not np.array_equal(before.index, after.index):
        return None
    arrays = {}
    for name in ("cost", "value", *LIMITS):
        here, there = getattr(before, name), getattr(after, name)
        differs = here != there
        arrays[name] = here.copy()
        arrays[name][differs] += share * (there[differs] - here[differs])
    constant = before.constant + share * (after.constant - before.constant)
    return Matrix(**{**vars(after), **arrays, "constant": constant})


def _reduced_costs(matrix: Matrix, prices: Floats) -> Floats:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.start))
    spent = np.bincount(matrix.index, weights=matrix.value * prices[rows], minlength=matrix.shape[1])
    return np.asarray(matrix.cost - spent)


def _most(now: tuple[Floats, ...], before: tuple[Floats, ...]) -> float:
    """By how much more the terms are worth at their best, those counted that differ in worth or limits."""
    differs = np.logical_or.reduce([new != old for new, old in zip(now, before, strict=True)])
    new, old = (_at_best(*(array[differs] for array in terms)) for terms in (now, before))
    return float((new - old).sum()) if np.isfinite(old).all() else np.inf


def _at_best(worth: Floats, lower: Floats, upper: Floats) -> Floats:
    limit = np.where(worth > 0.0, upper, lower)
    return worth * np.where(worth == 0.0, 0.0, limit)
