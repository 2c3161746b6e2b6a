"""Checks of the machines: nothing negative, stock, arrivals, transit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from optimizer.audit.book import Book, MachineClass
from optimizer.audit.mining import move_arrives, purchase_arrives, worthwhile_modes
from optimizer.audit.paths import FloatArray
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import Worst, machines_tolerance
from optimizer.domain import AuditCheck, Horizon, Period


def machine_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """All checks of machines, over all classes."""
    book = recalculation.book
    owned = sum(float(machines.initial.sum() + machines.bought.sum()) for machines in book.machines)
    tolerance = machines_tolerance(owned)
    checks: dict[str, Worst] = {}
    for machines in book.machines:
        for name, deviation in _deviations(machines, book.portfolio.horizon):
            worst = checks.setdefault(name, Worst(name, "machines"))
            worst.add_array(deviation, tolerance, lambda *at, label=machines.label: f"{_where(book, *at)}: {label}")
    for worst in checks.values():
        yield from worst.checks()


def _where(book: Book, *at: int) -> str:
    """Position by site and period, or by period alone."""
    period = book.portfolio.horizon.periods[at[-1]]
    return book.where(at[0], period.first) if len(at) > 1 else book.month_name(period.first)


def _deviations(machines: MachineClass, horizon: Horizon) -> Iterator[tuple[str, FloatArray]]:
    """What there is to check of a class: name of the check and deviations by site and period, or by period."""
    periods = horizon.periods
    flows = [machines.stock, machines.bought, machines.sold, machines.moved_out, machines.moved_in]
    least = np.minimum(np.min(flows, axis=0), machines.running.min(axis=2))
    yield "no number of machines is negative", -least
    yield "stock of machines follows from what came and went", _unexplained_stock(machines, periods)
    if machines.running.any():
        yield "machines running are in stock", machines.running.sum(axis=2) - machines.stock
        dominated = sorted(set(range(len(machines.model.modes))) - set(worthwhile_modes(machines.model.modes)))
        if dominated:
            yield "machines run only in modes that pay", machines.running[:, :, dominated].sum(axis=2)
    if machines.moved_out.any() or machines.moved_in.any():
        yield "machines in transit arrive in time", _unexplained_arrivals(machines, periods)
    if machines.moved_out.any() or machines.bought.any():
        yield "machines ordered or moved arrive inside the horizon", _late(machines, periods)
    traded = machines.bought + machines.sold + machines.moved_out
    if traded.any():
        off_grid = np.array([period.first % horizon.sign_every_months > 0 for period in periods])
        yield "machines trade on the signing grid", traded * off_grid
    if machines.bought.any():
        for_sale = machines.model.purchasable and machines.condition_frac == 1.0
        yield "machines bought are for sale", machines.bought * float(not for_sale)


def _unexplained_stock(machines: MachineClass, periods: Sequence[Period]) -> FloatArray:
    """Stock against the period before it and what came and went, ``[S, P]``."""
    arrived = np.zeros(machines.stock.shape)
    for ordered in range(len(periods)):
        arrival = purchase_arrives(machines, periods, ordered)
        if arrival is not None:
            arrived[:, arrival] += machines.bought[:, ordered]
    before = np.column_stack([machines.initial, machines.stock[:, :-1]])
    expected = before + arrived + machines.moved_in - machines.sold - machines.moved_out
    return np.abs(machines.stock - expected)


def _unexplained_arrivals(machines: MachineClass, periods: Sequence[Period]) -> FloatArray:
    """Machines that arrive against those that left in time, all sites together, ``[P]``."""
    due = np.zeros(len(periods))
    for leaves in range(len(periods)):
        arrival = move_arrives(machines, periods, leaves)
        if arrival is not None:
            due[arrival] += machines.moved_out[:, leaves].sum()
    return np.asarray(np.abs(machines.moved_in.sum(axis=0) - due))


def _late(machines: MachineClass, periods: Sequence[Period]) -> FloatArray:
    """Machines ordered or sent off that would arrive after the horizon, ``[S, P]``."""
    late = np.zeros(machines.stock.shape)
    for period in range(len(periods)):
        if purchase_arrives(machines, periods, period) is None:
            late[:, period] += machines.bought[:, period]
        if move_arrives(machines, periods, period) is None:
            late[:, period] += machines.moved_out[:, period]
    return late
