"""Checks of what is done to the sites themselves: grid steps brought forward, halls added, buildings."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.audit.book import NEVER, Book
from optimizer.audit.limits_sites import unusable_months
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.works import step_months
from optimizer.audit.worst import EXACT, MW_TOLERANCE, Worst
from optimizer.domain import AuditCheck


def work_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """All checks of works at sites."""
    yield from _grid_advances(recalculation.book)
    yield from _added_halls(recalculation.book)
    yield from _buildings(recalculation)
    yield from _placements(recalculation.book)


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


def _added_halls(book: Book) -> Iterator[AuditCheck]:
    """Ordered when they can be, ready in the horizon, at sites in use, no more than there may be."""
    horizon = book.portfolio.horizon
    dates = Worst("halls ordered when they can be", "months")
    usable = Worst("sites of halls usable from the order until they are ready", "months")
    size = Worst("halls added within their MW", "MW")
    total: dict[str, float] = {}
    for item in book.added_halls:
        where = f"{item.site.name}, ordered {book.month_name(item.order)}"
        early = max(horizon.index_of(item.terms.earliest_month), 0) - item.order
        late = max(item.order, item.ready) - (horizon.month_count - 1)
        dates.add(max(early, late, item.order % horizon.sign_every_months), EXACT, where)
        usable.add(unusable_months(book, item.site_index, item.order, item.ready + 1), EXACT, where)
        size.add(-item.hall_mw, MW_TOLERANCE, where)
        total[item.site.name] = total.get(item.site.name, 0.0) + item.hall_mw
        size.add(total[item.site.name] - item.terms.maximum_mw, MW_TOLERANCE, item.site.name)
    for worst in (dates, usable, size):
        yield from worst.checks()


def _buildings(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """Begun when they can be, finished in the horizon, at sites in use, with space for all that needs it."""
    book, use = recalculation.book, recalculation.use
    horizon = book.portfolio.horizon
    dates = Worst("buildings begun when they can be", "months")
    usable = Worst("sites of buildings usable until they are finished", "months")
    for item in book.buildings:
        early = max(horizon.index_of(item.terms.earliest_month), 0) - item.order
        late = max(item.order, item.ready) - (horizon.month_count - 1)
        dates.add(max(early, late, item.order % horizon.sign_every_months), EXACT, item.label)
        usable.add(unusable_months(book, item.site_index, item.order, item.ready + 1), EXACT, item.label)
    space = Worst("contracts that need a building within the space of the finished ones", "MW")
    if use.in_buildings_mw.any():
        space.add_array(use.in_buildings_mw - use.space_mw, MW_TOLERANCE, book.where)
    for worst in (dates, usable, space):
        yield from worst.checks()


def _placements(book: Book) -> Iterator[AuditCheck]:
    """Mandatory works are done; before the freeze ends no others are decided."""
    policy, horizon = book.portfolio.policy, book.portfolio.horizon
    done = Worst("mandatory works at sites done", "1")
    halls = Worst("mandatory halls ordered", "MW")
    frozen = Worst("no work at a site decided before the freeze ends", "1")
    more = Worst("no halls ordered before the freeze ends", "MW")
    for advance in policy.mandatory_grid_advances:
        done.add(float(advance not in book.decisions.grid_advances), EXACT, advance.told)
    for building in policy.mandatory_building_orders:
        done.add(float(building not in book.decisions.building_orders), EXACT, building.told)
    ordered = {(item.site, item.month): item.hall_mw for item in book.decisions.hall_orders}
    demanded = {(item.site, item.month): item.hall_mw for item in policy.mandatory_hall_orders}
    for order in policy.mandatory_hall_orders:
        halls.add(order.hall_mw - ordered.get((order.site, order.month), 0.0), MW_TOLERANCE, order.told)
    end = horizon.index_of(policy.freeze_works_until_month) if policy.freeze_works_until_month is not None else -NEVER
    for step, stated in zip(book.grid_advances, book.decisions.grid_advances, strict=True):
        if step.decided < end:
            frozen.add(float(stated not in policy.mandatory_grid_advances), EXACT, step.label)
    for work, begun in zip(book.buildings, book.decisions.building_orders, strict=True):
        if work.order < end:
            frozen.add(float(begun not in policy.mandatory_building_orders), EXACT, work.label)
    for (name, month), mw in ordered.items():
        if horizon.index_of(month) < end:
            more.add(mw - demanded.get((name, month), 0.0), MW_TOLERANCE, f"{name} {month:%Y-%m}")
    for worst in (done, halls, frozen, more):
        yield from worst.checks()
