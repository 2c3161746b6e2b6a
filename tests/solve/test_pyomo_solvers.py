"""Solvers other than HiGHS: the same program through Pyomo, endings in our words, and a clear word when one is missing."""

from __future__ import annotations

import shutil
from typing import get_args

import numpy as np
import pytest
from pyomo.contrib.solver.common.results import TerminationCondition as Ended
from support import EXACT, asic, assembled, fleet, offer, place, portfolio, scalable

from optimizer.app import plan
from optimizer.domain import Limit, SolveOptions, TerminationReason
from optimizer.errors import InvalidInputError, SolverError
from optimizer.io import load_portfolio
from optimizer.solve import Search, check_installed, pyomo_solvers, solve_fixed, solve_program, solver_packages

SCIP = EXACT.model_copy(update={"solver": "scip"})
NAMES = set(get_args(SolveOptions.model_fields["solver"].annotation))
SEVERAL = {"asic_models": [asic()], "fleets": [fleet()], "offers": [offer(), scalable("O2")]}


def searched(case, options=SCIP, **more):
    program = assembled(case)
    return solve_program(program.compile(), options, stated=program, **more)


def test_every_solver_that_can_be_asked_for_has_an_interface():
    assert {"highs", *pyomo_solvers.INTERFACES} == NAMES


@pytest.mark.parametrize("solver", ["scip", "cbc"])
def test_another_solver_makes_the_same_plan_and_it_is_audited(solver):
    if solver == "cbc" and not shutil.which("cbc"):
        pytest.skip("cbc is not in the path")
    for case in (portfolio(**SEVERAL), load_portfolio("tiny")):
        ours, theirs = plan(case, EXACT), plan(case, EXACT.model_copy(update={"solver": solver}))
        assert theirs.termination.reason == "optimal"
        assert theirs.termination.objective_usd == pytest.approx(ours.termination.objective_usd, rel=1e-6)
        assert theirs.audit.failures == ()
        assert theirs.manifest.options.solver == solver


def test_the_manifest_names_the_solver():
    manifest = plan(portfolio(**SEVERAL), SCIP).manifest
    assert "pyscipopt" in {item.component for item in manifest.versions}
    assert solver_packages("highs") == solver_packages("cbc") == ()


def test_scip_says_that_nothing_satisfies_the_rows():
    late = portfolio(3, offers=[offer(sites=[place(build_months=6)])], policy={"mandatory": [{"offer": "O1"}]})
    solution = searched(late)
    assert solution.termination.reason is TerminationReason.INFEASIBLE
    assert solution.values is None


def test_scip_is_stopped_by_time():
    answer = searched(load_portfolio("us-miner"), SolveOptions(solver="scip", time_limit_s=1.0, gap_frac=0.0))
    assert answer.termination.limit is Limit.TIME
    assert answer.termination.reason in (TerminationReason.FEASIBLE, TerminationReason.NO_PLAN_FOUND)


def test_a_start_is_kept_by_a_solver_that_finds_nothing_in_time():
    program = assembled(load_portfolio("us-miner"))
    matrix = program.compile()
    twin = solve_fixed(matrix, EXACT, np.where(matrix.integer, 0.0, np.nan))
    options = SolveOptions(solver="scip", time_limit_s=1.0)
    told = solve_program(matrix, options, start=twin.values, stated=program)
    assert told.termination.reason is TerminationReason.FEASIBLE
    assert told.termination.objective_usd >= twin.termination.objective_usd * (1 - 1e-9)
    assert matrix.holds(told.values)


