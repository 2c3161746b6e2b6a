"""GPU blocks that can be refreshed, against all combinations of orders and refreshes tried by the audit alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from support import EXACT, assembled, gpu_option, portfolio, site

from optimizer.app import plan
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, GpuOrder, Plan, Portfolio
from optimizer.solve import solve_program

SEEDS = range(1, 13)


def refreshed_portfolio(seed: int) -> Portfolio:
    """One or two sites and up to three blocks, some of them in tranches, ordered in two months; months or periods of two."""
    random = np.random.default_rng(seed)
    curve = [{"from_block": 1, "share_frac": 1.0}, {"from_block": 2, "share_frac": float(random.uniform(0.5, 1.0))}]
    price = float(random.uniform(100, 1500))
    blocks = gpu_option(
        sites=["A", "B"],
        maximum_block_count=3,
        order_until_month="2027-02",
        capex_usd_per_gpu=float(random.uniform(100, 1000)),
        residual_frac=0.2,
        life_months=int(random.integers(1, 4)),
        lead_months=int(random.integers(0, 2)),
        rental_usd_per_gpu_hour=float(random.uniform(0.3, 0.9)),
        cap_curve=str(random.choice(["uncapped", "a100-training"])),
        scale_curve=curve if random.random() < 0.6 else [],
        refresh={
            "capex_usd_per_gpu": price,
            "downtime_months": int(random.integers(0, 2)),
            "life_months": int(random.integers(1, 7)),
            "throughput_factor": float(random.uniform(1.0, 3.0)),
            "power_factor": float(random.uniform(0.7, 2.0)),
        },
    )
    budget = {"name": "b", "from_month": "2027-03", "until_month": "2027-06", "maximum_capex_usd": 1600.0 * price}
    rental = {"factor": "gpu_rental", "volatility_per_year_frac": 0.8}
    # In longer periods the model asks for more power than the audit: there is enough of it then.
    longer = random.random() < 0.4
    return portfolio(
        8,
        segments=[(2, 4)] if longer else None,
        discount_per_year_frac=0.1,
        sites=[
            site(
                "A",
                11.0 if longer else float(random.choice([2.5, 11.0])),
                lease_end_month=None if seed % 3 else "2027-07",
            ),
            site("B", 10.0 if longer else float(random.choice([1.5, 10.0])), carbon_t_per_mwh=0.4),
        ],
        gpu_options=[blocks],
        finance={
            "opening_cash_usd": float(random.choice([8e5, 1e7])),
            "minimum_liquidity_usd": 2e5,
            "capex_budgets": [budget] if random.random() < 0.5 else [],
        },
        policy={"carbon": {"price_usd_per_t": 20.0}},
        market={"uncertainty": [rental]},
        risk={"scenario_count": 4, "seed": seed},
    )


def combinations(case: Portfolio) -> Iterator[Decisions]:
    """Every number of blocks by site and month, and every number of them that is refreshed."""
    (blocks,) = case.gpu_options
    placed = [(name, case.horizon.month_at(index)) for name in blocks.sites for index in (0, 1)]
    counts = [(count, again) for count in range(blocks.maximum_block_count + 1) for again in range(count + 1)]
    for chosen in itertools.product(counts, repeat=len(placed)):
        if sum(count for count, _ in chosen) <= blocks.maximum_block_count:
            orders = [
                GpuOrder(
                    gpu_option=blocks.name, site=name, order_month=at, block_count=count, refreshed_block_count=again
                )
                for (name, at), (count, again) in zip(placed, chosen, strict=True)
                if count
            ]
            yield Decisions(gpu_orders=tuple(orders))


@cache
def answer_of(seed: int) -> Plan:
    """The plan of a random portfolio."""
    return plan(refreshed_portfolio(seed), EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_plan_is_the_best_that_the_audit_lets_pass(seed):
    case, answer = refreshed_portfolio(seed), answer_of(seed)
    futures = Futures.of(case)
    tried = [audit(case, futures, decisions, Claims()) for decisions in combinations(case)]
    best_usd = max(found.objective_usd for found, report in tried if report.passed)
    assert answer.audit.failures == ()
    assert answer.termination.objective_usd == pytest.approx(best_usd, abs=2.0)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_plans_in_stages_are_worth_as_much(seed):
    staged = solve_program(
        assembled(refreshed_portfolio(seed)).compile(), EXACT.model_copy(update={"method": "stages"})
    )
    assert staged.termination.objective_usd == pytest.approx(answer_of(seed).termination.objective_usd, abs=2.0)


def test_the_cases_are_worth_trying():
    orders = [answer_of(seed).decisions.gpu_orders for seed in SEEDS]
    refreshed = [sum(order.refreshed_block_count for order in some) for some in orders]
    ordered = [sum(order.block_count for order in some) for some in orders]
    assert sum(again > 0 for again in refreshed) >= 6
    assert sum(0 < again < count for again, count in zip(refreshed, ordered, strict=True)) >= 3
