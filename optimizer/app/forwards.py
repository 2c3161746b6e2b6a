"""Hashprice forwards as a market: the network hashrate at which mining earns, in the mean, what they say."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np

from optimizer.curves.futures import Floats, Futures
from optimizer.domain.base import ValuePath, months_between, validated
from optimizer.domain.market import Market
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError, Problem
from optimizer.units import MONTHS_PER_YEAR

_PRECISION: Final = 1e-6
"""Largest relative difference that is left between a forward and the mean of the scenarios."""
_MOST_ROUNDS: Final = 100
"""Of matching under retargets; 20 are usual, and one is enough without."""
_MOST_MOVED: Final = math.log(1000.0)
"""Of the network against what is stated; where a retarget cannot follow, it runs away in some months."""


class HashpriceUnit(StrEnum):
    """What forwards are quoted in."""

    USD = "usd-per-ph-day"
    BTC = "btc-per-ph-day"


_PLAUSIBLE: Final = {HashpriceUnit.USD: (1.0, 2000.0), HashpriceUnit.BTC: (1e-5, 0.02)}
"""Of a PH/s and day: a quote for a TH/s is a thousandth."""


def market_of_forwards(
    portfolio: Portfolio, forwards: Mapping[dt.date, float], unit: HashpriceUnit = HashpriceUnit.USD
) -> Market:
    """The market of ``portfolio`` with the network that ``forwards``, quotes by month, imply.

    In each of their months the mean hashprice over the scenarios becomes the quote, by the network alone: the bitcoin
    price, fees and halvings stay. Before the first and after the last month the network keeps the shape of its stated
    path, afterwards on the level that the last quote implies.

    Raises:
        InvalidInputError: quotes that are none for a PH/s and day, or none within the horizon; a network that would be
            outside what is plausible, or that no retarget brings to the quotes.
    """
    quotes, horizon = _quotes(forwards, unit), portfolio.horizon
    months = [month for month in sorted(quotes) if 0 <= horizon.index_of(month) < horizon.month_count]
    if not months:
        told = f"they are for {min(quotes):%Y-%m} to {max(quotes):%Y-%m}"
        fix = f"the horizon has {horizon.start_month:%Y-%m} to {horizon.months[-1]:%Y-%m}"
        raise InvalidInputError.single("forwards", told, fix)
    asked = np.array([quotes[month] for month in months])
    positions = [horizon.index_of(month) for month in months]
    before = Futures.of(portfolio).path(portfolio.market.network_eh_s, horizon.month_count)
    ratio = np.ones(len(months))
    for _ in range(_MOST_ROUNDS):
        market = _with_network(portfolio, months, before[positions] * ratio, float(ratio[-1]))
        off = _mean_hashprice(portfolio.model_copy(update={"market": market}), unit)[positions] / asked
        if np.all(np.abs(off - 1.0) <= _PRECISION):
            return validated(Market, market.model_dump(exclude_unset=True), "forwards")
        ratio *= off
        if np.any(np.abs(np.log(ratio)) > _MOST_MOVED):
            break
    month = months[int(np.argmax(np.abs(off - 1.0)))]
    told = f"no network hashrate brings the retarget of {month:%Y-%m} to {quotes[month]:g}"
    raise InvalidInputError.single("forwards", told, "state market.difficulty: hashrate, or smoother forwards")


def _quotes(forwards: Mapping[dt.date, float], unit: HashpriceUnit) -> Mapping[dt.date, float]:
    low, high = _PLAUSIBLE[unit]
    problems = [
        Problem(
            f"forwards {month:%Y-%m}", f"{value:g} {unit.value} is not in {low:g} to {high:g}", "quote a PH/s a day"
        )
        for month, value in forwards.items()
        if not low <= value <= high
    ]
    if problems:
        raise InvalidInputError(problems, "forwards")
    return forwards


def _with_network(portfolio: Portfolio, months: list[dt.date], network_eh_s: Floats, level_after: float) -> Market:
    """The market whose network is as stated in some consecutive months, and scaled after them."""
    market, start = portfolio.market, portfolio.horizon.start_month
    stated, growth = market.network_eh_s, 1.0 + market.network_eh_s.growth_per_year_frac

    def level(month: dt.date, value: float) -> float:
        return value / float(growth ** (months_between(start, month) / MONTHS_PER_YEAR))

    points = {point.from_month: point.value for point in stated.points} or {start: stated.at(start, start)}
    kept = {month: value for month, value in points.items() if month < months[0]}
    kept |= {month: level(month, float(value)) for month, value in zip(months, network_eh_s, strict=True)}
    kept |= {month: value * level_after for month, value in points.items() if month > months[-1]}
    path: dict[str, object] = {
        "points": [{"from_month": month, "value": value} for month, value in sorted(kept.items())]
    }
    if stated.growth_per_year_frac:
        path["growth_per_year_frac"] = stated.growth_per_year_frac
    return market.model_copy(update={"network_eh_s": validated(ValuePath, path, "forwards")})


def _mean_hashprice(portfolio: Portfolio, unit: HashpriceUnit) -> Floats:
    """Mean over the scenarios by month, ``[T]``."""
    total = np.zeros(portfolio.horizon.month_count)
    for part in Futures.of(portfolio).shards():
        paid = part.hashprice_usd_per_ph_day
        total += (paid / part.btc_usd if unit is HashpriceUnit.BTC else paid).sum(axis=1)
    return np.asarray(total / portfolio.risk.scenario_count)
