"""On one side of a break-even brute force signs the offer, on the other it does not."""

from __future__ import annotations

import math

import pytest
from brute_force import best_that_passes_usd
from random_portfolios import random_portfolio
from support import EXACT, best

from optimizer.app import break_evens
from optimizer.app.break_even_prices import CENT, DEAREST
from optimizer.app.changes import changed
from optimizer.domain import Placement
from optimizer.domain.break_evens import BreakEvensSpec


@pytest.mark.parametrize("seed", [1, 3])
def test_the_better_side_changes_there(seed):
    case = random_portfolio(seed)
    plan = best(case)
    terms = {"decisions": plan.decisions, "bound_usd": plan.termination.bound_usd, "options": EXACT}
    for item in break_evens(BreakEvensSpec(portfolio=case, **terms)).prices:
        assert item.signed == any(contract.offer == item.offer for contract in plan.decisions.contracts)
        if item.out_usd_per_kw_month is not None:
            assert gain_usd(case, item.offer, item.out_usd_per_kw_month) < 3.0
        if item.in_usd_per_kw_month is not None:
            assert gain_usd(case, item.offer, item.in_usd_per_kw_month) > -3.0
        out, in_ = item.out_usd_per_kw_month, item.in_usd_per_kw_month
        assert out == DEAREST if in_ is None else in_ == 0.0 if out is None else in_ - out < 1.5 * CENT


def gain_usd(case, offer, price):
    """What the best plan with an offer at a price is worth more than the best without."""
    at = changed(case, {}, {f"offers[{offer}].price_usd_per_kw_month": price})
    sides = {}
    for field in ("mandatory", "forbidden"):
        ruled = changed(at, {}, {f"policy.{field}": (*getattr(at.policy, field), Placement(offer=offer))})
        sides[field] = best_that_passes_usd(ruled)
    with_it, without = (-math.inf if worth is None else worth for worth in sides.values())
    return with_it - without
