"""Two years of ERCOT prices through the whole path: file, price shape, margins by month, merit order."""

from __future__ import annotations

import calendar

import numpy as np
import pytest

from optimizer.curves import (
    Machine,
    MarketPaths,
    PowerShape,
    SiteFleet,
    envelope,
    fleet_month_values,
    mining_month_values,
    site_merit_orders,
)
from optimizer.domain import SeriesFile
from optimizer.io.hourly_files import read_hours
from optimizer.library.operating_modes import operating_modes

HASHPRICE_USD_PER_PH_DAY = 39.5
ADDER_USD_PER_MWH, PUE, POOL_FEE_FRAC, UPTIME_FRAC = 6.0, 1.04, 0.01, 0.97
DAYS = [calendar.monthrange(2025, month)[1] for month in range(1, 13)]


@pytest.fixture(params=["hb_west", "hb_north", "lz_west"])
def hours(request, shared_file):
    """Real-time prices of 2024-01 to 2026-03 with their months; missing hours take the typical hour."""
    path = shared_file(f"data/power_ercot/{request.param}.csv")
    spec = SeriesFile(
        path=path.name,
        date_column="delivery_date",
        hour_ending_column="hour_ending",
        value_column="rtm_lmp",
        missing_hours="typical-hour",
    )
    read = read_hours(path, spec, "series[0].file")
    return np.array(read.usd_per_mwh), np.array(read.month_of_year)


MARKET = {"hashprice_usd_per_ph_day": np.full((12, 1), HASHPRICE_USD_PER_PH_DAY), "level": np.ones((12, 1))}
SITE = {
    "calendar_month": np.arange(1, 13),
    "hours_in_month": np.array(DAYS) * 24.0,
    "adder_usd_per_mwh": np.full(12, ADDER_USD_PER_MWH),
    "pue": PUE,
    "uptime_frac": UPTIME_FRAC,
    "pool_fee_frac": POOL_FEE_FRAC,
}


def machine(name):
    """The modes of a machine that would run."""
    modes = operating_modes(name)
    hashrate, power = np.array([(mode.hashrate_th_s, mode.power_w) for mode in modes]).T
    kept = envelope(hashrate, power)
    return Machine(hashrate[kept], power[kept])


def month_by_hour_loop(modes, price):
    """Mean margin USD and energy MWh an hour of a machine that picks its best mode, or off, hour by hour."""
    margin = energy = 0.0
    for usd_per_mwh in price:
        best_usd, best_mwh = 0.0, 0.0
        for mode in modes:
            mwh = mode.power_w * PUE / 1e6
            revenue = HASHPRICE_USD_PER_PH_DAY / 24 * mode.hashrate_th_s / 1000 * (1 - POOL_FEE_FRAC)
            usd = revenue - mwh * (usd_per_mwh + ADDER_USD_PER_MWH)
            if usd > best_usd:
                best_usd, best_mwh = usd, mwh
        margin += best_usd
        energy += best_mwh
    return margin / len(price), energy / len(price)


@pytest.mark.parametrize("name", ["s19j-pro", "s21-xp"])
def test_margins_by_month_equal_the_hour_loop(name, hours):
    price, month = hours
    hashrate, power, _ = machine(name)
    values = mining_month_values(
        PowerShape.from_hourly(price, month), hashrate_th_s=hashrate, power_w=power, **MARKET, **SITE
    )
    for m in range(12):
        margin, energy = month_by_hour_loop(operating_modes(name), price[month == m + 1])
        machine_hours = DAYS[m] * 24.0 * UPTIME_FRAC
        assert values.margin_usd[-1, m] == pytest.approx(margin * machine_hours, rel=1e-11)
        assert values.energy_mwh[-1, m] == pytest.approx(energy * machine_hours, rel=1e-11)
    rated_mwh = power[-1] * PUE / 1e6 * 8760 * UPTIME_FRAC
    assert 0.5 * rated_mwh < values.energy_mwh[-1].sum() < rated_mwh  # it stops in dear hours
    realised_usd_per_mwh = values.power_cost_usd[-1].sum() / values.energy_mwh[-1].sum()
    assert realised_usd_per_mwh < price.mean() + ADDER_USD_PER_MWH - 2.0  # so it pays less than the mean price


def test_a_mixed_fleet_in_merit_order(hours):
    """The site's month is the sum of its classes' months, and the efficient machines get the first MW."""
    names, count = ("s19j-pro", "s21-xp"), (3000.0, 2000.0)
    price, month = hours
    fleet = SiteFleet.of(PowerShape.from_hourly(price, month), [machine(name) for name in names], **SITE)
    orders = site_merit_orders(fleet, fleet_month_values(fleet, MarketPaths.of(**MARKET)), machine_count=count)
    assert len(orders) == 12
    for m, order in enumerate(orders):
        value = sum(
            machines * month_by_hour_loop(operating_modes(name), price[month == m + 1])[0]
            for name, machines in zip(names, count, strict=True)
        )
        assert order.value_usd[-1] == pytest.approx(value * DAYS[m] * 24.0 * UPTIME_FRAC, rel=1e-11)
        assert order.class_index[0] == 1
        assert order.paying_mw == pytest.approx(order.mw[-1])  # every step pays in some hour
        assert order.usd_per_mw[0] > 2.0 * order.usd_per_mw[-1]
