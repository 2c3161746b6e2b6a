"""Checks of the owner's rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.audit.book import Book
from optimizer.audit.changes import changes_made, placement_label
from optimizer.audit.contract import Contract
from optimizer.audit.limits_orders import order_checks
from optimizer.audit.paths import FloatArray
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import CARBON_TOLERANCE_FRAC, EXACT, HASHRATE_TOLERANCE_EH_S, MW_TOLERANCE, Worst
from optimizer.domain import AuditCheck, Placement
from optimizer.domain.policy import DomesticBasis


def policy_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """All rules that the owner stated."""
    book = recalculation.book
    yield from _groups(book)
    yield from _placements(book)
    yield from order_checks(book)
    yield from _changes(book)
    yield from _parallel_builds(book)
    yield from _concentration(recalculation)
    yield from _domestic_share(recalculation)
    yield from _minimum_hashrate(recalculation)
    yield from _carbon(recalculation)


def _groups(book: Book) -> Iterator[AuditCheck]:
    signed = {contract.offer.name for contract in book.contracts}
    exclusive = Worst("exclusive groups respected", "1")
    for group in book.portfolio.policy.exclusive_groups:
        exclusive.add(len(signed & set(group.offers)) - group.maximum_count, EXACT, group.name)
    whole = Worst("all-or-nothing groups signed whole or not at all", "1")
    for bound in book.portfolio.policy.all_or_nothing_groups:
        missing = set(bound.offers) - signed
        whole.add(len(missing) if missing != set(bound.offers) else 0, EXACT, bound.name)
    yield from exclusive.checks()
    yield from whole.checks()


def _placements(book: Book) -> Iterator[AuditCheck]:
    mandatory = Worst("mandatory contracts signed", "1")
    for item in book.portfolio.policy.mandatory:
        found = any(_matches(book, item, contract) for contract in book.contracts)
        mandatory.add(float(not found), EXACT, placement_label(item))
    forbidden = Worst("forbidden contracts not signed", "1")
    for item in book.portfolio.policy.forbidden:
        found = any(_matches(book, item, contract) for contract in book.contracts)
        forbidden.add(float(found), EXACT, placement_label(item))
    yield from mandatory.checks()
    yield from forbidden.checks()


def _matches(book: Book, item: Placement, contract: Contract) -> bool:
    """Whether a contract is at a place and time; what is left open always matches."""
    month = book.portfolio.horizon.month_at(contract.sign)
    return (
        item.offer == contract.offer.name
        and item.site in (None, contract.site.name)
        and item.sign_month in (None, month)
    )


def _changes(book: Book) -> Iterator[AuditCheck]:
    """Contracts dropped or changed in site or month, and contracts of offers that are new, within their number."""
    rule = book.portfolio.policy.contract_changes
    if rule is None or rule.maximum_count is None:
        return
    changed = changes_made(book)
    worst = Worst("changes of contracts within their number", "1")
    worst.add(len(changed) - rule.maximum_count, EXACT, ", ".join(changed))
    yield from worst.checks()


def _parallel_builds(book: Book) -> Iterator[AuditCheck]:
    worst = Worst("contracts under construction within their number", "1")
    for limit in book.portfolio.policy.parallel_builds:
        built = [c for c in book.contracts if limit.region in (None, c.site.region)]
        months = range(book.portfolio.horizon.month_count)
        count = np.array([sum(contract.under_construction(month) for contract in built) for month in months])
        region = limit.region or "all sites"
        worst.add_array(
            count - float(limit.maximum_count),
            EXACT,
            lambda t, region=region: f"{region} {book.month_name(t)}",
        )
    yield from worst.checks()


def _concentration(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """Dependence on single tenants and countries, as a share of the import limits of the sites that need no opening."""
    book, use = recalculation.book, recalculation.use
    portfolio, months = book.portfolio, book.portfolio.horizon.months
    open_sites = [site for site in portfolio.sites if site.opening is None]
    total = np.array([sum(site.grid_mw_at(month) for site in open_sites) for month in months])
    tenants = Worst("MW of single tenants within their limit", "MW")
    for limit in portfolio.policy.tenant_limits:
        reserved = np.zeros(len(months))
        for contract in book.contracts:
            if contract.offer.tenant == limit.tenant:
                reserved += [contract.grid_mw(month) for month in range(len(months))]
        excess = reserved - limit.maximum_share_frac * total
        tenants.add_array(excess, MW_TOLERANCE, lambda t, name=limit.tenant: f"{name} {book.month_name(t)}")
    countries = Worst("MW of single countries within their limit", "MW")
    for cap in portfolio.policy.country_limits:
        excess = _of_country(book, use.used_mw, cap.country) - cap.maximum_share_frac * total
        countries.add_array(excess, MW_TOLERANCE, lambda t, name=cap.country: f"{name} {book.month_name(t)}")
    yield from tenants.checks()
    yield from countries.checks()


def _of_country(book: Book, by_site: FloatArray, country: str) -> FloatArray:
    """Sum over the sites of a country, ``[T]``."""
    return np.asarray(by_site[[site.country == country for site in book.portfolio.sites]].sum(axis=0))


def _domestic_share(recalculation: Recalculation) -> Iterator[AuditCheck]:
    book = recalculation.book
    rule, horizon = book.portfolio.policy.domestic_share, book.portfolio.horizon
    if rule is None:
        return
    first = max(horizon.index_of(rule.from_month), 0) if rule.from_month is not None else 0
    by_power = rule.basis is DomesticBasis.POWER
    running = recalculation.use.used_mw if by_power else recalculation.use.hashrate_eh_s
    missing = rule.minimum_share_frac * running.sum(axis=0) - _of_country(book, running, rule.country)
    worst = Worst("share at home kept", "MW" if by_power else "EH/s")
    worst.add_array(
        missing[first:],
        MW_TOLERANCE if by_power else HASHRATE_TOLERANCE_EH_S,
        lambda t: f"{rule.country} {book.month_name(first + t)}",
    )
    yield from worst.checks()


def _minimum_hashrate(recalculation: Recalculation) -> Iterator[AuditCheck]:
    book = recalculation.book
    horizon = book.portfolio.horizon
    hashrate = recalculation.use.hashrate_eh_s.sum(axis=0)
    worst = Worst("least hashrate kept", "EH/s")
    for rule in book.portfolio.policy.minimum_hashrate:
        first = max(horizon.index_of(rule.from_month), 0) if rule.from_month is not None else 0
        end = horizon.index_of(rule.until_month) + 1 if rule.until_month is not None else horizon.month_count
        worst.add_array(
            rule.minimum_eh_s - hashrate[first : max(end, first)],
            HASHRATE_TOLERANCE_EH_S,
            lambda t, first=first: book.month_name(first + t),
        )
    yield from worst.checks()


def _carbon(recalculation: Recalculation) -> Iterator[AuditCheck]:
    worst = Worst("carbon within its caps", "t")
    for row in recalculation.carbon:
        if row.maximum_t is not None:
            worst.add(row.caused_t - row.maximum_t, CARBON_TOLERANCE_FRAC * max(row.caused_t, 1.0), str(row.year))
    yield from worst.checks()
