"""Planning again under a price of changes is the best of all combinations, each less the price of its changes."""

from __future__ import annotations

import pytest
from brute_force import best_that_passes_usd, by_worth
from random_portfolios import random_portfolio
from support import EXACT, close

from optimizer.app import replan
from optimizer.app.replan import under_rules
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.domain.replan import ReplanSpec


@pytest.mark.parametrize(
    ("seed", "terms"),
    [
        (1, {"cost_usd_per_change": 2e5}),
        (3, {"most_changes": 1, "cost_usd_per_change": 1e5}),
        (5, {"cost_usd_per_change": 1e6}),
        (7, {"most_changes": 2, "freeze_until_month": "2027-03"}),
    ],
)
def test_it_is_the_best_of_all_combinations(seed, terms):
    case = without_changes(random_portfolio(seed))
    passing = [item for _, item in zip(range(4), that_pass(case), strict=False)]
    spec = ReplanSpec.model_validate({"portfolio": case, "decisions": passing[-1], "options": EXACT, **terms})
    found = replan(spec)
    assert close(found.plan.termination.objective_usd, best_that_passes_usd(under_rules(spec, spec.decisions)), usd=3.0)


def without_changes(case):
    data = case.model_dump(exclude_unset=True)
    data["policy"].pop("contract_changes", None)
    return Portfolio.model_validate(data)


def that_pass(case):
    """Combinations from the best downwards."""
    futures = Futures.of(case)
    for decisions in by_worth(case, futures):
        if audit(case, futures, decisions, Claims())[1].passed:
            yield decisions
