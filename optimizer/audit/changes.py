"""Changes against a previous plan: which there are, and what is taken off the objective for them."""

from __future__ import annotations

from optimizer.audit.book import Book
from optimizer.audit.limits_orders import changed_orders
from optimizer.domain import Placement
from optimizer.domain.policy import ChangeHurdle


def changes_made(book: Book) -> list[str]:
    """Each contract that is dropped, added or changed in site or month, and orders where they count, by name."""
    rule = book.portfolio.policy.contract_changes
    if rule is None:
        return []
    kept = {(c.offer.name, c.site.name, book.portfolio.horizon.month_at(c.sign)) for c in book.contracts}
    changed = [placement_label(item) for item in rule.previous if (item.offer, item.site, item.sign_month) not in kept]
    before = {item.offer for item in rule.previous}
    changed += [contract.label for contract in book.contracts if contract.offer.name not in before]
    return changed + (changed_orders(book, rule) if rule.counts_orders else [])


def hurdle_of(book: Book) -> ChangeHurdle | None:
    """What is taken off the objective; None where changes have no price."""
    rule = book.portfolio.policy.contract_changes
    if rule is None or not rule.cost_usd_per_change:
        return None
    return ChangeHurdle(change_count=len(changes_made(book)), cost_usd_per_change=rule.cost_usd_per_change)


def hurdle_cost_usd(book: Book) -> float:
    """The same in USD."""
    hurdle = hurdle_of(book)
    return hurdle.cost_usd if hurdle is not None else 0.0


def placement_label(item: Placement) -> str:
    """A placement in words."""
    place = f" at {item.site}" if item.site is not None else ""
    return f"{item.offer}{place}{f', signed {item.sign_month:%Y-%m}' if item.sign_month is not None else ''}"
