"""What a MW earns that is sold back to the market instead of used."""

from __future__ import annotations

import numpy as np

from optimizer.curves.futures import Floats, Futures
from optimizer.curves.power import PowerShape
from optimizer.domain.site import SellBack
from optimizer.errors import SeriesError


def sale_usd_per_mw(futures: Futures, site_name: str, terms: SellBack) -> Floats:
    """Earned by a MW in each month and scenario, ``[T, W]``.

    The mean over the hours of what the market pays above the site's own price and the fee, times the hours.

    Raises:
        SeriesError: when the market's series has not been loaded.
    """
    shape, months = _shape(futures, terms), futures.month_count
    level = futures.market_power_level[:months]
    strike = (futures.mean_power_usd_per_mwh(site_name)[:months] + terms.fee_usd_per_mwh) / level
    above = np.empty(level.shape)
    for month, calendar_month in enumerate(futures.calendar_month[:months].tolist()):
        # max(0, p - z) = p - z + max(0, z - p)
        below = shape.positive_part_mean(strike[month], calendar_month)
        above[month] = shape.mean_usd_per_mwh[calendar_month - 1] - strike[month] + below
    earned, is_open = (
        futures.hours_in_month[:months, None] * level * np.maximum(above, 0.0),
        futures.open_frac(site_name),
    )
    return np.asarray(earned if is_open is None else earned * is_open[:months])


def _shape(futures: Futures, terms: SellBack) -> PowerShape:
    portfolio = futures.portfolio
    hours = portfolio.series_by_name[terms.hourly_series].hours
    if hours is None:
        raise SeriesError.single(
            f"series[{[item.name for item in portfolio.series].index(terms.hourly_series)}].hours",
            f"the hours of {terms.hourly_series!r} are not loaded",
            "load the portfolio with optimizer.io.load_portfolio, which reads its series",
        )
    return PowerShape.from_hourly(np.array(hours.usd_per_mwh), np.array(hours.month_of_year))
