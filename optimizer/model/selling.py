"""Coefficients of power sold back: what a MW earns and how many there can be, by site and month.

Follows "Power sold back" in ``docs/explanation/economics.md``. Money in million USD per MW.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.expectations import Expectations
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class Sales:
    """Sites that can sell power back; N of them."""

    site: Ints
    """Index of the site, ``[N]``."""
    earned_musd: Floats
    """Expected earnings of a MW, ``[N, T]``."""
    most_mw: Floats
    """Most MW, ``[N, T]``."""


def build_sales(portfolio: Portfolio, calendar: Calendar, expected: Expectations) -> Sales:
    """Sites in the order of the portfolio."""
    months = portfolio.horizon.months
    terms = [(s, site.power.sell_back) for s, site in enumerate(portfolio.sites) if site.power.sell_back is not None]
    earned = [expected.sale_usd_per_mw[portfolio.sites[s].name] / USD_PER_MUSD for s, _ in terms]
    most = [[item.maximum_mw_at(month) for month in months] for _, item in terms]
    shape = (len(terms), calendar.month_count)
    return Sales(
        site=np.array([s for s, _ in terms], dtype=np.int64),
        earned_musd=np.array(earned).reshape(shape),
        most_mw=np.array(most).reshape(shape),
    )
