"""Overlays: twins, how often and when they begin, what they multiply, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves import (
    NEVER,
    _overlays,
    apply_overlays,
    factor_multipliers,
    overlay_hazard_multiplier,
    overlay_starts,
    reference,
)
from optimizer.curves.threads import limit_threads
from optimizer.errors import InvalidInputError

COUNT = 100_000
WINTER = np.linspace(0.4, 1.0, 5 * 18).reshape(5, 18)
BUST = np.linspace(2.0, 0.1, 5 * 30).reshape(5, 30)


def starts_of(first=0, count=COUNT, **change):
    arguments = {
        "seed": 2**63 + 11,
        "first_scenario": first,
        "scenario_count": count,
        "streams": [5, 4_000_000_000],
        "probability_frac": [0.3, 0.05],
        "first_month": [12, 0],
        "last_month": [47, 0],
    } | change
    return overlay_starts(**arguments)


def test_compiled_module_is_loaded():
    assert _overlays.__file__.endswith((".so", ".pyd"))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 700), st.integers(0, 40), st.integers(0, 40))
def test_starts_equal_twin(seed, first, begin, length):
    arguments = {
        "seed": seed,
        "first_scenario": first,
        "scenario_count": 700,
        "streams": np.array([1, 9, 2**32 - 1]),
        "probability_frac": np.array([0.0, 0.4, 1.0]),
        "first_month": np.array([3, begin, begin]),
        "last_month": np.array([3, begin + length, begin + length]),
    }
    starts = overlay_starts(**arguments)
    assert starts.dtype == np.int32
    np.testing.assert_array_equal(starts, reference.overlay_starts(**arguments))
    assert (starts[0] == NEVER).all()
    assert starts[2].min() >= begin
    assert starts[2].max() <= begin + length


def test_frequency_and_months_follow_the_law():
    starts = starts_of()
    begun = starts < NEVER
    for k, probability in enumerate((0.3, 0.05)):
        assert abs(begun[k].mean() - probability) < 4 * np.sqrt(probability * (1 - probability) / COUNT)
    assert (starts[1][begun[1]] == 0).all()
    counts = np.bincount(starts[0][begun[0]], minlength=48)
    assert counts[:12].sum() == 0
    assert counts.size == 48
    expected = begun[0].sum() / 36
    chi_square = ((counts[12:] - expected) ** 2 / expected).sum()
    assert 12.0 < chi_square < 73.0  # 1e-4 on either side of 35 degrees of freedom
    assert abs(np.corrcoef(begun)[0, 1]) < 4 / np.sqrt(COUNT)


def test_starts_are_the_same_in_any_batch_and_beside_any_other():
    whole = starts_of(100, 2600)
    parts = [starts_of(100 + a, b - a) for a, b in itertools.pairwise([0, 1, 255, 1500, 2600])]
    np.testing.assert_array_equal(np.hstack(parts), whole)
    alone = starts_of(100, 2600, streams=[4_000_000_000], probability_frac=[0.05], first_month=[0], last_month=[0])
    np.testing.assert_array_equal(alone[0], whole[1])
    likelier = starts_of(100, 2600, probability_frac=[0.6, 0.05])
    kept = whole[0] < NEVER
    np.testing.assert_array_equal(likelier[0][kept], whole[0][kept])
    assert (likelier[0] < NEVER).sum() > 1.5 * kept.sum()


def test_overlays_are_independent_of_defaults_and_factors():
    market = {"volatility_per_year": np.ones(5), "mean_reversion_per_year": np.zeros(5), "correlation": np.eye(5)}
    m = factor_multipliers(seed=2**63 + 11, first_scenario=0, scenario_count=COUNT, month_count=1, **market)
    begun = starts_of(streams=[0, 1], probability_frac=[0.5, 0.5])[0] < NEVER
    correlations = [np.corrcoef(begun, factor[0])[0, 1] for factor in np.log(m)]
    assert np.abs(correlations).max() < 4 / np.sqrt(COUNT)


def test_apply_equals_twin_by_threads_and_shards():
    multipliers = np.exp(np.random.default_rng(3).normal(0.0, 0.3, (5, 60, 2500)))
    starts = starts_of(0, 2500, probability_frac=[0.5, 0.5])
    twin = reference.apply_overlays(multipliers, starts, [WINTER, BUST])
    for threads in (1, 2, 5):
        applied = multipliers.copy()
        with limit_threads(threads):
            apply_overlays(applied, starts, [WINTER, BUST])
        np.testing.assert_array_equal(applied, twin)
    shard = multipliers[:, :, 700:1900].copy()
    apply_overlays(shard, starts[:, 700:1900], [WINTER, BUST])
    np.testing.assert_array_equal(shard, twin[:, :, 700:1900])
    changed = (twin != multipliers).any(axis=(0, 1))
    np.testing.assert_array_equal(changed, (starts < NEVER).any(axis=0))


def test_an_overlay_begins_ends_and_is_cut_at_the_horizon():
    multipliers = np.ones((5, 6, 4))
    starts = np.array([[0, 2, 5, NEVER], [NEVER, 3, 7, NEVER]])
    apply_overlays(multipliers, starts, [np.full((5, 2), 0.5), np.full((5, 3), 3.0)])
    expected = [[0.5, 0.5, 1, 1, 1, 1], [1, 1, 0.5, 1.5, 3, 3], [1, 1, 1, 1, 1, 0.5], [1] * 6]
    for factor in multipliers:
        np.testing.assert_array_equal(factor.T, expected)
    hazard = overlay_hazard_multiplier(starts, [[0.5, 0.5], [3.0, 3.0, 3.0]], 6)
    np.testing.assert_array_equal(hazard.T, expected)
    np.testing.assert_array_equal(overlay_hazard_multiplier(np.empty((0, 4), dtype=np.int32), [], 6), np.ones((6, 4)))


def test_an_overlay_moves_the_mean():
    multipliers = np.ones((5, 1, COUNT))
    starts = starts_of(streams=[1], probability_frac=[0.4], first_month=[0], last_month=[0])
    apply_overlays(multipliers, starts, [np.full((5, 1), 0.25)])
    assert abs(multipliers.mean() - (1 - 0.4 * 0.75)) < 4 * 0.75 * np.sqrt(0.24 / COUNT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability_frac": [0.3, 1.5]}, r"probability_frac\[1\]: is 1.5"),
        ({"probability_frac": 0.3}, r"probability_frac: has shape \(\)"),
        ({"last_month": [47, -1]}, r"last_month\[1\]: is -1"),
        ({"first_month": [48, 0]}, r"last_month\[0\]: is 47, before the first month 48"),
        ({"streams": [5, 5]}, "streams: 5 is given to two overlays"),
        ({"streams": [5, 2**32]}, r"streams\[1\]"),
        ({"seed": -1}, "seed: is -1"),
    ],
)
def test_starts_are_refused(change, message):
    with pytest.raises(InvalidInputError, match=message):
        starts_of(0, 3, **change)


def read_only():
    multipliers = np.ones((5, 3, 2))
    multipliers.flags.writeable = False
    return multipliers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"multipliers": np.ones((5, 3, 2), dtype=np.float32)}, "multipliers: is not a float64 array"),
        ({"multipliers": np.ones((4, 3, 2))}, r"multipliers: has shape \(4, 3, 2\)"),
        ({"multipliers": np.ones((5, 2, 3)).transpose(0, 2, 1)}, "multipliers: is read-only or strided"),
        ({"multipliers": read_only()}, "multipliers: is read-only or strided"),
        ({"starts": [[0, 1, 2]]}, r"starts: has shape \(1, 3\); pass \[overlays, scenarios\]: \(1, 2\)"),
        ({"starts": [[0, -1]]}, r"starts\[0, 1\]: is -1"),
        ({"starts": [[0.0, 1.0]]}, "starts: has dtype float64"),
        ({"profiles": [np.ones((4, 2))]}, r"profiles\[0\]: has shape \(4, 2\)"),
        ({"profiles": [np.zeros((5, 2))]}, r"profiles\[0\]\[0, 0\]: is 0.0"),
        ({"profiles": []}, r"starts: has shape \(1, 2\)"),
    ],
)
def test_apply_is_refused(change, message):
    arguments = {"multipliers": np.ones((5, 3, 2)), "starts": [[0, NEVER]], "profiles": [np.ones((5, 2))]} | change
    with pytest.raises(InvalidInputError, match=message):
        apply_overlays(**arguments)
