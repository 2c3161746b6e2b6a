"""What becomes of contracts: tenants that default, and sites at which building turns out otherwise than planned.

Scenarios in which building at a site turns out alike are a *case*; dates of contracts are the same in all of a case.
So a coefficient in expectation is the sum over the cases of terms by date times sums over the scenarios of the case,
divided by the number of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import NEVER
from optimizer.curves.futures import Futures
from optimizer.curves.outcomes import NONE
from optimizer.domain.construction import ConstructionOutcome
from optimizer.domain.offer import Offer, OfferSite
from optimizer.domain.portfolio import sign_months
from optimizer.domain.site import Site
from optimizer.model.calendar import Floats
from optimizer.model.rent_levels import RentLevel, has_levels, locked_in, rent_levels
from optimizer.units import MONTHS_PER_YEAR

Chosen = slice | NDArray[np.bool_]
"""Scenarios: all of them, or a mask ``[W]``."""
EVERY = slice(None)


@dataclass(frozen=True, eq=False)
class Fate:
    """What becomes of a tenant's rent, by month: in expectation ``[T_ext]``, or in every scenario ``[T_ext, W]``.

    In expectation a rent that differs by scenario has its levels in ``paid`` and ``recovered``: ``[N, T_ext]``.
    """

    paid: Floats
    """Share of the contract rent that is paid, by the tenant or after a default by the backstopper."""
    let_usd_per_kw: Floats
    """Re-lease rent of the unbacked share, where the vacancy after a default is over."""
    recovered: Floats
    """Months of contract rent that are recovered at once in the month of default."""

    @classmethod
    def by_scenario(cls, offer: Offer, futures: Futures) -> Fate:
        """The fate in every scenario."""
        credit, rent = offer.credit, futures.re_lease_rent_usd_per_kw_month
        (unbacked, default), (backed, gone) = promises(offer, futures)
        months = np.arange(futures.extended_month_count)[:, None]
        fate = cls(
            paid=np.where(months < default, 1.0, backed),
            let_usd_per_kw=np.where(months >= default + credit.vacancy_months, unbacked * rent, 0.0),
            recovered=(months == default) * (unbacked * credit.recovery_frac * MONTHS_PER_YEAR),
        )
        if credit.failing_backstopper is not None:
            fate.paid[months >= gone] = 0.0
            fate.let_usd_per_kw[:] += np.where(months >= gone + credit.vacancy_months, backed * rent, 0.0)
            fate.recovered[:] += (months == gone) * (backed * credit.recovery_frac * MONTHS_PER_YEAR)
        return fate

    def of(self, chosen: Chosen) -> Fate:
        """The fate in some of the scenarios."""
        return Fate(**{item.name: getattr(self, item.name)[:, chosen] for item in fields(self)})

    def while_open(self, site_name: str, futures: Futures) -> Fate:
        """The fate of rents at a site: none in the months in which it is shut; what is recovered is recovered."""
        if futures.open_frac(site_name) is None:
            return self
        paid, let = (while_open(item, site_name, futures) for item in (self.paid, self.let_usd_per_kw))
        return Fate(paid, let, self.recovered)

    def mean_added(self, share: float, before: Fate | None, levels: Sequence[RentLevel] = ()) -> Fate:
        """The mean over the scenarios, weighted with their share of all, on top of that of the scenarios before."""
        names = [item.name for item in fields(self)]
        means = {name: mean_of(getattr(self, name), share) for name in names}
        if levels:
            for name in ("paid", "recovered"):
                means[name] = np.asarray(sum(share * item.mean_of(getattr(self, name)) for item in levels))
        return Fate(**{name: means[name] + (getattr(before, name) if before is not None else 0.0) for name in names})


def rent_usd_per_kw(
    offer: Offer, futures: Futures, chosen: Chosen, *, paid: Floats, let: Floats, recovered: Floats
) -> Floats:
    """What a tenant's rent comes to in some of the scenarios, weighted months added up, ``[R, W]``.

    ``paid`` and ``recovered`` weigh the contract rent and ``let`` the re-lease rent, ``[R, T_ext]`` each; of them
    counts what :class:`Fate` says. Sums over months are taken once, not in every scenario.
    """
    credit, months = offer.credit, paid.shape[1]
    until = np.concatenate([np.zeros((len(paid), 1)), np.cumsum(paid, axis=1)], axis=1)
    ends = [(share, end[chosen]) for share, end in promises(offer, futures)]
    (unbacked, default), (backed, gone) = ends
    found = backed * until[:, np.minimum(gone, months)] + unbacked * until[:, np.minimum(default, months)]
    weighing = np.flatnonzero(let.any(axis=0))
    span = slice(int(weighing[0]), int(weighing[-1]) + 1) if len(weighing) else slice(0)
    for share, end in ends:
        fell = np.flatnonzero(end < months)
        found[:, fell] += share * credit.recovery_frac * MONTHS_PER_YEAR * recovered[:, end[fell]]
        again = np.flatnonzero(end + credit.vacancy_months < months)
        if len(again):
            is_let = np.arange(months)[span, None] >= end[again] + credit.vacancy_months
            rents = np.where(is_let, futures.re_lease_rent_usd_per_kw_month[span, chosen][:, again], 0.0)
            found[:, again] += share * (let[:, span] @ rents)
    return np.asarray(found)


def promises(offer: Offer, futures: Futures) -> list[tuple[float, NDArray[np.int64]]]:
    """Shares of the rent and the months in which they are no longer paid, ``[W]``: the unbacked, then the backed one.

    The unbacked share ends with the tenant; the backed one when the backstopper has failed too, if it can.
    """
    backed, backstopper = offer.credit.backstop_share_frac, offer.credit.failing_backstopper
    default = futures.default_month(offer.tenant).astype(np.int64)
    gone = np.maximum(default, NEVER if backstopper is None else futures.default_month(backstopper))
    return [(1.0 - backed, default), (backed, gone)]


@dataclass(frozen=True, eq=False)
class BuildCase:
    """One way in which building at a site turns out."""

    delay_months: int
    """Months by which phases energize late."""
    interconnect_slip_months: int
    """Months by which the interconnect is late."""
    capex_overrun_frac: float
    """What the owner pays on top, as a share of the owner's capex."""
    share_frac: float
    """Share of the scenarios in which it does."""
    open_frac: Floats
    """Share of the scenarios in which it does and the site is open, ``[T_ext]``."""
    power_usd_per_mwh: Floats
    """Sum over them of the mean energy price, divided by the number of all, ``[T_ext]``."""


