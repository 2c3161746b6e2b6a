"""Works at sites against all combinations of them with contracts and openings, tried by the audit alone."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import numpy as np
import pytest
from brute_force import best_that_passes_usd
from support import EXACT, asic, best, fleet, offer, place, portfolio, site
from works_portfolios import works_portfolio

from optimizer.app import plan
from optimizer.domain import Plan, Policy, Portfolio

SEEDS = (
    1, 7, 8, 9, 13, 21, 26, 32, 35, 47, 48, 49, 58, 60, 61, 62, 63, 65, 68, 71, 72, 74, 75, 77, 79, 81, 88,
    93, 94, 95, 97, 98, 99,
)  # fmt: skip
"""The others have ten thousands of combinations."""


@cache
def answer_of(seed: int) -> Plan:
    """The plan of a random portfolio."""
    return plan(works_portfolio(seed), EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_is_the_best_that_the_audit_lets_pass(seed):
    answer, best_usd = answer_of(seed), best_that_passes_usd(works_portfolio(seed))
    assert answer.audit.failures == ()
    if is_whole(answer):
        assert answer.termination.objective_usd == pytest.approx(best_usd, abs=2.0)
    else:  # money is so short that a fraction of a MW is let again
        assert answer.termination.objective_usd > best_usd


def is_whole(answer: Plan) -> bool:
    """Whether all MW let again are whole."""
    return all(abs(item.re_leased_mw - round(item.re_leased_mw)) < 1e-6 for item in answer.decisions.contracts)


@pytest.mark.parametrize("seed", SEEDS[:8])
def test_works_that_are_frozen_or_must_be_are_so_in_the_best_plan(seed):
    """Nothing may be decided in the first half year but the building of the free plan, which must be."""
    decided = answer_of(seed).decisions
    rules = Policy(mandatory_building_orders=decided.building_orders, freeze_works_until_month=dt.date(2027, 7, 1))
    case = works_portfolio(seed).model_copy(update={"policy": rules})
    answer, best_usd = plan(case, EXACT), best_that_passes_usd(case)
    assert answer.audit.failures == ()
    assert answer.decisions.building_orders == decided.building_orders
    if is_whole(answer):
        assert answer.termination.objective_usd == pytest.approx(best_usd, abs=2.0)
    else:
        assert answer.termination.objective_usd > best_usd


@pytest.mark.parametrize("seed", range(50, 58))
def test_halls_added_at_the_start_are_halls_stated(seed):
    """Orders are possible in the first month only: the plan is the best over what could have been stated, less its price."""
    random = np.random.default_rng(seed)
    price_usd = float(random.uniform(2e4, 1.6e5))
    expansion = {"maximum_mw": 4.0, "capex_usd_per_mw": price_usd, "earliest_month": "2027-01"}
    hall_mw, machines = float(random.choice([0.0, 3.0])), int(random.integers(300, 2000))

    def case(added_mw: float, **changes: Any) -> Portfolio:
        lease = offer(sites=[place(build_months=0, halls_displaced_mw_per_critical_mw=0.2)])
        return portfolio(
            6,
            sign_every_months=12,
            sites=[site("A", grid_mw=14.0, hall_mw=hall_mw + added_mw, **changes), site("B", hall_mw=1.0)],
            asic_models=[asic(move_downtime_months=1, move_usd_per_machine=20.0)],
            fleets=[fleet(machines), fleet(300, "B")],
            offers=[lease] if seed % 2 else [],
            finance={"opening_cash_usd": 1.2e6},
        )

    answer = best(case(0.0, hall_expansion=expansion))
    added_mw = sum(item.hall_mw for item in answer.decisions.hall_orders)
    for other in (0.0, 1.0, 2.0, 3.0, 4.0, added_mw):
        stated = plan(case(other), EXACT).termination.objective_usd
        value = -np.inf if stated is None else stated - other * price_usd
        assert answer.termination.objective_usd >= value - 2.0
    assert answer.termination.objective_usd == pytest.approx(value, abs=2.0)


def test_the_cases_are_worth_trying():
    decided = [answer_of(seed).decisions for seed in SEEDS]
    assert sum(is_whole(answer_of(seed)) for seed in SEEDS) >= len(SEEDS) - 3
    again = [contract.re_leased_mw for item in decided for contract in item.contracts]
    assert sum(mw > 0.0 for mw in again) >= 8
    assert sum(len(item.building_orders) for item in decided) >= 4
    assert sum(len(item.contracts) for item in decided) >= 30
    assert sum(len(item.site_openings) for item in decided) >= 1
    assert sum(len(item.grid_advances) for item in decided) >= 7
