"""Carbon of the energy that the owner pays for and uses, by calendar year, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.audit.book import Book
from optimizer.audit.contract import energy_mwh
from optimizer.audit.gpu import gpu_energy_mwh
from optimizer.audit.mining import MiningMoney
from optimizer.audit.paths import EnergyPrices, FloatArray
from optimizer.domain import Portfolio
from optimizer.domain.outcome import CarbonRow


@dataclass(frozen=True, slots=True, eq=False)
class CarbonTonnes:
    """Expected carbon."""

    caused_t: FloatArray
    """``[T]``."""


def carbon_tonnes(book: Book, energy: EnergyPrices, mining: MiningMoney) -> CarbonTonnes:
    """Carbon of machines, of contracts whose energy the landlord pays, and of own GPUs; 0 without a rule on it."""
    portfolio, length = book.portfolio, book.portfolio.horizon.month_count
    caused = np.zeros(length)
    if portfolio.policy.carbon is None:
        return CarbonTonnes(caused)
    for s, site in enumerate(portfolio.sites):
        intensity = site.carbon_t_per_mwh
        if intensity is None:
            continue
        caused += intensity * mining.energy_mwh[s]
        for contract in book.contracts:
            if contract.site_index == s:
                caused += intensity * np.array([energy_mwh(contract, month, energy) for month in range(length)])
        for blocks in (*book.gpu_blocks, *book.refreshed_blocks):
            if blocks.site_index == s:
                for month in range(max(blocks.first, 0), min(blocks.end, length)):
                    each = gpu_energy_mwh(blocks, portfolio.horizon, month, energy)
                    caused[month] += intensity * blocks.gpu_count * each
    return CarbonTonnes(caused)


def carbon_cost_usd(portfolio: Portfolio, caused_t: FloatArray) -> FloatArray:
    """Price of carbon by month, negative, ``[T]``."""
    rule, horizon = portfolio.policy.carbon, portfolio.horizon
    if rule is None or rule.price_usd_per_t is None:
        return np.zeros(horizon.month_count)
    price = [rule.price_usd_per_t.at(horizon.start_month, month) for month in horizon.months]
    return np.asarray(-np.array(price) * caused_t)


def carbon_rows(portfolio: Portfolio, caused_t: FloatArray, cost_usd: FloatArray) -> tuple[CarbonRow, ...]:
    """Carbon by calendar year; nothing without a rule on it."""
    rule = portfolio.policy.carbon
    if rule is None:
        return ()
    most = {cap.year: cap.maximum_t for cap in rule.caps}
    years = np.array([month.year for month in portfolio.horizon.months])
    return tuple(
        CarbonRow(
            year=int(year),
            caused_t=float(caused_t[years == year].sum()),
            maximum_t=most.get(int(year)),
            cost_usd=float(-cost_usd[years == year].sum()),
        )
        for year in np.unique(years)
    )
