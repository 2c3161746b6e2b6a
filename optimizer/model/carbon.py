"""Coefficients of carbon: tonnes of what the owner pays for and uses, by column and month.

Follows "Carbon" in ``docs/explanation/economics.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar, Floats
from optimizer.model.expectations import Expectations
from optimizer.model.gpu import GpuOrders
from optimizer.model.gpu_refresh import GpuRefreshes
from optimizer.model.hosting import OfferAtSite, Starts
from optimizer.model.lease_ends import ReLeases
from optimizer.model.machine_classes import MACHINES_PER_UNIT
from optimizer.model.mining import Machines
from optimizer.units import KW_PER_MW


@dataclass(frozen=True, eq=False)
class Carbon:
    """Expected tonnes where there is a rule on them, and their price."""

    contract_t: Floats
    """Of a critical MW of each start, ``[N, T]``."""
    re_lease_t: Floats
    """Of a critical MW let again, ``[R, T]``."""
    block_t: Floats
    """Of a GPU block of each order, ``[G, T]``."""
    refresh_t: Floats
    """Of a block of each refresh, ``[H, T]``."""
    machine_t: tuple[Floats, ...]
    """Of a thousand machines of each pair, by ceiling mode, ``[J, T]``."""
    price_usd_per_t: Floats
    """Price of a tonne, ``[T]``."""


def build_carbon(
    portfolio: Portfolio,
    futures: Futures,
    calendar: Calendar,
    expected: Expectations,
    starts: Starts,
    re_leases: ReLeases,
    orders: GpuOrders,
    refreshes: GpuRefreshes,
    machines: Machines,
) -> Carbon | None:
    """Tonnes of everything that can be decided; None where there is no rule on them."""
    rule, months = portfolio.policy.carbon, calendar.month_count
    if rule is None:
        return None
    intensity = np.array([site.carbon_t_per_mwh or 0.0 for site in portfolio.sites])
    contract, re_lease = np.zeros((starts.count, months)), np.zeros((len(re_leases.start), months))
    for o, offer in enumerate(portfolio.offers):
        for place in offer.sites:
            site = portfolio.site_index[place.site]
            placed = OfferAtSite(portfolio, futures, calendar, offer, place)
            caused = (intensity[site] * KW_PER_MW * placed.energy_mwh_per_kw())[:months]
            is_open = sum(case.open_frac[:months] for case in expected.build_cases[place.site])
            ours = (starts.offer == o) & (starts.site == site)
            age = placed.age(starts.sign_month[ours])
            for case in expected.build_cases[place.site]:
                weight = placed.terms(age, case).weight[:, :months]
                contract[ours] += case.open_frac[:months] * weight * caused
            again = ours[re_leases.start]
            re_lease[again] = (
                placed.re_let(placed.age(starts.sign_month[re_leases.start[again]]))[:, :months] * caused * is_open
            )
    blocks = [
        intensity[s] * expected.gpus[portfolio.gpu_options[g].name, portfolio.sites[s].name].energy_mwh
        for g, s in zip(orders.option, orders.site, strict=True)
    ]
    refreshed = [
        intensity[s] * expected.refreshed_gpus[portfolio.gpu_options[g].name, portfolio.sites[s].name].energy_mwh
        for g, s in zip(refreshes.option, refreshes.site, strict=True)
    ]
    machine = [
        intensity[s] * expected.mining[portfolio.sites[s].name, *machines.classes[k].key].energy_mwh
        for s, k in zip(machines.site, machines.machine_class, strict=True)
    ]
    return Carbon(
        contract_t=contract,
        re_lease_t=re_lease,
        block_t=np.array(blocks).reshape(-1, months) * (orders.reserved_mw > 0.0),
        refresh_t=np.array(refreshed).reshape(-1, months) * refreshes.live,
        machine_t=tuple(tonnes * MACHINES_PER_UNIT for tonnes in machine),
        price_usd_per_t=futures.path(rule.price_usd_per_t, months) if rule.price_usd_per_t else np.zeros(months),
    )
