"""How the search for a baseline may end: a plan, none that the limits allow, or none in time."""

import pytest
from support import EXACT, portfolio

from optimizer.app.baselines import _BaselineJob, baseline_decisions
from optimizer.domain.comparison import Baseline
from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.errors import InvalidInputError
from optimizer.solve import Solution


def ending(monkeypatch, reason, limit=Limit.NONE):
    ended = Solution(Termination(reason=reason, limit=limit), None)
    monkeypatch.setattr(_BaselineJob, "mining_on", lambda *_: ended)
    return baseline_decisions(portfolio(), Baseline.MINE_ON, EXACT)


def test_mining_on_is_a_plan():
    assert baseline_decisions(portfolio(), Baseline.MINE_ON, EXACT).contracts == ()


def test_limits_that_leave_none_are_an_answer(monkeypatch):
    assert ending(monkeypatch, TerminationReason.INFEASIBLE) is None


def test_one_that_was_not_found_in_time_is_not_taken_for_impossible(monkeypatch):
    with pytest.raises(InvalidInputError, match=r"mine-on: none was found in time; raise options\.time_limit_s"):
        ending(monkeypatch, TerminationReason.NO_PLAN_FOUND, Limit.TIME)
