"""Hourly power prices of a site, sorted once.

A load that may stop in any hour and earns ``z`` USD per MWh of the energy price it stands in for makes, in the mean
over the hours ``h`` of a month::

    f(z) = mean over hours of max(0, z - lmp_h) = share of hours below z * z - their part of the mean price

``f`` is convex and piecewise linear: one look-up in prefix sums, whatever the number of hours.
:mod:`optimizer.curves.margin` makes the margins of machines from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _power
from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves._tables import SortedTables, frozen
from optimizer.errors import InvalidInputError
from optimizer.units import MONTHS_PER_YEAR

_BUCKETS_PER_PRICE: Final = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class PowerShape:
    """A site's hourly energy prices, pooled by calendar month and sorted once. Immutable.

    Build with :meth:`from_hourly` or :meth:`flat`. Arrays are read-only; index 0 is January.
    """

    mean_usd_per_mwh: Float64Array
    """Mean price of each calendar month, ``[12]``."""
    hour_count: Int64Array
    """Hours in the pool of each calendar month, ``[12]``."""
    prices: SortedTables
    """The distinct prices of the twelve months, USD/MWh, each with the share of the month's hours priced below it and
    the part of the month's mean price that those make (their sum over all hours, USD/MWh)."""

    @classmethod
    def from_hourly(cls, price_usd_per_mwh: ArrayLike, month_of_year: ArrayLike) -> PowerShape:
        """Pool hourly prices ``[H]`` by calendar month ``[H]`` (1..12), any number of years, in any order.

        Every calendar month needs at least one hour. Gaps are the reader's business: NaN is refused by its index.
        """
        price = check.vector("price_usd_per_mwh", price_usd_per_mwh, check.POWER_PRICE)
        month = check.integers("month_of_year", month_of_year, check.MONTH_OF_YEAR, price.shape)
        hour_count = np.bincount(month, minlength=MONTHS_PER_YEAR + 1)[1:].astype(np.int64)
        if not hour_count.all():
            empty = int(np.argmin(hour_count)) + 1
            raise InvalidInputError.single("month_of_year", f"has no hour in month {empty}", "cover all twelve months")
        return cls._of_pools([_entries(np.sort(price[month == m])) for m in range(1, MONTHS_PER_YEAR + 1)], hour_count)

    @classmethod
    def flat(cls, price_usd_per_mwh: float) -> PowerShape:
        """One price in every hour of the year."""
        price = check.scalar("price_usd_per_mwh", price_usd_per_mwh, check.POWER_PRICE)
        one_hour_each = np.ones(MONTHS_PER_YEAR, dtype=np.int64)
        return cls._of_pools([_entries(np.array([price]))] * MONTHS_PER_YEAR, one_hour_each)

    @classmethod
    def _of_pools(cls, pools: list[Float64Array], hour_count: Int64Array) -> PowerShape:
        distinct = np.array([len(pool) - 1 for pool in pools], dtype=np.int64)
        return cls(
            mean_usd_per_mwh=frozen(np.array([pool[-1, 2] for pool in pools])),
            hour_count=frozen(hour_count),
            prices=SortedTables.of(np.concatenate(pools), distinct, _BUCKETS_PER_PRICE),
        )

    def share_of_hours_below(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> Float64Array:
        """Share of the month's hours priced strictly below ``z``, shape of ``z``."""
        return self._below(z_usd_per_mwh, calendar_month)[1]

    def mean_price_below(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> Float64Array:
        """Mean price of the month's hours priced strictly below ``z``, USD/MWh; NaN where there are none."""
        _, share, part = self._below(z_usd_per_mwh, calendar_month)
        return np.divide(part, share, out=np.full_like(part, np.nan), where=share > 0.0)

    def positive_part_mean(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> Float64Array:
        """Mean over the month's hours of ``max(0, z - price)``, USD/MWh, shape of ``z``."""
        z, share, part = self._below(z_usd_per_mwh, calendar_month)
        return np.asarray(np.maximum(share * z - part, 0.0))

    def _below(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> tuple[Float64Array, Float64Array, Float64Array]:
        z = check.floats("z_usd_per_mwh", z_usd_per_mwh, check.Range(-1e300, 1e300, "USD per MWh"))
        month = check.integer("calendar_month", calendar_month, check.MONTH_OF_YEAR)
        _, share, part = self.prices.entries_at(month - 1, z.reshape(-1)).T
        return z, share.reshape(z.shape), part.reshape(z.shape)


def _entries(price: Float64Array) -> Float64Array:
    """Entries of a month's ascending hourly prices: each distinct price, and infinity, with what lies below it."""
    hours_below = np.append(np.flatnonzero(np.diff(price, prepend=-np.inf)), price.size)
    part = _power.prefix_sums(price)[hours_below] / price.size
    return np.stack([np.append(price, np.inf)[hours_below], hours_below / price.size, part], axis=1)
