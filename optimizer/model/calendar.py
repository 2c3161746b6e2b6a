"""Time as the model sees it: months folded into periods, discounting, the grid of months on which things may start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.domain.portfolio import Portfolio
from optimizer.units import MONTHS_PER_YEAR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LINES = ("mining", "hosting", "gpu", "corporate", "debt")
"""Business lines, each with its own discount rate."""
EARNINGS = ("mining", "hosting", "gpu")
"""Lines that have earnings, each with a multiple of its own."""


@dataclass(frozen=True, eq=False)
class Calendar:
    """Months, periods and discount factors of one horizon."""

    month_count: int
    """Months of the horizon, T."""
    extended_month_count: int
    """Months until the last contract ends, T_ext."""
    period_first: Ints
    """First month of each period, ``[P]``."""
    period_length: Ints
    """Months of each period, ``[P]``."""
    sign_months: Ints
    """Months in which contracts, orders and openings may start."""
    rate_per_year: dict[str, float]
    """Discount rate by business line."""

    @classmethod
    def of(cls, portfolio: Portfolio, futures: Futures) -> Calendar:
        """The calendar of a portfolio."""
        horizon, discount = portfolio.horizon, portfolio.finance.discount
        debt = portfolio.finance.project_debt
        rates = {line: getattr(discount, f"{line}_per_year_frac") for line in LINES[:-1]}
        interest = debt.interest_per_year_frac if debt else 0.0
        return cls(
            month_count=horizon.month_count,
            extended_month_count=futures.extended_month_count,
            period_first=np.array([period.first for period in horizon.periods]),
            period_length=np.array([period.length for period in horizon.periods]),
            sign_months=np.arange(0, horizon.month_count, horizon.sign_every_months),
            rate_per_year={**rates, "debt": (1.0 + interest / MONTHS_PER_YEAR) ** MONTHS_PER_YEAR - 1.0},
        )

    @property
    def period_count(self) -> int:
        """Number of periods, P."""
        return len(self.period_first)

    @property
    def period_last(self) -> Ints:
        """Last month of each period, ``[P]``."""
        return self.period_first + self.period_length - 1

    def discount(self, line: str) -> Floats:
        """Discount factors of a line for cash at the end of each month, ``[T_ext]``."""
        months = np.arange(1, self.extended_month_count + 1)
        return np.asarray((1.0 + self.rate_per_year[line]) ** (-months / MONTHS_PER_YEAR))

    def period_sum(self, monthly: Floats) -> Floats:
        """Sums over the months of each period: ``[..., T or more]`` to ``[..., P]``."""
        return np.asarray(np.add.reduceat(monthly[..., : self.month_count], self.period_first, axis=-1))

    def period_max(self, monthly: Floats) -> Floats:
        """Maxima over the months of each period."""
        return np.asarray(np.maximum.reduceat(monthly[..., : self.month_count], self.period_first, axis=-1))

    def period_min(self, monthly: Floats) -> Floats:
        """Minima over the months of each period."""
        return np.asarray(np.minimum.reduceat(monthly[..., : self.month_count], self.period_first, axis=-1))

    def first_period_from(self, month: int) -> int | None:
        """The first period that starts in ``month`` or later; None if there is none."""
        index = int(np.searchsorted(self.period_first, month))
        return index if index < self.period_count else None
