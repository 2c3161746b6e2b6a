"""A tree that is grown for one program bounds another of the same structure; both ends are held against HiGHS."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_portfolios import random_portfolio
from support import EXACT, assembled, matrix

from optimizer.domain import Limit, SolveOptions, TerminationReason
from optimizer.errors import SolverError
from optimizer.solve import Search, Tree, solve_program
from optimizer.solve import tree as tree_module
from optimizer.solve.tree import groups_of

SEEDS = range(500, 530)


def variations(seed):
    """The program of a portfolio, and the same with rents and costs of another."""
    program = assembled(random_portfolio(seed, machines=seed % 2 == 0))
    base, random = program.compile(), np.random.default_rng(seed)
    yield base
    for _ in range(3):
        priced = (np.abs(base.value) != 1.0) & (random.random() < 0.5)
        yield replace(
            base, cost=base.cost * random.uniform(0.7, 1.3, len(base.cost)),
            value=base.value * np.where(priced, random.uniform(0.97, 1.03, len(base.value)), 1.0),
            row_upper=np.where(base.row_upper > 1.0, base.row_upper * random.uniform(0.9, 1.1), base.row_upper),
        )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_it_finds_what_highs_finds_under_all_prices(seed, monkeypatch):
    monkeypatch.setattr(tree_module, "MOST_LEAVES", 1 + seed % 5)
    tree, values = None, None
    for number, program in enumerate(variations(seed)):
        if tree is None:
            tree = Tree(program)
        else:
            tree.become(program)
        found = tree.solve(EXACT, Search(), [] if values is None else [values])
        expected = solve_program(program, EXACT).termination
        assert found.termination.reason == expected.reason, number
        if expected.objective_usd is not None:
            assert found.termination.objective_usd == pytest.approx(expected.objective_usd, abs=20.0), number
            assert found.termination.bound_usd >= expected.objective_usd - 20.0
            assert program.holds(found.values)
            values = found.values


def test_a_cover_bounds_plans_of_every_price():
    seen = 0
    for seed in range(500, 512):
        programs = [*variations(seed)]
        tree = Tree(programs[0])
        tree.solve(EXACT, Search())
        for program in programs:
            values = solve_program(program, EXACT).values
            if values is None:
                continue
            rows = np.repeat(np.arange(len(program.row_upper)), np.diff(program.start))
            activity = np.bincount(rows, program.value * values[program.index], minlength=len(program.row_upper))
            inside = [
                all(values[column] >= low - 1e-6 for column, low in leaf.lower.items())
                and all(values[column] <= high + 1e-6 for column, high in leaf.upper.items())
                and all(activity[row] >= least - 1e-6 for row, least in leaf.least.items())
                for leaf in tree.cover
            ]
            assert sum(inside) >= 1
            seen += len(inside) > 2
    assert seen >= 5


def chosen_two():
    """Two of three things fit; the relaxation takes parts."""
    return matrix([3.0, 2.0, 2.0], [[2.0, 2.0, 2.0], [1.0, 1.0, 0.0]], [3.0, 1.0])


def test_groups_are_rows_of_at_most_one():
    rows = [
        [1.0, 1.0, 0.0, 0.0],
        [1.0, 1.0, 1.0, 0.0],
        [1.0, 2.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 1.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    program = matrix([1.0] * 4, rows, [1.0, 1.0, 1.0, 2.0, 1.0])
    # The second contains the first, the third and fourth are no choice, the last is of one.
    assert [(row, columns.tolist()) for row, columns in groups_of(program)] == [(0, [0, 1])]
    assert groups_of(replace(program, integer=np.zeros(4, dtype=bool))) == []


def test_whole_numbers_above_one():
    program = matrix([1.0, 1.5], [[2.0, 3.0]], [10.5], most=4.0)
    found = Tree(program).solve(EXACT, Search()).termination
    assert found.objective_usd == pytest.approx(5e6)
    assert found.reason is TerminationReason.OPTIMAL
    assert found.gap_frac <= 1e-9


def test_nothing_and_too_much():
    impossible = matrix([1.0], [[2.0]], [1.5], lower=[0.5])
    assert Tree(impossible).solve(EXACT, Search()).termination.reason is TerminationReason.INFEASIBLE
    endless = replace(matrix([1.0, 1.0], [[1.0, 0.0]], [1.0]), column_upper=np.array([1.0, np.inf]))
    assert Tree(endless).solve(EXACT, Search()).termination.reason is TerminationReason.UNBOUNDED


def test_a_program_of_other_structure_is_solved_from_nothing():
    tree = Tree(chosen_two())
    tree.solve(EXACT, Search())
    assert tree.cover
    other = matrix([3.0, 2.0], [[2.0, 2.0]], [3.0])
    assert tree.become(other) is False
    assert tree.cover == ()
    assert tree.solve(EXACT, Search()).termination.objective_usd == pytest.approx(3e6)
    assert tree.become(replace(other, cost=np.array([1.0, 2.0]))) is True
    assert tree.solve(EXACT, Search()).termination.objective_usd == pytest.approx(2e6)


def test_a_limit_leaves_a_plan_and_a_bound_that_holds(monkeypatch):
    tree = Tree(chosen_two())
    calls = []
    evaluated = Tree.evaluated

    def counted(self, *terms):
        found = evaluated(self, *terms)
        calls.append(1)
        return found

    monkeypatch.setattr(Tree, "evaluated", counted)
    stopped = Search(should_stop=lambda: bool(calls))
    start = np.array([0.0, 1.0, 0.0])
    found = tree.solve(EXACT, stopped, [start]).termination
    assert (found.reason, found.limit) == (TerminationReason.FEASIBLE, Limit.INTERRUPTED)
    assert found.objective_usd == pytest.approx(2e6)
    assert found.bound_usd == pytest.approx(4e6)
    calls.clear()
    # Every leaf of the cover could be worth as much as the root.
    told = tree.solve(EXACT, stopped).termination
    assert (told.reason, told.limit) == (TerminationReason.NO_PLAN_FOUND, Limit.INTERRUPTED)
    assert told.bound_usd == pytest.approx(4e6)


def test_the_gap_asked_for_is_enough():
    asked = SolveOptions(gap_frac=0.5)
    tree = Tree(chosen_two())
    found = tree.solve(asked, Search(), [np.array([1.0, 0.0, 0.0])]).termination
    assert found.reason is TerminationReason.OPTIMAL
    assert (found.objective_usd, found.bound_usd, found.node_count) == (pytest.approx(3e6), pytest.approx(4e6), 1)


def test_a_bound_below_a_plan_is_an_error(monkeypatch):
    evaluated = Tree.evaluated

    def too_low(self, *terms):
        return replace(evaluated(self, *terms), bound_musd=1.0)

    monkeypatch.setattr(Tree, "evaluated", too_low)
    with pytest.raises(SolverError, match="reports a bound of 1,000,000 USD, but the plan of a start 0 is a plan"):
        Tree(chosen_two()).solve(EXACT, Search(), [np.array([1.0, 0.0, 0.0])])


def test_a_linear_program_that_fails_is_tried_from_nothing(monkeypatch):
    tree = Tree(chosen_two())
    run, failed = tree.model.run, []

    def fails_once(*terms, **special):
        if len(failed) % 2 == 0:
            failed.append(1)
            raise SolverError("HiGHS ended with status 'Unknown'")
        failed.append(0)
        return run(*terms, **special)

    monkeypatch.setattr(tree.model, "run", fails_once)
    assert tree.solve(EXACT, Search()).termination.objective_usd == pytest.approx(3e6)
    assert sum(failed) > 2
