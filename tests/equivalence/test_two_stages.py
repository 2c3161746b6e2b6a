"""Two stages: cuts that bound everywhere, a master that is the same program, and the same plan as of the whole."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from random_portfolios import random_portfolio
from support import EXACT, asic, assembled, fleet, matrix, offer, place, portfolio, site

from optimizer.app import plan
from optimizer.bench.instances import instance
from optimizer.domain import Limit, SolveOptions, TerminationReason
from optimizer.io import load_portfolio
from optimizer.model.program import COMPANY, FIRST_STAGE
from optimizer.solve import LiveModel, Search, solve_fixed, solve_program
from optimizer.solve.decompose import MISSED, _Decomposition, solve_in_stages
from optimizer.solve.master import ACTIVITY, Master
from optimizer.solve.recourse import PENALTY_MUSD, Recourse
from optimizer.solve.site_basis import site_basis
from optimizer.solve.stages import Stages, activity, part

STAGES = EXACT.model_copy(update={"method": "stages"})
SEEDS = (100, 101, 102, 103, 104, 107, 108, 109, 111, 114)


def program(seed):
    return assembled(random_portfolio(seed, machines=True)).compile()


def random_first(case, seed):
    """First decisions that the master allows: a mixture of two of its corners."""
    random, master = np.random.default_rng(seed), Master(Stages(case).master())
    model = master.model
    upper = model.matrix.column_upper.copy()
    upper[-1] = 0.0
    corners = []
    for _ in range(2):
        model.update(cost=random.normal(size=len(upper)) * master.first, column_upper=np.minimum(upper, 50.0))
        assert model.run(EXACT, Search()).has_plan
        corners.append(model.values[master.first])
    return 0.7 * corners[0] + 0.3 * corners[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_plans_in_stages_are_worth_what_plans_of_the_whole_program_are(seed):
    case = program(seed)
    whole = solve_program(case, EXACT.model_copy(update={"method": "whole"}))
    staged = solve_program(case, STAGES)
    assert staged.termination.reason is whole.termination.reason
    if whole.termination.objective_usd is not None:
        assert staged.termination.objective_usd == pytest.approx(whole.termination.objective_usd, abs=2.0)
        assert staged.termination.bound_usd >= whole.termination.objective_usd - 2.0


@pytest.mark.parametrize("seed", SEEDS)
def test_stages_alone_bound_the_whole_program_and_their_plan_keeps_its_rows(seed):
    case = program(seed)
    whole = solve_program(case, EXACT.model_copy(update={"method": "whole"}))
    staged = solve_in_stages(case, EXACT, Search())
    if whole.termination.objective_usd is None:
        assert not staged.termination.has_plan
        return
    assert staged.termination.bound_usd >= whole.termination.objective_usd - 2.0
    assert staged.values is not None
    assert case.holds(staged.values)
    assert staged.termination.objective_usd == pytest.approx(1e6 * (case.cost @ staged.values + case.constant), abs=2.0)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_cut_bounds_the_worth_at_every_point_and_is_exact_at_its_own(seed):
    case = program(seed)
    stages, deadline = Stages(case), time.monotonic() + 60.0
    recourse = Recourse(stages, EXACT, Search())
    points = [random_first(case, number) for number in range(6)]
    found = [recourse.at(point, deadline) for point in points]
    worths = [
        item.worth_musd - float(case.cost[stages.first] @ point) - case.constant
        for item, point in zip(found, points, strict=True)
    ]
    assert np.ptp(worths) > 1e-3
    for item, point, worth in zip(found, points, worths, strict=True):
        assert item.cut.at(point) == pytest.approx(worth, abs=1e-5)
        assert all(item.cut.at(other) >= value - 1e-5 for other, value in zip(points, worths, strict=True))


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_stating_rows_by_differences_changes_neither_optimum_nor_completion(seed, monkeypatch):
    monkeypatch.setattr("optimizer.solve.master.LEAST_LENGTH", 1)
    monkeypatch.setattr("optimizer.solve.master.MOST_SHARE", 1.5)
    stated = Stages(program(seed)).master()
    master = Master(stated)
    assert (master.model.matrix.site == ACTIVITY).sum() > 5
    matrix_ = master.model.matrix
    for number in range(3):
        first = random_first(program(seed), number)
        values = master.complete(first)
        values[-1] = 0.0
        wrong = np.maximum(matrix_.column_lower - values, values - matrix_.column_upper)[matrix_.site == ACTIVITY]
        assert activity(matrix_, values)[master._told] == pytest.approx(0.0, abs=1e-9)
        missed = np.maximum(stated.row_lower - activity(stated, first), activity(stated, first) - stated.row_upper)
        assert wrong == pytest.approx(missed[master._told])
    # without what follows, both have the same optimum
    master.model.update(column_upper=np.where(matrix_.site == -3, 0.0, matrix_.column_upper))
    ours = master.model.run(EXACT, Search())
    plain = LiveModel(stated)
    plain.update(integer=np.zeros_like(stated.integer))
    theirs = plain.run(EXACT, Search())
    assert ours.objective_usd == pytest.approx(theirs.objective_usd, abs=1.0)


def test_machines_and_cash_are_the_second_stage_and_contracts_the_first():
    stated = assembled(load_portfolio("tiny"))
    case = stated.compile()
    places = {name: set(case.site[block.columns].tolist()) for name, block in stated.variables.items() if block.keys}
    assert places["sign"] == places["debt_musd"] == {FIRST_STAGE}
    assert places["cash_musd"] == {COMPANY}
    assert places["running_machines"] == places["stock_machines"] == {0, 1}
    assert (case.site[case.integer] == FIRST_STAGE).all()


def test_a_program_without_a_second_stage_is_not_split():
    case = matrix([3.0, 2.0], [[1.0, 1.0]], 1.0)
    assert not Stages(case).worthwhile
    assert solve_program(case, STAGES).termination.objective_usd == pytest.approx(3e6)


def test_part_keeps_rows_and_columns_in_order():
    case = matrix([3.0, 2.0, 1.0], [[2.0, 1.0, 0.0], [0.0, 1.0, 4.0], [5.0, 0.0, 6.0]], [2.0, 3.0, 4.0])
    some = part(case, np.array([True, False, True]), np.array([0, 2]))
    assert some.shape == (2, 2)
    assert some.cost.tolist() == [3.0, 1.0]
    assert some.row_upper.tolist() == [2.0, 4.0]
    assert [some.index.tolist(), some.value.tolist(), some.start.tolist()] == [[0, 0, 1], [2.0, 5.0, 6.0], [0, 1, 3]]


@pytest.mark.parametrize("name", ["tiny", "us-miner"])
def test_the_bases_of_the_sites_lead_to_the_same_optimum_in_fewer_steps(name):
    case = assembled(load_portfolio(name)).compile()
    first = Stages(case).first
    upper = np.where(first, np.maximum(case.column_lower, 0.0), case.column_upper)
    model = LiveModel(case)
    model.update(column_upper=upper, integer=np.zeros_like(case.integer))
    plain = model.run(EXACT, Search(), presolve="off")
    steps = model.highs.getInfo().simplex_iteration_count
    basis = site_basis(model.matrix, np.maximum(case.column_lower, 0.0), EXACT, Search())
    model.forget()
    model.start_from_basis(basis)
    started = model.run(EXACT, Search(), presolve="off", simplex_strategy=4)
    assert started.objective_usd == pytest.approx(plain.objective_usd, abs=1.0)
    assert model.highs.getInfo().simplex_iteration_count < steps / 2


def unaffordable():
    """A contract that must be signed and that nobody can pay."""
    return portfolio(
        12,
        sites=[site("A", grid_mw=30.0, hall_mw=10.0), site("B", grid_mw=30.0, hall_mw=10.0)],
        offers=[offer("O1", critical_mw=8.0, sites=[place("A", capex_usd_per_critical_mw=9e6)])],
        asic_models=[asic()],
        fleets=[fleet(500, "A"), fleet(500, "B")],
        finance={"opening_cash_usd": 1e6, "minimum_liquidity_usd": 0.0},
        policy={"mandatory": [{"offer": "O1"}]},
    )


def test_what_nobody_can_pay_is_proven_infeasible():
    case = assembled(unaffordable()).compile()
    assert (
        solve_program(case, EXACT.model_copy(update={"method": "whole"})).termination.reason
        is TerminationReason.INFEASIBLE
    )
    assert solve_program(case, STAGES).termination.reason is TerminationReason.INFEASIBLE


def test_a_stop_keeps_the_plan_that_there_is_and_a_bound():
    case = program(SEEDS[0])
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 40

    found = solve_in_stages(case, EXACT, Search(should_stop=stop))
    assert found.termination.limit in (Limit.INTERRUPTED, Limit.NONE)
    if found.values is not None:
        assert case.holds(found.values)


def test_progress_tells_plans_and_bounds_that_only_get_better():
    told = []
    search = Search(on_incumbent=lambda worth, bound, nodes: told.append((worth, bound)))
    found = solve_in_stages(program(SEEDS[1]), EXACT, search)
    worths = [worth for worth, _ in told if worth is not None]
    bounds = [bound for _, bound in told if bound is not None]
    assert worths == sorted(worths)
    assert bounds == sorted(bounds, reverse=True)
    assert worths[-1] == pytest.approx(found.termination.objective_usd)
    assert bounds[-1] == pytest.approx(found.termination.bound_usd)


def test_the_method_can_be_forced_and_gives_the_same_plan():
    case = load_portfolio("tiny")
    whole, staged = (plan(case, SolveOptions(gap_frac=1e-4, method=method)) for method in ("whole", "stages"))
    assert staged.audit.passed
    assert staged.termination.objective_usd == pytest.approx(whole.termination.objective_usd, rel=2e-4)
    assert staged.termination.bound_usd >= whole.termination.objective_usd * (1.0 - 1e-9)
    assert staged.manifest.options.method == "stages"


def test_fixed_programs_are_solved_the_same_from_the_bases_of_sites(monkeypatch):
    case = assembled(load_portfolio("tiny")).compile()
    fixed = np.where(case.integer, 0.0, np.nan)
    plain = solve_fixed(case, EXACT, fixed)
    monkeypatch.setattr("optimizer.solve.highs.LARGE_NONZEROS", 0)
    assert solve_fixed(case, EXACT, fixed, apart=True).termination.objective_usd == pytest.approx(
        plain.termination.objective_usd, abs=1.0
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_second_stage_alone_is_the_whole_program_with_its_first_stage_given(seed):
    case = program(seed)
    recourse, point = Recourse(Stages(case), EXACT, Search()), random_first(case, seed)
    alone = recourse.at(point, time.monotonic() + 60.0)
    first = Stages(case).first
    whole = recourse._elastic
    given = np.append(first, np.zeros(len(whole.cost) - len(first), dtype=np.bool_))
    values = np.zeros(len(whole.cost))
    values[given] = point
    model = LiveModel(
        replace(
            whole,
            column_lower=np.where(given, values, whole.column_lower),
            column_upper=np.where(given, values, whole.column_upper),
        )
    )
    worth_usd = model.run(EXACT, Search()).objective_usd
    assert alone.worth_musd * 1e6 == pytest.approx(worth_usd, rel=1e-7, abs=10.0)


def test_a_limit_that_is_touched_within_tolerances_leaves_what_must_follow():
    case = matrix([1.0, 1.0], [[1.0, 1.0]], [4.0], most=9.0)
    stages = Stages(replace(case, site=np.array([FIRST_STAGE, 0])))
    assert stages.left(np.array([4.0 + 1e-6]))[1] == 0.0
    assert stages.left(np.array([4.1]))[1] == pytest.approx(-0.1)
    assert stages.left(np.array([3.0]))[1] == 1.0


def test_the_penalty_of_missing_rows_rises():
    case = program(SEEDS[0])
    recourse = Recourse(Stages(case), EXACT, Search())
    before = recourse.at(random_first(case, 1), time.monotonic() + 60.0)
    recourse.raise_penalty()
    after = recourse.at(random_first(case, 1), time.monotonic() + 60.0)
    assert recourse._penalty_musd > PENALTY_MUSD
    assert after.worth_musd <= before.worth_musd + 1e-9


def test_a_guess_made_whole_is_a_plan_that_can_be_paid_and_signs_contracts():
    case = assembled(instance(5, 15, 120, 1)).compile()
    job = _Decomposition(case, EXACT, Search(), time.monotonic() + 120.0)
    mining_on = job.follow(job.anywhere())
    assert job.relaxed() is not None
    relaxed, expected_musd = job.guess(mining_on)
    whole = job.made_whole()
    integer = case.integer[job.stages.first]
    broken = [np.abs(first[integer] - np.rint(first[integer])).max() for first in (whole, relaxed)]
    assert broken[0] < 1e-6 < broken[1]
    plan_of_it = job.follow(whole)
    assert plan_of_it.missed <= MISSED
    assert job.known.worth_musd == plan_of_it.worth_musd > 1.5 * mining_on.worth_musd
    assert expected_musd > job.known.worth_musd


def test_whole_numbers_that_cannot_be_are_proven_not_to_by_the_master_alone():
    case = matrix([1.0, 1.0], [[2.0, 0.0], [1.0, 1.0]], [1.0, 5.0], lower=[1.0, -np.inf], most=4.0)
    case = replace(case, integer=np.array([True, False]), site=np.array([FIRST_STAGE, 0]))
    assert solve_in_stages(case, EXACT, Search()).termination.reason is TerminationReason.INFEASIBLE
    # half of it is possible
    relaxed = replace(case, row_upper=np.array([2.0, 5.0]))
    assert solve_in_stages(relaxed, EXACT, Search()).termination.objective_usd == pytest.approx(5e6)
