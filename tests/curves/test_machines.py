"""Break-evens of machines and their modes, and the efficiency curve between measured points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves import BEST_HASHRATE_FRAC, PowerShape, efficiency_modes, envelope, machine_breakevens
from optimizer.curves.machines import MEASURED_HASHRATE_FRAC
from optimizer.curves.margin import mining_month_values
from optimizer.errors import InvalidInputError
from optimizer.library import tables

# Antminer S19j Pro, measured with live firmware: TH/s and W, lowest step first.
S19J_PRO_TH_S = np.array([28.1, 42.7, 52.4, 62.1, 71.8, 81.6, 105.8])
S19J_PRO_W = np.array([997.0, 1244.0, 1466.0, 1714.0, 1994.0, 2297.0, 3126.0])


def breakevens(hashrate, power, **changes):
    arguments = {"hashprice_usd_per_ph_day": 40.0, "power_usd_per_mwh": 45.0}
    return machine_breakevens(hashrate_th_s=hashrate, power_w=power, **(arguments | changes))


def best_margin_usd_per_day(hashrate, power, hashprice, price, pue, fee, factor):
    """Of each mode, in a day at one power price; off is not among them."""
    return hashprice * hashrate / 1e3 * factor * (1 - fee) - power / 1e6 * pue * 24.0 * price


def test_a_measured_machine():
    even = breakevens(S19J_PRO_TH_S, S19J_PRO_W)
    assert even.dominated.tolist() == [True] * 3 + [False] * 4
    assert np.isnan(even.marginal_power_usd_per_mwh).tolist() == even.dominated.tolist()
    assert np.isnan(even.marginal_hashprice_usd_per_ph_day).tolist() == even.dominated.tolist()
    assert even.average_power_usd_per_mwh[3] == even.marginal_power_usd_per_mwh[3] == pytest.approx(60.39, abs=0.01)
    assert even.average_power_usd_per_mwh[6] == pytest.approx(56.41, abs=0.01)
    # The last 24.2 TH/s take 829 W: 34.3 J/TH.
    assert even.marginal_power_usd_per_mwh[6] == pytest.approx(40 / 0.024 / (829 / 24.2))
    assert even.marginal_hashprice_usd_per_ph_day[6] == pytest.approx(45 * 0.024 * 829 / 24.2)


modes = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).uniform([[20.0] * 5, [500.0] * 5], [[300.0] * 5, [6e3] * 5])
)
markets = {
    "hashprice": st.floats(1.0, 200.0),
    "pue": st.floats(1.0, 1.5),
    "fee": st.floats(0.0, 0.1),
    "factor": st.floats(0.7, 1.2),
}


@given(modes, *markets.values())
def test_margins_vanish_at_the_average_and_tie_at_the_marginal_breakeven(modes, hashprice, pue, fee, factor):
    hashrate, power = modes
    site = {"pue": pue, "pool_fee_frac": fee, "hash_factor": factor}
    even = breakevens(hashrate, power, hashprice_usd_per_ph_day=hashprice, power_usd_per_mwh=37.0, **site)

    def margins(hashprice, price):
        return best_margin_usd_per_day(hashrate, power, hashprice, price, pue, fee, factor)

    below = -1
    for j in envelope(hashrate, power):
        at_price = margins(hashprice, even.marginal_power_usd_per_mwh[j])
        at_hashprice = margins(even.marginal_hashprice_usd_per_ph_day[j], 37.0)
        for margin in (at_price, at_hashprice):
            rival = margin[below] if below >= 0 else 0.0
            scale = 1e-9 * (1.0 + np.abs(margin).max())
            assert abs(margin[j] - rival) < scale
            assert margin[j] >= max(margin.max(), 0.0) - scale  # nothing earns more where the two tie
        below = j
    for j in range(5):
        assert margins(hashprice, even.average_power_usd_per_mwh[j])[j] == pytest.approx(0.0, abs=1e-9)
        assert margins(even.average_hashprice_usd_per_ph_day[j], 37.0)[j] == pytest.approx(0.0, abs=1e-9)


@given(modes, *markets.values())
def test_the_breakevens_are_the_prices_at_which_the_margin_kernel_changes_mode(modes, hashprice, pue, fee, factor):
    hashrate, power = modes
    site = {"pue": pue, "pool_fee_frac": fee, "hash_factor": factor}
    even = breakevens(hashrate, power, hashprice_usd_per_ph_day=hashprice, **site)
    kept = envelope(hashrate, power)
    z = even.marginal_power_usd_per_mwh[kept]
    assert (np.diff(z) < 0.0).all()
    for j, price in enumerate(z):
        for factor_of_price, running in ((1.0 - 1e-9, j + 1), (1.0 + 1e-9, j)):
            energy = mining_month_values(
                PowerShape.flat(price * factor_of_price),
                calendar_month=[1],
                hours_in_month=[1.0],
                hashprice_usd_per_ph_day=[[hashprice]],
                level=[[1.0]],
                adder_usd_per_mwh=[0.0],
                hashrate_th_s=hashrate[kept],
                power_w=power[kept],
                uptime_frac=1.0,
                **site,
            ).energy_mwh[-1, 0]
            expected = power[kept][running - 1] / 1e6 * pue if running else 0.0
            assert energy == pytest.approx(expected, rel=1e-6, abs=1e-12)


# Band of J/TH, published USD/MWh, those of the neighbouring bands, and how far the library's median machine is from the
# efficiency that the band stands for: the library has none between 30 and 34 J/TH.
@pytest.mark.parametrize(
    ("efficient", "inefficient", "published", "between", "tolerance"),
    [(15, 19, 97, (75, 110), 0.01), (19, 25, 75, (51, 97), 0.05), (25, 38, 51, (40, 75), 0.12)],
)
def test_library_machines_meet_the_published_bands(efficient, inefficient, published, between, tolerance):
    """Hashrate Index, 2026-01-12, at 39.53 USD per PH/s per day: 97 USD/MWh below 19 J/TH, 75 to 25, 51 to 38."""
    machines = [model for model in tables.asics() if efficient <= model.power_w / model.hashrate_th_s < inefficient]
    assert len(machines) >= 8
    prices = [
        machine_breakevens(
            hashrate_th_s=[model.hashrate_th_s],
            power_w=[model.power_w],
            hashprice_usd_per_ph_day=39.53,
            power_usd_per_mwh=45.0,
        ).average_power_usd_per_mwh[0]
        for model in machines
    ]
    assert between[0] < min(prices) < max(prices) < between[1]
    assert np.median(prices) == pytest.approx(published, rel=tolerance)


def test_efficiency_curve_holds_the_measured_points():
    hashrate, power = efficiency_modes(
        rated_hashrate_th_s=105.8, rated_power_w=3126.0, hashrate_frac=S19J_PRO_TH_S[1:] / 105.8
    )
    np.testing.assert_allclose(hashrate, S19J_PRO_TH_S[1:])
    error = np.abs(power - S19J_PRO_W[1:]) / 3126.0
    assert 0.003 < error.max() < 0.005


def test_efficiency_is_best_where_the_curve_says():
    fraction = np.linspace(MEASURED_HASHRATE_FRAC.low, MEASURED_HASHRATE_FRAC.high, 147)
    hashrate, power = efficiency_modes(rated_hashrate_th_s=200.0, rated_power_w=3500.0, hashrate_frac=fraction)
    efficiency = power / hashrate
    best = fraction[np.argmin(efficiency)]
    assert best == pytest.approx(BEST_HASHRATE_FRAC, abs=0.005)
    assert pytest.approx(math.sqrt(0.199 / 0.5)) == BEST_HASHRATE_FRAC
    kept = envelope(hashrate, power)
    assert kept.tolist() == list(range(int(kept[0]), fraction.size))
    assert fraction[kept[0]] == pytest.approx(BEST_HASHRATE_FRAC, abs=0.01)
    assert efficiency[-1] / efficiency.min() == pytest.approx(1.07, abs=0.01)  # underclocking gains about 7 %


def test_one_fraction_gives_one_mode():
    hashrate, power = efficiency_modes(rated_hashrate_th_s=200.0, rated_power_w=3500.0, hashrate_frac=1.0)
    assert (hashrate, power) == (200.0, pytest.approx(3500.0 * 1.002))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hashrate_frac": [0.5, 0.2]}, r"hashrate_frac\[1\]: is 0.2; pass values between 0.27 and 1"),
        ({"hashrate_frac": 1.01}, "hashrate_frac: is 1.01"),
        ({"rated_power_w": np.inf}, "rated_power_w: is not finite"),
        ({"rated_hashrate_th_s": 0.0}, "rated_hashrate_th_s: is 0.0"),
    ],
)
def test_the_curve_is_not_extrapolated(change, message):
    arguments = {"rated_hashrate_th_s": 200.0, "rated_power_w": 3500.0, "hashrate_frac": [0.5, 0.7]}
    with pytest.raises(InvalidInputError, match=message):
        efficiency_modes(**(arguments | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"power": [3000.0, -1.0]}, r"power_w\[1\]: is -1"),
        ({"power": [3000.0]}, r"power_w: has shape \(1,\)"),
        ({"hash_factor": 0.0}, "hash_factor: is 0.0"),
        ({"power_usd_per_mwh": np.nan}, "power_usd_per_mwh: is not finite"),
        ({"pue": 0.9}, "pue: is 0.9"),
    ],
)
def test_breakevens_refuse(change, message):
    with pytest.raises(InvalidInputError, match=message):
        breakevens(**({"hashrate": [100.0, 120.0], "power": [3000.0, 4000.0]} | change))
