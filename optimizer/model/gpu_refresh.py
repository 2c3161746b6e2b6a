"""Coefficients of refreshed GPU blocks: for every order that can be, what one block pays, costs and reserves then.

Follows "Own GPUs" in ``docs/explanation/economics.md``. Money in million USD per block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.domain.gpu import GpuOption, GpuRefresh
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.expectations import Expectations
from optimizer.model.gpu import GpuOrders, block_margin_musd, leased_until, residual_musd
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class GpuRefreshes:
    """All orders whose blocks can be refreshed in the horizon; N of them."""

    order: Ints
    """Position of the order, ``[N]``."""
    option: Ints
    """Index of the GPU option, ``[N]``."""
    site: Ints
    """Index of the site, ``[N]``."""
    start_month: Ints
    """First month in which the new GPUs earn, ``[N]``."""
    end_month: Ints
    """First month after their life, ``[N]``."""
    live: NDArray[np.bool_]
    """Months in which they earn, ``[N, T]``."""
    reserved_mw: Floats
    """Grid MW that stay reserved per block after the life of its old GPUs, ``[N, T]``."""
    margin_musd: Floats
    """Expected margin per block, ``[N, T]``."""
    capex_musd: Floats
    """Capex per block, ``[N, T]``."""
    residual_musd: Floats
    """Residual value of the new GPUs received inside the horizon per block, ``[N, T]``."""
    terminal_musd: Floats
    """Their residual value at the end of the horizon per block, not yet discounted, ``[N]``."""

    @property
    def count(self) -> int:
        """Number of possible refreshes, N."""
        return len(self.order)


def build_gpu_refreshes(
    portfolio: Portfolio, calendar: Calendar, expected: Expectations, orders: GpuOrders
) -> GpuRefreshes:
    """Every refresh that the terms allow, in the order of the orders."""
    months = calendar.month_count
    chosen: list[tuple[int, int, int]] = []
    columns: list[tuple[Any, ...]] = []
    for i, (g, s, ended) in enumerate(zip(orders.option, orders.site, orders.end_month.tolist(), strict=True)):
        option, site = portfolio.gpu_options[g], portfolio.sites[s]
        if option.refresh is None:
            continue
        start = ended + option.refresh.downtime_months
        end = start + option.refresh.life_months
        if start < months and leased_until(site, portfolio.horizon, end):
            chosen.append((i, start, end))
            margin = block_margin_musd(option, expected.refreshed_gpus[option.name, site.name])
            columns.append(_profile(option, option.refresh, ended, margin, months))
    order, start_month, end_month = np.array(chosen, dtype=np.int64).reshape(-1, 3).T
    stacked = [np.array(column).reshape(len(chosen), -1) for column in zip(*columns, strict=True)]
    live, reserved, earned, capex, residual, terminal = stacked or [np.zeros((0, months))] * 6
    return GpuRefreshes(
        order=order,
        option=orders.option[order],
        site=orders.site[order],
        start_month=start_month,
        end_month=end_month,
        live=live.astype(bool),
        reserved_mw=reserved,
        margin_musd=earned,
        capex_musd=capex,
        residual_musd=residual,
        terminal_musd=terminal.reshape(-1),
    )


def _profile(option: GpuOption, refresh: GpuRefresh, ended: int, margin: Floats, months: int) -> tuple[Any, ...]:
    """One refresh by month: live, reserved MW, margin, capex, residual inside the horizon and after it."""
    start = ended + refresh.downtime_months
    end = start + refresh.life_months
    time = np.arange(months)
    live = (time >= start) & (time < end)
    waiting = (time >= ended) & (time < start)
    connected_mw = option.block_critical_mw * option.grid_mw_per_critical_mw
    gpus = refresh.capex_usd_per_gpu * option.block_gpu_count / USD_PER_MUSD
    return (
        live,
        (waiting + live * refresh.power_factor) * connected_mw,
        live * margin,
        (time == ended) * gpus,
        *residual_musd(gpus, option.residual_frac, start, end, months),
    )
