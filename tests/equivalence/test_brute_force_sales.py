"""The plan against all plans, where power that nothing uses can be sold: every combination, and what it leaves is sold."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from brute_force import by_worth
from random_portfolios import month, random_portfolio
from support import EXACT

from optimizer.app import plan
from optimizer.audit import Claims, audit, recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, Plan, Portfolio, PowerSale

SEEDS = tuple(seed for seed in range(1, 21) if seed not in (7, 11, 13))


def with_sales(seed: int) -> Portfolio:
    """A random portfolio with enough cash, and a market to sell to at one site or two."""
    random, case = np.random.default_rng((seed, 4)), random_portfolio(seed)
    data = case.model_dump(exclude_unset=True)
    data["finance"]["opening_cash_usd"] = 1e9
    hours = random.lognormal(3.8, 0.6, 24 * 365).round(2).tolist()
    data["series"] = [{"name": "market", "hours": {"first_hour": "2025-01-01T00:00", "usd_per_mwh": hours}}]
    for site in data["sites"][: int(random.integers(1, 3))]:
        terms = {
            "hourly_series": "market",
            "maximum_mw": float(random.choice([8.0, 15.0, 25.0])),
            "fee_usd_per_mwh": 1.5,
        }
        if random.random() < 0.4:
            terms["from_month"] = month(int(random.integers(1, 4)))
        site["power"]["sell_back"] = terms
    uncertain = {"factor": "power_price", "volatility_per_year_frac": 0.4}
    data["market"]["uncertainty"] = [*data["market"]["uncertainty"], uncertain]
    return Portfolio.model_validate(data)


@cache
def answer_of(seed: int) -> Plan:
    return plan(with_sales(seed), EXACT)


def filled(case: Portfolio, futures: Futures, decisions: Decisions) -> Decisions:
    """What is left of the import limits, sold as far as the terms allow; months are periods."""
    use = recalculate(case, futures, decisions).use
    sales = [
        PowerSale(site=site.name, month=when, sold_mw=min(site.power.sell_back.maximum_mw_at(when), float(left)))
        for site, room in zip(case.sites, use.grid_mw - use.used_mw, strict=True)
        if site.power.sell_back is not None
        for when, left in zip(case.horizon.months, room, strict=True)
        if left > 1e-9
    ]
    return decisions.model_copy(update={"power_sales": tuple(item for item in sales if item.sold_mw > 0.0)})


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_combination_with_what_it_can_sell_is_found(seed):
    case = with_sales(seed)
    futures, answer, best = Futures.of(case), answer_of(seed), None
    everything = [
        PowerSale(site=site.name, month=when, sold_mw=site.power.sell_back.maximum_mw)
        for site in case.sites
        if site.power.sell_back is not None
        for when in case.horizon.months
    ]
    most = recalculate(case, futures, Decisions(power_sales=tuple(everything))).cash_flow
    most_usd = sum(row.power_sales_usd for row in most)
    for decisions in by_worth(case, futures):
        if best is not None and recalculate(case, futures, decisions).objective_usd + most_usd <= best:
            break
        found, report = audit(case, futures, filled(case, futures, decisions), Claims())
        if report.passed and (best is None or found.objective_usd > best):
            best = found.objective_usd
    assert (best is None) == (answer.termination.reason == "infeasible")
    if best is not None:
        assert answer.termination.objective_usd == pytest.approx(best, abs=2.0)
        assert answer.audit.failures == ()
        assert answer.distribution.mean_usd == pytest.approx(answer.npv.total_usd, abs=1.0)


def test_the_sales_matter():
    plans = [answer_of(seed) for seed in SEEDS]
    assert sum(bool(item.decisions.power_sales) for item in plans) >= 10
    short = [
        row
        for seed, item in zip(SEEDS, plans, strict=True)
        for row in item.capacity
        if 1e-6 < row.sold_mw < with_sales(seed).site(row.site).power.sell_back.maximum_mw - 1e-3
    ]
    assert len(short) >= 10  # something else has the power
