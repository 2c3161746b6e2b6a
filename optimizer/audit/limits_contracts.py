"""Checks of every contract on its own: dates, place, size, and how often it is signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from optimizer.audit.book import Book
from optimizer.audit.contract import Contract
from optimizer.audit.limits_sites import unusable_months
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import EXACT, MW_TOLERANCE, Worst
from optimizer.domain import AuditCheck


def contract_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """All checks of single contracts."""
    book = recalculation.book
    horizon, freeze = book.portfolio.horizon, book.portfolio.policy.freeze_until_month
    once = Worst("no offer is signed twice", "1")
    window = Worst("contracts signed inside their window", "months")
    grid = Worst("contracts signed on the signing grid", "months")
    frozen = Worst("nothing new is signed before the freeze ends", "months")
    energized = Worst("contracts energized in time", "months")
    usable = Worst("sites of contracts usable from building to the end of the term", "months")
    size = Worst("contracts within their MW", "MW")
    ends = Worst("what is let again or converted back is of the contract, on its terms", "MW")
    for contract in book.contracts:
        offer, where = contract.offer, f"{contract.label}, signed {book.month_name(contract.sign)}"
        early = max(horizon.index_of(offer.sign_from_month), 0) - contract.sign
        late = contract.sign - min(contract.latest_sign, horizon.month_count - 1)
        window.add(max(early, late), EXACT, where)
        grid.add(contract.sign % horizon.sign_every_months, EXACT, where)
        if freeze is not None:
            bound = _mandatory_with_month(book, contract)
            frozen.add(0 if bound else horizon.index_of(freeze) - contract.sign, EXACT, where)
        latest = horizon.month_count - 1
        if offer.energize_by_month is not None:
            latest = min(latest, horizon.index_of(offer.energize_by_month))
        energized.add(contract.energize - latest, EXACT, where)
        usable.add(unusable_months(book, contract.site_index, contract.build_start, contract.end), EXACT, where)
        outside = max(offer.minimum_mw - contract.critical_mw, contract.critical_mw - offer.maximum_mw)
        size.add(outside, MW_TOLERANCE, where)
        if contract.reconverted_mw or contract.re_leased_mw:
            ends.add(_beyond_its_end_mw(contract), MW_TOLERANCE, where)
    for name, count in Counter(contract.offer.name for contract in book.contracts).items():
        once.add(count - 1, EXACT, name)
    for worst in (once, window, grid, frozen, energized, usable, size, ends):
        yield from worst.checks()


def _beyond_its_end_mw(contract: Contract) -> float:
    """Critical MW at the end of the term that are not there, or for which there are no terms, or not in time."""
    back, again = contract.reconverted_mw, contract.re_leased_mw
    most_again = contract.critical_mw if contract.let_again else 0.0
    return max(
        back + again - contract.critical_mw, back - contract.most_reconverted_mw, again - most_again, -back, -again
    )


def _mandatory_with_month(book: Book, contract: Contract) -> bool:
    """Whether the owner demands this contract in this month."""
    month = book.portfolio.horizon.month_at(contract.sign)
    return any(
        item.offer == contract.offer.name and item.sign_month == month and item.site in (None, contract.site.name)
        for item in book.portfolio.policy.mandatory
    )
