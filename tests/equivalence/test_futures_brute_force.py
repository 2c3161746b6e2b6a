"""Tenants that fail together, rents that move, interconnects and countries, against all combinations of contracts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from brute_force import best_that_passes_usd
from random_portfolios import random_portfolio
from support import EXACT, START

from optimizer.app import plan
from optimizer.domain import Plan, Portfolio, validated

SEEDS = (704, 710, 712, 718, 728)


def moved_portfolio(seed: int) -> Portfolio:
    """A random portfolio whose futures have everything that scenarios can do to contracts."""
    random = np.random.default_rng(seed)
    data = random_portfolio(seed).model_dump(exclude_unset=True)
    for item in data["offers"]:
        item["price_usd_per_kw_month"] *= 2.0
        item["credit"] |= {"backstop_share_frac": 0.6, "backstopper": "G", "backstop_hazard_per_year_frac": 0.4}
        if random.random() < 0.7:
            factor = str(random.choice(["re_lease_rent", "gpu_rental"]))
            item["rent_index"] = {"factor": factor, "growth_per_year_frac": float(random.uniform(-0.5, 1.0))}
        if "renewal" in item and random.random() < 0.7:
            item["renewal"] |= {"rent_frac": 1.0, "market_rent_share_frac": 1.2}
        for place in item["sites"]:
            place["earliest_energize_month"] = START
    for item in data["sites"]:
        if random.random() < 0.5:
            slip = {"probability_frac": 0.4, "interconnect_slip_months": int(random.integers(3, 6))}
            item["construction_outcomes"] = [slip]
    data["market"] |= {
        "credit_factor": {
            "asset_correlation_frac": 0.6,
            "market_factor": "gpu_rental",
            "market_correlation_frac": 0.7,
        },
        "country_risks": [
            {"country": country, "hazard_per_year_frac": 0.5, "shut_months": 2}
            for country in {str(item["country"]) for item in data["sites"]}
            if country == "CA"
        ],
    }
    data["risk"] = data.get("risk", {}) | {"scenario_count": 60}
    return validated(Portfolio, data, "portfolio")


@cache
def answers_of(seed: int) -> tuple[Plan, float | None]:
    """The plan of a random portfolio, and the worth of its best combination."""
    return plan(moved_portfolio(seed), EXACT), best_that_passes_usd(moved_portfolio(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_is_the_best_that_the_audit_lets_pass(seed):
    answer, best_usd = answers_of(seed)
    if best_usd is None:
        assert answer.termination.reason == "infeasible"
        return
    assert answer.audit.failures == ()
    assert answer.termination.objective_usd == pytest.approx(best_usd, abs=2.0)


def test_the_cases_are_worth_trying():
    assert all(answers_of(seed)[0].contracts for seed in SEEDS)
    assert any(moved_portfolio(seed).market.country_risks for seed in SEEDS)
