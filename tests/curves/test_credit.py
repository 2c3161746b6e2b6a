"""Defaults with a common factor: own hazards as they were, and together as a bivariate normal says."""

from __future__ import annotations

import numpy as np
import pytest
import support
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal

from optimizer.curves import NEVER
from optimizer.curves.credit import joint_default_months
from optimizer.curves.futures import Futures
from optimizer.curves.information import Known, MarketPath
from optimizer.domain.uncertainty import Factor

COUNT = 20_000
HAZARD = {"T1": 0.1, "T2": 0.25}
BACKED = {"backstop_share_frac": 0.5, "backstopper": "G", "backstop_hazard_per_year_frac": 0.04}
RENTAL = {"uncertainty": [{"factor": "gpu_rental", "volatility_per_year_frac": 0.5, "mean_reversion_per_year": 0.4}]}


def futures(factor=None, count=COUNT, **market):
    offers = [
        support.offer(name, tenant=name, credit={"default_hazard_per_year_frac": hazard})
        for name, hazard in HAZARD.items()
    ]
    offers[1]["credit"] |= BACKED
    if factor is not None:
        market["credit_factor"] = factor
    return Futures.of(support.portfolio(36, offers=offers, market=market, risk={"scenario_count": count}))


def by(month, hazard):
    """Probability of a default by the end of a month."""
    return 1.0 - (1.0 - hazard) ** ((month + 1) / 12.0)


def shares_near(found, probability):
    assert np.mean(found) == pytest.approx(probability, abs=4.0 * np.sqrt(probability * (1.0 - probability) / COUNT))


def test_without_correlation_each_fails_when_it_did():
    plain, none = futures(count=500), futures({"asset_correlation_frac": 0.0}, count=500)
    for name in ("T1", "T2", "G"):
        np.testing.assert_array_equal(none.default_month(name), plain.default_month(name))


def test_a_small_correlation_is_close_to_none():
    plain, little = futures(), futures({"asset_correlation_frac": 1e-12})
    for name in ("T1", "T2", "G"):
        assert (little.default_month(name) == plain.default_month(name)).mean() > 0.999


@pytest.mark.parametrize("correlation", [0.3, 0.9])
def test_hazards_stay_and_pairs_fail_together_as_the_copula_says(correlation):
    found = futures({"asset_correlation_frac": correlation})
    hazards = {**HAZARD, "G": 0.04}
    for name, hazard in hazards.items():
        for month in (0, 11, 120):
            shares_near(found.default_month(name) <= month, by(month, hazard))
    normal = multivariate_normal(cov=[[1.0, correlation], [correlation, 1.0]])
    for one, other, first, second in (("T1", "T2", 23, 11), ("T2", "G", 35, 120)):
        both = (found.default_month(one) <= first) & (found.default_month(other) <= second)
        together = normal.cdf(ndtri([by(first, hazards[one]), by(second, hazards[other])]))
        assert together > 1.2 * by(first, hazards[one]) * by(second, hazards[other])
        shares_near(both, together)


def test_with_all_in_common_the_weaker_fails_first():
    found = futures({"asset_correlation_frac": 1.0}, count=500)
    assert (found.default_month("T2") <= found.default_month("T1")).all()
    assert (found.default_month("T1") <= found.default_month("G")).all()


@pytest.mark.parametrize("together", [0.8, -0.8])
def test_defaults_go_with_the_market(together):
    stated = {"asset_correlation_frac": 0.5, "market_factor": "gpu_rental", "market_correlation_frac": together}
    found = futures(stated, **RENTAL)
    shares_near(found.default_month("T2") <= 23, by(23, HAZARD["T2"]))
    deviation = np.log(found.multiplier(Factor.GPU_RENTAL)[:36])
    low = deviation.mean(axis=0) < np.mean(deviation)
    correlation = together * np.sqrt(0.5)
    normal = multivariate_normal(cov=[[1.0, correlation], [correlation, 1.0]])
    shares_near((found.default_month("T2") <= 23) & low, normal.cdf([ndtri(by(23, HAZARD["T2"])), 0.0]))


