"""Prices of one program bound another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import EXACT, matrix

from optimizer.solve import LiveModel, Search, further, most_gained_musd, narrowed_like, only_widens


def drawn(random, columns=6, rows=5):
    """Bounded, and with a plan: nothing."""
    terms = random.uniform(0.2, 2.0, (rows, columns)) * (random.random((rows, columns)) < 0.7)
    upper = random.uniform(1.0, 4.0, rows)
    return matrix(random.uniform(-0.5, 2.0, columns), terms, upper, most=2.0, integer=False, constant=1.0)


def solved(program):
    model = LiveModel(program)
    ended = model.run(EXACT, Search())
    return ended.objective_usd / 1e6, model.prices


@pytest.mark.parametrize("seed", range(6))
def test_no_change_gains_more_than_its_price_and_a_small_one_of_limits_gains_that(seed):
    random = np.random.default_rng(seed)
    before = drawn(random)
    worth, prices = solved(before)
    for _ in range(5):
        limited = replace(
            before,
            row_upper=before.row_upper + random.uniform(-0.5, 0.5, len(before.row_upper)),
            column_lower=random.uniform(0.0, 0.1, len(before.cost)),
            column_upper=random.uniform(1.0, 3.0, len(before.cost)),
            constant=0.5,
        )
        near = further(before, limited, 1e-6)
        assert solved(near)[0] - worth == pytest.approx(most_gained_musd(before, near, prices), abs=2e-9)
        after = replace(
            limited,
            cost=before.cost + random.normal(0.0, 0.3, len(before.cost)),
            value=before.value * random.uniform(0.7, 1.3, len(before.value)),
        )
        assert solved(after)[0] - worth <= most_gained_musd(before, after, prices) + 1e-9


def test_what_does_not_differ_does_not_count_even_without_an_end():
    before = replace(matrix([1.0, 1.0], [[1.0, 0.0]], 2.0, integer=False), column_upper=np.array([1.0, np.inf]))
    after = replace(before, row_upper=np.array([3.0]))
    assert most_gained_musd(before, after, np.array([1.0])) == 1.0
    opened = replace(after, cost=np.array([1.0, 2.0]))
    assert most_gained_musd(before, opened, np.array([1.0])) == np.inf


def test_a_branch_narrows_another_program_as_it_did_the_first():
    base = matrix([1.0, 1.0], [[1.0, 1.0]], 1.0)
    branch = replace(base, column_upper=np.array([0.0, 1.0]))
    other = replace(base, row_upper=np.array([2.0]))
    found = narrowed_like(base, branch, other)
    assert found.column_upper.tolist() == [0.0, 1.0]
    assert found.row_upper.tolist() == [2.0]


@pytest.mark.parametrize(
    ("change", "widens"),
    [
        ({"row_upper": [2.0]}, True),
        ({"row_upper": [0.5]}, False),
        ({"column_lower": [-1.0, 0.0]}, True),
        ({"column_upper": [0.5, 1.0]}, False),
        ({"cost": [2.0, 1.0]}, False),
        ({"value": [0.5, 1.0]}, False),
        ({"constant": 1.0}, False),
    ],
)
def test_only_wider_limits_keep_every_plan(change, widens):
    before = matrix([1.0, 1.0], [[1.0, 1.0]], 1.0)
    arrays = {name: np.array(value) if isinstance(value, list) else value for name, value in change.items()}
    assert only_widens(before, replace(before, **arrays)) == widens


def test_twice_as_far_is_as_far_again_and_infinite_limits_stay():
    before = matrix([1.0], [[1.0]], 1.0)
    after = replace(before, row_upper=np.array([1.5]), constant=1.0)
    there = further(before, after, 2.0)
    assert (there.row_upper[0], there.row_lower[0], there.constant) == (2.0, -np.inf, 2.0)
    assert further(before, matrix([1.0], [[0.0]], 1.0), 2.0) is None
