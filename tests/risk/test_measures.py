"""Measures of the lower tail against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.errors import InvalidInputError
from optimizer.risk import cvar_standard_error_usd, cvar_usd, distribution_of
from optimizer.risk.measures import PROBABILITIES

FIVE = np.array([50.0, 10.0, 40.0, 20.0, 30.0])


@pytest.mark.parametrize(
    ("tail", "var", "cvar"),
    [
        (0.2, 10.0, 10.0),  # the worst one
        (0.4, 20.0, 15.0),  # the worst two
        (0.5, 30.0, (10 + 20 + 0.5 * 30) / 2.5),  # half of the third
        (0.1, 10.0, 10.0),  # half of the worst
        (1e-6, 10.0, 10.0),
        (0.9, 50.0, (10 + 20 + 30 + 40 + 0.5 * 50) / 4.5),
        (1.0, 50.0, 30.0),  # the mean
    ],
)
def test_cvar_by_hand(tail, var, cvar):
    assert cvar_usd(FIVE, tail) == pytest.approx((var, cvar))


def test_one_outcome_is_its_own_tail():
    for tail in (1e-6, 0.05, 1.0):
        assert cvar_usd(np.array([-7.0]), tail) == (-7.0, -7.0)


@pytest.mark.parametrize("count", [1, 7, 100, 1000])
@pytest.mark.parametrize("tail", [0.003, 0.05, 0.1, 1 / 3, 0.5, 0.999, 1.0])
def test_cvar_is_the_best_of_rockafellar_and_uryasev(count, tail):
    outcomes = np.random.default_rng(count).normal(10.0, 5.0, count)
    # max over v of v - E[(v - x)+] / a is attained at one of the outcomes.
    value = max(v - np.maximum(v - outcomes, 0.0).mean() / tail for v in outcomes)
    assert cvar_usd(outcomes, tail)[1] == pytest.approx(value, rel=1e-9)


def test_a_deeper_tail_is_worse():
    outcomes = np.random.default_rng(1).normal(size=500)
    values = [cvar_usd(outcomes, tail)[1] for tail in (0.01, 0.05, 0.2, 0.6, 1.0)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(outcomes.mean())


def test_cvar_is_coherent():
    random = np.random.default_rng(2)
    first, second = random.normal(size=200), random.normal(size=200)
    assert cvar_usd(first + 3.0, 0.1)[1] == pytest.approx(cvar_usd(first, 0.1)[1] + 3.0)
    assert cvar_usd(2 * first, 0.1)[1] == pytest.approx(2 * cvar_usd(first, 0.1)[1])
    assert cvar_usd(first + second, 0.1)[1] >= cvar_usd(first, 0.1)[1] + cvar_usd(second, 0.1)[1] - 1e-12


def test_the_order_of_the_outcomes_does_not_matter_and_they_are_not_changed():
    outcomes = FIVE.copy()
    assert cvar_usd(outcomes[::-1], 0.5) == cvar_usd(outcomes, 0.5)
    assert np.array_equal(outcomes, FIVE)


def test_a_distribution_by_hand():
    found = distribution_of(FIVE, 0.4)
    assert (found.scenario_count, found.mean_usd) == (5, 30.0)
    assert found.standard_deviation_usd == pytest.approx(np.sqrt(250.0))
    assert found.standard_error_usd == pytest.approx(np.sqrt(50.0))
    assert (found.tail_probability, found.var_usd, found.cvar_usd) == (0.4, 20.0, 15.0)
    assert [item.probability for item in found.quantiles] == list(PROBABILITIES)
    values = [item.npv_usd for item in found.quantiles]
    assert values == sorted(values)
    assert values[PROBABILITIES.index(0.5)] == 30.0


def test_a_distribution_of_one_has_no_spread():
    found = distribution_of(np.array([5.0]), 0.05)
    assert (found.standard_deviation_usd, found.standard_error_usd) == (0.0, 0.0)
    assert {item.npv_usd for item in found.quantiles} == {5.0}


# ------------------------------------------------------------------------------------------------------ sampling error


def test_the_sampling_error_of_cvar_by_hand():
    # VaR of the worst three is 30: shortfalls 20, 10, 0, 0, 0 with mean 6 and squares 14^2 + 4^2 + 3 * 6^2 = 320
    assert cvar_standard_error_usd(FIVE, 0.6) == pytest.approx(np.sqrt(320 / 4) / (0.6 * np.sqrt(5)))


def test_the_sampling_error_of_the_whole_is_that_of_the_mean():
    found = distribution_of(FIVE, 1.0)
    assert found.cvar_standard_error_usd == pytest.approx(found.standard_error_usd)


@pytest.mark.parametrize(("count", "tail"), [(1, 1.0), (10, 0.1), (100, 0.0199)])
def test_a_tail_of_fewer_than_two_has_no_sampling_error(count, tail):
    found = distribution_of(np.arange(float(count)), tail)
    assert (found.cvar_standard_error_usd, found.cvar_interval_usd, found.cvar_scenarios_needed(1.0)) == (None,) * 3


def test_intervals_hold_the_truth_as_often_as_they_say():
    random, edge = np.random.default_rng(3), 1.6448536269514722
    true = -np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi) / 0.05  # CVaR of the standard normal
    found = [distribution_of(random.normal(size=2000), 0.05) for _ in range(400)]
    inside = [low <= true <= high for low, high in (item.cvar_interval_usd for item in found)]
    assert 0.91 <= np.mean(inside) <= 0.98
    inside = [low <= 0.0 <= high for low, high in (item.mean_interval_usd for item in found)]
    assert 0.92 <= np.mean(inside) <= 0.98


def test_half_the_error_takes_four_times_the_scenarios():
    found = distribution_of(np.random.default_rng(4).normal(size=1000), 0.05)
    error = found.mean_interval_usd[1] - found.mean_usd
    assert found.mean_scenarios_needed(error / 2) == pytest.approx(4000, abs=1)
    error = found.cvar_interval_usd[1] - found.cvar_usd
    assert found.cvar_scenarios_needed(error / 2) == pytest.approx(4000, abs=1)


@pytest.mark.parametrize("error", [0.0, -1.0, float("nan"), float("inf")])
def test_an_error_that_is_none_is_refused(error):
    found = distribution_of(FIVE, 0.6)
    for needed in (found.mean_scenarios_needed, found.cvar_scenarios_needed):
        with pytest.raises(InvalidInputError, match="state an error above 0"):
            needed(error)
