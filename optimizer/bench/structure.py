"""Building a site's price structure from a year of hours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from optimizer.bench.machine import Work
from optimizer.bench.measure import Contender, Floats
from optimizer.bench.prices import drawn_prices, month_of_year
from optimizer.curves import PowerShape
from optimizer.units import MONTHS_PER_YEAR

_HOURS_PER_MONTH: Final = 730
HOURS_PER_YEAR: Final = _HOURS_PER_MONTH * MONTHS_PER_YEAR
WORK: Final = Work(streamed_bytes=40.0, flop=np.log2(_HOURS_PER_MONTH) + 4.0)
"""Price and month read, knot, share and part of the mean written; a sort's comparisons and the compensated sum."""


def contenders() -> Iterator[Contender]:
    """Ours, and sorting each month and summing it up, which leaves the search in the sums to be a binary one."""
    price = drawn_prices(_HOURS_PER_MONTH).ravel()
    month = month_of_year(_HOURS_PER_MONTH)
    probes = np.linspace(-20.0, 400.0, 50)

    def ours() -> PowerShape:
        return PowerShape.from_hourly(price, month)

    def surpluses(shape: PowerShape) -> Floats:
        return np.array([shape.positive_part_mean(probes, m) for m in range(1, MONTHS_PER_YEAR + 1)])

    def sorted_and_summed() -> list[tuple[Any, Any]]:
        pools = (np.sort(price[month == m]) for m in range(1, MONTHS_PER_YEAR + 1))
        return [(pool, np.append(0.0, np.cumsum(pool))) for pool in pools]

    def probed(tables: list[tuple[Any, Any]]) -> Floats:
        counts = [np.searchsorted(pool, probes) for pool, _ in tables]
        return np.array(
            [(count * probes - prefix[count]) / pool.size for count, (pool, prefix) in zip(counts, tables, strict=True)]
        )

    yield Contender("optimizer", ours, price.size)
    yield Contender(
        "NumPy, sort + cumsum by month", sorted_and_summed, price.size, value=probed, expected=lambda: surpluses(ours())
    )
