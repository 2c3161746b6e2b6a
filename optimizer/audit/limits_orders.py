"""Checks of what the owner demands of GPU orders and openings, and of what is frozen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from optimizer.audit.book import Book
from optimizer.audit.worst import EXACT, Worst
from optimizer.domain import AuditCheck, GpuOrder
from optimizer.domain.policy import ContractChanges


def order_checks(book: Book) -> Iterator[AuditCheck]:
    """Mandatory orders and openings are there; before the freeze ends there are no others."""
    policy, ordered = book.portfolio.policy, _blocks(book.decisions.gpu_orders)
    opened = {item.site: item.month for item in book.decisions.site_openings}
    demanded = _blocks(policy.mandatory_gpu_orders)
    placed = Worst("mandatory GPU orders and openings placed", "1")
    refreshed, kept = _refreshed(book.decisions.gpu_orders), _refreshed(policy.mandatory_gpu_orders)
    for key, count in demanded.items():
        missing = max(count - ordered[key], kept[key] - refreshed[key])
        placed.add(missing, EXACT, f"{key[0]} at {key[1]}, ordered {key[2]}")
    for item in policy.mandatory_openings:
        placed.add(float(opened.get(item.site) != item.month), EXACT, f"{item.site} {item.month:%Y-%m}")
    frozen = Worst("nothing new is ordered or opened before the freeze ends", "1")
    until = policy.freeze_orders_until_month
    if until is not None:
        bound = {(item.site, item.month) for item in policy.mandatory_openings}
        for key, count in ordered.items():
            if key[2] < f"{until:%Y-%m}":
                frozen.add(count - demanded[key], EXACT, f"{key[0]} at {key[1]}, ordered {key[2]}")
        for blocks in book.refreshed_blocks:
            key = (blocks.option.name, blocks.site.name, book.month_name(blocks.order))
            if blocks.paid < book.portfolio.horizon.index_of(until):
                frozen.add(refreshed[key] - kept[key], EXACT, f"{key[0]} at {key[1]}, ordered {key[2]}, refreshed")
        for site, month in opened.items():
            if month < until:
                frozen.add(float((site, month) not in bound), EXACT, f"{site} {month:%Y-%m}")
    yield from placed.checks()
    yield from frozen.checks()


def changed_orders(book: Book, rule: ContractChanges) -> list[str]:
    """Each GPU block, each refresh of one, and each opening that is dropped, added or changed, by name."""
    changed: list[str] = []
    for told, count_of in (("a block", _blocks), ("a refresh", _refreshed)):
        before, now = count_of(rule.previous_gpu_orders), count_of(book.decisions.gpu_orders)
        for option in book.portfolio.gpu_options:
            kept = sum(min(count, now[key]) for key, count in before.items() if key[0] == option.name)
            most = max(sum(count for key, count in some.items() if key[0] == option.name) for some in (before, now))
            changed += [f"{told} of {option.name}"] * (most - kept)
    was, is_now = ({item.site: item.month for item in some} for some in
                   (rule.previous_openings, book.decisions.site_openings))  # fmt: skip
    changed += [f"opening of {site}" for site in {**was, **is_now} if was.get(site) != is_now.get(site)]
    return changed


def _blocks(orders: tuple[GpuOrder, ...]) -> Counter[tuple[str, str, str]]:
    """Blocks by option, site and month."""
    total: Counter[tuple[str, str, str]] = Counter()
    for item in orders:
        total[item.gpu_option, item.site, f"{item.order_month:%Y-%m}"] += item.block_count
    return total


def _refreshed(orders: tuple[GpuOrder, ...]) -> Counter[tuple[str, str, str]]:
    """Blocks that are refreshed, likewise."""
    return _blocks(tuple(item.model_copy(update={"block_count": item.refreshed_block_count}) for item in orders))