def test_scip_begins_with_the_values_of_a_start(monkeypatch):
    program = assembled(portfolio(**SEVERAL))
    matrix = program.compile()
    start = solve_program(matrix, EXACT).values
    seen = []

    def solve(model, options, started):
        seen.append(
            (started, [pyomo_solvers._value(item) for item in model.component_data_objects(pyomo_solvers.pyo.Var)])
        )
        return pyomo_solvers._Found(Ended.maxTimeLimit, False, None)

    monkeypatch.setitem(pyomo_solvers.INTERFACES, "scip", pyomo_solvers._Interface(lambda: True, solve, ""))
    solution = solve_program(matrix, SCIP, start=start, stated=program)
    assert seen == [(True, pytest.approx(start))]
    assert solution.termination.objective_usd == pytest.approx(1e6 * (matrix.cost @ start + matrix.constant))


def test_limits_reach_scip(monkeypatch):
    asked = {}

    class Refusing:
        def available(self):
            return True

        def solve(self, model, **options):
            asked.update(options)
            raise SolverError("seen")

    monkeypatch.setattr(pyomo_solvers, "DirectSolverFactory", lambda name: Refusing())
    options = SolveOptions(solver="scip", time_limit_s=7.0, gap_frac=0.25, threads=2, seed=11)
    with pytest.raises(SolverError, match="seen"):
        searched(portfolio(**SEVERAL), options)
    assert asked["time_limit"] == 7.0
    assert asked["rel_gap"] == 0.25
    assert asked["threads"] == 2
    assert asked["solver_options"] == {"randomization/randomseedshift": 11}
    assert asked["load_solutions"] is False


@pytest.mark.parametrize("ended", list(Ended), ids=lambda item: item.name)
@pytest.mark.parametrize("has_plan", [True, False])
def test_every_ending_has_one_meaning(monkeypatch, ended, has_plan):
    def solve(model, options, started):
        for variable in model.component_data_objects(pyomo_solvers.pyo.Var):
            variable.set_value(0.0)
        return pyomo_solvers._Found(ended, has_plan, 12.0, 3)

    fake = pyomo_solvers._Interface(lambda: True, solve, "")
    monkeypatch.setitem(pyomo_solvers.INTERFACES, "scip", fake)
    program, search = assembled(portfolio(offers=[offer()])), Search()
    if ended not in pyomo_solvers.REASONS:
        with pytest.raises(SolverError, match=f"scip ended with '{ended.name}'"):
            pyomo_solvers.solve_with_pyomo(program, SCIP, search)
        return
    found = pyomo_solvers.solve_with_pyomo(program, SCIP, search).termination
    reason, limit = pyomo_solvers.REASONS[ended]
    if reason.value in ("infeasible", "unbounded"):
        assert (found.reason, found.bound_usd) == (reason, None)
        return
    assert found.reason is (reason if has_plan else TerminationReason.NO_PLAN_FOUND)
    assert (found.limit, found.bound_usd, found.node_count) == (limit, 12e6, 3)
    assert found.has_plan is has_plan
    assert search.interrupted is (ended is Ended.interrupted)


def test_a_solver_that_is_not_there_is_refused_before_the_work(monkeypatch):
    absent = pyomo_solvers._Interface(lambda: False, lambda *_: None, "pip install it")
    monkeypatch.setitem(pyomo_solvers.INTERFACES, "gurobi", absent)
    told = []
    with pytest.raises(InvalidInputError, match=r"options.solver: gurobi is not installed; pip install it"):
        plan(load_portfolio("tiny"), SolveOptions(solver="gurobi"), on_progress=told.append)
    assert told == []
    check_installed("highs")


def test_a_program_that_is_arrays_only_cannot_go_through_pyomo():
    with pytest.raises(SolverError, match="as stated in Pyomo"):
        solve_program(assembled(portfolio(offers=[offer()])).compile(), SCIP)


def test_a_variable_in_no_row_has_its_bound_nearest_to_nothing():
    model = pyomo_solvers.pyo.ConcreteModel()
    model.x = pyomo_solvers.pyo.Var(range(3))
    for position, (low, high) in enumerate([(None, None), (2.0, 5.0), (None, -1.0)]):
        model.x[position].setlb(low)
        model.x[position].setub(high)
    assert [pyomo_solvers._value(item) for item in model.x.values()] == [0.0, 2.0, -1.0]
