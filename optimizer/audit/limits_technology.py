"""Checks of limits on single uses of power and sorts of machines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.audit.book import Book
from optimizer.audit.paths import FloatArray
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import HASHRATE_TOLERANCE_EH_S, MW_TOLERANCE, Worst
from optimizer.domain import AuditCheck
from optimizer.units import TH_PER_EH


def technology_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """MW of a use against the import limits of the open sites, hashrate of machines against that of all."""
    book, used = recalculation.book, recalculation.use
    portfolio = book.portfolio
    months = portfolio.horizon.months
    there = np.array([sum(site.grid_mw_at(month) for site in portfolio.sites if not site.opening) for month in months])
    drawn = {"mining": used.mining_mw, "hosting": used.hosting_mw, "gpu": used.gpu_mw}
    uses = Worst("MW of single uses within their limit", "MW")
    machines = Worst("hashrate of single sorts of machines within their limit", "EH/s")
    for limit in portfolio.policy.technology_limits:
        first = max(portfolio.horizon.index_of(limit.from_month), 0) if limit.from_month is not None else 0
        if limit.use is not None:
            excess = drawn[limit.use].sum(axis=0) - limit.maximum_share_frac * there
            worst, tolerance, name = uses, MW_TOLERANCE, limit.use.value
        else:
            all_of_them = _hashrate_eh_s(book, tuple(portfolio.asic_models_by_name))
            theirs = tuple(model.name for model in portfolio.asic_models if model.manufacturer == limit.manufacturer)
            named = theirs if limit.manufacturer is not None else limit.asic_models
            excess = _hashrate_eh_s(book, named) - limit.maximum_share_frac * all_of_them
            worst, tolerance, name = machines, HASHRATE_TOLERANCE_EH_S, limit.manufacturer or ", ".join(named)
        worst.add_array(
            excess[first:], tolerance, lambda t, name=name, first=first: f"{name} {book.month_name(first + t)}"
        )
    yield from uses.checks()
    yield from machines.checks()


def _hashrate_eh_s(book: Book, models: tuple[str, ...]) -> FloatArray:
    """Running hashrate of the machines of some models at their ceiling modes, with condition, ``[T]``."""
    total = np.zeros(len(book.portfolio.horizon.periods))
    for machines in book.machines:
        if machines.model.name in models:
            rates = np.array([mode.hashrate_th_s for mode in machines.model.modes])
            total += (machines.running @ rates).sum(axis=0) * machines.condition_frac / TH_PER_EH
    return np.asarray(total[list(book.portfolio.horizon.period_of_month)])
