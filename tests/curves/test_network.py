"""Retarget paths against their twin, the consensus rules and history; the hashprice after an owner's exit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optimizer.curves import _network, reference
from optimizer.curves.hashing import (
    difficulty_of_hashrate,
    hashprice_btc_per_ph_day,
    monthly_subsidy_btc,
    retarget_difficulty,
    subsidy_btc,
)
from optimizer.curves.network import own_exit_hashprice_multiplier, own_exit_log_change, retarget_paths
from optimizer.curves.threads import limit_threads
from optimizer.errors import InvalidInputError

FIELDS = ("difficulty", "difficulty_at_end", "blocks", "block_height", "subsidy_btc")
EPOCH_START = 472 * 2016


def test_compiled_module_is_loaded():
    assert _network.__file__.endswith((".so", ".pyd"))


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_paths_equal_the_twin(seed, known_difficulty):
    rng = np.random.default_rng(seed)
    months, scenarios = rng.integers(1, 40), rng.integers(1, 5)
    # Months of few blocks are left out: the twin takes them as differences of heights, which rounds.
    arguments = {
        "network_eh_s": 10.0 ** rng.uniform(0, 4) * np.exp(rng.normal(0.0, 0.3, (months, scenarios)).cumsum(axis=0)),
        "days_in_month": rng.integers(28, 32, months),
        "block_height_at_start": int(rng.integers(0, 7_000_000)),
    }
    if known_difficulty:
        arguments["difficulty_at_start"] = float(difficulty_of_hashrate(arguments["network_eh_s"][0, 0])) * 3.0
    paths, twin = retarget_paths(**arguments), reference.retarget_paths(**arguments)
    for field in FIELDS:
        np.testing.assert_allclose(getattr(paths, field), getattr(twin, field), rtol=1e-9, atol=1e-9, err_msg=field)


def test_a_constant_hashrate_keeps_its_difficulty():
    days = np.tile([31, 28, 31, 30], 12)
    paths = retarget_paths(network_eh_s=np.full(48, 900.0), days_in_month=days, block_height_at_start=940_123)
    assert paths.difficulty.shape == (48, 1)
    for difficulty in (paths.difficulty, paths.difficulty_at_end):
        np.testing.assert_allclose(difficulty, difficulty_of_hashrate(900.0), rtol=1e-12)
    np.testing.assert_allclose(paths.blocks[:, 0], 144.0 * days, rtol=1e-12)
    np.testing.assert_allclose(paths.block_height[:, 0], 940_123 + 144.0 * days.cumsum(), rtol=1e-12)
    by_calendar = monthly_subsidy_btc(block_height_at_start=940_123, days_in_month=days)
    np.testing.assert_allclose(paths.subsidy_btc[:, 0], by_calendar, rtol=1e-10)
    assert {3.125, 1.5625} < set(paths.subsidy_btc[:, 0])  # and a month of both


def days_of(hashrate, **arguments):
    """Paths of a hashrate by day."""
    return retarget_paths(network_eh_s=hashrate, days_in_month=np.ones(len(hashrate), dtype=int), **arguments)


@pytest.mark.parametrize(
    ("factor", "days_to_settle"), [(2.0, 7), (0.5, 28), (0.25, 56), (3.9, 4), (16.0, 1 + 4), (1 / 16, 224 + 56)]
)
def test_a_step_settles_in_one_epoch_or_in_two_where_it_is_clamped(factor, days_to_settle):
    """At an epoch's start the next retarget hits the new equilibrium; beyond a factor of 4 the one after does."""
    start = float(difficulty_of_hashrate(500.0))
    hashrate = np.full(300, 500.0 * factor)
    paths = days_of(hashrate, block_height_at_start=EPOCH_START, difficulty_at_start=start)
    settled = np.isclose(paths.difficulty_at_end[:, 0], start * factor, rtol=1e-9)
    assert int(np.argmax(settled)) == pytest.approx(days_to_settle, abs=1)
    assert settled[int(np.argmax(settled)) :].all()
    factors = {1.0, *np.round(paths.difficulty_at_end[:, 0] / start, 9)}
    assert sorted(factors) == pytest.approx(sorted({1.0, min(max(factor, 0.25), 4.0), factor}))


