"""Planning again on simulated paths: worked by hand, never ahead of its time, the same on any number of processes."""

from __future__ import annotations

import numpy as np
import pytest
import support
from support import BTC_USD, EXACT, asic, best, close, fleet, hours, offer, place, portfolio, site

from optimizer.app.rolling_horizon import RollingHorizon, rolling_dates
from optimizer.app.scale_out import Workers
from optimizer.app.simulation import simulate
from optimizer.curves.futures import Futures
from optimizer.curves.information import MarketPath
from optimizer.domain.simulation import SimulationSpec, Strategy
from optimizer.domain.uncertainty import Factor
from optimizer.errors import InvalidInputError

MACHINES_USD_PER_HOUR = 1000 * 0.2
RENT_USD = 0.5 * MACHINES_USD_PER_HOUR * hours(0, 1) / 2
"""Of a lease of all power, a month: about half of what the machines earn."""
VOLATILE = [{"factor": "btc_price", "volatility_per_year_frac": 1.0}]


def case(months=6, until="2027-04", finance=None, risk=None, discount=0.0, **market):
    """Five MW for machines or, for two months, for a lease that is worth half as much."""
    lease = offer(
        critical_mw=5.0,
        price_usd_per_kw_month=RENT_USD / 5000.0,
        sign_until_month=until,
        sites=[place(capex_usd_per_critical_mw=0.0, build_months=0, halls_displaced_mw_per_critical_mw=1.0)],
    )
    return portfolio(
        months,
        sites=[site(grid_mw=5.0, hall_mw=5.0)],
        asic_models=[asic()],
        fleets=[fleet()],
        offers=[lease],
        market={"network_price_elasticity": 0.0, **market},
        finance=finance,
        risk=risk,
        discount_per_year_frac=discount,
    )


def spec(stated, **other):
    return SimulationSpec(portfolio=stated, **{"path_count": 4, "every_months": 1, "options": EXACT, **other})


def npv(found, strategy):
    place = [item.strategy for item in found.strategies].index(strategy)
    return np.array([path.outcomes[place].npv_usd for path in found.paths])


def walked(stated, prices, month_step=1, closed_until=0):
    """Decisions after each date where bitcoin's price is the base times ``prices``, the last one held."""
    rolling = RollingHorizon(stated, EXACT, month_step)
    path = MarketPath.of(Futures.of(stated, 0, 1))
    months = path.driven.shape[1]
    path.driven[list(Factor).index(Factor.BTC_PRICE)] = np.array(prices)[np.minimum(range(months), len(prices) - 1)]
    start = rolling.taken_up(best(stated).decisions)
    return rolling, dict(rolling.walk(start, path, rolling.closed_until(closed_until)))


def test_where_nothing_is_uncertain_planning_again_changes_nothing():
    found = simulate(spec(case(), path_count=2))
    assert close(npv(found, Strategy.HELD)[0], MACHINES_USD_PER_HOUR * hours(*range(6)))
    np.testing.assert_allclose(npv(found, Strategy.REPLANNED), npv(found, Strategy.HELD), atol=1.0)
    assert found.differences[0].mean_usd == pytest.approx(0.0, abs=1.0)
    assert "cannot tell from nothing" in found.told[0]
    assert [item.held_month for item in found.offers] == []
    assert len(found.dates) == 5


def test_a_lease_is_signed_once_the_price_is_seen_to_have_fallen_and_not_before():
    _, decisions = walked(case(until="2027-03"), [1.0, 0.5])
    assert [len(decisions[month].contracts) for month in (1, 2, 3)] == [0, 1, 1]
    signed = decisions[5].contracts[0]
    assert f"{signed.sign_month:%Y-%m}" == "2027-03"  # in month 1 it fell, which is known in month 2


def test_what_was_decided_stays_decided():
    stated = case(uncertainty=VOLATILE, risk={"scenario_count": 20})
    _, decisions = walked(stated, [1.0, 0.4, 2.0, 0.4, 3.0])
    horizon = stated.horizon
    for now in (1, 2, 3, 4):
        early, late = decisions[now], decisions[now + 1]
        past = [m for m in early.machines if horizon.index_of(m.month) <= now]
        kept = [m for m in late.machines if horizon.index_of(m.month) <= now]
        assert [(m.month, m.stock_count) for m in past] == [(m.month, m.stock_count) for m in kept]
        sure = [c for c in early.contracts if horizon.index_of(c.sign_month) <= now]
        assert sure == [c for c in late.contracts if horizon.index_of(c.sign_month) <= now]


def test_flexibility_is_worth_what_the_paths_say():
    found = simulate(spec(case(uncertainty=VOLATILE, risk={"scenario_count": 50}), path_count=12))
    held, again = npv(found, Strategy.HELD), npv(found, Strategy.REPLANNED)
    difference = found.differences[0]
    assert difference.mean_usd == pytest.approx((again - held).mean())
    assert difference.standard_error_usd == pytest.approx(np.std(again - held, ddof=1) / np.sqrt(12))
    assert difference.mean_usd > 0.0
    assert difference.better_frac == pytest.approx(np.mean(again > held + 1.0))
    (timing,) = found.offers
    assert timing.held_month is None
    assert timing.replanned_frac == np.mean([bool(path.outcomes[1].signed) for path in found.paths])
    assert found.strategies[0].distribution.mean_usd == pytest.approx(held.mean())
    assert not any(path.lowered_count or path.cut_short_count for path in found.paths)


