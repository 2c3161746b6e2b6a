"""Price shapes and mining margins against the hour loop."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optimizer.curves import (
    PowerShape,
    _power,
    accumulate_scenario_margin_usd,
    breakeven_power_usd_per_mwh,
    envelope,
    mining_month_values,
    reference,
)
from optimizer.errors import InvalidInputError

# Antminer S19j Pro, measured with live firmware: TH/s and W, lowest step first.
S19J_PRO_TH_S = np.array([28.1, 42.7, 52.4, 62.1, 71.8, 81.6, 105.8])
S19J_PRO_W = np.array([997.0, 1244.0, 1466.0, 1714.0, 1994.0, 2297.0, 3126.0])

# Few distinct values give ties, zeros and negatives; wide ones give spikes; the pair a hair apart tests the last bit.
prices = st.one_of(
    st.sampled_from([-30.0, -0.0, 0.0, 20.0, 25.0, np.nextafter(25.0, 26.0)]),
    st.floats(-50.0, 120.0),
    st.floats(-9e4, 9e5),
)
z_values = st.one_of(prices, st.floats(-1e7, 1e7))


def pooled(price):
    """A shape whose every month holds the same hours."""
    return PowerShape.from_hourly(np.tile(price, 12), np.repeat(np.arange(1, 13), len(price)))


def mining_case(rng, months=4, scenarios=7, modes=3, hours=40):
    """Arguments of a random machine, and its prices by month with ties, zeros and negatives."""
    by_month = [np.round(rng.normal(30.0, 25.0, int(rng.integers(1, hours + 1))), 0) for _ in range(12)]
    step_w = rng.uniform(200.0, 1200.0, modes)
    efficiency = np.sort(rng.uniform(12.0, 45.0, modes))
    arguments = {
        "calendar_month": rng.integers(1, 13, months),
        "hours_in_month": rng.choice([672.0, 720.0, 744.0], months),
        "hashprice_usd_per_ph_day": rng.choice([0.0, 1.0, 1.0, 1.0], (months, scenarios))
        * rng.uniform(5.0, 120.0, (months, scenarios)),
        "level": np.exp(rng.normal(0.0, 0.4, (months, scenarios))),
        "adder_usd_per_mwh": rng.choice([0.0, 7.5, -12.0], months),
        "hashrate_th_s": np.cumsum(step_w / efficiency),
        "power_w": np.cumsum(step_w),
        "pue": rng.uniform(1.0, 1.3),
        "uptime_frac": rng.uniform(0.5, 1.0),
        "pool_fee_frac": rng.uniform(0.0, 0.05),
        "hash_factor": rng.uniform(0.8, 1.2),
    }
    shape = PowerShape.from_hourly(
        np.concatenate(by_month), np.repeat(np.arange(1, 13), [price.size for price in by_month])
    )
    return shape, by_month, arguments


def test_compiled_module_is_loaded():
    assert _power.__file__.endswith((".so", ".pyd"))


@given(hnp.arrays(np.float64, st.integers(1, 60), elements=prices), hnp.arrays(np.float64, 12, elements=z_values))
def test_lookup_equals_counting_the_hours(price, z):
    shape = pooled(price)
    z = np.concatenate([z, price, np.nextafter(price, -np.inf), np.nextafter(price, np.inf)])
    for month in (1, 12):
        np.testing.assert_array_equal(shape.share_of_hours_below(z, month), reference.share_of_hours_below(price, z))
        scale = np.abs(price).max() + np.abs(z)
        gap = shape.positive_part_mean(z, month) - reference.positive_part_mean(price, z)
        assert (np.abs(gap) <= 4e-16 * price.size**0.5 * scale + 1e-300).all()


@pytest.mark.parametrize("spread", ["even", "skewed", "spikes", "lattice", "two far clusters"])
def test_lookup_is_exact_on_many_hours(spread):
    rng = np.random.default_rng(11)
    price = {
        "even": rng.uniform(-20, 80, 5000),
        "skewed": np.exp(rng.normal(3, 1.5, 5000)) - 30,
        "spikes": np.where(rng.random(5000) < 0.01, 3000 * rng.random(5000), 25 + rng.normal(0, 0.01, 5000)),
        "lattice": rng.integers(-3, 4, 5000) * 5.0,
        "two far clusters": np.where(rng.random(5000) < 0.5, 1e-9, 9e5) * (1 + 1e-9 * rng.random(5000)),
    }[spread]
    z = np.concatenate([price, np.nextafter(price, np.inf), rng.choice(price, 500) + rng.normal(0, 5, 500)])
    expected = np.searchsorted(np.sort(price), z, side="left") / price.size
    np.testing.assert_array_equal(pooled(price).share_of_hours_below(z, 7), expected)


def test_shape_pools_calendar_months_in_any_order():
    rng = np.random.default_rng(5)
    month = rng.permutation(np.tile(np.arange(1, 13), 50))
    price = rng.normal(40.0, 20.0, month.size) + month
    shape = PowerShape.from_hourly(price, month)
    assert shape.hour_count.tolist() == [50] * 12
    np.testing.assert_allclose(shape.mean_usd_per_mwh, [price[month == m].mean() for m in range(1, 13)], rtol=1e-14)
    low = price[(month == 3) & (price < 40.0)]
    assert shape.mean_price_below(40.0, 3) == pytest.approx(low.mean(), rel=1e-13)
    assert np.isnan(shape.mean_price_below(-1e4, 3))
    with pytest.raises(ValueError, match="read-only"):
        shape.mean_usd_per_mwh[0] = 0.0


def test_prefix_sums_are_compensated():
    """A spike and its opposite cancel; plain summation would lose the small prices between them."""
    price = np.concatenate([[-9e4, 9e4], np.random.default_rng(2).uniform(-1e-9, 1e-9, 8000)])
    total = pooled(price).mean_usd_per_mwh[0] * price.size
    assert total == pytest.approx(math.fsum(price), rel=1e-4)


def test_shape_survives_a_trip_to_another_process():
    price = np.random.default_rng(6).normal(30.0, 15.0, 500)
    shape = pooled(price)
    copy = pickle.loads(pickle.dumps(shape))
    np.testing.assert_array_equal(copy.positive_part_mean(price, 2), shape.positive_part_mean(price, 2))


def test_flat_shape():
    shape = PowerShape.flat(40.0)
    assert shape.positive_part_mean([39.0, 40.0, 45.0], 1).tolist() == [0.0, 0.0, 5.0]
    assert shape.share_of_hours_below([40.0, 40.0000001], 1).tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("price", "month", "message"),
    [
        ([1.0] * 11 + [np.nan], range(1, 13), r"price_usd_per_mwh\[11\]: is not finite"),
        ([1.0] * 12, [1, *range(1, 12)], "no hour in month 12"),
        ([1.0] * 12, range(12), r"month_of_year\[0\]: is 0"),
        ([1.0] * 12, np.arange(1.0, 13.0), "month_of_year: has dtype float64"),
        ([1.0] * 12, range(1, 12), r"month_of_year: has shape \(11,\)"),
        ([], [], "at least one entry"),
    ],
)
def test_shape_refuses(price, month, message):
    with pytest.raises(InvalidInputError, match=message):
        PowerShape.from_hourly(price, np.asarray(month))


def test_real_prices(shared_rows):
    rows = shared_rows("data/power_ercot/hb_west.csv")
    price = np.array([float(row["rtm_lmp"] or "nan") for row in rows])
    month = np.array([int(row["delivery_date"][5:7]) for row in rows])
    known = np.isfinite(price)
    assert 0 < (~known).sum() < 10
    price, month = price[known], month[known]
    assert (price < 0.0).sum() > 1000
    assert price.max() > 1000.0
    shape = PowerShape.from_hourly(price, month)
    z = np.concatenate([np.linspace(-60.0, 3100.0, 800), price[:200]])
    for m in range(1, 13):
        hours = price[month == m]
        np.testing.assert_array_equal(shape.share_of_hours_below(z, m), reference.share_of_hours_below(hours, z))
        np.testing.assert_allclose(
            shape.positive_part_mean(z, m), reference.positive_part_mean(hours, z), rtol=1e-12, atol=1e-12
        )


def test_envelope_of_a_measured_machine():
    """The three lowest steps cost more per hash than 62.1 TH/s at 1,714 W does, and never run."""
    assert envelope(S19J_PRO_TH_S, S19J_PRO_W).tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("hashrate", "power", "kept"),
    [
        ([100.0], [3000.0], [0]),
        ([50.0, 100.0], [1500.0, 3000.0], [1]),  # collinear
        ([100.0, 50.0, 99.0], [3000.0, 1000.0, 3500.0], [1, 0]),  # any order, dominated
        ([100.0, 90.0], [3000.0, 3000.0], [0]),  # same power
        ([100.0, 100.0], [3000.0, 3000.0], [0]),  # the same twice
        ([40.0, 60.0, 100.0], [2000.0, 2500.0, 3000.0], [2]),
    ],
)
def test_envelope(hashrate, power, kept):
    assert envelope(hashrate, power).tolist() == kept


@given(st.integers(0, 2**32 - 1))
def test_envelope_loses_no_margin(seed):
    rng = np.random.default_rng(seed)
    hashrate, power = rng.integers(1, 12, 6) * 10.0, rng.integers(1, 12, 6) * 300.0
    kept = envelope(hashrate, power)
    assert (np.diff(power[kept]) > 0).all()
    for worth in np.linspace(0.0, 100.0, 41):
        every = np.maximum(hashrate * worth - power, 0.0).max()
        assert np.maximum(hashrate[kept] * worth - power[kept], 0.0).max() == pytest.approx(every)


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
    for field in ("energy_mwh", "hash_ph_days", "revenue_usd"):
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