def test_an_epoch_that_spans_months_is_one_epoch():
    """Half an epoch at one hashrate, half at another: the retarget takes the time of both."""
    start = float(difficulty_of_hashrate(100.0))
    paths = retarget_paths(
        network_eh_s=[100.0, 50.0], days_in_month=[7, 20], block_height_at_start=EPOCH_START, difficulty_at_start=start
    )
    # 1008 blocks in 7 days, 1008 blocks in 14 days, then 6 days at the new difficulty.
    assert paths.difficulty_at_end[:, 0] / start == pytest.approx([1.0, 14 / 21])
    assert paths.blocks[:, 0] == pytest.approx([1008, 1008 + 6 * 144 * 0.5 / (14 / 21)])
    assert start / paths.difficulty[1, 0] == pytest.approx((14 + 6 * 21 / 14) / 20)


def test_the_epoch_under_way_ran_at_the_first_hashrate():
    start = float(difficulty_of_hashrate(100.0))
    paths = days_of(np.full(12, 125.0), block_height_at_start=EPOCH_START + 1000, difficulty_at_start=start)
    left_days = 1016 / (144 * 1.25)
    after = paths.difficulty_at_end[:, 0] > start * 1.0001
    assert int(np.argmax(after)) == int(left_days)
    assert paths.difficulty_at_end[-1, 0] == pytest.approx(1.25 * start)


def test_difficulty_and_subsidy_give_the_exact_hashprice_of_the_month():
    """A constant share of a hashrate that is constant in the month earns that share of all subsidies."""
    rng = np.random.default_rng(3)
    network = 900.0 * np.exp(rng.normal(0.0, 0.3, (60, 4)).cumsum(axis=0))
    days = rng.integers(28, 32, 60)
    paths = retarget_paths(network_eh_s=network, days_in_month=days, block_height_at_start=1_049_000)
    earned = paths.blocks * paths.subsidy_btc / (network * 1000.0) / days[:, None]
    hashprice = hashprice_btc_per_ph_day(
        difficulty=paths.difficulty, subsidy_btc=paths.subsidy_btc, fee_share_frac=np.zeros(60)
    )
    np.testing.assert_allclose(hashprice, earned, rtol=1e-12)
    assert (np.abs(paths.difficulty / difficulty_of_hashrate(network) - 1.0) > 0.05).mean() > 0.2


def test_halvings_follow_the_simulated_height():
    """Twice the blocks bring the halving in half the time, and the subsidy ends after 33 eras."""
    hashrate = 100.0 * 2.0 ** (np.arange(120) / 14)  # always a doubling ahead of the difficulty
    paths = days_of(hashrate, block_height_at_start=840_000 - 30 * 144)
    crossing = int(np.argmax(paths.block_height[:, 0] > 840_000))
    assert 10 < crossing < 25
    assert (paths.subsidy_btc[:crossing, 0] == 6.25).all()
    assert 3.125 < paths.subsidy_btc[crossing, 0] < 6.25
    assert (paths.subsidy_btc[crossing + 1 :, 0] == 3.125).all()
    late = retarget_paths(network_eh_s=[900.0] * 3, days_in_month=[30] * 3, block_height_at_start=6_930_000 - 6480)
    assert late.subsidy_btc[:, 0] == pytest.approx([50 / 2**32, 25 / 2**32, 0.0])


@given(st.integers(0, 7_000_000), st.integers(1, 366))
def test_subsidy_is_the_mean_over_the_blocks(height, days):
    paths = retarget_paths(network_eh_s=[900.0], days_in_month=[days], block_height_at_start=height)
    blocks = np.arange(height, height + 144 * days)
    assert paths.subsidy_btc[0, 0] == pytest.approx(subsidy_btc(blocks).mean(), rel=1e-9, abs=1e-300)


def test_bits_do_not_depend_on_threads_or_batch():
    network = 900.0 * np.exp(np.random.default_rng(4).normal(0.0, 0.2, (24, 300)).cumsum(axis=0))
    arguments = {"days_in_month": np.full(24, 30), "block_height_at_start": 940_000}
    with limit_threads(1):
        alone = retarget_paths(network_eh_s=network, **arguments)
    with limit_threads(5):
        together = retarget_paths(network_eh_s=network, **arguments)
    part = retarget_paths(network_eh_s=network[:, 70:200], **arguments)
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(alone, field), getattr(together, field))
        np.testing.assert_array_equal(getattr(alone, field)[:, 70:200], getattr(part, field))


def test_extreme_hashrates_end():
    paths = retarget_paths(
        network_eh_s=[[1e-12, 1e9], [1e9, 1e-12], [1e-12, 1e9]], days_in_month=[30] * 3, block_height_at_start=0
    )
    for field in FIELDS:
        assert np.isfinite(getattr(paths, field)).all()


