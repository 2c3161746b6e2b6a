"""One model either way: the arrays that go to the solver, and the ordinary Pyomo model, are the same program."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.core.expr.visitor import identify_variables
from pyomo.repn import generate_standard_repn
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
from random_portfolios import random_portfolio
from support import EXACT, assembled, offer, place, portfolio, solved

from optimizer.io import load_portfolio

CASES = {"tiny": lambda: load_portfolio("tiny"), **{f"random {seed}": lambda seed=seed: random_portfolio(seed, machines=True)
         for seed in (101, 110)}}  # fmt: skip


def dense(matrix):
    rows, columns = matrix.shape
    full = np.zeros((rows, columns))
    for row in range(rows):
        span = slice(matrix.start[row], matrix.start[row + 1])
        full[row, matrix.index[span]] = matrix.value[span]
    return full


def column_of(program):
    """Column of every Pyomo variable."""
    return {
        id(variable): block.offset + position
        for block in program.variables.values()
        for position, variable in block.component.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_every_row_of_the_pyomo_model_is_a_row_of_the_arrays(name):
    program = assembled(CASES[name]())
    direct = program.compile()
    model, column = program.materialise(), column_of(program)
    expected = dense(direct)
    row = 0
    for block in program.rows.values():
        component = getattr(model, block.name)
        assert len(component) == len(block.keys)
        for position in range(len(block.keys)):
            constraint = component[position]
            found = np.zeros(direct.shape[1])
            repn = generate_standard_repn(constraint.body)
            np.add.at(found, [column[id(variable)] for variable in repn.linear_vars], repn.linear_coefs)
            assert repn.is_linear()
            assert np.array_equal(np.round(found, 12), np.round(expected[row], 12)), (block.name, block.keys[position])
            lower = -np.inf if constraint.lower is None else pyo.value(constraint.lower) - repn.constant
            upper = np.inf if constraint.upper is None else pyo.value(constraint.upper) - repn.constant
            assert (lower, upper) == (direct.row_lower[row], direct.row_upper[row])
            row += 1
    assert row == direct.shape[0]
    repn = generate_standard_repn(model.expected_npv_musd.expr)
    cost = np.zeros(direct.shape[1])
    np.add.at(cost, [column[id(variable)] for variable in repn.linear_vars], repn.linear_coefs)
    assert np.allclose(cost, direct.cost, rtol=0, atol=1e-12)
    assert repn.constant == pytest.approx(direct.constant)
    assert model.expected_npv_musd.sense == pyo.maximize


@pytest.mark.parametrize("name", CASES)
def test_compiled_by_pyomo_it_has_the_same_rows_in_some_order(name):
    program = assembled(CASES[name]())
    direct = program.compile()
    form = LinearStandardFormCompiler().write(program.materialise(), mixed_form=True, set_sense=None)
    column = column_of(program)
    order = [column[id(variable)] for variable in form.columns]

    def line(kind, bound, columns, values):
        """A row as something that can be sorted."""
        terms = sorted((int(at), round(float(value), 9)) for at, value in zip(columns, values, strict=True) if value)
        return kind, round(float(bound) + 0.0, 9), tuple(terms)

    # Theirs splits a row with two different bounds; ours states it once.
    expected = []
    for row, (lower, upper) in enumerate(zip(direct.row_lower, direct.row_upper, strict=True)):
        span = slice(direct.start[row], direct.start[row + 1])
        terms = direct.index[span], direct.value[span]
        if lower == upper:
            expected.append(line(0, upper, *terms))
        else:
            expected += [line(-1, lower, *terms)] * bool(np.isfinite(lower))
            expected += [line(1, upper, *terms)] * bool(np.isfinite(upper))
    theirs = form.A.tocsr()
    found = []
    for row, (item, bound) in enumerate(zip(form.rows, form.rhs, strict=True)):
        span = slice(theirs.indptr[row], theirs.indptr[row + 1])
        columns = [order[at] for at in theirs.indices[span]]
        found.append(line(int(item.bound_type), bound, columns, theirs.data[span]))
    assert sorted(found) == sorted(expected)
    cost = np.zeros(direct.shape[1])
    cost[order] = form.c.toarray()[0]
    assert np.allclose(np.abs(cost), np.abs(direct.cost), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_solved_through_pyomo_it_has_the_same_optimum(name):
    case = CASES[name]()
    model = assembled(case).materialise()
    solver = pyo.SolverFactory("appsi_highs")
    if not solver.available(exception_flag=False):
        pytest.skip("Pyomo finds no HiGHS")
    solver.config.mip_gap = 0.0
    result = solver.solve(model)
    assert result.solver.termination_condition == pyo.TerminationCondition.optimal
    direct = solved(case).termination.objective_usd
    assert 1e6 * pyo.value(model.expected_npv_musd) == pytest.approx(direct, rel=1e-6, abs=10.0)


def test_bounds_and_kinds_of_the_columns_are_the_same():
    program = assembled(CASES["tiny"]())
    direct = program.compile()
    model, column = program.materialise(), column_of(program)
    seen = set()
    for variable in model.component_data_objects(pyo.Var):
        at = column[id(variable)]
        seen.add(at)
        assert (variable.lb if variable.lb is not None else -np.inf) == direct.column_lower[at]
        assert (variable.ub if variable.ub is not None else np.inf) == direct.column_upper[at]
        assert variable.is_integer() == direct.integer[at]
    assert seen == set(range(direct.shape[1]))
    used = {
        id(item) for block in model.component_data_objects(pyo.Constraint) for item in identify_variables(block.body)
    }
    assert used <= set(column)


def test_a_row_that_nothing_can_satisfy_is_kept_in_both():
    late = {"offers": [offer(sites=[place(build_months=6)])], "policy": {"mandatory": [{"offer": "O1"}]}}
    program = assembled(portfolio(3, **late))
    assert program.materialise().mandatory_contract_signed[0].lower == 1.0
    assert solved(portfolio(3, **late)).termination.reason == "infeasible"
    assert EXACT.gap_frac == 0.0
