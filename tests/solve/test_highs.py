"""The solver behind the plan: options, how a search can end, stopping it, and that it repeats itself."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from types import SimpleNamespace

import highspy
import numpy as np
import pytest
from support import EXACT, asic, assembled, best, fleet, matrix, offer, portfolio

from optimizer.app import plan
from optimizer.domain import Limit, SolveOptions, Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.io import load_portfolio
from optimizer.solve import Search, dive, solve_fixed, solve_program
from optimizer.solve.highs import PRIMAL_TOLERANCE
from optimizer.solve.live import set_option
from optimizer.solve.search import Solution
from optimizer.solve.status import AMBIGUOUS, ENDED, termination_of


def knapsacks(count=60, rows=10, seed=3):
    """Has a plan at once, and no proof for a long time."""
    random = np.random.default_rng(seed)
    weight = random.integers(5, 100, (rows, count)).astype(float)
    value = weight.mean(axis=0) + random.uniform(0, 10, count)
    return matrix(value, weight, upper=weight.sum(axis=1) / 2)


def splits(count=36, rows=5, seed=1):
    """Equations between whole numbers that hardly any 0/1 vector meets: no plan for a long time."""
    random = np.random.default_rng(seed)
    weight = random.integers(0, 100, (rows, count)).astype(float)
    half = np.floor(weight.sum(axis=1) / 2)
    return matrix(np.ones(count), weight, lower=half, upper=half)


# --------------------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(("name", "value"), [("mip_rel_gapp", 0.1), ("mip_rel_gap", "much"), ("mip_rel_gap", -1.0)])
def test_an_option_that_is_unknown_or_refused_is_an_error(name, value):
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    with pytest.raises(SolverError, match=name):
        set_option(highs, name, value)


def test_a_known_option_is_set():
    highs = highspy.Highs()
    set_option(highs, "mip_rel_gap", 0.25)
    assert highs.getOptionValue("mip_rel_gap")[1] == 0.25


# ------------------------------------------------------------------------------------------------------- ends of a search


def test_a_proven_optimum():
    solution = solve_program(matrix([3.0, 2.0], [[2.0, 1.0]], 2.0, constant=1.0), EXACT)
    assert solution.values.tolist() == [1.0, 0.0]
    ended = solution.termination
    assert (ended.reason, ended.limit) == (TerminationReason.OPTIMAL, Limit.NONE)
    assert ended.objective_usd == pytest.approx(4e6)
    assert ended.bound_usd == pytest.approx(4e6)
    assert ended.gap_frac == pytest.approx(0.0)


def test_a_linear_program_has_its_optimum_as_bound():
    ended = solve_program(matrix([3.0, 2.0], [[2.0, 1.0]], 2.0, integer=False), EXACT).termination
    assert (ended.reason, ended.objective_usd, ended.bound_usd, ended.gap_frac) == ("optimal", 3.5e6, 3.5e6, 0.0)


@pytest.mark.parametrize("integer", [False, True])
def test_nothing_satisfies_the_rows(integer):
    solution = solve_program(matrix([1.0], [[1.0]], upper=np.inf, lower=2.0, integer=integer), EXACT)
    assert solution.termination.reason is TerminationReason.INFEASIBLE
    assert solution.values is None
    assert solution.termination.objective_usd is None


def test_unlimited_profit_of_a_linear_program():
    endless = matrix([1.0, 1.0], [[1.0, -1.0]], 1.0, most=np.inf, integer=False)
    assert solve_program(endless, EXACT).termination.reason is TerminationReason.UNBOUNDED


def test_unlimited_profit_of_a_mixed_integer_program():
    endless = matrix([1.0, 1.0], [[1.0, -1.0]], 1.0, most=np.inf)
    assert solve_program(endless, EXACT).termination.reason is TerminationReason.UNBOUNDED


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_coefficient_that_is_not_finite_is_refused(wrong):
    with pytest.raises(SolverError, match="not finite"):
        solve_program(matrix([wrong, 1.0], [[1.0, 1.0]], 1.0), EXACT)


def test_a_time_limit_keeps_the_plan_found_so_far():
    program, options = knapsacks(), SolveOptions(time_limit_s=0.5, gap_frac=0.0)
    began = time.monotonic()
    solution = solve_program(program, options)
    assert time.monotonic() - began < 5.0
    ended = solution.termination
    assert (ended.reason, ended.limit) == (TerminationReason.FEASIBLE, Limit.TIME)
    assert ended.bound_usd > ended.objective_usd > 0.0
    assert ended.gap_frac == pytest.approx((ended.bound_usd - ended.objective_usd) / ended.objective_usd)
    assert ended.objective_usd == pytest.approx(1e6 * program.cost @ solution.values)


def test_a_time_limit_before_any_plan():
    solution = solve_program(splits(), SolveOptions(time_limit_s=0.3, gap_frac=0.0))
    ended = solution.termination
    assert (ended.reason, ended.limit) == (TerminationReason.NO_PLAN_FOUND, Limit.TIME)
    assert solution.values is None
    assert ended.objective_usd is None
    assert ended.gap_frac is None


def test_a_tiny_time_limit_ends_at_once():
    began = time.monotonic()
    ended = solve_program(splits(), SolveOptions(time_limit_s=0.1)).termination
    assert time.monotonic() - began < 3.0
    assert ended.limit is Limit.TIME


def test_a_plan_has_a_second_to_solve_however_little_time_is_left():
    answer = plan(load_portfolio("tiny"), SolveOptions(time_limit_s=0.1))
    assert answer.termination.has_plan


def test_a_stop_keeps_the_plan_found_so_far():
    began = time.monotonic()
    search = Search(should_stop=lambda: time.monotonic() - began > 0.5)
    solution = solve_program(knapsacks(), SolveOptions(time_limit_s=60.0, gap_frac=0.0), search)
    assert time.monotonic() - began < 10.0
    assert (solution.termination.reason, solution.termination.limit) == (TerminationReason.FEASIBLE, Limit.INTERRUPTED)
    assert solution.values is not None
    assert solution.termination.bound_usd > solution.termination.objective_usd > 0.0


def test_a_stop_before_any_plan():
    solution = solve_program(splits(), EXACT, Search(should_stop=lambda: True))
    assert (solution.termination.reason, solution.termination.limit) == (
        TerminationReason.NO_PLAN_FOUND,
        Limit.INTERRUPTED,
    )


def test_a_stop_that_was_not_asked_for_ends_nothing():
    asked = []
    search = Search(should_stop=lambda: bool(asked.append(1)))
    assert solve_program(knapsacks(20, 3), EXACT, search).termination.reason is TerminationReason.OPTIMAL
    assert asked


def test_a_wider_gap_ends_sooner_and_keeps_its_promise():
    program = knapsacks(20, 4)
    wide = solve_program(program, SolveOptions(gap_frac=0.05)).termination
    exact = solve_program(program, EXACT).termination
    assert wide.gap_frac <= 0.05
    assert wide.objective_usd <= exact.objective_usd + 1.0 <= wide.bound_usd + 2.0
    assert exact.gap_frac <= 1e-6


def test_incumbents_and_bounds_are_told_in_dollars():
    told = []
    search = Search(on_incumbent=lambda *item: told.append(item))
    ended = solve_program(knapsacks(40, 5), SolveOptions(time_limit_s=1.0, gap_frac=0.0), search).termination
    seen = [(incumbent, bound) for incumbent, bound, _ in told if incumbent is not None and bound is not None]
    assert seen
    for incumbent, bound in seen:
        assert incumbent <= ended.objective_usd * (1 + 1e-9) <= bound * (1 + 1e-6)


# ----------------------------------------------------------------------------------------------------------- status table

ALL_STATUSES = [status for name, status in vars(highspy.HighsModelStatus).items() if name.startswith("k")]
REFUSED = {
    "kNotset", "kLoadError", "kModelError", "kPresolveError", "kSolveError", "kPostsolveError", "kUnknown", "kMemoryLimit",
}  # fmt: skip
"""Neither an answer nor a limit of ours."""


class Ended:
    """A solver that has ended with some status."""

    def __init__(self, status, solved=True):
        self.status, self.solved = status, solved

    def getModelStatus(self):
        return self.status

    def modelStatusToString(self, status):
        return status.name

    def getInfo(self):
        info = highspy.HighsInfo()
        info.primal_solution_status = (
            highspy.SolutionStatus.kSolutionStatusFeasible
            if self.solved
            else highspy.SolutionStatus.kSolutionStatusNone
        )
        info.objective_function_value, info.mip_dual_bound, info.mip_node_count = 2.0, 3.0, 7
        return info

    def getLp(self):
        lp = highspy.HighsLp()
        lp.integrality_ = [highspy.HighsVarType.kInteger]
        return lp


@pytest.mark.parametrize("status", ALL_STATUSES, ids=lambda item: item.name)
@pytest.mark.parametrize("solved", [True, False])
def test_every_status_of_the_solver_has_one_meaning(status, solved):
    if status in ENDED or status in AMBIGUOUS:
        ended = termination_of(Ended(status, solved), interrupted=False)
        expected = TerminationReason.INFEASIBLE if status in AMBIGUOUS else ENDED[status][0]
        if not solved and expected in (TerminationReason.FEASIBLE, TerminationReason.OPTIMAL):
            expected = TerminationReason.NO_PLAN_FOUND
        assert ended.reason is expected
        if ended.has_plan:
            assert (ended.objective_usd, ended.bound_usd, ended.gap_frac) == (2e6, 3e6, 0.5)
        else:
            assert ended.objective_usd is None
    else:
        assert status.name in REFUSED
        with pytest.raises(SolverError, match=status.name):
            termination_of(Ended(status, solved), interrupted=False)


def test_no_status_is_both_an_answer_and_refused():
    assert {status.name for status in [*ENDED, *AMBIGUOUS]}.isdisjoint(REFUSED)


def test_a_limit_after_a_stop_is_the_stop():
    ended = termination_of(Ended(highspy.HighsModelStatus.kTimeLimit), interrupted=True)
    assert ended.limit is Limit.INTERRUPTED
    assert termination_of(Ended(highspy.HighsModelStatus.kOptimal), interrupted=True).limit is Limit.NONE


# ----------------------------------------------------------------------------------------------------------- same again


def test_the_same_portfolio_gives_the_same_plan_twice():
    several = portfolio(
        8,
        offers=[offer(f"O{i}", price_usd_per_kw_month=90.0 + i, sign_until_month="2027-04") for i in range(5)],
        asic_models=[asic()],
        fleets=[fleet()],
        finance={"opening_cash_usd": 2e6},
    )
    first, second = (best(several) for _ in range(2))
    assert first.decisions.contracts
    assert first.decisions == second.decisions
    assert first.cash_flow == second.cash_flow
    assert first.termination == second.termination


def test_the_seed_repeats_the_search_and_does_not_change_the_answer():
    first, again, other = (solve_program(knapsacks(16, 4), SolveOptions(gap_frac=0.0, seed=seed)) for seed in (7, 7, 8))
    assert np.array_equal(first.values, again.values)
    assert first.termination == again.termination
    assert other.termination.objective_usd == pytest.approx(first.termination.objective_usd)


# ----------------------------------------------------------------------------------------------------------- fixed columns


def test_fixed_columns_stay_and_free_integers_stay_whole():
    program = matrix([3.0, 2.0, 2.0], [[2.0, 1.0, 1.0]], 2.5, most=5.0)
    solution = solve_fixed(program, EXACT, np.array([1.0, np.nan, np.nan]))
    assert solution.values.tolist()[0] == 1.0
    assert solution.termination.objective_usd == pytest.approx(3e6)
    assert solve_fixed(program, EXACT, np.array([2.0, np.nan, np.nan])).values is None


def test_polishing_late_takes_a_share_of_the_limit_and_leaves_the_plan_that_was_found(monkeypatch):
    late = itertools.count(0.0, 95.0)
    given = []

    def no_time(model, options, fixed, search=None, **_):
        given.append(options.time_limit_s)
        return Solution(Termination(reason=TerminationReason.NO_PLAN_FOUND, limit=Limit.TIME), None)

    monkeypatch.setattr("optimizer.solve.best.time", SimpleNamespace(monotonic=lambda: next(late)))
    monkeypatch.setattr("optimizer.solve.best.solve_fixed", no_time)
    program = matrix([3.0, 2.0, 2.0], [[2.0, 1.0, 1.0]], 2.5)
    solution = solve_program(program, SolveOptions(gap_frac=0.0, time_limit_s=100.0, method="whole"))
    assert given == [pytest.approx(10.0)]
    assert solution.termination.objective_usd == pytest.approx(4e6)
    assert program.holds(solution.values)


def test_the_final_program_is_exact():
    program = assembled(portfolio(offers=[offer()], finance={"opening_cash_usd": 1e6})).compile()
    values = solve_program(program, EXACT).values
    assert np.array_equal(values[program.integer], np.rint(values[program.integer]))
    for row in range(program.shape[0]):
        span = slice(program.start[row], program.start[row + 1])
        activity = program.value[span] @ values[program.index[span]]
        assert program.row_lower[row] - PRIMAL_TOLERANCE <= activity <= program.row_upper[row] + PRIMAL_TOLERANCE


# ------------------------------------------------------------------------------------------------------------- a first plan


@pytest.mark.parametrize("seed", range(5))
def test_a_dive_ends_at_a_plan_that_holds_and_is_no_better_than_the_best(seed):
    program = knapsacks(18, 4, seed)
    values = dive(program, EXACT, Search())
    assert program.holds(values)
    optimum = solve_program(program, EXACT).termination.objective_usd
    assert 0.8 * optimum <= 1e6 * program.cost @ values <= optimum + 1.0


def test_a_dive_of_the_tiny_example_holds():
    program = assembled(load_portfolio("tiny")).compile()
    values = dive(program, EXACT, Search())
    assert values is not None
    assert program.holds(values)


def test_a_dive_finds_nothing_where_there_is_nothing():
    assert dive(matrix([1.0], [[1.0]], upper=np.inf, lower=2.0), EXACT, Search()) is None
    assert dive(knapsacks(), EXACT, Search(should_stop=lambda: True)) is None


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["feasible", "infeasible"])
def test_a_start_changes_the_way_and_not_the_end(value):
    program = knapsacks(18, 4)
    plain = solve_program(program, EXACT).termination
    started = solve_program(program, EXACT, start=np.full(program.shape[1], value)).termination
    assert (started.reason, started.limit) == (plain.reason, plain.limit)
    assert started.objective_usd == pytest.approx(plain.objective_usd)


def test_a_stop_returns_the_start():
    program = knapsacks()
    start = dive(program, EXACT, Search())
    stopped = solve_program(program, EXACT, Search(should_stop=lambda: True), start=start)
    assert stopped.termination.limit is Limit.INTERRUPTED
    assert stopped.termination.reason is TerminationReason.FEASIBLE
    assert stopped.termination.objective_usd >= 1e6 * program.cost @ start - 1.0


def test_ctrl_c_stops_the_search_and_keeps_the_plan():
    search = Search()
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    ended = solve_program(knapsacks(), SolveOptions(time_limit_s=60.0, gap_frac=0.0), search).termination
    assert search.interrupted
    assert time.monotonic() - began < 20.0
    assert (ended.reason, ended.limit) == (TerminationReason.FEASIBLE, Limit.INTERRUPTED)
