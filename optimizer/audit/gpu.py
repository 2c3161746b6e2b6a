"""Own GPUs: the margin of a block at the best power cap, its capex, its residual value, its MW."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from optimizer.audit.book import Book, GpuBlocks
from optimizer.audit.paths import EnergyPrices, FloatArray
from optimizer.curves import CAP_CURVES
from optimizer.domain import GpuOption, Horizon
from optimizer.units import KW_PER_MW


@dataclass(frozen=True, slots=True, eq=False)
class GpuMoney:
    """Use and expected cash of all blocks; costs are negative."""

    gpu_mw: FloatArray
    """Grid MW reserved, ``[S, T]``."""
    displaced_halls_mw: FloatArray
    """``[S, T]``."""
    margin_usd: FloatArray
    """Rental less what is lost to scale, energy and opex, ``[T]``."""
    spent_usd: FloatArray
    """GPUs and fit-out, ``[T]``, negative."""
    residual_usd: FloatArray
    """Residual values received inside the horizon, ``[T]``."""
    residual_at_end_usd: float
    """Residual values of blocks that outlast the horizon, or end with it."""


def gpu_money(book: Book, energy: EnergyPrices) -> GpuMoney:
    """Use and expected cash of the GPU blocks of a plan."""
    portfolio, length = book.portfolio, book.portfolio.horizon.month_count
    gpu_mw, displaced = np.zeros((2, len(portfolio.sites), length))
    margin, spent, residual = np.zeros((3, length))
    residual_at_end = 0.0
    known: dict[tuple[str, str, bool, int], float] = {}
    for blocks in book.gpu_blocks:
        option = blocks.option
        displaced[blocks.site_index, max(blocks.order, 0) :] += (
            blocks.critical_mw * option.halls_displaced_mw_per_critical_mw
        )
        if 0 <= blocks.order < length:
            spent[blocks.order] -= blocks.critical_mw * option.fit_out_usd_per_critical_mw
    for blocks in (*book.gpu_blocks, *book.refreshed_blocks):
        s, connected_mw = blocks.site_index, blocks.critical_mw * blocks.option.grid_mw_per_critical_mw
        if 0 <= blocks.paid < length:
            spent[blocks.paid] -= blocks.gpus_usd
        if blocks.refresh is not None:
            gpu_mw[s, max(blocks.paid, 0) : max(blocks.first, 0)] += connected_mw
        for month in range(max(blocks.first, 0), min(blocks.end, length)):
            gpu_mw[s, month] += connected_mw * blocks.power_factor
            key = (blocks.option.name, blocks.site.name, blocks.refresh is not None, month)
            if key not in known:
                known[key] = gpu_margin_usd(blocks, portfolio.horizon, month, energy)
            margin[month] += blocks.gpu_count * known[key]
        value = residual_usd(blocks, length)
        if 0 <= blocks.end < length:
            residual[blocks.end] += value
        else:
            residual_at_end += value
    margin -= _scale_loss_usd(book, energy)
    return GpuMoney(gpu_mw, displaced, margin, spent, residual, residual_at_end)


def residual_usd(blocks: GpuBlocks, month_count: int) -> float:
    """Value of the GPUs at the end of their life or of the horizon, on a straight line over their life."""
    age = max(min(blocks.end, month_count) - blocks.first, 0)
    return blocks.gpus_usd * (1.0 - (1.0 - blocks.option.residual_frac) * age / blocks.life_months)


def gpu_margin_usd(blocks: GpuBlocks, horizon: Horizon, month: int, energy: EnergyPrices) -> float:
    """Expected rental less energy and opex of one GPU in a month: the best cap in every scenario, or off."""
    billed_usd, energy_mwh = _at_best_cap(blocks, horizon, month, energy)
    price = energy.at(blocks.site.name).mean_usd_per_mwh(month)
    return float((billed_usd - price * energy_mwh).mean()) - blocks.option.opex_usd_per_gpu_month


def gpu_energy_mwh(blocks: GpuBlocks, horizon: Horizon, month: int, energy: EnergyPrices) -> float:
    """Expected energy at the meter of one GPU in a month, at the cap that is best in each scenario, or off."""
    return float(_at_best_cap(blocks, horizon, month, energy)[1].mean())


def gpu_billed_usd(blocks: GpuBlocks, horizon: Horizon, month: int, energy: EnergyPrices) -> float:
    """Expected billing of one GPU in a month, at the cap that is best in each scenario, or off."""
    return float(_at_best_cap(blocks, horizon, month, energy)[0].mean())


def _at_best_cap(
    blocks: GpuBlocks, horizon: Horizon, month: int, energy: EnergyPrices
) -> tuple[FloatArray, FloatArray]:
    """Billing in USD and energy in MWh of one GPU in every scenario, at the best cap or off, ``[W]`` each."""
    option, site = blocks.option, blocks.site
    paths, curve = energy.paths, CAP_CURVES[option.cap_curve]
    hours = float(paths.hours_in_month[month])
    pue = site.hosting_pue_at(horizon.month_at(month)) if option.pue is None else option.pue
    rental = blocks.throughput_factor * option.rental_usd_per_gpu_hour.at(horizon.start_month, horizon.month_at(month))
    billed_usd = rental * paths.gpu_rental_multiplier[month] * hours * option.utilisation_frac * option.goodput_frac
    full_mwh = hours * option.power_kw_per_gpu * blocks.power_factor / KW_PER_MW * pue
    price = energy.at(site.name).mean_usd_per_mwh(month)
    caps = [(0.0, 0.0), *zip(curve.throughput_frac, curve.power_frac, strict=True)]
    gained = np.array([billed_usd * throughput - price * full_mwh * power for throughput, power in caps])
    throughput_frac, power_frac = np.array(caps)[gained.argmax(axis=0)].T
    is_open = energy.at(site.name).open_frac(month)
    return billed_usd * throughput_frac * is_open, full_mwh * power_frac * is_open


def _scale_loss_usd(book: Book, energy: EnergyPrices) -> FloatArray:
    """Expected billing lost by blocks that share a site with others of their option and generation, ``[T]``."""
    horizon = book.portfolio.horizon
    lost = np.zeros(horizon.month_count)
    live: Counter[tuple[tuple[str, str, bool], int]] = Counter()
    one: dict[tuple[str, str, bool], GpuBlocks] = {}
    for blocks in (*book.gpu_blocks, *book.refreshed_blocks):
        same = (blocks.option.name, blocks.site.name, blocks.refresh is not None)
        one[same] = blocks
        for month in range(max(blocks.first, 0), min(blocks.end, horizon.month_count)):
            live[same, month] += blocks.block_count
    for (same, month), count in live.items():
        blocks = one[same]
        missing = sum(1.0 - _share_frac(blocks.option, number) for number in range(1, count + 1))
        if missing:
            lost[month] += missing * blocks.option.block_gpu_count * gpu_billed_usd(blocks, horizon, month, energy)
    return lost


def _share_frac(option: GpuOption, number: int) -> float:
    """What the block of this number at a site bills, over the first: the share of the last tranche that has begun."""
    return next((item.share_frac for item in reversed(option.scale_curve) if item.from_block <= number), 1.0)
