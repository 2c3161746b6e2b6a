"""Checks of what stands at the sites: power, halls, openings, GPU blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.audit.book import NEVER, Book
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import EXACT, MW_TOLERANCE, Worst
from optimizer.domain import AuditCheck


def site_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """Power, halls and openings."""
    book, use = recalculation.book, recalculation.use
    if use.used_mw.any() or use.sold_mw.any():
        power = Worst("power within the import limit", "MW")
        power.add_array(use.used_mw + use.sold_mw - use.grid_mw, MW_TOLERANCE, book.where)
        yield from power.checks()
    if use.sold_mw.any():
        terms = [site.power.sell_back for site in book.portfolio.sites]
        months = book.portfolio.horizon.months
        most = np.array([[item.maximum_mw_at(month) if item else 0.0 for month in months] for item in terms])
        sold = Worst("power sold back within its terms", "MW")
        sold.add_array(np.maximum(use.sold_mw - most, -use.sold_mw), MW_TOLERANCE, book.where)
        yield from sold.checks()
    yield from _halls(recalculation)
    yield from _openings(book)
    yield from _gpu_orders(book)


def _halls(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """Running machines fit beside the displaced halls; where a site cannot be used, none run."""
    book, use = recalculation.book, recalculation.use
    if not (use.running_hall_mw.any() or use.displaced_hall_mw.any()):
        return
    use_of_halls = use.running_hall_mw + use.displaced_hall_mw
    excess = np.where(book.usable(), use_of_halls - use.hall_mw, use.running_hall_mw)
    worst = Worst("machines and displaced halls within the halls", "MW")
    worst.add_array(excess, MW_TOLERANCE, book.where)
    yield from worst.checks()


def _openings(book: Book) -> Iterator[AuditCheck]:
    horizon = book.portfolio.horizon
    worst = Worst("sites opened when they can be", "months")
    for s, site in enumerate(book.portfolio.sites):
        month = int(book.opened[s])
        if site.opening is not None and month != NEVER:
            early = horizon.index_of(site.opening.earliest_month) - month
            outside = max(-month, month - (horizon.month_count - 1))
            off_grid = month % horizon.sign_every_months
            worst.add(max(early, outside, off_grid), EXACT, book.where(s, month))
    yield from worst.checks()


def _gpu_orders(book: Book) -> Iterator[AuditCheck]:
    horizon = book.portfolio.horizon
    dates = Worst("GPU blocks ordered when they can be", "months")
    usable = Worst("sites of GPU blocks usable while they stand", "months")
    counts = Worst("GPU blocks within their number, at their sites", "1")
    ordered: dict[str, int] = {}
    for blocks in book.gpu_blocks:
        option, where = blocks.option, f"{blocks.label}, ordered {book.month_name(blocks.order)}"
        early = max(horizon.index_of(option.order_from_month), 0) - blocks.order
        late = blocks.order - min(horizon.index_of(option.order_until_month), horizon.month_count - 1)
        after_horizon = blocks.first - (horizon.month_count - 1)
        dates.add(max(early, late, after_horizon, blocks.order % horizon.sign_every_months), EXACT, where)
        usable.add(
            unusable_months(book, blocks.site_index, blocks.order, min(blocks.end, horizon.month_count)), EXACT, where
        )
        ordered[option.name] = ordered.get(option.name, 0) + blocks.block_count
        counts.add(float(blocks.site.name not in option.sites), EXACT, where)
        counts.add(1 - blocks.block_count, EXACT, where)
    for name, count in ordered.items():
        counts.add(count - book.portfolio.gpu_options_by_name[name].maximum_block_count, EXACT, name)
    for worst in (dates, usable, counts):
        yield from worst.checks()
    yield from _refreshes(book)


def _refreshes(book: Book) -> Iterator[AuditCheck]:
    """New GPUs earn in the horizon, at a site that can be used as long, in the place of old ones."""
    length = book.portfolio.horizon.month_count
    dates = Worst("GPU blocks refreshed when they can be", "months")
    counts = Worst("no more GPU blocks refreshed than ordered", "1")
    for blocks in book.refreshed_blocks:
        where = f"{blocks.label}, ordered {book.month_name(blocks.order)}"
        unusable = unusable_months(book, blocks.site_index, blocks.paid, min(blocks.end, length))
        dates.add(max(blocks.first - (length - 1), unusable), EXACT, where)
    for order in book.decisions.gpu_orders:
        excess = max(order.refreshed_block_count - order.block_count, -order.refreshed_block_count)
        counts.add(excess, EXACT, f"{order.gpu_option} at {order.site}, ordered {order.order_month:%Y-%m}")
    yield from dates.checks()
    if book.refreshed_blocks:
        yield from counts.checks()


def unusable_months(book: Book, site_index: int, first: int, end: int) -> int:
    """Months of ``first <= month < end`` in which a site cannot be used."""
    late = min(int(book.usable_from[site_index]), end) - first
    return max(late, 0) + max(end - max(int(book.usable_until[site_index]), first), 0)
