"""Index sets and coefficients of what can be done to a site itself: grid steps brought forward, halls added, buildings.

Follows "Grid and halls" in ``docs/explanation/economics.md``. Money in million USD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class GridAdvances:
    """All (site, grid step, months earlier) that the terms allow and that gain MW in the horizon; N of them."""

    site: Ints
    """Index of the site, ``[N]``."""
    step: Ints
    """Index of the step in the site's grid, ``[N]``."""
    months: Ints
    """Months earlier, ``[N]``."""
    new_month: Ints
    """Month in which the step then comes, ``[N]``."""
    gained_mw: Floats
    """Import limit gained, ``[N, T]``."""
    capex_musd: Floats
    """Price, in the month of the decision, ``[N, T]``."""

    @property
    def count(self) -> int:
        """Number of possible advances, N."""
        return len(self.site)


def build_grid_advances(portfolio: Portfolio, calendar: Calendar) -> GridAdvances:
    """Every advance that the terms allow, in the order of sites, then steps, then months earlier."""
    horizon, time = portfolio.horizon, np.arange(calendar.month_count)
    keys: list[tuple[int, int, int, int]] = []
    gained: list[Any] = []
    capex: list[Any] = []
    for s, site in enumerate(portfolio.sites):
        leased = time < (horizon.index_of(site.lease_end_month) if site.lease_end_month is not None else len(time))
        for i, (step, added) in enumerate(zip(site.grid, site.added_grid_mw, strict=True)):
            stated, terms = horizon.index_of(step.from_month), step.advance
            for months in range(1, terms.maximum_months + 1) if terms is not None else ():
                assert terms is not None
                earlier = (time >= stated - months) & (time < stated) & leased
                decided = stated - months - terms.notice_months
                if decided in calendar.sign_months and earlier.any():
                    keys.append((s, i, months, stated - months))
                    gained.append(added * earlier)
                    price = terms.fixed_usd + months * terms.usd_per_month
                    capex.append((time == decided) * price / USD_PER_MUSD)
    index = np.array(keys, dtype=np.int64).reshape(-1, 4)
    shape = (len(keys), calendar.month_count)
    return GridAdvances(
        site=index[:, 0],
        step=index[:, 1],
        months=index[:, 2],
        new_month=index[:, 3],
        gained_mw=np.array(gained).reshape(shape),
        capex_musd=np.array(capex).reshape(shape),
    )


@dataclass(frozen=True, eq=False)
class HallOrders:
    """All (site, month) in which halls can be ordered that can still be used in the horizon; N of them."""

    site: Ints
    """Index of the site, ``[N]``."""
    order_month: Ints
    """Month of the order, ``[N]``."""
    added_mw: Floats
    """Halls that can be used per MW ordered, ``[N, T]``."""
    capex_musd: Floats
    """Price per MW, ``[N, T]``."""

    @property
    def count(self) -> int:
        """Number of possible orders, N."""
        return len(self.site)


def build_hall_orders(portfolio: Portfolio, calendar: Calendar) -> HallOrders:
    """Every order that the terms allow, in the order of sites, then months."""
    horizon, time = portfolio.horizon, np.arange(calendar.month_count)
    keys: list[tuple[int, int]] = []
    added: list[Any] = []
    capex: list[Any] = []
    for s, site in enumerate(portfolio.sites):
        terms = site.hall_expansion
        if terms is None:
            continue
        end = horizon.index_of(site.lease_end_month) if site.lease_end_month is not None else len(time)
        for month in calendar.sign_months:
            ready = month + terms.lead_months
            if month >= horizon.index_of(terms.earliest_month) and ready < min(end, len(time)):
                keys.append((s, int(month)))
                added.append(time >= ready)
                capex.append((time == month) * terms.capex_usd_per_mw / USD_PER_MUSD)
    index = np.array(keys, dtype=np.int64).reshape(-1, 2)
    shape = (len(keys), calendar.month_count)
    return HallOrders(
        site=index[:, 0],
        order_month=index[:, 1],
        added_mw=np.array(added, dtype=float).reshape(shape),
        capex_musd=np.array(capex).reshape(shape),
    )


@dataclass(frozen=True, eq=False)
class BuildingOrders:
    """All (site, building, month) in which building can begin that is finished in the horizon; N of them."""

    site: Ints
    """Index of the site, ``[N]``."""
    building: Ints
    """Index of the building among those of the site, ``[N]``."""
    order_month: Ints
    """Month of the decision, ``[N]``."""
    space_mw: Floats
    """Space that can be used, ``[N, T]``."""
    capex_musd: Floats
    """Cost, ``[N, T]``."""

    @property
    def count(self) -> int:
        """Number of possible orders, N."""
        return len(self.site)


def build_building_orders(portfolio: Portfolio, calendar: Calendar) -> BuildingOrders:
    """Every order that the terms allow, in the order of sites, then buildings, then months."""
    horizon, time = portfolio.horizon, np.arange(calendar.month_count)
    keys: list[tuple[int, int, int]] = []
    space: list[Any] = []
    capex: list[Any] = []
    for s, site in enumerate(portfolio.sites):
        end = horizon.index_of(site.lease_end_month) if site.lease_end_month is not None else len(time)
        for b, item in enumerate(site.buildings):
            for month in calendar.sign_months:
                ready, paying = month + item.build_months, max(item.build_months, 1)
                if month >= horizon.index_of(item.earliest_month) and ready < min(end, len(time)):
                    keys.append((s, b, int(month)))
                    space.append((time >= ready) * item.critical_mw)
                    paid = (time >= month) & (time < month + paying)
                    capex.append(paid * item.capex_usd / paying / USD_PER_MUSD)
    index = np.array(keys, dtype=np.int64).reshape(-1, 3)
    shape = (len(keys), calendar.month_count)
    return BuildingOrders(
        site=index[:, 0],
        building=index[:, 1],
        order_month=index[:, 2],
        space_mw=np.array(space).reshape(shape),
        capex_musd=np.array(capex).reshape(shape),
    )
