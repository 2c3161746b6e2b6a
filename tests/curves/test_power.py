"""Price shapes against counting the hours."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optimizer.curves import PowerShape, _power, reference
from optimizer.errors import InvalidInputError

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


def test_lookup_of_one_price_and_far_outside():
    shape = PowerShape.flat(-3.0)
    z = [-1e300, np.nextafter(-3.0, -4.0), -3.0, np.nextafter(-3.0, 0.0), 1e300]
    assert shape.share_of_hours_below(z, 6).tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]


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
