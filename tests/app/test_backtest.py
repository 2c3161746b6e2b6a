"""A plan in a known past: what was is what counts, and what was not known then does not."""

from __future__ import annotations

import pytest
from support import BTC_USD, EXACT, asic, best, close, fleet, hours, offer, place, portfolio, site

from optimizer.app.backtest import backtest, path_of_history
from optimizer.curves import NEVER
from optimizer.curves.futures import Futures
from optimizer.domain.backtest import BacktestSpec
from optimizer.domain.simulation import Strategy

MACHINES_USD_PER_HOUR = 1000 * 0.2
RENT_USD = 5e4


def case(until="2027-03", **market):
    """Five MW for machines or, for two months, for a lease at 50,000 USD a month."""
    lease = offer(
        critical_mw=5.0,
        price_usd_per_kw_month=RENT_USD / 5000.0,
        sign_until_month=until,
        sites=[place(capex_usd_per_critical_mw=0.0, build_months=0, halls_displaced_mw_per_critical_mw=1.0)],
    )
    market = {"network_price_elasticity": 0.0, **market}
    machines = {"asic_models": [asic()], "fleets": [fleet()]}
    return portfolio(6, sites=[site(grid_mw=5.0, hall_mw=5.0)], offers=[lease], market=market, **machines)


def run(stated, history, **other):
    levels = [{"factor": name, "values": values} for name, values in history.items()]
    data = {"portfolio": stated, "history": levels, "every_months": 1, "options": EXACT, **other}
    return backtest(BacktestSpec.model_validate(data))


def outcome(found, strategy):
    return next(item for item in found.outcomes if item.strategy == strategy)


def test_the_plan_mines_into_the_fall_and_planning_again_takes_the_lease():
    found = run(case(), {"btc_price": [BTC_USD, BTC_USD / 2]})
    month = MACHINES_USD_PER_HOUR * hours(0)
    assert close(outcome(found, Strategy.HELD).npv_usd, month)  # at half the price machines earn what energy costs
    assert close(outcome(found, Strategy.REPLANNED).npv_usd, month + 2 * RENT_USD)
    assert close(outcome(found, Strategy.MINING).npv_usd, month)
    changed = {f"{date.month:%Y-%m}": date.changed for date in found.dates if date.changed}
    assert changed == {"2027-03": ("Sign 5.0 MW of O1 at A in 2027-03",)}
    assert found.dates[1].hashprice_usd_per_ph_day == pytest.approx(24.0)
    (year,) = found.years
    assert year.hashprice_usd_per_ph_day == pytest.approx((48.0 + 5 * 24.0) / 6)
    assert year.cash_usd[1] - year.cash_usd[0] == pytest.approx(2 * RENT_USD)
    assert found.known_month_count == 2
    assert "From 2027-03 on the last values of history are held" in found.told


def test_a_past_as_it_was_expected_changes_nothing():
    found = run(case(), {"btc_price": [BTC_USD] * 9})
    assert close(outcome(found, Strategy.REPLANNED).npv_usd, outcome(found, Strategy.HELD).npv_usd)
    assert not any(date.changed for date in found.dates)
    assert found.known_month_count == 6
    assert "held" not in found.told.split("nothing about the next.")[1]


def test_the_network_is_what_it_was_though_the_model_would_answer_the_price():
    stated = case(network_price_elasticity=0.5, network_lag_months=2)
    spec = BacktestSpec.model_validate({
        "portfolio": stated,
        "history": [
            {"factor": "btc_price", "values": [BTC_USD, 2 * BTC_USD, 3 * BTC_USD]},
            {"factor": "network_hashrate", "values": [1000.0, 1100.0, 900.0, 800.0, 850.0, 900.0]},
        ],
    })  # fmt: skip
    from dataclasses import replace

    from optimizer.curves.information import Known

    path, futures = path_of_history(spec), Futures.of(stated, 0, 1)
    known = replace(futures, known=Known(path, futures.extended_month_count))
    assert known.network_eh_s[:6, 0] == pytest.approx([1000.0, 1100.0, 900.0, 800.0, 850.0, 900.0])
    assert known.btc_usd[:4, 0] == pytest.approx([BTC_USD, 2 * BTC_USD, 3 * BTC_USD, 3 * BTC_USD])
    assert known.hashprice_usd_per_ph_day[3, 0] == pytest.approx(48.0 * 3 / 0.8)


def test_a_tenant_that_failed_failed_when_it_did():
    stated = case(until="2027-01")
    (tenant,) = {item.tenant for item in stated.offers}
    lease = run(stated, {"btc_price": [BTC_USD / 2]}, decisions=signed_lease(stated))
    failed = run(
        stated,
        {"btc_price": [BTC_USD / 2]},
        decisions=signed_lease(stated),
        defaults=[{"tenant": tenant, "default_month": "2027-02"}],
    )
    assert close(outcome(lease, Strategy.HELD).npv_usd, 2 * RENT_USD)
    assert outcome(failed, Strategy.HELD).npv_usd < outcome(lease, Strategy.HELD).npv_usd - 0.5 * RENT_USD
    spec = {"portfolio": stated, "history": [{"factor": "btc_price", "values": [1.0]}]}
    assert path_of_history(BacktestSpec.model_validate(spec)).default_month == {tenant: NEVER}


def signed_lease(stated):
    poor = stated.market.model_copy(update={"btc_usd": stated.market.btc_usd.model_copy(update={"value": 1e4})})
    return best(stated.model_copy(update={"market": poor})).decisions


def test_without_a_first_plan_it_says_why():
    stated = case()
    finance = stated.finance.model_copy(update={"minimum_liquidity_usd": 1e12})
    found = run(stated.model_copy(update={"finance": finance}), {"btc_price": [1.0]})
    assert found.outcomes == ()
    assert found.told == "There is no plan: infeasible."


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"history": [{"factor": "gpu_rental", "values": [1.0]}]}, "has no one level"),
        ({"history": [{"factor": "btc_price", "values": [1.0]}] * 2}, "listed twice"),
        ({"defaults": [{"tenant": "nobody", "default_month": "2027-02"}]}, "no tenant is named 'nobody'"),
        ({"history": []}, "at least 1 item"),
    ],
)
def test_bad_questions_are_refused(change, told):
    data = {"portfolio": case(), "history": [{"factor": "btc_price", "values": [1.0]}], **change}
    with pytest.raises(ValueError, match=told):
        BacktestSpec.model_validate(data)