def test_difficulty_never_falls_below_one():
    """A megahash a second would be at ease with a difficulty of 0.14: an epoch takes it 100 days."""
    paths = retarget_paths(network_eh_s=[1e-12] * 3, days_in_month=[366] * 3, block_height_at_start=0)
    assert paths.block_height[-1, 0] > 5 * 2016
    assert (paths.difficulty_at_end == 1.0).all()


def test_published_retargets(shared_rows):
    """A hashrate that differs from the difficulty's by the published change gives the published difficulty."""
    rows = [row for row in shared_rows("reference/retarget_cases.csv") if row["difficulty_before_T"]]
    assert len(rows) == 4
    before, change, after = (
        np.array([float(row[name]) for row in rows])
        for name in ("difficulty_before_T", "change_pct", "difficulty_after_T")
    )
    for k in range(4):
        hashrate = np.full(20, 600.0) * (1.0 + change[k] / 100.0)
        scale = before[k] / float(difficulty_of_hashrate(600.0))
        paths = days_of(hashrate * scale, block_height_at_start=EPOCH_START, difficulty_at_start=before[k])
        assert paths.difficulty_at_end[-1, 0] == pytest.approx(after[k], rel=2e-4)
        expected = retarget_difficulty(before[k], 1_209_600 / (1.0 + change[k] / 100.0))
        assert paths.difficulty_at_end[-1, 0] == pytest.approx(expected, rel=1e-12)


def test_an_exit_like_that_of_china():
    """June 2021: 7-day mean hashrate from 136 to 85 EH/s in the epoch of 19.93T; the retarget was -27.94 %."""
    hashrate = np.append(np.linspace(136.0, 85.0, 12), np.full(20, 85.0))
    paths = days_of(hashrate, block_height_at_start=339 * 2016, difficulty_at_start=19.93e12)
    retarget = paths.difficulty_at_end[-1, 0] / 19.93e12 - 1.0
    assert -0.35 < retarget < -0.22


def test_history_from_2020_to_2025(shared_rows):
    """Hashrates of 1,785 days, as estimated from blocks, reproduce the difficulty, the exit of 2021 and the halving."""
    rows = shared_rows("data/bitcoin_2020_2025/difficulty.csv")
    published = {row["Date"][:10]: float(row["difficulty"]) for row in rows}
    hashrate = {
        row["Date"][:10]: float(row["hash-rate"]) / 1e6 for row in shared_rows("data/bitcoin_2020_2025/hashrate.csv")
    }
    days = [day for day in sorted(published) if day >= "2020-05-20"]  # a retarget in its first two hours
    paths = days_of(
        [hashrate[day] for day in days], block_height_at_start=631_008, difficulty_at_start=15_138_043_247_083.0
    )
    ratio = paths.difficulty[:, 0] / np.array([published[day] for day in days])
    assert abs(ratio.mean() - 1.0) < 0.002
    assert np.percentile(np.abs(ratio - 1.0), 95) < 0.02  # a retarget that comes a day early or late is 5 % off
    months = np.array([day[:7] for day in days])
    by_month = np.array([ratio[months == month].mean() for month in np.unique(months)])
    assert np.abs(by_month - 1.0).max() < 0.01
    halving = days[int(np.argmax(paths.block_height[:, 0] > 840_000))]
    assert halving in ("2024-04-19", "2024-04-20")
    assert paths.subsidy_btc[days.index("2024-05-01"), 0] == 3.125
    after_exit, before_exit = days.index("2021-07-06"), days.index("2021-06-30")
    fall = paths.difficulty_at_end[after_exit, 0] / paths.difficulty_at_end[before_exit, 0] - 1.0
    assert fall == pytest.approx(-0.2794, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network_eh_s": [[900.0, np.nan]]}, r"network_eh_s\[0, 1\]: is not finite"),
        ({"network_eh_s": [[900.0], [0.0]], "days_in_month": [30, 30]}, r"network_eh_s\[1, 0\]: is 0.0"),
        ({"network_eh_s": []}, r"network_eh_s: has shape \(0, 1\)"),
        ({"days_in_month": [30.0]}, "days_in_month: has dtype float64"),
        ({"days_in_month": [0]}, r"days_in_month\[0\]: is 0"),
        ({"days_in_month": [30, 30]}, r"days_in_month: has shape \(2,\)"),
        ({"block_height_at_start": -1}, "block_height_at_start: is -1"),
        ({"difficulty_at_start": 0.5}, "difficulty_at_start: is 0.5"),
    ],
)
def test_paths_refuse(change, message):
    arguments = {"network_eh_s": [[900.0]], "days_in_month": [30], "block_height_at_start": 940_000}
    with pytest.raises(InvalidInputError, match=message):
        retarget_paths(**(arguments | change))


