"""Matrices of correlations: the smallest eigenvalue beside LAPACK's, and the nearest matrix that can be."""

import numpy as np
import pytest
import yaml

from optimizer.domain import Market
from optimizer.domain.base import validated
from optimizer.domain.correlations import DIGITS, nearest_correlations, smallest_eigenvalue
from optimizer.errors import InvalidInputError


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


TRIDIAGONAL = [[2.0, -1.0, 0.0, 0.0], [-1.0, 2.0, -1.0, 0.0], [0.0, -1.0, 2.0, -1.0], [0.0, 0.0, -1.0, 2.0]]
"""The example of Higham (2002), whose nearest matrix of correlations he states in four decimals."""
NEAREST = [
    [1.0, -0.8084, 0.1916, 0.1068],
    [-0.8084, 1.0, -0.6562, 0.1916],
    [0.1916, -0.6562, 1.0, -0.8084],
    [0.1068, 0.1916, -0.8084, 1.0],
]


def test_the_nearest_matrix_of_the_literature():
    found = np.array(nearest_correlations(TRIDIAGONAL))
    assert found == pytest.approx(np.array(NEAREST), abs=3e-4)  # a little towards none
    assert np.linalg.eigvalsh(found)[0] >= 0.0


def test_the_nearest_of_what_cannot_be_is_nearer_than_others_that_can():
    draw = np.random.default_rng(7)
    for _ in range(5):
        half = np.triu(draw.uniform(-1.0, 1.0, size=(5, 5)), 1)
        matrix = half + half.T + np.eye(5)
        found = np.array(nearest_correlations(matrix.tolist()))
        assert (np.diag(found) == 1.0).all()
        assert np.linalg.eigvalsh(found)[0] >= 0.0
        assert (found == np.round(found, DIGITS)).all()
        distance = np.linalg.norm(found - matrix)
        values, vectors = np.linalg.eigh(matrix)
        clipped = vectors @ np.diag(np.maximum(values, 0.0)) @ vectors.T
        scale = np.sqrt(np.diag(clipped))
        assert distance <= np.linalg.norm(clipped / np.outer(scale, scale) - matrix) + 1e-3
        for _ in range(100):  # no step towards another that can be leads closer
            other = np.corrcoef(draw.normal(size=(5, 6)))
            assert np.linalg.norm(0.98 * found + 0.02 * other - matrix) > distance - 2e-3


def test_what_can_be_is_its_own_nearest():
    matrix = [[1.0, 0.5, 0.25], [0.5, 1.0, -0.125], [0.25, -0.125, 1.0]]
    assert nearest_correlations(matrix) == matrix


def test_a_market_that_cannot_be_is_told_the_nearest_that_can():
    stated = {"btc_usd": 1e5, "network_eh_s": 1000.0, "block_height_at_start": 900_000}
    stated["uncertainty"] = [
        {"factor": factor, "volatility_per_year_frac": 0.5} for factor in ("btc_price", "gpu_rental", "re_lease_rent")
    ]
    pairs = [
        ("btc_price", "gpu_rental", 0.9),
        ("btc_price", "re_lease_rent", -0.9),
        ("gpu_rental", "re_lease_rent", 0.9),
    ]
    stated["correlations"] = [{"first": one, "second": two, "correlation_frac": value} for one, two, value in pairs]
    with pytest.raises(InvalidInputError, match=r"smallest eigenvalue -0\.8.*the nearest that can: ") as raised:
        validated(Market, stated, "market")
    offered = yaml.safe_load(str(raised.value).partition("the nearest that can: ")[2])
    assert [item["correlation_frac"] for item in offered["correlations"]] == pytest.approx([0.5, -0.5, 0.5], abs=1e-3)
    validated(Market, stated | offered, "market")