def test_mining_on_and_the_plan_are_worth_the_same_where_the_plan_mines():
    found = simulate(spec(case(uncertainty=VOLATILE, risk={"scenario_count": 5})))
    np.testing.assert_allclose(npv(found, Strategy.MINING), npv(found, Strategy.HELD), atol=1.0)


def test_waiting_signs_nothing_at_first():
    stated = case(until="2027-05", discount=0.5)
    assert f"{walked(stated, [0.5])[1][5].contracts[0].sign_month:%Y-%m}" == "2027-02"
    rolling, decisions = walked(stated, [0.5], closed_until=4)
    assert [len(decisions[month].contracts) for month in (1, 2, 3)] == [1, 1, 1]
    assert f"{decisions[5].contracts[0].sign_month:%Y-%m}" == "2027-05"
    assert rolling.closed_until(4).sum() > 0
    found = simulate(spec(stated, wait_months=4, path_count=1))
    assert [item.strategy for item in found.strategies] == ["held", "replanned", "waiting", "mining"]


def test_without_a_later_date_what_is_begun_with_is_what_is_done():
    stated = case(until="2027-05", btc_usd=BTC_USD / 2)
    whole = stated.horizon.model_validate(
        {"start_month": "2027-01", "segments": [{"months_per_period": 6, "period_count": 1}]}
    )
    found = simulate(spec(stated.model_copy(update={"horizon": whole}), wait_months=6, path_count=1))
    signed = {item.strategy.value: len(item.signed) for item in found.paths[0].outcomes}
    assert signed == {"held": 1, "replanned": 1, "waiting": 0, "mining": 0}


def test_where_cash_cannot_be_kept_above_its_floor_it_goes_on_and_says_so():
    wages = {"opening_cash_usd": 1.3e5, "overhead_usd_per_month": 1.2e5, "minimum_liquidity_usd": 1e5}
    rolling, decisions = walked(case(until="2027-01", finance=wages), [1.0, 0.3])
    assert rolling.limits_lowered > 0
    assert len(decisions) == 5
    stated = case(until="2027-01", finance=wages, uncertainty=VOLATILE, risk={"scenario_count": 30})
    found = simulate(spec(stated, path_count=6))
    low = [path for path in found.paths if path.lowered_count]
    assert low
    assert any(path.outcomes[1].below_floor for path in low)
    assert any("left no plan within the limits" in line for line in found.told)


def test_cash_that_was_short_is_past_once_it_is_there_again():
    wages = {"opening_cash_usd": 1.3e5, "overhead_usd_per_month": 1.2e5, "minimum_liquidity_usd": 1e5}
    rolling, _ = walked(case(until="2027-01", finance=wages), [1.0, 0.3, 3.0])
    assert rolling.limits_lowered == 1  # at the date after the fall, and not when the price has come back


def test_dates_are_starts_of_periods_at_least_so_far_apart():
    stated = support.portfolio(segments=[(1, 5), (3, 3), (12, 1)])
    assert rolling_dates(stated, 1) == (1, 2, 3, 4, 5, 8, 11, 14)
    assert rolling_dates(stated, 3) == (3, 8, 11, 14)
    assert rolling_dates(stated, 12) == (14,)


def test_two_processes_find_the_same_as_one_path_by_path():
    question = spec(case(uncertainty=VOLATILE, risk={"scenario_count": 5}), path_count=3)
    heard = []
    found = simulate(question, Workers(2), heard.append)
    assert found == simulate(question)
    assert heard == [1, 2, 3]
    later = simulate(question.model_copy(update={"first_path": 1, "path_count": 2}))
    assert later.paths == found.paths[1:]


def test_without_a_first_plan_it_says_why():
    found = simulate(spec(case(finance={"opening_cash_usd": 0.0, "minimum_liquidity_usd": 1e9})))
    assert found.strategies == ()
    assert found.told == ("There is no plan: infeasible.",)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"risk": {"cvar_weight_frac": 0.5}}, "without CVaR"),
        ({"own_hashrate_feedback": True}, "answer to every plan otherwise"),
        (
            {"scenario_table": {"paths": [{"factor": "btc_price", "scenarios": [{"values": [1.0]}]}]}},
            "what is known when",
        ),
    ],
)
def test_what_cannot_be_planned_again_is_refused(change, told):
    with pytest.raises(ValueError, match=told):
        spec(case(**change))
    with pytest.raises(ValueError, match="by HiGHS"):
        SimulationSpec(portfolio=case(), options=EXACT.model_copy(update={"solver": "scip"}))


def test_a_plan_that_breaks_a_limit_is_refused():
    with pytest.raises(InvalidInputError, match="no plan that keeps every limit"):
        RollingHorizon(case(finance={"minimum_liquidity_usd": 5e9}), EXACT, 1).taken_up(best(case()).decisions)