# --- own exit -----------------------------------------------------------------------------------------------------

hashrates = hnp.arrays(np.float64, 6, elements=st.floats(0.0, 999.0))


@given(hashrates, hashrates, st.sampled_from([0.0, 0.05, 0.25, 1.0, 5.0, 1e3, 1e6]) | st.floats(0.0, 10.0))
def test_own_exit_solves_its_equation(own, reference_own, elasticity):
    network = np.full(6, 1000.0)
    multiplier = own_exit_hashprice_multiplier(
        own_eh_s=own, reference_own_eh_s=reference_own, network_eh_s=network, elasticity=elasticity
    )
    # In logs, so that a large elasticity does not blow up the error of the multiplier itself.
    others = np.log(network - reference_own) + elasticity * np.log(multiplier)
    with np.errstate(divide="ignore"):
        answered = np.logaddexp(np.log(own), others)
    assert np.log(multiplier) == pytest.approx(np.log(network) - answered, abs=1e-14 * (10.0 + elasticity))
    assert (multiplier[own < reference_own] >= 1.0).all()
    assert (multiplier[own > reference_own] <= 1.0).all()
    assert (multiplier[own == reference_own] == 1.0).all()


@given(st.floats(0.001, 0.4), st.floats(-0.1, 0.1), st.floats(0.0, 3.0))
def test_own_exit_agrees_with_its_closed_form_to_first_order(share, exit_frac, elasticity):
    exact = own_exit_hashprice_multiplier(
        own_eh_s=1000.0 * share * (1.0 - exit_frac),
        reference_own_eh_s=1000.0 * share,
        network_eh_s=1000.0,
        elasticity=elasticity,
    )
    error = np.log(exact) - own_exit_log_change(share, exit_frac, elasticity)
    assert abs(error) <= (1.0 + elasticity) * (share * exit_frac) ** 2 + 1e-15


def test_own_exit_limits():
    own, whole = np.array([0.0, 20.0, 50.0, 80.0]), {"reference_own_eh_s": np.full(4, 50.0), "network_eh_s": [1e3] * 4}
    nobody_answers = own_exit_hashprice_multiplier(own_eh_s=own, elasticity=0.0, **whole)
    np.testing.assert_allclose(nobody_answers, 1e3 / (1e3 - 50.0 + own), rtol=1e-14)
    all_replaced = own_exit_hashprice_multiplier(own_eh_s=own, elasticity=1e6, **whole)
    np.testing.assert_allclose(all_replaced, 1.0, atol=1e-6)
    assert all_replaced[0] > all_replaced[1] > 1.0 == all_replaced[2] > all_replaced[3]
    between = [own_exit_hashprice_multiplier(own_eh_s=own, elasticity=e, **whole)[0] for e in (0.0, 0.1, 0.3, 1.0, 9.0)]
    assert between == sorted(between, reverse=True)
    assert (np.diff(own_exit_hashprice_multiplier(own_eh_s=own, elasticity=0.25, **whole)) < 0.0).all()
    alone = {"reference_own_eh_s": 1e3, "network_eh_s": 1e3}  # nobody else is there to answer
    assert own_exit_hashprice_multiplier(own_eh_s=500.0, elasticity=0.5, **alone) == pytest.approx(2.0, rel=1e-14)
    assert own_exit_hashprice_multiplier(own_eh_s=1e-9, elasticity=1e6, **alone) == pytest.approx(1e12, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reference_own_eh_s": [1e6, 1.0]}, r"reference_own_eh_s\[0\]: is 1e\+06, above"),
        ({"own_eh_s": [1.0, 0.0], "reference_own_eh_s": [50.0, 1000.0]}, "a network without hashrate"),
        ({"own_eh_s": [1.0]}, r"own_eh_s: has shape \(1,\)"),
        ({"elasticity": -0.1}, "elasticity: is -0.1"),
    ],
)
def test_own_exit_refuses(change, message):
    arguments = {"own_eh_s": [1.0, 2.0], "reference_own_eh_s": [50.0, 50.0], "network_eh_s": [1e3] * 2}
    with pytest.raises(InvalidInputError, match=message):
        own_exit_hashprice_multiplier(**({"elasticity": 0.25} | arguments | change))
