"""Checks of what is done to the sites themselves: grid steps brought forward."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.audit.book import Book
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.works import step_months
from optimizer.audit.worst import EXACT, Worst
from optimizer.domain import AuditCheck


def work_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """All checks of works at sites."""
    yield from _grid_advances(recalculation.book)


def _grid_advances(book: Book) -> Iterator[AuditCheck]:
    """Within their terms, decided when they can be, and in order."""
    horizon = book.portfolio.horizon
    dates = Worst("grid steps brought forward when they can be", "months")
    order = Worst("grid steps come in order", "months")
    months = step_months(book.portfolio, book.grid_advances)
    for item in book.grid_advances:
        outside = max(-item.decided, item.decided - (horizon.month_count - 1), item.decided % horizon.sign_every_months)
        length = max(item.advance_months - item.terms.maximum_months, 1 - item.advance_months)
        dates.add(max(outside, length), EXACT, item.label)
        if item.step:
            order.add(months[item.site_index][item.step - 1] - item.month, EXACT, item.label)
    for worst in (dates, order):
        yield from worst.checks()
