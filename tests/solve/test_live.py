"""A program inside HiGHS: whatever is changed in place, it is the program that a fresh pass would give."""

from __future__ import annotations

import doctest
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import EXACT, assembled, matrix

from optimizer.domain import Limit, SolveOptions, TerminationReason
from optimizer.errors import SolverError
from optimizer.io import load_portfolio
from optimizer.solve import LiveModel, Search, solve_program
from optimizer.solve import live as live_module


def small(**changes):
    return replace(matrix([3.0, 2.0, 1.0], [[2.0, 1.0, 0.0], [0.0, 1.0, 4.0]], [2.0, 3.0], integer=False), **changes)


def told(model):
    """The program that HiGHS has, as plain lists."""
    lp = model.highs.getLp()
    entries = [model.highs.getColEntries(column)[1:] for column in range(model.highs.getNumCol())]
    return (
        [kind == highspy.HighsVarType.kInteger for kind in lp.integrality_],
        lp.offset_,
        [list(array) for array in (lp.col_cost_, lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_)],
        [sorted(zip(rows.tolist(), values.tolist(), strict=True)) for rows, values in entries],
    )


def ended(model, **special):
    return model.run(EXACT, Search(), **special)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cost", [3.0, 5.0, 1.0]),
        ("column_lower", [0.0, 0.5, 0.0]),
        ("column_upper", [1.0, np.inf, 1.0]),
        ("row_lower", [-np.inf, 1.0]),
        ("row_upper", [1.0, 3.0]),
        ("value", [2.0, 1.0, 1.5, 4.0]),
        ("integer", [False, True, False]),
    ],
)
def test_a_change_in_place_is_the_same_as_passing_the_program_anew(name, value):
    model = LiveModel(small())
    ended(model)
    array = np.array(value)
    model.update(**{name: array})
    fresh = LiveModel(small(**{name: array}))
    assert told(model) == told(fresh) != told(LiveModel(small()))
    assert ended(model).objective_usd == pytest.approx(ended(fresh).objective_usd)


def test_the_constant_is_changed_too():
    model = LiveModel(small())
    before = ended(model).objective_usd
    model.update(constant=7.0)
    assert ended(model).objective_usd == pytest.approx(before + 7e6)


@given(seed=st.integers(0, 2**31))
def test_a_program_becomes_another(seed):
    random = np.random.default_rng(seed)
    model, rows = LiveModel(small()), ([[2.0, 1.0, 0.0], [0.0, 1.0, 4.0]], [[2.0, 1.0, 3.0], [0.0, 1.0, 4.0]])
    for _ in range(3):
        entries = np.array(rows[int(random.integers(2))]) * random.uniform(0.5, 2.0, (2, 3))
        other = matrix(random.uniform(-1, 3, 3), entries, random.uniform(1, 5, 2), integer=bool(random.integers(2)))
        other = replace(other, constant=float(random.uniform()))
        model.become(other)
        assert told(model) == told(LiveModel(other))
        assert ended(model).objective_usd == pytest.approx(ended(LiveModel(other)).objective_usd, abs=1.0)


def test_only_what_differs_goes_to_the_solver(monkeypatch):
    model, seen = LiveModel(small()), []

    class Noting:
        def __init__(self, highs):
            self.highs = highs

        def __getattr__(self, name):
            if name.startswith(("change", "pass")):
                return lambda *arguments: seen.append((name, arguments[0])) or getattr(self.highs, name)(*arguments)
            return getattr(self.highs, name)

    model.highs = Noting(model.highs)
    model.update(cost=np.array([3.0, 2.0, 9.0]), row_upper=small().row_upper, column_lower=np.array([0.0, 0.1, 0.1]))
    assert seen == [("changeColsCost", 1), ("changeColsBounds", 2)]
    seen.clear()
    monkeypatch.setattr(live_module, "PASS_ANEW_FRAC", 0.5)
    model.update(value=np.array([2.0, 1.5, 1.0, 4.0]))
    assert seen == [("changeCoeff", 0)]
    seen.clear()
    model.update(value=np.array([3.0, 2.5, 2.0, 4.0]))
    assert [name for name, _ in seen] == ["passModel"]


def test_changes_are_taken_back():
    model = LiveModel(small())
    before = told(model)
    with suppress(ZeroDivisionError), model.changed(column_upper=np.zeros(3), integer=np.ones(3, dtype=bool)):
        assert told(model)[0] == [True, True, True]
        raise ZeroDivisionError
    assert told(model)[1:] == before[1:]
    assert not any(told(model)[0])
    assert np.array_equal(model.matrix.column_upper, small().column_upper)


@pytest.mark.parametrize("scaled", ["cost", "value"])
def test_a_re_priced_program_goes_on_from_its_basis(scaled):
    program = assembled(load_portfolio("tiny")).compile()
    program = replace(program, integer=np.zeros_like(program.integer))
    model = LiveModel(program)
    cold = ended(model)
    needed = model.highs.getInfo().simplex_iteration_count
    model.update(**{scaled: getattr(program, scaled) * (1 + 1e-9)})
    again = ended(model)
    assert model.highs.getInfo().simplex_iteration_count < needed / 10
    assert again.objective_usd == pytest.approx(cold.objective_usd, rel=1e-6)
    model.forget()
    ended(model)
    assert model.highs.getInfo().simplex_iteration_count > needed / 2


@pytest.mark.parametrize(("name", "wrong"), [("cost", np.inf), ("value", np.nan), ("row_upper", np.nan)])
def test_a_number_that_is_none_is_refused_in_place(name, wrong):
    model = LiveModel(small())
    array = getattr(small(), name).copy()
    array[0] = wrong
    with pytest.raises(SolverError, match=name):
        model.update(**{name: array})
    assert ended(model).reason is TerminationReason.OPTIMAL


def test_time_counts_from_the_start_of_each_run():
    """HiGHS counts a mixed-integer program's from its run, and a linear program's from the first run of the object."""
    random = np.random.default_rng(3)
    weight = random.integers(5, 100, (10, 60)).astype(float)
    hard = matrix(weight.mean(axis=0) + random.uniform(0, 10, 60), weight, weight.sum(axis=1) / 2)
    model, limited = LiveModel(hard), SolveOptions(time_limit_s=0.5, gap_frac=0.0)
    for _ in range(3):
        before = model.highs.getRunTime()
        assert model.run(limited, Search()).limit is Limit.TIME
        assert model.highs.getRunTime() - before < 0.9
    before = model.highs.getRunTime()
    assert before > 1.4
    with model.changed(integer=np.zeros(60, dtype=bool)):
        assert model.run(limited, Search()).reason is TerminationReason.OPTIMAL
        assert model.highs.getOptionValue("time_limit")[1] == before + 0.5


def test_what_a_model_was_used_for_before_does_not_change_the_answer():
    program = assembled(load_portfolio("tiny")).compile()
    used = LiveModel(program)
    with used.changed(cost=-program.cost):
        ended(used)
    first, second = solve_program(used, EXACT), solve_program(program, EXACT)
    assert first.termination == second.termination
    assert np.array_equal(first.values, second.values)


def test_the_guide_to_solvers_is_what_happens():
    page = Path(__file__).parents[2] / "docs" / "how-to" / "solvers.md"
    results = doctest.testfile(str(page), module_relative=False)
    assert results.attempted > 10
    assert results.failed == 0
