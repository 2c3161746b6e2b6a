"""Rents that differ by scenario while they are paid: locked in at signing, or set by the market at a renewal.

A contract's rent is then, span by span of its months, a path that is the same in all scenarios times one number of each
scenario: a :class:`RentLevel`. So what is paid of it in expectation is linear in the same starts as before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.domain.offer import Offer, OfferSite
from optimizer.domain.portfolio import energization
from optimizer.model.calendar import Floats, Ints
from optimizer.units import MONTHS_PER_YEAR


@dataclass(frozen=True, eq=False)
class RentLevel:
    """What multiplies the rent of some months of each of N starts."""

    months: NDArray[np.bool_]
    """Those months, ``[N, T_ext]``."""
    level: Floats
    """By scenario, ``[N, W]``."""

    def of(self, chosen: slice | NDArray[np.bool_]) -> RentLevel:
        """The level in some of the scenarios."""
        return replace(self, level=self.level[:, chosen])

    def mean_of(self, values: Floats) -> Floats:
        """Mean over the scenarios of values ``[T_ext, W]`` times the level, in these months, ``[N, T_ext]``."""
        return np.asarray(self.months * (self.level @ values.T) / max(values.shape[1], 1))


def has_levels(offer: Offer) -> bool:
    """Whether an offer's rent differs by scenario while it is paid."""
    return offer.rent_index is not None or _at_market(offer)


def rent_levels(offer: Offer, place: OfferSite, sign: Ints, futures: Futures) -> Iterator[RentLevel]:
    """The levels of an offer's rent at a place, signed in each of these months: one or none in every month."""
    energize = np.array([energization(int(month), place, futures.portfolio.horizon) for month in sign], dtype=np.int64)
    since = np.arange(futures.extended_month_count) - energize[:, None] - offer.term_months
    contract = since < 0 if _at_market(offer) else np.ones(since.shape, dtype=bool)
    yield RentLevel(contract, locked_in(offer, sign, futures))
    renewal = offer.renewal
    if renewal is None or not _at_market(offer):
        return
    for number in range(renewal.option_count):
        begin = energize + offer.term_months + number * renewal.term_months
        market = futures.re_lease_rent_usd_per_kw_month[np.minimum(begin, futures.extended_month_count - 1)]
        yield RentLevel((since >= 0) & (since // renewal.term_months == number), market)


def locked_in(offer: Offer, sign: Ints, futures: Futures) -> Floats:
    """Rent that is signed for in each of these months over the offer's price, ``[N, W]``."""
    index = offer.rent_index
    if index is None:
        return np.ones((len(sign), futures.scenario_count))
    growth = (1.0 + index.growth_per_year_frac) ** (sign[:, None] / MONTHS_PER_YEAR)
    return np.asarray(growth * (1.0 + index.exposure_frac * (futures.multiplier(index.factor)[sign] - 1.0)))


def _at_market(offer: Offer) -> bool:
    """Whether renewals are counted on, and the market sets their rent."""
    renewal = offer.renewal
    return renewal is not None and renewal.probability_frac > 0.0 and renewal.market_rent_share_frac is not None
