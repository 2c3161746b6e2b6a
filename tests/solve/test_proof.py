"""Wrong answers are worse than slow ones: bounds against known plans, and the second search of paranoid mode."""

from __future__ import annotations

import numpy as np
import pytest
from support import EXACT, matrix

from optimizer.domain import Limit, SolveOptions, Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.solve import LiveModel, Search, Solution, best, solve_program
from optimizer.solve.proof import KnownPlans

PARANOID = EXACT.model_copy(update={"paranoid": True})
ITEMS = matrix([4.0, 3.0, 2.0], [[2.0, 2.0, 2.0]], 4.0)
"""The best is the first two, worth 7 million."""
BEST, WORSE = np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0])


def claims(bound, worth=None, values=None, reason=TerminationReason.OPTIMAL):
    return Solution(Termination(reason=reason, objective_usd=worth, bound_usd=bound, gap_frac=0.0), values)


def answers(monkeypatch, *solutions):
    """HiGHS as one that gives these answers in turn."""
    left = list(solutions)

    def solve(model, options, search, start=None, presolve="choose"):
        asked.append((presolve, options.seed))
        model.best_seen_usd = None
        return left.pop(0)

    asked = []
    monkeypatch.setattr(best, "solve_with_highs", solve)
    return asked


def test_a_bound_below_the_start_is_an_error_that_names_both(monkeypatch):
    answers(monkeypatch, claims(5e6, 5e6, WORSE))
    with pytest.raises(SolverError, match=r"bound of 5,000,000 USD.*started from is a plan worth 7,000,000 USD"):
        solve_program(ITEMS, EXACT, start=BEST)


def test_a_bound_below_its_own_plan_is_an_error(monkeypatch):
    answers(monkeypatch, claims(6e6, 7e6, BEST))
    with pytest.raises(SolverError, match=r"bound of 6,000,000 USD, but its own plan is a plan worth 7,000,000 USD"):
        solve_program(ITEMS, EXACT)


def test_no_plan_where_there_is_one_is_an_error(monkeypatch):
    answers(monkeypatch, claims(None, reason=TerminationReason.INFEASIBLE))
    with pytest.raises(SolverError, match="no plan exists, but the plan it started from is a plan worth 7,000,000"):
        solve_program(ITEMS, EXACT, start=BEST)


@pytest.mark.parametrize("start", [np.ones(3), np.array([1.0, 0.5, 0.5]), np.array([2.0, 0.0, 0.0])])
def test_a_start_that_is_no_plan_contradicts_nothing(start):
    assert not ITEMS.holds(start)
    assert solve_program(ITEMS, EXACT, start=start).termination.objective_usd == pytest.approx(7e6)


def test_an_incumbent_that_was_told_is_a_known_plan(monkeypatch):
    def solve(model, *rest, **more):
        model.best_seen_usd = 9e6
        return claims(7e6, 7e6, BEST)

    monkeypatch.setattr(best, "solve_with_highs", solve)
    with pytest.raises(SolverError, match="a plan it told of is a plan worth 9,000,000"):
        solve_program(ITEMS, EXACT)


def test_the_best_incumbent_of_a_run_is_noted():
    model = LiveModel(ITEMS)
    solve_program(model, EXACT)
    model.run(EXACT, Search(), presolve="off")
    assert model.best_seen_usd is None or model.best_seen_usd == pytest.approx(7e6)


def test_tolerances_explain_small_excess_only():
    known = KnownPlans(ITEMS)
    known.add_worth("x", 100e6)
    known.check(claims(100e6 * (1 - 0.9e-5)).termination, "s")
    with pytest.raises(SolverError):
        known.check(claims(100e6 * (1 - 1.1e-5)).termination, "s")


# ------------------------------------------------------------------------------------------------------------- paranoid


def test_a_paranoid_search_that_agrees_says_so(monkeypatch):
    ended = solve_program(ITEMS, PARANOID).termination
    assert (ended.reason, ended.objective_usd) == ("optimal", pytest.approx(7e6))
    assert ended.detail == "a second search (HiGHS without presolve) proves 7,000,000 USD within the same gap"
    assert solve_program(ITEMS, EXACT).termination.detail == ""
    asked = answers(monkeypatch, claims(7e6, 7e6, BEST), claims(7e6, 7e6, BEST))
    solve_program(ITEMS, PARANOID)
    assert asked == [("choose", 0), ("off", 1)]


def test_a_second_search_that_finds_more_than_the_first_holds_possible_is_an_error(monkeypatch):
    answers(monkeypatch, claims(5e6, 5e6, WORSE), claims(7e6, 7e6, BEST))
    with pytest.raises(SolverError, match=r"highs reports a bound of 5,000,000 USD.*worth 7,000,000 USD"):
        solve_program(ITEMS, PARANOID)


def test_a_second_search_that_holds_the_first_plan_impossible_is_an_error(monkeypatch):
    answers(monkeypatch, claims(7e6, 7e6, BEST), claims(5e6, 5e6, WORSE))
    with pytest.raises(SolverError, match=r"HiGHS without presolve reports a bound of 5,000,000 USD.*7,000,000 USD"):
        solve_program(ITEMS, PARANOID)


def test_a_plan_where_the_first_search_says_there_is_none_is_an_error(monkeypatch):
    answers(monkeypatch, claims(None, reason=TerminationReason.INFEASIBLE), claims(7e6, 7e6, BEST))
    with pytest.raises(SolverError, match="highs says that no plan exists"):
        solve_program(ITEMS, PARANOID)


def test_the_better_plan_of_two_is_kept_with_the_first_bound(monkeypatch):
    limited = Termination(reason="feasible", limit="time", objective_usd=5e6, bound_usd=9e6, gap_frac=0.8)
    answers(monkeypatch, Solution(limited, WORSE), claims(7e6, 7e6, BEST))
    solution = solve_program(ITEMS, PARANOID)
    assert np.array_equal(solution.values, BEST)
    ended = solution.termination
    assert (ended.objective_usd, ended.bound_usd, ended.limit) == (pytest.approx(7e6), 9e6, Limit.TIME)
    assert "proves 7,000,000 USD" in ended.detail


def test_a_second_search_that_ends_without_a_plan_changes_nothing_but_the_detail(monkeypatch):
    nothing = Termination(reason="no-plan-found", limit="time", bound_usd=8e6)
    answers(monkeypatch, claims(7e6, 7e6, BEST), Solution(nothing, None))
    ended = solve_program(ITEMS, PARANOID).termination
    assert (ended.reason, ended.objective_usd) == ("optimal", pytest.approx(7e6))
    assert "ended at a limit with a bound of 8,000,000 USD" in ended.detail


def test_both_find_nothing_where_there_is_nothing():
    ended = solve_program(matrix([1.0], [[1.0]], upper=np.inf, lower=2.0), PARANOID).termination
    assert ended.reason is TerminationReason.INFEASIBLE
    assert "says infeasible too" in ended.detail


def test_a_stopped_search_is_not_repeated(monkeypatch):
    asked = answers(monkeypatch, claims(9e6, 7e6, BEST))
    solve_program(ITEMS, PARANOID, Search(should_stop=lambda: True))
    assert len(asked) == 1


def test_the_last_seed_is_followed_by_the_first(monkeypatch):
    asked = answers(monkeypatch, claims(7e6, 7e6, BEST), claims(7e6, 7e6, BEST))
    solve_program(ITEMS, SolveOptions(paranoid=True, seed=2**31 - 1))
    assert asked[1] == ("off", 0)
