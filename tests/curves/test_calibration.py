"""Calibration: simulated paths give their parameters back, random walks pass for random walks, data are plausible."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from optimizer.curves import FACTORS, calibrate, factor_multipliers, fan
from optimizer.curves.calibration import DICKEY_FULLER_CRITICAL_T
from optimizer.errors import InvalidInputError

VOLATILITY = np.array([0.6, 0.3, 0.5, 0.2, 0.1])
REVERSION = np.array([0.0, 0.5, 2.0, 0.0, 6.0])
CORRELATION = np.array(
    [
        [1.0, 0.6, 0.1, 0.3, 0.2],
        [0.6, 1.0, 0.2, 0.1, 0.0],
        [0.1, 0.2, 1.0, -0.2, 0.1],
        [0.3, 0.1, -0.2, 1.0, 0.7],
        [0.2, 0.0, 0.1, 0.7, 1.0],
    ]
)
MONTHS = 12_000


def long_path(seed):
    multipliers = factor_multipliers(
        seed=seed,
        first_scenario=0,
        scenario_count=1,
        month_count=MONTHS,
        volatility_per_year=VOLATILITY,
        mean_reversion_per_year=REVERSION,
        correlation=CORRELATION,
    )[:, :, 0]
    growth = np.exp(0.02 * np.arange(MONTHS) / 12)
    return dict(zip(FACTORS, multipliers * growth, strict=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_long_path_gives_its_parameters_back(seed):
    found = calibrate(history=long_path(seed))
    assert found.factors == FACTORS
    assert found.month_count == MONTHS
    assert np.abs((found.volatility_per_year - VOLATILITY) / found.volatility_standard_error).max() < 3.0
    assert found.volatility_standard_error == pytest.approx(VOLATILITY / np.sqrt(2 * MONTHS), rel=0.1)
    reverting = REVERSION > 0
    z = (found.estimated_reversion_per_year - REVERSION) / found.reversion_standard_error
    assert np.abs(z[reverting]).max() < 3.0
    np.testing.assert_array_equal(found.mean_reversion_per_year > 0, reverting)
    np.testing.assert_array_equal(
        found.mean_reversion_per_year[reverting], found.estimated_reversion_per_year[reverting]
    )
    np.testing.assert_array_equal(found.dickey_fuller_t < DICKEY_FULLER_CRITICAL_T, reverting)
    z = (np.arctanh(found.correlation - np.eye(5)) - np.arctanh(CORRELATION - np.eye(5))) * np.sqrt(MONTHS)
    assert np.abs(z).max() < 3.5  # ten of them
    drift = np.where(reverting, 0.02, 0.02 - VOLATILITY**2 / 2)
    assert np.abs((found.log_growth_per_year - drift) / found.log_growth_standard_error).max() < 3.0


def test_volatility_of_a_reverting_factor_is_that_of_the_process():
    # With a half-life of six weeks monthly changes show sqrt((1 - exp(-1/2)) / (1/2)) = 0.89 of it.
    path = long_path(1)["re_lease_rent"]
    changes = np.diff(np.log(path)).std() * np.sqrt(12)
    assert changes == pytest.approx(0.089, abs=0.002)
    assert calibrate(history={"re_lease_rent": path}).volatility_per_year[0] == pytest.approx(0.1, abs=0.002)


def test_one_random_walk_in_twenty_is_taken_for_reverting():
    rng = np.random.default_rng(8)
    walks = np.exp(np.cumsum(rng.normal(0.02, 0.2, (1000, 132)), axis=1))
    found = [calibrate(history={"btc_price": walk}).mean_reversion_per_year[0] > 0 for walk in walks]
    # 4 standard errors about 5 %, and the series are short.
    assert 0.02 < np.mean(found) < 0.085


def test_scale_and_order_do_not_matter():
    rng = np.random.default_rng(12)
    first, second = np.exp(np.cumsum(rng.normal(0.01, 0.1, (2, 90)), axis=1))
    found = calibrate(history={"gpu_rental": first, "network_hashrate": second})
    swapped = calibrate(history={"network_hashrate": 1e18 * second, "gpu_rental": 1e-3 * first})
    assert found.factors == swapped.factors == ("network_hashrate", "gpu_rental")
    np.testing.assert_allclose(found.volatility_per_year, swapped.volatility_per_year, rtol=1e-10)
    np.testing.assert_allclose(found.dickey_fuller_t, swapped.dickey_fuller_t, rtol=1e-6)
    np.testing.assert_allclose(found.correlation, swapped.correlation, atol=1e-10)
    np.testing.assert_array_equal(found.mean_reversion_per_year, 0.0)
    assert found.correlation[0, 1] == pytest.approx(np.corrcoef(np.diff(np.log([second, first])))[0, 1])
    alone = calibrate(history={"gpu_rental": first})
    np.testing.assert_array_equal(alone.correlation, [[1.0]])
    assert alone.volatility_per_year[0] == found.volatility_per_year[1]


def test_fat_tails_widen_the_standard_error():
    rng = np.random.default_rng(10)
    normal, fat = rng.normal(0.0, 0.1, 600), rng.standard_t(5, 600) * 0.1
    found = calibrate(history={"btc_price": np.exp(np.cumsum(normal)), "gpu_rental": np.exp(np.cumsum(fat))})
    relative = found.volatility_standard_error / found.volatility_per_year
    assert relative[0] == pytest.approx(1 / np.sqrt(1200), rel=0.15)
    assert relative[1] > 1.3 * relative[0]


def monthly_means(rows, date, value):
    by_month = defaultdict(list)
    for row in rows:
        if row[date][:1].isdigit() and row[value]:
            by_month[row[date][:7].replace("/", "-")].append(float(row[value]))
    return {month: np.mean(values) for month, values in by_month.items()}


def calibrated(price, network, first, last):
    months = [month for month in price if month in network and first <= month <= last]
    return calibrate(
        history={"btc_price": [price[m] for m in months], "network_hashrate": [network[m] for m in months]}
    )


def test_bitcoin_2014_to_2021(shared_rows):
    folder = "data/bitcoin_2010_2021"
    price = monthly_means(shared_rows(f"{folder}/price.csv"), "Date", "price")
    network = monthly_means(shared_rows(f"{folder}/hashrate.csv"), "Date", "hashrate")
    found = calibrated(price, network, "2014-01", "2021-11")
    assert found.month_count == 95
    # From about 800 to 60,000 USD, and from 13 PH/s to 160 EH/s, in not quite eight years.
    assert found.log_growth_per_year == pytest.approx([np.log(60e3 / 820) / 7.83, np.log(160e3 / 15) / 7.83], abs=0.06)
    assert 0.55 < found.volatility_per_year[0] < 0.85
    assert 0.30 < found.volatility_per_year[1] < 0.55
    np.testing.assert_array_equal(found.mean_reversion_per_year, 0.0)
    assert -0.3 < found.correlation[0, 1] < 0.5


def test_bitcoin_2020_to_2025(shared_rows):
    folder = "data/bitcoin_2020_2025"
    price = monthly_means(shared_rows(f"{folder}/bitcoin_price.csv"), "Price", "Close")
    network = monthly_means(shared_rows(f"{folder}/hashrate.csv"), "Date", "hash-rate")
    found = calibrated(price, network, "2020-05", "2025-03")
    assert found.month_count == 59
    # From about 9,300 to 85,000 USD, and from 100 to 810 EH/s: calmer than the years before.
    assert found.log_growth_per_year == pytest.approx([np.log(85e3 / 9.3e3) / 4.83, np.log(8.1) / 4.83], abs=0.06)
    assert 0.45 < found.volatility_per_year[0] < 0.65
    assert 0.15 < found.volatility_per_year[1] < 0.35
    np.testing.assert_array_equal(found.mean_reversion_per_year, 0.0)
    assert 0.0 < found.correlation[0, 1] < 0.7


STEADY = np.exp(np.random.default_rng(0).normal(0.0, 0.1, 30).cumsum())


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "history: is empty"),
        ({"hashprice": STEADY}, r"history\['hashprice'\]: is no market factor"),
        ({"btc_price": STEADY[:23]}, r"history\['btc_price'\]: has 23 months; .* at least 24"),
        ({"btc_price": STEADY, "gpu_rental": STEADY[1:]}, r"history\['gpu_rental'\]: has 29 months"),
        ({"btc_price": np.where(np.arange(30) == 7, 0.0, STEADY)}, r"history\['btc_price'\]\[7\]: is 0.0"),
        ({"btc_price": np.where(np.arange(30) == 7, np.nan, STEADY)}, r"history\['btc_price'\]\[7\]: is not finite"),
        ({"btc_price": 1.01 ** np.arange(30)}, r"history\['btc_price'\]: does not vary"),
    ],
)
def test_history_is_refused(history, message):
    with pytest.raises(InvalidInputError, match=message):
        calibrate(history=history)


def test_fan_is_the_quantiles_of_each_month():
    paths = np.array([[4.0, 1.0, 2.0, 3.0, 5.0], [10.0, 10.0, 10.0, 10.0, 20.0]])
    np.testing.assert_allclose(fan(paths, [0.0, 0.5, 0.9, 1.0]), [[1.0, 10.0], [3.0, 10.0], [4.6, 16.0], [5.0, 20.0]])
    for wrong, message in (
        ((paths[0], [0.5]), r"paths: has shape \(5,\)"),
        ((paths, [0.5, 1.1]), r"probabilities\[1\]: is 1.1"),
        ((paths, []), r"probabilities: has shape \(0,\)"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            fan(*wrong)