def cases(site: Site, futures: Futures) -> Iterator[tuple[ConstructionOutcome | None, Chosen]]:
    """Every way in which building at a site may turn out, first as planned, and the scenarios in which it does."""
    if not site.construction_outcomes:
        yield None, EVERY
        return
    found = futures.construction_outcome(site.name)
    yield None, found == NONE
    for position, outcome in enumerate(site.construction_outcomes):
        yield outcome, found == position


def while_open(values: Floats, site_name: str, futures: Futures) -> Floats:
    """Values by month and scenario, ``[T, W]`` or ``[T_ext, W]``, and nothing where a site is shut."""
    is_open = futures.open_frac(site_name)
    return values if is_open is None else values * is_open[: len(values)]


def mean_of(values: Floats, share: float) -> Floats:
    """Mean over scenarios, weighted with their share of all: ``[T_ext, W]`` to ``[T_ext]``; 0 over none."""
    return np.asarray(share * values.mean(axis=1)) if values.shape[1] else np.zeros(len(values))


def add_fates(found: dict[tuple[str, str, int], Fate], futures: Futures, scenario_count: int) -> None:
    """Add a shard of ``scenario_count`` scenarios to the fates of every offer at every site, case by case."""
    for offer in futures.portfolio.offers:
        fate = Fate.by_scenario(offer, futures)
        whole: Fate | None = None
        for place in offer.sites:
            site = futures.portfolio.site(place.site)
            ours = fate.while_open(site.name, futures)
            levels = [*rent_levels(offer, place, _signed(offer, place, futures), futures)] if has_levels(offer) else []
            for position, (_, chosen) in enumerate(cases(site, futures)):
                key = (offer.name, site.name, position)
                part, share = ours.of(chosen), _count(chosen, futures) / scenario_count
                if levels:
                    found[key] = part.mean_added(share, found.get(key), [item.of(chosen) for item in levels])
                elif isinstance(chosen, slice) and ours is fate:
                    whole = whole or part.mean_added(share, found.get(key))
                    found[key] = whole
                else:
                    found[key] = part.mean_added(share, found.get(key))


def add_locked_rents(found: dict[tuple[str, str], Floats], futures: Futures, share: float) -> None:
    """Add a shard, ``share`` of all scenarios, to the mean of what is signed for over the price, ``[N]`` by start."""
    for offer in futures.portfolio.offers:
        for place in offer.sites if offer.rent_index is not None else ():
            level = locked_in(offer, _signed(offer, place, futures), futures).mean(axis=1)
            found[offer.name, place.site] = share * level + found.get((offer.name, place.site), 0.0)


def _signed(offer: Offer, place: OfferSite, futures: Futures) -> NDArray[np.int64]:
    """Months in which an offer can be signed for a place, ``[N]``."""
    portfolio = futures.portfolio
    return np.array(sign_months(offer, place, portfolio.site(place.site), portfolio.horizon), dtype=np.int64)


def add_cases(
    found: dict[str, tuple[BuildCase, ...]],
    site: Site,
    futures: Futures,
    price_usd_per_mwh: Floats,
    scenario_count: int,
) -> None:
    """Add a shard of ``scenario_count`` scenarios to the cases of a site; prices are of the energy that is used."""
    added = []
    is_open = futures.open_frac(site.name)
    for position, (outcome, chosen) in enumerate(cases(site, futures)):
        before = found[site.name][position] if site.name in found else None
        count = _count(chosen, futures)
        share = count / scenario_count
        price = mean_of(price_usd_per_mwh[:, chosen], share)
        opened = np.full(len(price), share) if is_open is None else mean_of(is_open[:, chosen], share)
        added.append(
            BuildCase(
                delay_months=outcome.delay_months if outcome is not None else 0,
                interconnect_slip_months=outcome.interconnect_slip_months if outcome is not None else 0,
                capex_overrun_frac=outcome.capex_overrun_frac if outcome is not None else 0.0,
                open_frac=opened + (before.open_frac if before is not None else 0.0),
                share_frac=share + (before.share_frac if before is not None else 0.0),
                power_usd_per_mwh=price + (before.power_usd_per_mwh if before is not None else 0.0),
            )
        )
    found[site.name] = tuple(added)


def _count(chosen: Chosen, futures: Futures) -> int:
    return futures.scenario_count if isinstance(chosen, slice) else int(chosen.sum())