def test_the_market_does_not_move_with_credit():
    stated = {"asset_correlation_frac": 0.5, "market_factor": "gpu_rental", "market_correlation_frac": 0.8}
    plain, moved = futures(count=50, **RENTAL), futures(stated, count=50, **RENTAL)
    np.testing.assert_array_equal(plain.gpu_rental_multiplier, moved.gpu_rental_multiplier)


@pytest.mark.parametrize("months", [0, 7])
def test_months_equal_a_second_implementation(months):
    draw = np.random.default_rng(3)
    uniform, common = draw.uniform(size=(2, 4000)), draw.normal(size=4000)
    hazard, correlation = np.array([0.3, 0.02]), 0.35
    multiplier = draw.uniform(0.0, 9.0, size=(months, 4000)) if months else None
    found = joint_default_months(
        uniform=uniform,
        default_hazard_per_year_frac=hazard,
        common_factor=common,
        asset_correlation_frac=correlation,
        hazard_multiplier=multiplier,
    )
    assets = np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * ndtri(1.0 - uniform)
    exposure = np.ones((30_000, 1)) if multiplier is None else np.vstack([multiplier, np.ones((30_000, 4000))])[:2000]
    for k in range(2):
        limit = -np.log(ndtr(-assets[k])) / (-np.log1p(-hazard[k]) / 12.0)
        passed = np.cumsum(exposure, axis=0)
        first = np.array(
            [np.searchsorted(passed[:, min(w, passed.shape[1] - 1)], limit[w], "right") for w in range(4000)]
        )
        inside = first < len(exposure)
        np.testing.assert_array_equal(found[k][inside], first[inside])
        assert inside.mean() > 0.9


def test_no_hazard_is_never_and_no_multiplier_is_one():
    uniform, common = np.full((2, 3), 0.5), np.array([-1.0, 0.0, 1.0])
    terms = {"default_hazard_per_year_frac": np.array([0.0, 0.2]), "asset_correlation_frac": 0.5}
    found = joint_default_months(uniform=uniform, common_factor=common, **terms)
    assert (found[0] == NEVER).all()
    assert (np.diff(found[1]) > 0).all()  # the lower the factor, the earlier
    ones = joint_default_months(uniform=uniform, common_factor=common, **terms, hazard_multiplier=np.ones((5, 3)))
    np.testing.assert_array_equal(ones, found)


def test_scenarios_do_not_know_the_batch_they_are_drawn_in():
    stated = {"asset_correlation_frac": 0.5, "market_factor": "gpu_rental", "market_correlation_frac": 0.8}
    whole = futures(stated, count=5000, **RENTAL)
    part = Futures.of(whole.portfolio, 1500, 700)
    chosen = whole.only(np.array([3, 2100, 4999]))
    for name in ("T1", "G"):
        np.testing.assert_array_equal(part.default_month(name), whole.default_month(name)[1500:2200])
        np.testing.assert_array_equal(chosen.default_month(name), whole.default_month(name)[chosen.chosen])


def test_who_has_come_so_far_fails_later_and_who_has_failed_has():
    stated = {"asset_correlation_frac": 0.5, "market_factor": "gpu_rental", "market_correlation_frac": 0.8}
    whole = futures(stated, count=400, **RENTAL)
    gone = int(np.flatnonzero((whole.default_month("T2") < 10) & (whole.default_month("G") >= 10))[0])
    path = MarketPath.of(Futures.of(whole.portfolio, gone, 1))
    later = Futures(whole.portfolio, 0, 400, known=Known(path, 10))
    assert set(later.default_month("T2")) == {int(whole.default_month("T2")[gone])}
    assert later.default_month("G").min() >= 10


def test_an_overlay_multiplies_the_hazard_of_each():
    bust = {
        "name": "bust",
        "probability_frac": 1.0,
        "begin_from_month": "2027-01",
        "begin_until_month": "2027-01",
        "default_hazard": [{"month_offset": 0, "multiplier": 3.0}],
    }
    found = futures({"asset_correlation_frac": 0.4}, overlays=[bust])
    shares_near(found.default_month("T1") <= 11, by(35, HAZARD["T1"]))
    shares_near(found.default_month("T1") < NEVER, 1.0 - 1e-9)
