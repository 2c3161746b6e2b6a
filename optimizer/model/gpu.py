"""Coefficients of own GPU blocks: for every possible order, what one block pays, costs and reserves, by month.

Follows "Own GPUs" in ``docs/explanation/economics.md``. Money in million USD per block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.curves.throughput import GpuValues
from optimizer.domain.gpu import GpuOption
from optimizer.domain.horizon import Horizon
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.site import Site
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.expectations import Expectations
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class GpuOrders:
    """All (option, site, order month) that the terms allow; N of them."""

    option: Ints
    """Index of the GPU option, ``[N]``."""
    site: Ints
    """Index of the site, ``[N]``."""
    order_month: Ints
    """Month of the order, ``[N]``."""
    reserved_mw: Floats
    """Grid MW reserved per block, ``[N, T]``."""
    displaced_mw: Floats
    """Hall MW displaced per block, ``[N, T]``."""
    margin_musd: Floats
    """Expected margin per block, ``[N, T]``."""
    capex_musd: Floats
    """Capex per block, ``[N, T]``."""
    residual_musd: Floats
    """Residual value received inside the horizon per block, ``[N, T]``."""
    terminal_musd: Floats
    """Residual value at the end of the horizon per block, not yet discounted, ``[N]``."""
    start_month: Ints
    """First month in which the block earns, ``[N]``."""
    end_month: Ints
    """First month after its life, ``[N]``."""

    @property
    def count(self) -> int:
        """Number of possible orders, N."""
        return len(self.option)


def build_gpu_orders(portfolio: Portfolio, calendar: Calendar, expected: Expectations) -> GpuOrders:
    """Every order that the terms allow, in the order of options, then sites, then months."""
    horizon, months = portfolio.horizon, calendar.month_count
    keys: list[tuple[int, int, int]] = []
    columns: list[tuple[Any, ...]] = []
    for g, option in enumerate(portfolio.gpu_options):
        first, last = horizon.index_of(option.order_from_month), horizon.index_of(option.order_until_month)
        for name in option.sites:
            site = portfolio.site(name)
            margin = block_margin_musd(option, expected.gpus[option.name, name])
            for month in calendar.sign_months:
                start = month + option.lead_months
                leased = leased_until(site, horizon, start + option.life_months)
                if first <= month <= last and start < months and leased:
                    keys.append((g, portfolio.site_index[name], int(month)))
                    columns.append(_profile(option, int(month), margin, months))
    index = np.array(keys, dtype=np.int64).reshape(-1, 3)
    stacked = [np.array(column).reshape(len(keys), -1) for column in zip(*columns, strict=True)]
    reserved, displaced, earned, capex, residual, terminal = stacked or [np.zeros((0, months))] * 6
    option_index, site_index, order_month = index.T
    lead = np.array([item.lead_months for item in portfolio.gpu_options], dtype=np.int64)
    life = np.array([item.life_months for item in portfolio.gpu_options], dtype=np.int64)
    start_month = order_month + lead[option_index]
    return GpuOrders(
        option=option_index,
        site=site_index,
        order_month=order_month,
        reserved_mw=reserved,
        displaced_mw=displaced,
        margin_musd=earned,
        capex_musd=capex,
        residual_musd=residual,
        terminal_musd=terminal.reshape(-1),
        start_month=start_month,
        end_month=start_month + life[option_index],
    )


def leased_until(site: Site, horizon: Horizon, end: int) -> bool:
    """Whether a site's lease lasts until a block's end, or that of the horizon."""
    return site.lease_end_month is None or horizon.index_of(site.lease_end_month) >= min(end, horizon.month_count)


def block_margin_musd(option: GpuOption, values: GpuValues) -> Floats:
    """Expected margin of one block by month, while it is live."""
    return np.asarray((values.margin_usd - option.opex_usd_per_gpu_month * option.block_gpu_count) / USD_PER_MUSD)


def _profile(option: GpuOption, order: int, margin: Floats, months: int) -> tuple[Any, ...]:
    """One order by month: reserved and displaced MW, margin, capex, residual inside the horizon and after it."""
    start = order + option.lead_months
    end = start + option.life_months
    time = np.arange(months)
    live = (time >= start) & (time < end)
    critical = option.block_critical_mw
    gpus = option.capex_usd_per_gpu * option.block_gpu_count / USD_PER_MUSD
    fit_out = option.fit_out_usd_per_critical_mw * critical / USD_PER_MUSD
    return (
        live * critical * option.grid_mw_per_critical_mw,
        (time >= order) * critical * option.halls_displaced_mw_per_critical_mw,
        live * margin,
        (time == order) * (gpus + fit_out),
        *residual_musd(gpus, option.residual_frac, start, end, months),
    )


def residual_musd(price_musd: float, residual_frac: float, start: int, end: int, months: int) -> tuple[Floats, Floats]:
    """What GPUs are worth at the end of their life, by month in the horizon, or else at the horizon's end."""
    age = min(end, months) - start
    value = price_musd * (1.0 - (1.0 - residual_frac) * age / (end - start))
    return (np.arange(months) == end) * value, np.array(value if end >= months else 0.0)
