"""On one side of a break-even brute force signs the offer, on the other it does not."""

from __future__ import annotations

import math

import pytest
from brute_force import best_that_passes_usd
from random_portfolios import random_portfolio
from support import EXACT, best

from optimizer.app import break_evens
from optimizer.app.break_even_questions import CENT, DEAREST
from optimizer.app.changes import changed
from optimizer.domain import Placement
from optimizer.domain.break_evens import BreakEvensSpec, ContractTerm


@pytest.mark.parametrize("seed", [1, 3])
def test_the_better_side_changes_there(seed):
    case = random_portfolio(seed)
    plan = best(case)
    terms = {"decisions": plan.decisions, "bound_usd": plan.termination.bound_usd, "options": EXACT}
    for item in break_evens(BreakEvensSpec(portfolio=case, **terms)).prices:
        assert item.signed == any(contract.offer == item.offer for contract in plan.decisions.contracts)
        if item.out_usd_per_kw_month is not None:
            assert gain_usd(at_price(case, item.offer, item.out_usd_per_kw_month), item.offer) < 3.0
        if item.in_usd_per_kw_month is not None:
            assert gain_usd(at_price(case, item.offer, item.in_usd_per_kw_month), item.offer) > -3.0
        out, in_ = item.out_usd_per_kw_month, item.in_usd_per_kw_month
        assert out == DEAREST if in_ is None else in_ == 0.0 if out is None else in_ - out < 1.5 * CENT


def at_price(case, offer, price):
    return changed(case, {}, {f"offers[{offer}].price_usd_per_kw_month": price})


CHANGES = {
    ContractTerm.CAPEX: lambda offer, value: {
        f"offers[{offer.name}].sites[{place.site}].capex_usd_per_critical_mw": place.capex_usd_per_critical_mw * value
        for place in offer.sites
    },
    ContractTerm.DELAY: lambda offer, value: {
        f"offers[{offer.name}].sites[{place.site}].build_months": place.build_months + round(value)
        for place in offer.sites
    },
    ContractTerm.HAZARD: lambda offer, value: {f"offers[{offer.name}].credit.default_hazard_per_year_frac": value},
}


@pytest.mark.parametrize(("seed", "term"), [(1, "capex"), (3, "delay"), (4, "hazard")])
def test_the_better_side_changes_on_other_terms(seed, term):
    case = random_portfolio(seed)
    if term == "hazard":
        case = changed(case, {}, {f"offers[{i}].tenant": f"tenant {i}" for i in range(len(case.offers))})
    plan, changes = best(case), 0
    terms = {"decisions": plan.decisions, "bound_usd": plan.termination.bound_usd, "of": term, "options": EXACT}
    for item in break_evens(BreakEvensSpec(portfolio=case, **terms)).terms:
        offer = case.offers_by_name[item.offer]
        for value, sign in ((item.in_until, 1.0), (item.out_from, -1.0)):
            if value is not None:
                changes += value != item.stated
                on_term = changed(case, {}, CHANGES[ContractTerm(term)](offer, value))
                assert sign * gain_usd(on_term, item.offer) > -3.0, item.told
    assert changes


def gain_usd(at, offer):
    """What the best plan with an offer is worth more than the best without."""
    sides = {}
    for field in ("mandatory", "forbidden"):
        ruled = changed(at, {}, {f"policy.{field}": (*getattr(at.policy, field), Placement(offer=offer))})
        sides[field] = best_that_passes_usd(ruled)
    with_it, without = (-math.inf if worth is None else worth for worth in sides.values())
    return with_it - without
