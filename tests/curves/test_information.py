"""What can follow from a month on a path: means and spreads by hand, and nothing that is known ahead or forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import support

from optimizer.curves import NEVER
from optimizer.curves.futures import Futures
from optimizer.curves.information import Known, MarketPath
from optimizer.domain.uncertainty import Factor
from optimizer.units import MONTHS_PER_YEAR

NOW, MONTHS = 6, 24
OU = [{"factor": "btc_price", "volatility_per_year_frac": 0.6, "mean_reversion_per_year": 1.5}]


def case(count=4000, offers=(), sites=None, seed=1, **market):
    risk = {"scenario_count": count, "seed": seed}
    stated = {"sites": sites} if sites else {}
    return support.portfolio(MONTHS, market=market, risk=risk, offers=list(offers), **stated)


def path_of(portfolio, number=0):
    return MarketPath.of(Futures.of(portfolio, number, 1))


def following(portfolio, path, month=NOW, built=()):
    return replace(Futures.of(portfolio), known=Known(path, month, frozenset(built)))


def log_variance(volatility, reversion, steps):
    return volatility**2 * (1 - np.exp(-2 * reversion * steps / MONTHS_PER_YEAR)) / (2 * reversion)


def test_the_past_is_the_path_and_the_mean_of_what_follows_reverts_from_where_it_led():
    portfolio = case(uncertainty=OU)
    path = path_of(case(uncertainty=OU, seed=7), 3)
    drawn = following(portfolio, path).multiplier(Factor.BTC_PRICE)
    np.testing.assert_array_equal(drawn[:NOW], np.repeat(path.driven[0, :NOW, None], 4000, axis=1))
    strayed = np.log(path.driven[0, NOW - 1]) + log_variance(0.6, 1.5, NOW) / 2
    for month in (NOW, NOW + 5, MONTHS - 1):
        steps = month - NOW + 1
        # E exp(x) of a normal x with this mean and variance, over what the multiplier was divided by
        mean = strayed * np.exp(-1.5 * steps / 12)
        expected = np.exp(mean + log_variance(0.6, 1.5, steps) / 2 - log_variance(0.6, 1.5, month + 1) / 2)
        error = drawn[month].std() / np.sqrt(4000)
        assert drawn[month].mean() == pytest.approx(expected, abs=4.5 * error)
        assert np.log(drawn[month]).std() == pytest.approx(np.sqrt(log_variance(0.6, 1.5, steps)), rel=0.05)


def test_paths_that_are_gone_on_with_are_spread_as_paths_that_are_drawn_at_once():
    portfolio, source = case(count=1, uncertainty=OU), case(uncertainty=OU, seed=7)
    paths = [path_of(source, number) for number in range(600)]
    last = [
        replace(Futures.of(portfolio, number, 1), known=Known(path, NOW)).multiplier(Factor.BTC_PRICE)[-1, 0]
        for number, path in enumerate(paths)
    ]
    assert np.mean(last) == pytest.approx(1.0, abs=4 * np.std(last) / np.sqrt(600))
    assert np.log(last).std() == pytest.approx(np.sqrt(log_variance(0.6, 1.5, MONTHS)), rel=0.12)


@pytest.mark.parametrize(("reversion", "then"), [(0.0, 0.5), (1.2, np.exp(np.log(0.5) * np.exp(-0.1)))])
def test_a_factor_without_volatility_that_has_strayed_stays_or_reverts(reversion, then):
    stated = [{"factor": "btc_price", "volatility_per_year_frac": 0.0, "mean_reversion_per_year": reversion}]
    portfolio = case(count=2, uncertainty=stated)
    path = path_of(portfolio)
    path.driven[0] = 0.5
    assert following(portfolio, path).multiplier(Factor.BTC_PRICE)[NOW] == pytest.approx(then)


def test_blocks_of_history_go_on_from_where_the_path_is():
    values = list(100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 0.1, 40))))
    portfolio = case(bootstrap={"history": [{"factor": "btc_price", "values": values}]})
    path = path_of(portfolio, 5)
    drawn = following(portfolio, path).multiplier(Factor.BTC_PRICE)
    error = drawn[-1].std() / np.sqrt(4000)
    assert drawn[-1].mean() == pytest.approx(path.driven[0, NOW - 1], abs=4.5 * error)


def test_an_overlay_comes_in_what_is_left_of_its_window_or_has_begun():
    points = [{"month_offset": 0, "multiplier": 0.5}]
    bust = {
        "name": "bust", "probability_frac": 0.6, "begin_from_month": "2027-03", "begin_until_month": "2027-10",
        "effects": [{"factor": "gpu_rental", "points": points}],
    }  # fmt: skip
    portfolio = case(overlays=[bust])
    begins = Futures.of(portfolio).overlay_starts[0]
    calm, hit = np.flatnonzero(begins == NEVER)[0], np.flatnonzero(begins == 3)[0]
    after = following(portfolio, path_of(portfolio, int(calm)))
    came = after.overlay_starts[0]
    assert set(came) == {NEVER, 6, 7, 8, 9}  # until month 9 of a window of eight, of which four are left
    left = 0.6 * 4 / 8
    assert (came != NEVER).mean() == pytest.approx(left / (0.4 + left), abs=0.03)
    assert set(following(portfolio, path_of(portfolio, int(hit))).overlay_starts[0]) == {3}
    rental = following(portfolio, path_of(portfolio, int(hit))).gpu_rental_multiplier
    assert (rental[:3] == 1.0).all()
    assert (rental[3:] == 0.5).all()
    over = following(portfolio, path_of(portfolio, int(calm)), month=12)
    assert set(over.overlay_starts[0]) == {NEVER}


def test_a_tenant_that_lives_has_not_defaulted_and_one_that_has_stays_so():
    offers = [support.offer(credit={"default_hazard_per_year_frac": 0.3})]
    tenant, portfolio = offers[0]["tenant"], case(offers=offers)
    months = Futures.of(portfolio).default_month(tenant)
    alive, dead = np.flatnonzero(months > 50)[0], np.flatnonzero(months == 2)[0]
    drawn = following(portfolio, path_of(portfolio, int(alive))).default_month(tenant)
    assert drawn.min() == NOW
    assert (drawn < NOW + 12).mean() == pytest.approx(0.3, abs=0.03)
    assert set(following(portfolio, path_of(portfolio, int(dead))).default_month(tenant)) == {2}


def test_how_building_turns_out_is_known_where_it_has_shown():
    outcomes = [{"probability_frac": 0.5, "delay_months": 6}]
    portfolio = case(sites=[support.site("A", construction_outcomes=outcomes)])
    late = int(np.flatnonzero(Futures.of(portfolio).construction_outcome("A") == 0)[0])
    path = path_of(portfolio, late)
    assert set(following(portfolio, path, built=["A"]).construction_outcome("A")) == {0}
    assert set(following(portfolio, path).construction_outcome("A")) == {-1, 0}


def test_what_is_known_holds_for_chosen_scenarios_and_not_in_a_stress():
    portfolio = case(count=100, uncertainty=OU)
    futures = following(portfolio, path_of(portfolio, 3))
    some = futures.only(np.array([4, 50]))
    np.testing.assert_array_equal(some.multipliers, futures.multipliers[..., [4, 50]])
    stress = {"name": "winter", "shocks": [{"begin_month": "2027-03", "preset": None, "effects": [
        {"factor": "btc_price", "points": [{"month_offset": 0, "multiplier": 0.3}]}]}]}  # fmt: skip
    stressed = support.portfolio(MONTHS, finance={"stresses": [stress]})
    under = following(stressed, path_of(stressed)).under(stressed.finance.stresses[0])
    assert under.known is None
