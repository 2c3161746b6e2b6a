"""GPU blocks that bill less for every further one at a site, against all combinations of orders tried by the audit alone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from brute_force import decisions_of
from random_portfolios import MONTHS
from support import EXACT, assembled, gpu_option, offer, place, portfolio, site

from optimizer.app import plan
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import ContractDecision, Decisions, GpuOrder, Plan, Portfolio
from optimizer.solve import solve_program

SEEDS = range(1, 13)


def scaled_portfolio(seed: int) -> Portfolio:
    """Two sites, one contract, and up to four blocks in tranches, ordered in two months, months or periods of two."""
    random = np.random.default_rng(seed)
    second, third = sorted(random.uniform(0.2, 1.0, size=2), reverse=True)
    blocks = gpu_option(
        sites=["A", "B"],
        maximum_block_count=4,
        order_until_month="2027-02",
        capex_usd_per_gpu=float(random.uniform(200, 1800)),
        residual_frac=0.2,
        life_months=int(random.integers(2, 7)),
        lead_months=int(random.integers(0, 3)),
        rental_usd_per_gpu_hour=float(random.uniform(0.2, 1.0)),
        cap_curve=str(random.choice(["uncapped", "a100-training"])),
        scale_curve=[
            {"from_block": 1, "share_frac": 1.0},
            {"from_block": 2, "share_frac": float(second)},
            {"from_block": int(random.integers(3, 5)), "share_frac": float(third)},
        ],
    )
    contract = offer(critical_mw=8.0, price_usd_per_kw_month=60.0, term_months=4, sites=[place("A"), place("B")])
    return portfolio(
        MONTHS,
        segments=[(2, MONTHS // 2)] if random.random() < 0.4 else None,
        discount_per_year_frac=0.1,
        sites=[site("A", float(random.choice([3.0, 11.0]))), site("B", float(random.choice([2.0, 10.0])))],
        offers=[contract],
        gpu_options=[blocks],
        finance={"opening_cash_usd": float(random.choice([2e6, 1e7])), "minimum_liquidity_usd": 2e5},
        market={"uncertainty": [{"factor": "gpu_rental", "volatility_per_year_frac": 0.8}]},
        risk={"scenario_count": 6, "seed": seed},
    )


def combinations(case: Portfolio) -> Iterator[Decisions]:
    """Every number of blocks by site and month, and every place of the contract."""
    (blocks,), (contract,) = case.gpu_options, case.offers
    placed = [(name, case.horizon.month_at(index)) for name in blocks.sites for index in (0, 1)]
    signed = [None, *[item.site for item in contract.sites]]
    for counts in itertools.product(range(blocks.maximum_block_count + 1), repeat=len(placed)):
        if sum(counts) > blocks.maximum_block_count:
            continue
        orders: list[Any] = [
            GpuOrder(gpu_option=blocks.name, site=name, order_month=at, block_count=count)
            for (name, at), count in zip(placed, counts, strict=True)
            if count
        ]
        for where in signed:
            lease = {"offer": contract.name, "site": where, "sign_month": contract.sign_from_month, "critical_mw": 8.0}
            yield decisions_of([*orders, *([ContractDecision(**lease)] if where else [])])


@cache
def answer_of(seed: int) -> Plan:
    """The plan of a random portfolio."""
    return plan(scaled_portfolio(seed), EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_is_the_best_that_the_audit_lets_pass(seed):
    case, answer = scaled_portfolio(seed), answer_of(seed)
    futures = Futures.of(case)
    tried = [audit(case, futures, decisions, Claims()) for decisions in combinations(case)]
    best_usd = max(found.objective_usd for found, report in tried if report.passed)
    assert answer.audit.failures == ()
    assert answer.termination.objective_usd == pytest.approx(best_usd, abs=2.0)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_plans_in_stages_are_worth_as_much(seed):
    staged = solve_program(assembled(scaled_portfolio(seed)).compile(), EXACT.model_copy(update={"method": "stages"}))
    assert staged.termination.objective_usd == pytest.approx(answer_of(seed).termination.objective_usd, abs=2.0)


def test_the_cases_are_worth_trying():
    at_site: Counter[int] = Counter()
    for seed in SEEDS:
        counts: Counter[str] = Counter()
        for order in answer_of(seed).decisions.gpu_orders:
            counts[order.site] += order.block_count
        at_site.update(counts.values())
    assert sum(times for count, times in at_site.items() if count >= 2) >= 3
    assert sum(times for count, times in at_site.items() if count == 1) >= 2
