"""PUE by load and temperature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from optimizer.curves import monthly_pue, pue_at
from optimizer.errors import InvalidInputError

DALLAS_C = [8.0, 10.0, 15.0, 19.0, 24.0, 28.0, 30.5, 30.5, 26.0, 20.0, 13.5, 9.0]
"""Rounded monthly means of a hot place."""


def test_pue_by_hand():
    terms = {
        "fixed_overhead_frac": 0.04, "proportional_overhead_frac": 0.05, "free_cooling_until_c": 10.0,
        "cooling_per_degree_frac": 0.01,
    }  # fmt: skip
    assert pue_at(load_frac=0.5, dry_bulb_c=25.0, **terms) == pytest.approx(1.0 + 0.08 + 0.05 + 0.15)
    assert pue_at(load_frac=1.0, dry_bulb_c=-5.0, **terms) == pytest.approx(1.09)


def test_defaults_span_what_operators_state():
    assert pue_at(load_frac=0.8, dry_bulb_c=4.0) == pytest.approx(1.10, abs=0.005)
    assert pue_at(load_frac=0.8, dry_bulb_c=30.0) == pytest.approx(1.24, abs=0.005)


@given(st.floats(0.1, 0.9), st.floats(-20.0, 40.0), st.floats(0.0, 10.0))
def test_pue_falls_with_load_and_rises_with_heat(load, degrees, spread):
    def pue(load, degrees):
        return pue_at(load_frac=load, dry_bulb_c=degrees, within_month_sd_c=spread)

    assert pue(load + 0.1, degrees) < pue(load, degrees)
    assert pue(load, degrees + 1.0) >= pue(load, degrees) > 1.0
    # The overhead in MW still rises with the load.
    assert (load + 0.1) * (pue(load + 0.1, degrees) - 1.0) > load * (pue(load, degrees) - 1.0)


@given(st.floats(-20.0, 40.0), st.floats(0.5, 10.0))
def test_the_spread_of_temperature_is_that_of_a_normal(mean, spread):
    draws = norm.ppf((np.arange(100_000) + 0.5) / 100_000, mean, spread)
    expected = pue_at(load_frac=0.8, dry_bulb_c=np.clip(draws, -60.0, 60.0)).mean()
    assert pue_at(load_frac=0.8, dry_bulb_c=mean, within_month_sd_c=spread) == pytest.approx(expected, abs=5e-5)


def test_monthly_pue_of_a_year():
    pue = monthly_pue(mean_dry_bulb_c=DALLAS_C, load_frac=0.8)
    assert pue.shape == (12,)
    assert pue.argmax() == 6
    assert pue[0] == pue[1] == pue[11] == pue.min()
    spread = monthly_pue(mean_dry_bulb_c=DALLAS_C, load_frac=0.8, within_month_sd_c=6.0)
    assert (spread > pue).all()
    assert spread[0] - pue[0] > spread[6] - pue[6]
    by_month = monthly_pue(mean_dry_bulb_c=DALLAS_C, load_frac=np.linspace(0.4, 1.0, 12))
    assert by_month[0] > pue[0]
    assert by_month[11] < pue[11]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean_dry_bulb_c": DALLAS_C[:11]}, r"mean_dry_bulb_c: has shape \(11,\)"),
        ({"mean_dry_bulb_c": [*DALLAS_C[:11], 85.0]}, r"mean_dry_bulb_c\[11\]: is 85.0"),
        ({"load_frac": [0.8] * 5}, r"load_frac: has shape \(5,\)"),
        ({"load_frac": 80.0}, "load_frac: is 80.0"),
        ({"within_month_sd_c": -1.0}, "within_month_sd_c: is -1.0"),
        ({"fixed_overhead_frac": 3.0}, "fixed_overhead_frac: is 3.0"),
    ],
)
def test_monthly_pue_refuses(change, message):
    with pytest.raises(InvalidInputError, match=message):
        monthly_pue(**({"mean_dry_bulb_c": DALLAS_C, "load_frac": 0.8} | change))
