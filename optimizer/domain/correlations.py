"""Matrices of correlations: whether there can be one, and the nearest that can be; a client has no NumPy."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Final

Matrix = list[list[float]]

DIGITS: Final = 4
"""Decimals of correlations that are offered."""
_SWEEPS: Final = 12
"""Of Jacobi's rotations; the error is squared in each, and five factors need six."""
_PROJECTIONS: Final = 400
_CLOSE: Final = 1e-9
"""Change of an entry by a projection that is none."""


def smallest_eigenvalue(matrix: Matrix) -> float:
    """Smallest eigenvalue of a symmetric matrix."""
    return min(_eigen(matrix)[0])


def nearest_correlations(matrix: Matrix) -> Matrix:
    """The nearest matrix of correlations to a symmetric one, in :data:`DIGITS` decimals, which moves it a little.

    Nearest in the sum of squares of all entries: Higham (2002), "Computing the nearest correlation matrix", alternating
    projections on the semidefinite matrices and on those with a diagonal of 1, with Dykstra's correction.
    """
    size = range(len(matrix))
    found, correction = matrix, [[0.0 for _ in size] for _ in size]
    for _ in range(_PROJECTIONS):
        corrected = [[found[i][j] - correction[i][j] for j in size] for i in size]
        projected = _semidefinite(corrected)
        correction = [[projected[i][j] - corrected[i][j] for j in size] for i in size]
        before, found = found, [[1.0 if i == j else projected[i][j] for j in size] for i in size]
        if max(abs(found[i][j] - before[i][j]) for i in size for j in size) < _CLOSE:
            break
    return _rounded(found)


def _rounded(matrix: Matrix) -> Matrix:
    """In few decimals, moved towards no correlation as far as it takes to stay semidefinite."""
    moved, size = 0.0, range(len(matrix))
    while True:
        kept = 1.0 - moved
        rounded = [[1.0 if i == j else round(kept * matrix[i][j], DIGITS) + 0.0 for j in size] for i in size]
        if smallest_eigenvalue(rounded) >= 0.0:
            return rounded
        moved = max(2.0 * moved, 10.0**-DIGITS)


def _semidefinite(matrix: Matrix) -> Matrix:
    """The nearest matrix without negative eigenvalues."""
    values, vectors = _eigen(matrix)
    size = range(len(matrix))
    kept = [(value, [vectors[i][k] for i in size]) for k, value in enumerate(values) if value > 0.0]
    return [[sum(value * vector[i] * vector[j] for value, vector in kept) for j in size] for i in size]


def _eigen(matrix: Matrix) -> tuple[list[float], Matrix]:
    """Eigenvalues of a symmetric matrix, and eigenvectors as columns, by Jacobi's rotations."""
    rows = [list(row) for row in matrix]
    vectors = [[float(i == j) for j in range(len(rows))] for i in range(len(rows))]
    for _ in range(_SWEEPS):
        for p, q in combinations(range(len(rows)), 2):
            gap = rows[q][q] - rows[p][p]
            angle = 0.5 * math.atan2(math.copysign(2.0, gap) * rows[p][q], abs(gap))  # of the two, the one below 45°
            cosine, sine = math.cos(angle), math.sin(angle)
            for row in [*rows, *vectors]:
                row[p], row[q] = cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]
            rows[p], rows[q] = (
                [cosine * x - sine * y for x, y in zip(rows[p], rows[q], strict=True)],
                [sine * x + cosine * y for x, y in zip(rows[p], rows[q], strict=True)],
            )
    return [row[index] for index, row in enumerate(rows)], vectors
