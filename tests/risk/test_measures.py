"""Measures of the lower tail against cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.risk import cvar_usd, distribution_of
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
