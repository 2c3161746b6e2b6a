"""Bootstrap and tables: twins, means, blocks, correlations over time, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves import bootstrap_multipliers, reference, table_multipliers
from optimizer.curves.threads import limit_threads
from optimizer.errors import InvalidInputError

COUNT = 50_000
RNG = np.random.default_rng(20_260_601)
HISTORY = np.cumsum(RNG.normal(0.0, 0.05, (2, 48)), axis=1) * 0.3 + RNG.normal(0.04, 0.1, 48)


def drawn(first=0, count=COUNT, **change):
    arguments = {
        "seed": 2**62 + 3,
        "first_scenario": first,
        "scenario_count": count,
        "month_count": 36,
        "log_changes": HISTORY,
        "factor_index": [3, 0],
        "mean_block_months": 6.0,
    } | change
    return bootstrap_multipliers(**arguments)


def months_of_history(multipliers, change):
    """Which month of history each month of a scenario is, told by its change: a month's mean shifts all alike."""
    steps = np.diff(np.log(multipliers), axis=0)
    shift = np.array([np.min(step) - change.min() for step in steps])
    order = np.argsort(change)
    nearest = np.searchsorted((change[order][1:] + change[order][:-1]) / 2, steps - shift[:, None])
    return order[nearest]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 300), st.sampled_from([1.0, 2.5, 40.0]), st.integers(1, 9))
def test_bootstrap_equals_twin(seed, first, mean_block_months, history):
    arguments = {
        "seed": seed,
        "first_scenario": first,
        "scenario_count": 300,
        "month_count": 12,
        "log_changes": np.random.default_rng(seed % 2**32).normal(0.02, 0.3, (3, history)),
        "factor_index": np.array([4, 0, 2]),
        "mean_block_months": mean_block_months,
    }
    m = bootstrap_multipliers(**arguments)
    np.testing.assert_allclose(m, reference.bootstrap_multipliers(**arguments), rtol=1e-12)
    np.testing.assert_array_equal(m[[1, 3]], 1.0)


def test_means_are_one():
    m = drawn()
    for factor in (0, 3):
        z = (m[factor].mean(axis=1) - 1.0) / (m[factor].std(axis=1) / np.sqrt(COUNT))
        assert np.abs(z).max() < 4.5  # 36 months, strongly correlated
        assert m[factor, -1].std() > 0.3


def test_mean_is_exact_where_all_outcomes_can_be_listed():
    # With blocks of one month all 3**4 walks are equally likely.
    change = np.array([-0.5, 0.1, 0.9])
    walks = np.array(list(itertools.product(change, repeat=4))).cumsum(axis=1)
    m = drawn(0, 5000, log_changes=change[None, :], factor_index=[0], mean_block_months=1.0, month_count=4)[0]
    for t in range(4):
        possible = np.unique(np.round(np.exp(walks[:, t]) / np.exp(walks[:, t]).mean(), 10))
        np.testing.assert_array_equal(np.unique(np.round(m[t], 10)), possible)


def test_blocks_are_consecutive_and_geometric():
    place = months_of_history(drawn(month_count=200, count=4000)[3], HISTORY[0])
    goes_on = place[1:] == (place[:-1] + 1) % 48
    # A jump may land on the next month by chance: 1 in 48.
    expected = 1 - (1 / 6) * (47 / 48)
    assert abs(goes_on.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / goes_on.size)
    for length in (2, 3, 6):
        runs = np.lib.stride_tricks.sliding_window_view(goes_on, length, axis=0).all(axis=-1)
        assert abs(runs.mean() / expected**length - 1.0) < 0.02
    counts = np.bincount(place[-1], minlength=48)
    chi_square = ((counts - 4000 / 48) ** 2 / (4000 / 48)).sum()
    assert 19.0 < chi_square < 93.0  # 1e-4 on either side of 47 degrees of freedom
    first = np.corrcoef(place[:, 0], place[:, 1])[0, 1]
    assert abs(first) < 0.5


def test_correlations_of_history_are_kept():
    change = np.diff(np.log(drawn(0, 20_000)[[3, 0]]), axis=1)
    change -= change.mean(axis=2, keepdims=True)
    joint = np.corrcoef(change.reshape(2, -1))[0, 1]
    assert joint == pytest.approx(np.corrcoef(HISTORY)[0, 1], abs=0.01)
    for f in range(2):
        # A month later: the circular autocovariance of history, where no new block has begun.
        centred = HISTORY[f] - HISTORY[f].mean()
        lagged = (5 / 6) * (centred * np.roll(centred, -1)).mean() / centred.var()
        assert (change[f, 1:] * change[f, :-1]).mean() / change[f].var() == pytest.approx(lagged, abs=0.01)


def test_bits_do_not_depend_on_threads_or_shards():
    with limit_threads(1):
        whole = drawn(50, 2600)
    for threads in (2, 5):
        with limit_threads(threads):
            np.testing.assert_array_equal(drawn(50, 2600), whole)
    parts = [drawn(50 + a, b - a) for a, b in itertools.pairwise([0, 3, 256, 1500, 2600])]
    np.testing.assert_array_equal(np.concatenate(parts, axis=2), whole)
    np.testing.assert_array_equal(drawn(50, 2600, month_count=40)[:, :36], whole)


def test_steep_history_over_many_months_stays_finite():
    m = drawn(0, 3, month_count=12_000, log_changes=np.full((1, 2), 9.0), factor_index=[1])
    np.testing.assert_allclose(m, 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"log_changes": HISTORY[0]}, r"log_changes: has shape \(48,\)"),
        ({"log_changes": np.empty((2, 0))}, r"log_changes: has shape \(2, 0\)"),
        ({"log_changes": [[0.0, np.nan]], "factor_index": [0]}, r"log_changes\[0, 1\]: is not finite"),
        ({"factor_index": [0]}, r"factor_index: has shape \(1,\)"),
        ({"factor_index": [0, 5]}, r"factor_index\[1\]: is 5"),
        ({"factor_index": [2, 2]}, r"factor_index: is \[2, 2\]; name factors, each one once"),
        ({"mean_block_months": 0.5}, "mean_block_months: is 0.5"),
        ({"month_count": 0}, "month_count: is 0"),
    ],
)
def test_bootstrap_is_refused(change, message):
    with pytest.raises(InvalidInputError, match=message):
        drawn(0, 2, **change)


def test_table_repeats_its_columns_and_holds_its_last_month():
    table = np.arange(1.0, 5 * 3 * 4 + 1).reshape(5, 3, 4)
    m = table_multipliers(first_scenario=6, scenario_count=5, month_count=5, table=table)
    assert m.shape == (5, 5, 5)
    for month, scenario in itertools.product(range(5), range(5)):
        column = table[:, min(month, 2), (6 + scenario) % 4]
        np.testing.assert_array_equal(m[:, month, scenario], column)
    assert m.flags.c_contiguous
    for wrong, message in (
        (table[:4], r"table: has shape \(4, 3, 4\)"),
        (-table, r"table\[0, 0, 0\]: is -"),
        (np.ones((5, 0, 4)), r"table: has shape \(5, 0, 4\)"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            table_multipliers(first_scenario=0, scenario_count=1, month_count=1, table=wrong)
