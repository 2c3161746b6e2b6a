"""What a linear program proves about choices, against all whole decisions tried one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from support import EXACT, matrix

from optimizer.solve import Search, Tree
from optimizer.solve.choices import choices_of, groups_of, largest_bounds

CHOICES = ((0, 1, 2), (3, 4), (5,))
"""Columns of each, beside two rows that all share."""


def drawn(seed):
    """Six whole decisions in three choices, and what they take of two scarce things."""
    numbers = np.random.default_rng(seed)
    once = [[1.0 if column in choice else 0.0 for column in range(6)] for choice in CHOICES]
    shared = numbers.uniform(0.0, 3.0, (2, 6)).tolist()
    return matrix(
        numbers.uniform(1.0, 9.0, 6).tolist(), [*once, *shared], [1.0, 1.0, 1.0, *numbers.uniform(1.0, 5.0, 2)]
    )


def test_choices_are_rows_of_whole_numbers_of_which_one_is_taken_at_most():
    program = drawn(0)
    assert [(row, columns.tolist()) for row, columns in choices_of(program)] == [(0, [0, 1, 2]), (1, [3, 4]), (2, [5])]
    assert [row for row, _ in groups_of(program)] == [0, 1]


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_that_takes_something_of_a_choice_or_nothing_is_worth_more_than_its_bound(seed):
    program = drawn(seed)
    tree = Tree(program)
    tree.solve(EXACT, Search())
    rows = [np.array([program.value[a:b] @ np.eye(6)[program.index[a:b]]])[0] for a, b in pairs(program)]
    plans = [np.array(plan) for plan in product((0.0, 1.0), repeat=6)]
    held = [plan for plan in plans if all(rows[row] @ plan <= program.row_upper[row] + 1e-9 for row in range(5))]
    for row, columns in enumerate(CHOICES):
        if_none, if_some = tree.choice_bounds[row]
        for plan in held:
            taken = plan[list(columns)].any()
            assert program.cost @ plan <= (if_some if taken else if_none) + 1e-6


def pairs(program):
    return zip(program.start[:-1], program.start[1:], strict=True)


def test_a_choice_that_decides_the_worth_is_proven():
    """One thing is scarce and one choice pays ten times the other: without it nothing is worth half as much."""
    tree = Tree(matrix([10.0, 9.0, 1.0, 1.0], [[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]], [1.0, 1.0, 1.0]))
    tree.solve(EXACT, Search())
    assert tree.choice_bounds[0][0] <= 1.0 + 1e-9
    assert tree.choice_bounds[0][1] == pytest.approx(10.0)
    assert tree.choice_bounds[1][1] <= 10.0 + 1e-9


def test_leaves_that_say_nothing_of_a_choice_bound_it_by_their_own():
    known = np.array([3.0, 9.0])
    assert largest_bounds(2, [(5.0, known), (4.0, None)]).tolist() == [4.0, 5.0]
    assert largest_bounds(2, []).tolist() == [-np.inf, -np.inf]
