"""A backtest from 2021 into the winter of 2022 on public prices and difficulty: the hashprice that was, what it did."""

from __future__ import annotations

import pandas as pd
import pytest
from support import EXACT, asic, fleet, offer, place, portfolio, site

from optimizer.app.backtest import backtest
from optimizer.curves.hashing import network_hashrate_eh_s
from optimizer.domain.backtest import BacktestSpec

HEIGHT_2021 = 663_913
"""Blocks before 2021."""
FEES = {"points": [{"from_month": "2021-01", "value": 0.065}, {"from_month": "2022-01", "value": 0.0165}]}
"""Share of fees in the reward: 2021 estimated, 2022 as published (Hashrate Index 2024-01-07)."""


@pytest.fixture
def history(shared_file):
    """Monthly means of the price and of the hashrate that difficulty stands for, 2021 and 2022."""
    files = [shared_file(f"data/bitcoin_2020_2025/{name}.csv") for name in ("bitcoin_price", "difficulty")]
    price = pd.read_csv(files[0], skiprows=3, header=None, index_col=0, parse_dates=True)[1]
    difficulty = pd.read_csv(files[1], index_col="Date", parse_dates=True).difficulty
    network = pd.Series(network_hashrate_eh_s(difficulty.to_numpy()), index=difficulty.index)
    both = pd.DataFrame({"btc_price": price, "network_hashrate": network}).loc["2021":"2022"]
    monthly = both.groupby(both.index.to_period("M")).mean()
    return {name: monthly[name].tolist() for name in monthly}


def case(history):
    """5 MW of S19s (95 TH/s at 3.25 kW) at 55 USD/MWh, and a lease that earns less than they did in 2021.

    What is believed at the beginning: bitcoin and the network stay as they are.
    """
    lease = offer(
        critical_mw=5.0,
        price_usd_per_kw_month=100.0,
        term_months=12,
        sign_from_month="2021-01",
        sign_until_month="2022-10",
        sites=[place(capex_usd_per_critical_mw=0.0, build_months=0, halls_displaced_mw_per_critical_mw=1.0)],
    )
    there = site(grid=[{"from_month": "2020-01", "grid_mw": 5.0}], hall_mw=5.0, power={"flat_usd_per_mwh": 55.0})
    return portfolio(
        horizon={
            "start_month": "2021-01",
            "segments": [{"months_per_period": 1, "period_count": 24}],
            "sign_every_months": 1,
        },
        sites=[there],
        asic_models=[asic(modes=[{"hashrate_th_s": 95.0, "power_w": 3250.0}])],
        fleets=[fleet(1538)],
        offers=[lease],
        finance={"terminal": {"contract_tail_frac": 0.0}},
        market={
            "btc_usd": history["btc_price"][0],
            "network_eh_s": history["network_hashrate"][0],
            "fee_share_frac": FEES,
            "block_height_at_start": HEIGHT_2021,
        },
    )


def test_the_winter_of_2022(history):
    levels = [{"factor": name, "values": values} for name, values in history.items()]
    spec = {"portfolio": case(history), "history": levels, "every_months": 3, "options": EXACT}
    found = backtest(BacktestSpec.model_validate(spec))
    # Means of the years as published (Hashrate Index): 314.61 and 123.88 USD per PH/s and day.
    assert [row.hashprice_usd_per_ph_day for row in found.years] == pytest.approx([314.61, 123.88], rel=0.03)
    npv = {item.strategy.value: item.npv_usd for item in found.outcomes}
    assert npv["held"] == pytest.approx(npv["mining"], abs=1.0)  # in January 2021 nobody would have signed
    # At 123.88 a machine earns 11.8 USD a day and draws 4.3 USD of power; its power, let, earns 10.7.
    signed = [date.month for date in found.dates if date.changed]
    assert signed
    assert signed[0].year == 2022
    assert npv["replanned"] > npv["held"]
