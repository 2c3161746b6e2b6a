"""Coefficients of machines: what a thousand of them earn, draw, cost and fetch, by site, class and month.

Follows "Mining" in ``docs/explanation/economics.md``. Money in million USD per thousand machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.curves.margin import MiningValues
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.site import Site
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.expectations import Expectations
from optimizer.model.machine_classes import MACHINES_PER_UNIT, MachineClass, machine_classes, machine_pairs
from optimizer.units import USD_PER_MUSD

MUSD_PER_UNIT_OF_USD = MACHINES_PER_UNIT / USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class Machines:
    """All (site, class) pairs that can hold machines; Q pairs, J modes at most."""

    classes: tuple[MachineClass, ...]
    """Machine classes."""
    site: Ints
    """Index of the site of each pair, ``[Q]``."""
    machine_class: Ints
    """Index of the class of each pair, ``[Q]``."""
    initial: Floats
    """Thousands of machines at the start, ``[Q]``."""
    mode_margin_musd: tuple[Floats, ...]
    """Of each pair: expected margin by ceiling mode and month, demand response and opex included, ``[J, T]``."""
    tail_npv_musd: tuple[Floats, ...]
    """Of each pair: NPV of running on after the horizon, by ceiling mode, ``[J]``."""
    mode_grid_mw: tuple[Floats, ...]
    """Of each pair: draw at the meter by ceiling mode, ``[J]``."""
    purchase_musd: Floats
    """Cost of buying, duty included, ``[Q, T]``."""
    resale_musd: Floats
    """What a sale brings, ``[Q, T]``."""
    duty_musd: Floats
    """Duty on arrival from another site, ``[Q, T]``."""
    move_musd: Floats
    """Cost of leaving, ``[Q]``."""

    @property
    def count(self) -> int:
        """Number of pairs, Q."""
        return len(self.site)


def build_machines(portfolio: Portfolio, futures: Futures, calendar: Calendar, expected: Expectations) -> Machines:
    """Pairs and coefficients. A class can stand at every site that has halls, and where its fleets are."""
    classes = machine_classes(portfolio)
    pairs = machine_pairs(portfolio, classes)
    margins, tails, grid = [], [], []
    for s, k in pairs:
        site, item = portfolio.sites[s], classes[k]
        margin, tail = _margins(site, item, expected.mining[site.name, *item.key], portfolio, calendar)
        margins.append(margin)
        tails.append(tail)
        grid.append(item.power_mw * site.mining_pue)
    prices = {k: _prices(item, futures, calendar) for k, item in enumerate(classes)}
    shape = (len(pairs), calendar.month_count)
    duty = np.array([1.0 + portfolio.sites[s].import_duty_frac for s, _ in pairs]).reshape(-1, 1)
    resale = np.array([prices[k][1] for _, k in pairs]).reshape(shape)
    return Machines(
        classes=classes,
        site=np.array([s for s, _ in pairs], dtype=np.int64),
        machine_class=np.array([k for _, k in pairs], dtype=np.int64),
        initial=standing(portfolio, classes),
        mode_margin_musd=tuple(margins),
        tail_npv_musd=tuple(tails),
        mode_grid_mw=tuple(grid),
        purchase_musd=np.array([prices[k][0] for _, k in pairs]).reshape(shape) * duty,
        resale_musd=resale,
        duty_musd=resale * (duty - 1.0),
        move_musd=np.array([classes[k].model.move_usd_per_machine * MUSD_PER_UNIT_OF_USD for _, k in pairs]),
    )


def standing(portfolio: Portfolio, classes: Sequence[MachineClass]) -> Floats:
    """Machines that stand at the start, in thousands, by pair."""
    fleets: dict[tuple[str, str, float], float] = {}
    for fleet in portfolio.fleets:
        key = (fleet.site, fleet.asic_model, fleet.condition_frac)
        fleets[key] = fleets.get(key, 0.0) + fleet.count
    found = [
        fleets.get((portfolio.sites[s].name, classes[k].model.name, classes[k].condition_frac), 0.0)
        for s, k in machine_pairs(portfolio, classes)
    ]
    return np.array(found) / MACHINES_PER_UNIT


def _prices(item: MachineClass, futures: Futures, calendar: Calendar) -> tuple[Floats, Floats]:
    """Price of a thousand new machines before duty, and what a thousand of the class fetch, by month."""
    price = futures.path(item.model.price_usd_per_th, calendar.month_count)
    new = price * item.model.rated.hashrate_th_s * MUSD_PER_UNIT_OF_USD
    return new, new * item.model.resale_frac * item.condition_frac


def _margins(
    site: Site, item: MachineClass, values: MiningValues, portfolio: Portfolio, calendar: Calendar
) -> tuple[Floats, Floats]:
    """Expected margin by ceiling mode and month, and the NPV of the mining tail by ceiling mode."""
    flexible = fixed_income_usd_per_mw(site, portfolio)
    grid_mw = item.power_mw * site.mining_pue
    margin = values.margin_usd * MUSD_PER_UNIT_OF_USD + grid_mw[:, None] * flexible / USD_PER_MUSD
    return margin, margin[:, -1] * mining_tail_weight(site, portfolio, calendar)


def mining_tail_weight(site: Site, portfolio: Portfolio, calendar: Calendar) -> float:
    """Sum of the discount factors of the months after the horizon in which the last month's margin is counted on."""
    months, count = calendar.month_count, portfolio.finance.terminal.mining_tail_months
    if site.lease_end_month is not None:
        count = min(count, portfolio.horizon.index_of(site.lease_end_month) - months)
    return float(calendar.discount("mining")[months : months + max(count, 0)].sum())


def fixed_income_usd_per_mw(site: Site, portfolio: Portfolio) -> Floats:
    """Demand response and transmission credits less operating cost per MW of mining load and month, ``[T]``."""
    income = np.array([site.load_income_usd_per_mw(month) for month in portfolio.horizon.months])
    return income - site.mining_opex_usd_per_mw_month
