"""Power sold back: MW by site and month, and what the market pays above the own price and the fee, hour by hour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.audit.paths import EnergyPrices, FloatArray
from optimizer.domain import Decisions, Portfolio
from optimizer.errors import InvalidInputError, Problem, did_you_mean


@dataclass(frozen=True, slots=True, eq=False)
class SaleMoney:
    """Expected cash of power sold back."""

    earned_usd: FloatArray
    """``[T]``."""


def sold_mw(portfolio: Portfolio, decisions: Decisions) -> FloatArray:
    """MW sold by site and month, ``[S, T]``."""
    sold = np.zeros((len(portfolio.sites), portfolio.horizon.month_count))
    periods = {portfolio.horizon.month_at(period.first): period for period in portfolio.horizon.periods}
    for decision in decisions.power_sales:
        sold[portfolio.site_index[decision.site], list(periods[decision.month].months)] += decision.sold_mw
    return sold


def sale_money(portfolio: Portfolio, sold: FloatArray, energy: EnergyPrices) -> SaleMoney:
    """Expected cash of what is sold.

    Raises:
        InvalidInputError: for a series whose hours are not loaded.
    """
    earned, paths = np.zeros(sold.shape[1]), energy.paths
    for s, month in np.argwhere(sold):
        site = portfolio.sites[s]
        terms = site.power.sell_back
        if terms is None:
            continue
        hours = portfolio.series_by_name[terms.hourly_series].hours
        if hours is None:
            raise InvalidInputError.single("series", f"{terms.hourly_series} has no hours", "load the portfolio")
        market = np.array(hours.usd_per_mwh)[np.array(hours.month_of_year) == int(paths.calendar_month[month])]
        own = energy.at(site.name).mean_usd_per_mwh(int(month)) + terms.fee_usd_per_mwh
        is_open = energy.at(site.name).open_frac(int(month))
        gained = np.maximum(paths.market_power_level[month][None, :] * market[:, None] - own[None, :], 0.0)
        earned[month] += sold[s, month] * float(paths.hours_in_month[month]) * float(np.mean(gained * is_open))
    return SaleMoney(earned)


def sale_problems(portfolio: Portfolio, decisions: Decisions) -> Iterator[Problem]:
    """Sales at sites that do not exist or cannot sell, outside periods, and stated twice."""
    firsts = {portfolio.horizon.month_at(period.first) for period in portfolio.horizon.periods}
    seen: set[tuple[str, dt.date]] = set()
    for i, decision in enumerate(decisions.power_sales):
        path = f"power_sales[{i}]"
        if decision.site not in portfolio.site_index:
            told = f"no site is named {decision.site!r}"
            yield Problem(f"{path}.site", told, did_you_mean(decision.site, portfolio.site_index).removeprefix("; "))
        elif portfolio.site(decision.site).power.sell_back is None:
            yield Problem(f"{path}.site", f"{decision.site} cannot sell power back", "leave it out")
        if decision.month not in firsts:
            told = f"{decision.month:%Y-%m} is not the first month of a period"
            yield Problem(f"{path}.month", told, "use the months of the horizon's periods")
        if (decision.site, decision.month) in seen:
            yield Problem(path, f"{decision.site} sells twice in {decision.month:%Y-%m}", "state it once")
        seen.add((decision.site, decision.month))
