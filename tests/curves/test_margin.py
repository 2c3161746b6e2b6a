"""Mining margins against the hour loop and against exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from margin_cases import S19J_PRO_TH_S, S19J_PRO_W, fleet_and_paths, mining_case

from optimizer.curves import (
    PowerShape,
    _margin,
    accumulate_scenario_margin_usd,
    breakeven_power_usd_per_mwh,
    fleet_month_values,
    mining_month_values,
    reference,
)
from optimizer.errors import InvalidInputError
from optimizer.units import HOURS_PER_DAY, TH_PER_PH, W_PER_MW


def test_compiled_module_is_loaded():
    assert _margin.__file__.endswith((".so", ".pyd"))


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5))
def test_mining_month_values_equal_the_hour_loop(seed, modes, months):
    rng = np.random.default_rng(seed)
    shape, by_month, arguments = mining_case(rng, months=months, scenarios=int(rng.integers(1, 9)), modes=modes)
    values = mining_month_values(shape, **arguments)
    twin = reference.mining_month_values(by_month, **arguments)
    top = np.abs(twin.revenue_usd).max() + np.abs(twin.power_cost_usd).max() + 1e-300
    np.testing.assert_allclose(values.margin_usd, twin.margin_usd, rtol=1e-12, atol=1e-13 * top)
    # An hour exactly at its break-even may fall either way; the totals lie between those of a hair less and more.
    hashprice = arguments["hashprice_usd_per_ph_day"]
    less, more = (
        reference.mining_month_values(by_month, **(arguments | {"hashprice_usd_per_ph_day": hashprice * (1 + hair)}))
        for hair in (-1e-9, 1e-9)
    )
    for field in ("energy_mwh", "hash_ph_days", "revenue_usd", "running_hours"):
        low, value, high = (getattr(v, field) for v in (less, values, more))
        slack = 1e-8 * np.abs(high).max() + 1e-300
        assert (low - slack <= value).all(), field
        assert (value <= high + slack).all(), field
    np.testing.assert_allclose(values.margin_usd, values.revenue_usd - values.power_cost_usd, atol=1e-12 * top)


@given(st.integers(0, 2**32 - 1))
def test_accumulated_margin_equals_the_hour_loop(seed):
    rng = np.random.default_rng(seed)
    shape, by_month, arguments = mining_case(rng)
    weight = rng.choice([0.0, 0.0, 1.0, 250.0], (3, 4)) * rng.uniform(0.5, 1.0, (3, 4))
    out = rng.normal(0.0, 1e3, 7)
    expected = out.copy()
    accumulate_scenario_margin_usd(out, shape, **arguments, weight=weight)
    reference.accumulate_scenario_margin_usd(expected, by_month, **arguments, weight=weight)
    np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-10 * (1 + np.abs(expected).max()))


def test_a_scenario_does_not_know_its_batch():
    shape, _, arguments = mining_case(np.random.default_rng(3), months=6, scenarios=700)
    weight = np.linspace(-1.0, 2.0, 18).reshape(3, 6)
    paths = ("hashprice_usd_per_ph_day", "level")

    def run(chosen):
        part = {name: np.ascontiguousarray(arguments[name][:, chosen]) for name in paths}
        out = np.zeros(part["level"].shape[1])
        accumulate_scenario_margin_usd(out, shape, **(arguments | part), weight=weight)
        return out

    whole = run(slice(None))
    assert np.ptp(whole) > 0.0
    parts = [run(slice(a, b)) for a, b in ((0, 1), (1, 257), (257, 600), (600, 700))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_means_are_sums_of_slices_of_256_scenarios():
    shape, _, arguments = mining_case(np.random.default_rng(4), scenarios=600)
    paths = ("hashprice_usd_per_ph_day", "level")
    slices = [
        mining_month_values(shape, **(arguments | {name: arguments[name][:, a : a + 256] for name in paths}))
        for a in (0, 256, 512)
    ]
    counts = np.array([256, 256, 88])
    whole = mining_month_values(shape, **arguments)
    mean = np.tensordot(counts / 600, [s.energy_mwh for s in slices], axes=1)
    np.testing.assert_allclose(whole.energy_mwh, mean, rtol=1e-14)
    again = mining_month_values(shape, **arguments)
    np.testing.assert_array_equal(whole.margin_usd, again.margin_usd)


def test_a_machine_on_flat_power_by_hand():
    """100 TH/s at 3 kW, 50 USD per PH/s per day, 40 USD/MWh for 720 h: earns 150, pays 86.40."""
    values = mining_month_values(
        PowerShape.flat(30.0),
        calendar_month=[4],
        hours_in_month=[720.0],
        hashprice_usd_per_ph_day=[[50.0]],
        level=[[1.0]],
        adder_usd_per_mwh=[10.0],
        hashrate_th_s=[100.0],
        power_w=[3000.0],
        pue=1.0,
        uptime_frac=1.0,
        pool_fee_frac=0.0,
    )
    assert values.revenue_usd[0, 0] == pytest.approx(150.0)
    assert values.power_cost_usd[0, 0] == pytest.approx(86.4)
    assert values.margin_usd[0, 0] == pytest.approx(63.6)
    assert values.energy_mwh[0, 0] == pytest.approx(2.16)
    assert values.hash_ph_days[0, 0] == pytest.approx(3.0)


def test_margin_vanishes_at_the_breakeven_power_price():
    machine = {"pue": 1.1, "pool_fee_frac": 0.02}
    breakeven = float(breakeven_power_usd_per_mwh(hashprice_usd_per_ph_day=45.0, efficiency_j_per_th=30.0, **machine))
    margins = [
        mining_month_values(
            PowerShape.flat(breakeven * factor),
            calendar_month=[1],
            hours_in_month=[744.0],
            hashprice_usd_per_ph_day=[[45.0]],
            level=[[1.0]],
            adder_usd_per_mwh=[0.0],
            hashrate_th_s=[100.0],
            power_w=[3000.0],
            uptime_frac=1.0,
            **machine,
        ).margin_usd[0, 0]
        for factor in (0.99, 1.01)
    ]
    assert margins[0] == pytest.approx(0.01 * breakeven * 3.0 * 1.1 * 0.744)
    assert margins[1] == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"hashrate_th_s": S19J_PRO_TH_S, "power_w": S19J_PRO_W},
            r"power_w\[0\]: mode of 28.1 TH/s at 997 W is not on",
        ),
        ({"hashrate_th_s": [100.0, 60.0], "power_w": [3000.0, 1500.0]}, r"power_w\[1\]: .* ascending order"),
        ({"level": np.zeros((4, 7))}, r"level\[0, 0\]: is 0.0"),
        ({"level": np.ones((4, 6))}, r"level: has shape \(4, 6\); pass shape \(4, 7\)"),
        ({"calendar_month": [1, 2, 13, 4]}, r"calendar_month\[2\]: is 13"),
        ({"pue": 0.9}, "pue: is 0.9"),
        ({"hashprice_usd_per_ph_day": np.ones(4)}, r"pass \[months, scenarios\]"),
    ],
)
def test_margin_refuses(change, message):
    shape, _, arguments = mining_case(np.random.default_rng(1))
    with pytest.raises(InvalidInputError, match=message):
        mining_month_values(shape, **(arguments | change))


@pytest.mark.parametrize(
    "out", [np.zeros(6), np.zeros(14)[::2], np.zeros(7, dtype=np.float32), np.broadcast_to(0.0, 7), [0.0] * 7]
)
def test_accumulator_is_refused(out):
    shape, _, arguments = mining_case(np.random.default_rng(1))
    with pytest.raises(InvalidInputError, match="out"):
        accumulate_scenario_margin_usd(out, shape, **arguments, weight=np.ones((3, 4)))


PRICES = {
    "ties, zeros and negatives": lambda rng, size: np.round(rng.normal(5.0, 12.0, size)) * 2.5,
    "all negative": lambda rng, size: -rng.uniform(1.0, 80.0, size),
    "all zero": lambda rng, size: np.zeros(size),
    "huge": lambda rng, size: rng.choice([-9e4, 9e5, 30.0], size) * rng.uniform(0.5, 1.0, size),
}


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("hours", [1, 25])
@pytest.mark.parametrize("prices", PRICES)
def test_odd_prices(prices, hours, ordered):
    """Break-evens lie at prices, too: with no adder, level 1 and hashprices made from the prices."""
    rng = np.random.default_rng(hours)
    by_month = [PRICES[prices](rng, hours) for _ in range(12)]
    shape = PowerShape.from_hourly(np.concatenate(by_month), np.repeat(np.arange(1, 13), hours))
    _, _, arguments = mining_case(rng, months=3, scenarios=40)
    at_price = 24e3 * 32e-6 * np.abs(rng.choice(by_month[3], (3, 20)))  # of a machine of 32 J/TH
    arguments |= {"level": np.ones((3, 40)), "adder_usd_per_mwh": np.zeros(3), "pue": 1.0, "pool_fee_frac": 0.0}
    arguments |= {"hashrate_th_s": np.array([50.0, 90.0]), "power_w": np.array([1600.0, 3100.0]), "hash_factor": 1.0}
    arguments["calendar_month"] = np.array([4, 4, 9])
    arguments["hashprice_usd_per_ph_day"][:, :20] = np.minimum(at_price, 1e6)
    fleet, paths = fleet_and_paths(shape, arguments, ordered=ordered)
    (values,) = fleet_month_values(fleet, paths)
    twin = reference.mining_month_values(by_month, **arguments)
    top = np.abs(twin.revenue_usd).max() + np.abs(twin.power_cost_usd).max()
    np.testing.assert_allclose(values.margin_usd, twin.margin_usd, rtol=1e-12, atol=1e-13 * top)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_full_year_against_exact_sums(ordered):
    """8,760 skewed prices with spikes and negatives: margins of every month to 1e-12 of an exactly rounded sum."""
    rng = np.random.default_rng(51)
    month = np.repeat(np.arange(1, 13), 730)
    price = np.exp(rng.normal(3.0, 0.8, 8760)) - 8.0 + np.where(rng.random(8760) < 0.004, 3000.0 * rng.random(8760), 0)
    hashprice = np.tile(rng.uniform(30.0, 90.0, 800), (12, 1))
    arguments = {
        "calendar_month": np.arange(1, 13),
        "hours_in_month": np.full(12, 730.0),
        "hashprice_usd_per_ph_day": hashprice,
        "level": np.full((12, 800), 1.1),
        "adder_usd_per_mwh": np.full(12, 6.0),
        "hashrate_th_s": np.array([100.0]),
        "power_w": np.array([3000.0]),
        "pue": 1.05,
        "uptime_frac": 1.0,
        "pool_fee_frac": 0.01,
    }
    fleet, paths = fleet_and_paths(PowerShape.from_hourly(price, month), arguments, ordered=ordered)
    (values,) = fleet_month_values(fleet, paths)
    for m in (1, 6, 12):
        cost = 3000.0 / W_PER_MW * 1.05 * (price[month == m] * 1.1 + 6.0)
        revenue = hashprice[m - 1] / HOURS_PER_DAY * 100.0 / TH_PER_PH * 0.99
        exact = math.fsum(np.maximum(revenue[:, None] - cost, 0.0).ravel()) / 800
        assert values.margin_usd[0, m - 1] == pytest.approx(exact, rel=1e-12)


def test_where_nothing_runs_power_has_no_price():
    values = mining_month_values(
        PowerShape.flat(50.0),
        calendar_month=[1, 2],
        hours_in_month=[744.0, 672.0],
        hashprice_usd_per_ph_day=[[0.0], [60.0]],
        level=np.ones((2, 1)),
        adder_usd_per_mwh=[0.0, 5.0],
        hashrate_th_s=[100.0],
        power_w=[2500.0],
        pue=1.0,
        uptime_frac=0.5,
        pool_fee_frac=0.1,
        btc_usd=[[1e5], [6e4]],
    )
    np.testing.assert_allclose(values.realised_power_usd_per_mwh, [[np.nan, 55.0]])
    np.testing.assert_allclose(values.running_hours, [0.0, 336.0])
    np.testing.assert_allclose(values.mined_btc, [[0.0, 0.1 * 14.0 * 60.0 / 6e4]])  # PH/s * days * USD / (USD per BTC)
    np.testing.assert_allclose(values.hashes, [[0.0, 100e12 * 336.0 * 3600.0]])
