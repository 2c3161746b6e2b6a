"""Coefficients of what happens when a contract's term ends inside the horizon: halls taken back, MW let again.

Follows "End of the lease" in ``docs/explanation/economics.md``. Money in million USD per critical MW.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.domain.offer import Offer, OfferSite
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.expectations import Expectations
from optimizer.model.hosting import MUSD_PER_MW_OF_USD_PER_KW, OfferAtSite, Starts
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class Reconversions:
    """All starts whose halls can be used again inside the horizon; N of them."""

    start: Ints
    """Index of the start, ``[N]``."""
    returned_mw: Floats
    """Halls that can be used again, ``[N, T]``."""
    price_musd: Floats
    """Price, ``[N, T]``."""


@dataclass(frozen=True, eq=False)
class ReLeases:
    """All starts whose MW can be let again; N of them."""

    start: Ints
    """Index of the start, ``[N]``."""
    reserved_mw: Floats
    """Grid MW reserved, ``[N, T]``."""
    space_mw: Floats
    """Critical MW that need space in a building, ``[N, T]``."""
    noi_musd: Floats
    """Expected rent less opex and energy, ``[N, T_ext]``."""
    refit_musd: Floats
    """Cost of preparing them, ``[N, T]``."""


def build_reconversions(portfolio: Portfolio, calendar: Calendar, starts: Starts) -> Reconversions:
    """Every reconversion that the terms allow, in the order of the starts."""
    parts = [Reconversions(np.zeros(0, dtype=np.int64), *[np.zeros((0, calendar.month_count))] * 2)]
    time = np.arange(calendar.month_count)
    for offer, place, index in _places(portfolio, starts):
        if place.reconversion is None:
            continue
        end = (starts.energize_month[index] + offer.term_months)[:, None]
        halls = place.halls_displaced_mw_per_critical_mw
        leased = time < _lease_end(portfolio, place)
        returned = np.asarray(halls * (time >= end + place.reconversion.months) * leased, dtype=float)
        price = np.asarray(halls * place.reconversion.usd_per_hall_mw / USD_PER_MUSD * (time == end), dtype=float)
        useful = returned.any(axis=1)
        parts.append(Reconversions(index[useful], returned[useful], price[useful]))
    return Reconversions(**_joined(parts))


def build_re_leases(
    portfolio: Portfolio, futures: Futures, calendar: Calendar, expected: Expectations, starts: Starts
) -> ReLeases:
    """Every re-lease that the terms allow, in the order of the starts."""
    months, extended = calendar.month_count, calendar.extended_month_count
    empty = np.zeros((0, months))
    parts = [ReLeases(np.zeros(0, dtype=np.int64), empty, empty, np.zeros((0, extended)), empty)]
    for offer, place, index in _places(portfolio, starts):
        if place.re_lease is None:
            continue
        placed = OfferAtSite(portfolio, futures, calendar, offer, place)
        age = placed.age(starts.sign_month[index])
        let = placed.re_let(age)
        cost = placed.opex(age) + placed.energy_mwh_per_kw() * expected.open_power_usd_per_mwh[place.site]
        rent = place.re_lease.rent_share_frac * expected.re_lease_usd_per_kw_month[place.site]
        inside = age[:, :months]
        held = (inside >= offer.term_months) & (np.arange(months) < _lease_end(portfolio, place))
        reserved = np.asarray(held * place.grid_mw_per_critical_mw, dtype=float)
        refit = place.re_lease.refit_usd_per_critical_mw / USD_PER_MUSD * (inside == offer.term_months)
        useful = let.any(axis=1)
        parts.append(
            ReLeases(
                start=index[useful],
                reserved_mw=reserved[useful],
                space_mw=held[useful].astype(float) * bool(place.needs_building),
                noi_musd=(let * (rent - cost) * MUSD_PER_MW_OF_USD_PER_KW)[useful],
                refit_musd=refit[useful],
            )
        )
    return ReLeases(**_joined(parts))


def _places(portfolio: Portfolio, starts: Starts) -> Iterator[tuple[Offer, OfferSite, Ints]]:
    """Every offer at every site, with its starts."""
    for o, offer in enumerate(portfolio.offers):
        for place in offer.sites:
            yield offer, place, np.flatnonzero((starts.offer == o) & (starts.site == portfolio.site_index[place.site]))


def _lease_end(portfolio: Portfolio, place: OfferSite) -> float:
    end = portfolio.site(place.site).lease_end_month
    return portfolio.horizon.index_of(end) if end is not None else np.inf


def _joined(parts: list[Any]) -> dict[str, Any]:
    return {item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(parts[0])}
