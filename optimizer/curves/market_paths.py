"""What the market does in every scenario, checked once and, where many machines are to be evaluated, ordered once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.curves import _checks as check
from optimizer.curves import _margin
from optimizer.curves._checks import Float64Array
from optimizer.curves._tables import SortedTables, frozen
from optimizer.curves.threads import in_slices

_LEVEL: Final = check.Range(1e-200, 1e200, "as a multiple of the energy price")
_BUCKETS_PER_SCENARIO: Final = 2.0
_MONTHS_PER_SLICE: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class MarketPaths:
    """Months by scenarios, ``[T, W]``. Build with :meth:`of`; the arrays may be the caller's own, so leave them be."""

    hashprice_usd_per_ph_day: Float64Array
    level: Float64Array
    """Multiplies the energy prices of a site."""
    btc_usd: Float64Array | None
    """Price of a bitcoin; only needed for the bitcoin that machines produce."""
    order: ScenarioOrder | None
    """The scenarios of each month in order, if asked for."""

    @classmethod
    def of(
        cls,
        *,
        hashprice_usd_per_ph_day: ArrayLike,
        level: ArrayLike,
        btc_usd: ArrayLike | None = None,
        ordered: bool = False,
        plausible: bool = True,
    ) -> MarketPaths:
        """Check paths ``[T, W]``, and with ``ordered`` sort the scenarios of each month.

        With ``plausible`` hashprices of the first month that look like those of another unit are refused.

        Sorting costs as much as evaluating about ten steps of machines. It pays when many follow, in months in which
        all scenarios share one level or there is no adder, and in which scenarios outnumber the distinct hourly prices;
        other months are evaluated as if there were no order.
        """
        checked = check.hashprice_paths if plausible else partial(check.month_scenario, plausible=check.HASHPRICE)
        hashprice = checked("hashprice_usd_per_ph_day", hashprice_usd_per_ph_day)
        levels = check.floats("level", level, _LEVEL, hashprice.shape)
        btc = None if btc_usd is None else check.floats("btc_usd", btc_usd, check.DRAWN, hashprice.shape)
        return cls(hashprice, levels, btc, ScenarioOrder.of(hashprice, levels, btc) if ordered else None)

    def in_months(self, span: slice) -> MarketPaths:
        """The same paths in some of the months, without an order."""
        btc = self.btc_usd[span] if self.btc_usd is not None else None
        return MarketPaths(self.hashprice_usd_per_ph_day[span], self.level[span], btc, None)

    def at_level(self, level: ArrayLike) -> MarketPaths:
        """Give the same paths another level, that of another site.

        The order is kept where all scenarios of every month share a level, before and now; else it is made anew.
        """
        levels = check.floats("level", level, _LEVEL, self.level.shape)
        order = self.order
        if order is not None and not (order.one_level.all() and _one_level(levels).all()):
            order = ScenarioOrder.of(self.hashprice_usd_per_ph_day, levels, self.btc_usd)
        return MarketPaths(self.hashprice_usd_per_ph_day, levels, self.btc_usd, order)


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioOrder:
    """The scenarios of each month, ascending in hashprice over level: the last of them run in the dearest hours."""

    tables: SortedTables
    """A row a month: hashprice over level of the ordered scenarios (hashprice alone where ``one_level``), each with the
    sums, from it to the last, of hashprice and of level (of 1 where ``one_level``)."""
    btc_from: Float64Array
    """``[T, W + 1]``: likewise the sums of hashprice in BTC; ``[T, 0]`` where bitcoin prices are not known."""
    one_level: NDArray[np.bool_]
    """Months in which all scenarios share one level, ``[T]``."""

    @classmethod
    def of(cls, hashprice: Float64Array, level: Float64Array, btc_usd: Float64Array | None) -> ScenarioOrder:
        """Sort checked paths ``[T, W]``. Sums are compensated. Threads share the months."""
        months, scenarios = hashprice.shape
        one_level, ones = _one_level(level), np.ones(scenarios)
        entries = np.empty((months, scenarios + 1, 3))
        btc = hashprice if btc_usd is None else btc_usd
        btc_from = np.empty((months, 0 if btc_usd is None else scenarios + 1))

        def sort(first: int, last: int) -> None:
            for t in range(first, last):
                own_level = ones if one_level[t] else level[t]
                by_level = hashprice[t] / own_level
                ascending = np.argsort(by_level)  # ties in any order: their scenarios run in the same hours
                _margin.fill_order(ascending, by_level, hashprice[t], own_level, btc[t], entries[t], btc_from[t])

        in_slices(sort, months, _MONTHS_PER_SLICE)
        count = np.full(months, scenarios)
        tables = SortedTables.of(entries.reshape(-1, 3), count, _BUCKETS_PER_SCENARIO)
        return cls(tables, frozen(btc_from), frozen(one_level))


def _one_level(level: Float64Array) -> NDArray[np.bool_]:
    return np.asarray((level == level[:, :1]).all(axis=1))
