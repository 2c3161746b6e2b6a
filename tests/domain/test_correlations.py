"""The smallest eigenvalue of a matrix of correlations, beside LAPACK's."""

import numpy as np
import pytest

from optimizer.domain.market import smallest_eigenvalue


@pytest.mark.parametrize("size", [1, 2, 5])
def test_random_symmetric_matrices(size):
    draw = np.random.default_rng(size)
    for _ in range(200):
        half = draw.normal(size=(size, size))
        matrix = half + half.T
        assert smallest_eigenvalue(matrix.tolist()) == pytest.approx(np.linalg.eigvalsh(matrix)[0], abs=1e-12)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], 1.0),
        ([[1.0, 0.5], [0.5, 1.0]], 0.5),
        ([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], 0.0),  # all move as one
        ([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]], -0.8),  # 1 - 2 * 0.9: cannot be
        ([[0.0, 0.0], [0.0, -3.0]], -3.0),
    ],
)
def test_matrices_worked_by_hand(matrix, expected):
    assert smallest_eigenvalue(matrix) == pytest.approx(expected, abs=1e-14)
