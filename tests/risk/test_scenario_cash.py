"""Cash by period in every scenario: against the audit of one scenario at a time, by hand, and in a plan."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from support import EXACT, START, asic, best, fleet, gpu_option, offer, place, portfolio, site

from optimizer.app import plan
from optimizer.audit import recalculate
from optimizer.curves import futures as futures_module
from optimizer.curves.futures import Futures
from optimizer.risk import liquidity_of, scenario_cash_usd, scenario_npv_usd

UNCERTAIN = {
    "uncertainty": [
        {"factor": "btc_price", "volatility_per_year_frac": 0.8},
        {"factor": "gpu_rental", "volatility_per_year_frac": 0.5},
        {"factor": "re_lease_rent", "volatility_per_year_frac": 0.5},
        {"factor": "power_price", "volatility_per_year_frac": 0.5},
    ],
    "re_lease_rent_usd_per_kw_month": 60.0,
}


def varied(count=12):
    """Machines, a contract that may be late, dear and unpaid, GPUs that bill less by scale, months and quarters."""
    building = [{"probability_frac": 0.4, "delay_months": 2, "capex_overrun_frac": 0.5}]
    credit = {"default_hazard_per_year_frac": 0.8, "recovery_frac": 0.3, "vacancy_months": 1}
    return portfolio(
        segments=[(1, 4), (3, 3)],
        sites=[
            site(
                "A",
                hall_mw=10.0,
                construction_outcomes=building,
                power={"flat_usd_per_mwh": 40.0, "market_exposure_frac": 1.0},
            ),
            site("B", hall_mw=10.0),
        ],
        asic_models=[
            asic(modes=[{"hashrate_th_s": 120.0, "power_w": 2500.0}, {"hashrate_th_s": 200.0, "power_w": 5000.0}])
        ],
        fleets=[fleet(1500, "A"), fleet(800, "B")],
        offers=[offer("O1", term_months=9, credit=credit, sites=[place("A")])],
        gpu_options=[
            gpu_option(
                sites=["B"],
                maximum_block_count=3,
                life_months=8,
                scale_curve=[{"from_block": 1, "share_frac": 1.0}, {"from_block": 2, "share_frac": 0.8}],
            )
        ],
        market=UNCERTAIN,
        finance={"terminal": {"mining_tail_months": 6}},
        risk={"scenario_count": count},
    )


@pytest.fixture(scope="module")
def case():
    stated = varied()
    answer = best(stated)
    assert answer.contracts
    assert answer.decisions.gpu_orders
    assert answer.decisions.machines
    return stated, Futures.of(stated), answer


def last_months(stated):
    return [period.last for period in stated.horizon.periods]


def test_it_is_what_the_audit_finds_scenario_by_scenario(case):
    stated, futures, answer = case
    expected = recalculate(stated, futures, answer.decisions).cash_usd[last_months(stated)]
    found = scenario_cash_usd(stated, futures, answer.decisions, expected)
    assert found.shape == (len(last_months(stated)), 12)
    for w in range(12):
        alone = recalculate(stated, Futures.of(stated, w, 1), answer.decisions).cash_usd[last_months(stated)]
        np.testing.assert_allclose(found[:, w], alone, rtol=1e-9, atol=1.0)
    np.testing.assert_allclose(found.mean(axis=1), expected, rtol=1e-12)
    assert found[-1].std() > 1e5


def test_shards_change_nothing(case, monkeypatch):
    _, _, answer = case
    stated = varied(600)
    futures, expected = Futures.of(stated), np.zeros(len(last_months(stated)))
    whole = scenario_cash_usd(stated, futures, answer.decisions, expected)
    npv = scenario_npv_usd(stated, futures, answer.decisions, 0.0)
    monkeypatch.setattr(futures_module, "SHARD_SCENARIOS", 256)
    np.testing.assert_allclose(scenario_cash_usd(stated, futures, answer.decisions, expected), whole, atol=1e-3)
    np.testing.assert_allclose(scenario_npv_usd(stated, futures, answer.decisions, 0.0), npv, atol=1e-3)


MONTHS = [dt.date(2027, 1, 1), dt.date(2027, 2, 1)]
BY_HAND = np.array([[4.0, 3.0, 2.0, 1.0, 0.0], [9.0, 2.0, 9.0, 9.0, 9.0]]) * 1e6
"""Cash at the ends of two periods in five scenarios."""


def test_shares_and_quantiles_by_hand():
    found = liquidity_of(BY_HAND, 2.5e6, MONTHS, 0.3)
    assert [row.below_floor_frac for row in found.periods] == [0.6, 0.2]
    assert found.below_floor_frac == 0.8
    assert [row.median_usd for row in found.periods] == [2e6, 9e6]
    assert found.periods[0].low_usd == pytest.approx(0.2e6)
    assert found.periods[0].high_usd == pytest.approx(3.8e6)
    assert liquidity_of(BY_HAND, 0.5, MONTHS, 0.3).below_floor_frac == 0.0


def test_how_deep_and_when_by_hand():
    """Below 2.5 are 2, 1 and 0 in the first period, 2 in the second; the worst 30 % are a scenario and half of the next."""
    found = liquidity_of(BY_HAND, 2.5e6, MONTHS, 0.3)
    assert [row.shortfall_usd for row in found.periods] == [1.5e6, 0.5e6]
    assert found.shortfall_usd == pytest.approx((0.5 + 0.5 + 1.5 + 2.5) / 4 * 1e6)
    assert found.worst_month == MONTHS[0]
    assert [row.least_usd for row in found.periods] == [0.0, 2e6]
    assert [row.cvar_usd for row in found.periods] == pytest.approx([(0.0 + 0.5 * 1.0) / 1.5 * 1e6, 6.5 / 1.5 * 1e6])
    assert found.tail_probability == 0.3
    never = liquidity_of(BY_HAND, 0.5, MONTHS, 0.3)
    assert (never.shortfall_usd, never.worst_month) == (None, None)
    assert [row.shortfall_usd for row in never.periods] == [None, None]


def test_the_whole_tail_is_the_mean():
    found = liquidity_of(BY_HAND, 2.5e6, MONTHS, 1.0)
    assert [row.cvar_usd for row in found.periods] == pytest.approx([2e6, 7.6e6])


def test_a_plan_that_ends_on_its_floor_is_below_it_in_many_futures(case):
    stated, futures, answer = case
    risk = answer.liquidity
    assert risk.scenario_count == 12
    assert risk.below_floor_frac == 0.0
    assert [row.month for row in risk.periods] == [stated.horizon.month_at(month) for month in last_months(stated)]
    least = min(row.cash_usd for row in answer.cash_flow)
    tight = stated.model_dump(exclude_unset=True)
    tight["finance"]["minimum_liquidity_usd"] = least - 1e3
    on_the_floor = plan(type(stated).model_validate(tight), EXACT)
    expected = [row.cash_usd for row in on_the_floor.cash_flow if row.month in {item.month for item in risk.periods}]
    assert on_the_floor.audit.passed
    cash = scenario_cash_usd(stated, futures, on_the_floor.decisions, np.array(expected))
    assert on_the_floor.liquidity.below_floor_frac == (cash < least - 1e3 - 1.0).any(axis=0).mean() > 0.0


def test_without_uncertainty_all_futures_are_one():
    answer = best(portfolio(2, asic_models=[asic()], fleets=[fleet()], risk={"scenario_count": 3}))
    assert all(row.low_usd == pytest.approx(row.high_usd) for row in answer.liquidity.periods)
    assert f"{answer.liquidity.periods[0].month:%Y-%m}" == START
