"""Contracts that can be late and dearer against all combinations of them, tried by the audit alone."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from brute_force import best_that_passes_usd
from random_portfolios import random_portfolio
from support import EXACT

from optimizer.app import plan
from optimizer.domain import Plan, Portfolio, validated

SEEDS = range(500, 512)


def late_portfolio(seed: int) -> Portfolio:
    """A random portfolio in which building turns out otherwise at most sites, in scenarios and in a stress."""
    random = np.random.default_rng(seed)
    data = random_portfolio(seed).model_dump(exclude_unset=True)
    for item in data["sites"]:
        if random.random() < 0.8:
            item["construction_outcomes"] = [
                {"probability_frac": 0.35, "delay_months": int(random.integers(1, 5))},
                {
                    "probability_frac": 0.25,
                    "delay_months": int(random.integers(0, 3)),
                    "capex_overrun_frac": float(random.uniform(0.1, 0.8)),
                },
            ]
    data["risk"] = data.get("risk", {}) | {"scenario_count": 60}
    if seed % 3 == 0:
        data["finance"]["stresses"] = [
            {"name": "late", "construction": [{"delay_months": 2, "capex_overrun_frac": 0.3}]}
        ]
    return validated(Portfolio, data, "portfolio")


@cache
def answers_of(seed: int) -> tuple[Plan, float | None]:
    """The plan of a random portfolio, and the worth of its best combination."""
    return plan(late_portfolio(seed), EXACT), best_that_passes_usd(late_portfolio(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_is_the_best_that_the_audit_lets_pass(seed):
    answer, best_usd = answers_of(seed)
    if best_usd is None:
        assert answer.termination.reason == "infeasible"
        return
    assert answer.audit.failures == ()
    assert answer.termination.objective_usd == pytest.approx(best_usd, abs=2.0)


def test_the_cases_are_worth_trying():
    signed = [len(answers_of(seed)[0].contracts) for seed in SEEDS]
    assert sum(count > 0 for count in signed) >= 8
    changed = [
        plan(random_portfolio(seed), EXACT).termination.objective_usd != answers_of(seed)[0].termination.objective_usd
        for seed in SEEDS
    ]
    assert sum(changed) >= 8
