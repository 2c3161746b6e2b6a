"""Signing everything now signs as much, as soon, as the best of all combinations that the audit lets pass."""

from __future__ import annotations

import pytest
from brute_force import by_worth
from random_portfolios import random_portfolio
from support import EXACT

from optimizer.app import evaluate
from optimizer.app.baselines import baseline_decisions
from optimizer.app.changes import changed
from optimizer.curves.futures import Futures
from optimizer.domain.comparison import Baseline
from optimizer.domain.evaluation import EvaluationSpec


@pytest.mark.parametrize("seed", [3, 1, 5])
def test_it_is_the_most_of_all_combinations_that_pass_and_the_best_of_those(seed):
    case = changed(random_portfolio(seed, ruled=True), {"offers[*].price_usd_per_kw_month": 0.3}, {})
    passed = []
    for decisions in by_worth(case, Futures.of(case)):
        found = evaluate(EvaluationSpec(portfolio=case, decisions=decisions))
        if found.feasible:
            passed.append((mw_months(case, decisions), found.plan.termination.objective_usd))
    decisions = baseline_decisions(case, Baseline.SIGN_EVERYTHING_NOW, EXACT)
    found = evaluate(EvaluationSpec(portfolio=case, decisions=decisions))
    assert found.feasible
    most = max(passed)
    assert len({mw for mw, _ in passed}) > 1
    assert mw_months(case, decisions) == pytest.approx(most[0])
    assert found.plan.termination.objective_usd == pytest.approx(most[1], abs=2.0)


def mw_months(case, decisions):
    """MW of critical IT over the months from signing to the end of the horizon."""
    horizon = case.horizon
    return sum(
        item.critical_mw * (horizon.month_count - horizon.index_of(item.sign_month)) for item in decisions.contracts
    )
