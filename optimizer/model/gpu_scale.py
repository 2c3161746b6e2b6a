"""Coefficients of what GPU blocks lose to scale: for every stretch of months and tranche, the billing that is lost.

Follows "Own GPUs" in ``docs/explanation/economics.md``. Money in million USD per block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from optimizer.curves.throughput import GpuValues
from optimizer.domain.gpu import GpuOption
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.gpu import GpuOrders
from optimizer.model.gpu_refresh import GpuRefreshes
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class ScaledBlocks:
    """All (option, site, stretch of months, tranche after the first), N of them.

    In the months of a stretch blocks of the same orders are live; the tranches of a stretch stand together, in R rows.
    """

    option: Ints
    """Index of the GPU option, ``[N]``."""
    site: Ints
    """Index of the site, ``[N]``."""
    first_month: Ints
    """First month of the stretch, ``[N]``."""
    from_block: Ints
    """Number of the first block of the tranche, ``[N]``."""
    most_blocks: Floats
    """Blocks of the tranche, ``[N]``."""
    lost_musd: Floats
    """Expected billing that a block of the tranche loses, ``[N, T]``."""
    row: Ints
    """Row of each tranche, ``[N]``."""
    live: tuple[Ints, ...]
    """Positions of the orders, or refreshes, whose blocks are live in the stretch of each row, ``[R]``."""
    full_blocks: Floats
    """Blocks that bill in full, ``[R]``."""

    @property
    def count(self) -> int:
        """Number of tranches, N."""
        return len(self.option)


def build_scaled_blocks(
    portfolio: Portfolio,
    calendar: Calendar,
    expected: Mapping[tuple[str, str], GpuValues],
    blocks: GpuOrders | GpuRefreshes,
) -> ScaledBlocks:
    """Every tranche that blocks of one generation can reach, in the order of options, then sites, then months."""
    months = calendar.month_count
    keys: list[tuple[int, int, int, int, int]] = []
    most: list[int] = []
    lost: list[Floats] = []
    live: list[Ints] = []
    full: list[int] = []
    for g, option in enumerate(portfolio.gpu_options):
        tranches = _tranches(option)
        for name in option.sites if tranches else ():
            s = portfolio.site_index[name]
            placed = np.flatnonzero((blocks.option == g) & (blocks.site == s))
            if not len(placed):
                continue
            billed = expected[option.name, name].revenue_usd / USD_PER_MUSD
            for first, until, ours in _stretches(placed, blocks, months):
                inside = (np.arange(months) >= first) & (np.arange(months) < until)
                for from_block, count, share in tranches:
                    keys.append((g, s, first, from_block, len(live)))
                    most.append(count)
                    lost.append((1.0 - share) * billed * inside)
                live.append(ours)
                full.append(tranches[0][0] - 1)
    option_index, site_index, first_month, from_block_number, row = np.array(keys, dtype=np.int64).reshape(-1, 5).T
    return ScaledBlocks(
        option=option_index,
        site=site_index,
        first_month=first_month,
        from_block=from_block_number,
        most_blocks=np.array(most, dtype=float),
        lost_musd=np.array(lost).reshape(-1, months),
        row=row,
        live=tuple(live),
        full_blocks=np.array(full, dtype=float),
    )


def lost_blocks(option: GpuOption, live: Floats) -> Floats:
    """Blocks' worth of billing that is lost to scale where ``live`` blocks stand at one site."""
    lost = np.zeros(live.shape)
    for from_block, count, share in _tranches(option):
        lost += (1.0 - share) * np.clip(live - (from_block - 1), 0.0, count)
    return lost


def _tranches(option: GpuOption) -> list[tuple[int, int, float]]:
    """First block, number of blocks and share of each tranche after the first that there are blocks for."""
    past = option.maximum_block_count + 1
    edges = [*[min(tranche.from_block, past) for tranche in option.scale_curve], past]
    return [
        (begin, end - begin, tranche.share_frac)
        for tranche, (begin, end) in zip(option.scale_curve, pairwise(edges), strict=True)
        if 1 < begin < past
    ]


def _stretches(ours: Ints, blocks: GpuOrders | GpuRefreshes, months: int) -> list[tuple[int, int, Ints]]:
    """First month, month after the last, and live orders of every stretch in which any is live."""
    start, end = blocks.start_month[ours], np.minimum(blocks.end_month[ours], months)
    edges = np.unique(np.concatenate([start, end])).tolist()
    live = [(first, until, ours[(start <= first) & (end > first)]) for first, until in pairwise(edges)]
    return [item for item in live if len(item[2])]
