"""Works at sites against all combinations of them with contracts and openings, tried by the audit alone."""

from __future__ import annotations

from functools import cache

import pytest
from brute_force import best_that_passes_usd
from support import EXACT
from works_portfolios import works_portfolio

from optimizer.app import plan
from optimizer.domain import Plan

SEEDS = [seed for seed in range(1, 33) if seed not in (7, 15)]
"""Those have ten thousands of combinations."""


@cache
def answer_of(seed: int) -> Plan:
    """The plan of a random portfolio."""
    return plan(works_portfolio(seed), EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_is_the_best_that_the_audit_lets_pass(seed):
    answer = answer_of(seed)
    assert answer.termination.objective_usd == pytest.approx(best_that_passes_usd(works_portfolio(seed)), abs=2.0)
    assert answer.audit.failures == ()


def test_the_cases_are_worth_trying():
    decided = [answer_of(seed).decisions for seed in SEEDS]
    assert sum(len(item.contracts) for item in decided) >= 35
    assert sum(len(item.site_openings) for item in decided) >= 1
    assert sum(len(item.grid_advances) for item in decided) >= 12
