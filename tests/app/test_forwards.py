"""Hashprice forwards: the network that they imply gives back, in the mean over the scenarios, what was quoted."""

import datetime as dt

import numpy as np
import pytest

from optimizer.app.forwards import HashpriceUnit, market_of_forwards
from optimizer.curves.futures import Futures
from optimizer.domain.base import ValuePath
from optimizer.domain.market import DifficultyRule
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio


@pytest.fixture(scope="module")
def portfolio():
    return load_portfolio("tiny")


def quotes_for(portfolio, *values, first=0):
    return {portfolio.horizon.month_at(first + index): value for index, value in enumerate(values)}


def with_market(portfolio, **changed):
    return portfolio.model_copy(update={"market": portfolio.market.model_copy(update=changed)})


def mean_hashprice(portfolio, market):
    return Futures.of(portfolio.model_copy(update={"market": market})).hashprice_usd_per_ph_day.mean(axis=1)


def test_the_mean_hashprice_is_the_quote(portfolio):
    asked = (48.5, 47.0, 52.25, 44.0)
    market = market_of_forwards(portfolio, quotes_for(portfolio, *asked, first=2))
    np.testing.assert_allclose(mean_hashprice(portfolio, market)[2:6], asked, rtol=2e-6)
    assert market.model_copy(update={"network_eh_s": portfolio.market.network_eh_s}) == portfolio.market


def test_half_the_hashprice_is_twice_the_network_by_hand(portfolio):
    before = mean_hashprice(portfolio, portfolio.market)
    market = market_of_forwards(portfolio, quotes_for(portfolio, before[0] / 2))
    start = portfolio.horizon.start_month
    assert market.network_eh_s.at(start, start) == pytest.approx(2 * portfolio.market.network_eh_s.at(start, start))


@pytest.mark.parametrize(
    "stated",
    [
        ValuePath(value=900.0, growth_per_year_frac=0.3),
        ValuePath(
            points=(
                {"from_month": dt.date(2027, 1, 1), "value": 900.0},
                {"from_month": dt.date(2027, 5, 1), "value": 950.0},
                {"from_month": dt.date(2027, 11, 1), "value": 1100.0},
            ),
            growth_per_year_frac=0.1,
        ),
    ],
)
def test_the_rest_of_the_network_keeps_its_shape(portfolio, stated):
    """As stated before the first quote; on the level of the last one after it."""
    portfolio = with_market(portfolio, network_eh_s=stated)
    market = market_of_forwards(portfolio, quotes_for(portfolio, 40.0, 41.0, first=3))
    start, months = portfolio.horizon.start_month, portfolio.horizon.months
    ratio = [market.network_eh_s.at(start, month) / stated.at(start, month) for month in months]
    assert ratio[:3] == pytest.approx([1.0] * 3)
    assert ratio[4:] == pytest.approx([ratio[4]] * len(ratio[4:]))
    assert ratio[3] != pytest.approx(1.0)
    assert ratio[3] != pytest.approx(ratio[4])


def test_quotes_in_bitcoin_are_met_in_bitcoin(portfolio):
    asked = (0.00051, 0.00049)
    market = market_of_forwards(portfolio, quotes_for(portfolio, *asked), HashpriceUnit.BTC)
    futures = Futures.of(portfolio.model_copy(update={"market": market}))
    mined = (futures.hashprice_usd_per_ph_day / futures.btc_usd).mean(axis=1)
    np.testing.assert_allclose(mined[:2], asked, rtol=2e-6)


def test_quotes_are_met_where_difficulty_follows_by_retargets(portfolio):
    portfolio = with_market(portfolio, difficulty=DifficultyRule.RETARGET)
    asked = (48.5, 47.0, 46.5, 46.0, 45.0)
    market = market_of_forwards(portfolio, quotes_for(portfolio, *asked))
    np.testing.assert_allclose(mean_hashprice(portfolio, market)[:5], asked, rtol=2e-6)


def test_quotes_that_no_retarget_can_bring_are_refused(portfolio):
    portfolio = with_market(portfolio, difficulty=DifficultyRule.RETARGET)
    with pytest.raises(InvalidInputError, match=r"state market\.difficulty: hashrate, or smoother forwards"):
        market_of_forwards(portfolio, quotes_for(portfolio, 45.0, 150.0, 45.0, 20.0, 45.0))


@pytest.mark.parametrize(
    ("values", "first", "told"),
    [
        ((0.048,), 0, r"forwards 20\d\d-\d\d: 0.048 usd-per-ph-day is not in 1 to 2000; quote a PH/s a day"),
        ((48.0, 47.0), -2, r"they are for 20\d\d-\d\d to 20\d\d-\d\d; the horizon has 20"),
        ((1.0,), 0, "network_eh_s: .* is outside"),
    ],
)
def test_quotes_that_mean_nothing_are_refused(portfolio, values, first, told):
    if told.startswith("network_eh_s"):
        portfolio = with_market(portfolio, btc_usd=ValuePath(value=2e7), network_eh_s=ValuePath(value=999_000.0))
    with pytest.raises(InvalidInputError, match=told):
        market_of_forwards(portfolio, quotes_for(portfolio, *values, first=first))
