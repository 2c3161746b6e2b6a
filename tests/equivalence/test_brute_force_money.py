"""The plan against all plans, where money has rules of its own: stresses."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest
from random_portfolios import month, random_portfolio
from support import EXACT
from test_brute_force import by_worth

from optimizer.app import plan
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import Plan, Portfolio

SEEDS = tuple(seed for seed in range(1, 25) if seed not in (7, 11, 13))


def changed(case: Portfolio, finance: dict[str, Any]) -> Portfolio:
    data = case.model_dump(exclude_unset=True)
    data["finance"] |= finance
    return Portfolio.model_validate(data)


def stressed(seed: int) -> Portfolio:
    """A random portfolio and a stress or two, in which rents, rentals and tenants fall away."""
    random, case = np.random.default_rng((seed, 1)), random_portfolio(seed)
    stresses: list[dict[str, Any]] = []
    for index in range(int(random.integers(1, 3))):
        floor = case.finance.opening_cash_usd * float(random.choice([0.3, 0.6, 0.8]))
        terms: dict[str, Any] = {"name": f"S{index}", "minimum_liquidity_usd": floor}
        terms["defaults"] = [{"default_month": month(int(random.integers(2, 6)))}]
        if random.random() < 0.6:
            terms["defaults"][0]["tenant"] = case.offers[0].tenant
        points = [{"month_offset": 0, "multiplier": float(random.uniform(0.2, 0.9))}]
        terms["shocks"] = [
            {"begin_month": month(int(random.integers(0, 4))), "effects": [{"factor": factor, "points": points}]}
            for factor in ("gpu_rental", "re_lease_rent")
        ]
        stresses.append(terms)
    return changed(case, {"stresses": stresses})


@cache
def answer_of(seed: int) -> Plan:
    return plan(stressed(seed), EXACT)


def best_by_audit(case: Portfolio, answer: Plan) -> None:
    """The plan is worth what the best of all combinations is that the audit lets pass."""
    futures = Futures.of(case)
    for decisions in by_worth(case, futures):
        found, report = audit(case, futures, decisions, Claims())
        if report.passed:
            assert answer.termination.objective_usd == pytest.approx(found.objective_usd, abs=2.0)
            assert answer.audit.failures == ()
            return
    assert answer.termination.reason == "infeasible"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_that_survives_its_stresses_is_found(seed):
    best_by_audit(stressed(seed), answer_of(seed))


def test_the_stresses_matter():
    worths = Counter()
    for seed in SEEDS:
        without = plan(random_portfolio(seed), EXACT).termination.objective_usd
        found = answer_of(seed).termination.objective_usd
        worths["worse" if found is None or found < without - 10.0 else "same"] += without is not None
    assert worths["worse"] >= 4
    assert worths["same"] >= 4
