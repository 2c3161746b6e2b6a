"""Checks of the balance sheet: budgets, liquidity, debt."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimizer.audit.debt import coverage_shortfall_usd, full_balance_usd
from optimizer.audit.paths import IntArray
from optimizer.audit.recalculate import Recalculation
from optimizer.audit.worst import Worst, money_tolerance_usd
from optimizer.domain import AuditCheck


def money_checks(recalculation: Recalculation) -> Iterator[AuditCheck]:
    """Budgets, liquidity, debt outstanding and the debt of every contract."""
    yield from _budgets(recalculation)
    book, objective = recalculation.book, recalculation.objective_usd
    finance = book.portfolio.finance
    ends = np.array([period.last for period in book.portfolio.horizon.periods])
    liquidity = Worst("cash above the liquidity floor", "USD")
    floor = finance.minimum_liquidity_usd
    liquidity.add_array(
        floor - recalculation.cash_usd[ends],
        money_tolerance_usd(objective, floor),
        lambda p: book.month_name(int(ends[p])),
    )
    yield from liquidity.checks()
    yield from _stresses(recalculation, ends)
    least = book.portfolio.risk.minimum_cvar_usd
    if least is not None and recalculation.cvar_usd is not None:
        cvar = Worst("CVaR above its floor", "USD")
        cvar.add(least - recalculation.cvar_usd, money_tolerance_usd(objective, least), "risk.minimum_cvar_usd")
        yield from cvar.checks()
    if finance.project_debt is not None and finance.project_debt.maximum_debt_usd is not None:
        limit = finance.project_debt.maximum_debt_usd
        outstanding = Worst("debt outstanding within its limit", "USD")
        outstanding.add_array(
            recalculation.debt_usd[ends] - limit,
            money_tolerance_usd(objective, limit),
            lambda p: book.month_name(int(ends[p])),
        )
        yield from outstanding.checks()
    yield from _project_debt(recalculation)


def _stresses(recalculation: Recalculation, ends: IntArray) -> Iterator[AuditCheck]:
    book = recalculation.book
    worst = Worst("cash above the liquidity floor in every stress", "USD")
    for stress, cash_usd in zip(book.portfolio.finance.stresses, recalculation.stress_cash_usd, strict=True):
        worst.add_array(
            stress.minimum_liquidity_usd - cash_usd[ends],
            money_tolerance_usd(recalculation.objective_usd, stress.minimum_liquidity_usd),
            lambda p, name=stress.name: f"{name} {book.month_name(int(ends[p]))}",
        )
    yield from worst.checks()


def _budgets(recalculation: Recalculation) -> Iterator[AuditCheck]:
    book = recalculation.book
    horizon = book.portfolio.horizon
    worst = Worst("capex within its budgets", "USD")
    for budget in book.portfolio.finance.capex_budgets:
        first = max(horizon.index_of(budget.from_month), 0)
        end = min(horizon.index_of(budget.until_month) + 1, horizon.month_count)
        if first < end:
            spent = float(recalculation.capex_usd[first:end].sum())
            tolerance = money_tolerance_usd(recalculation.objective_usd, budget.maximum_capex_usd)
            worst.add(spent - budget.maximum_capex_usd, tolerance, budget.name)
    yield from worst.checks()


def _project_debt(recalculation: Recalculation) -> Iterator[AuditCheck]:
    book, terms = recalculation.book, recalculation.book.portfolio.finance.project_debt
    cost = Worst("project debt within its share of the capex", "USD")
    coverage = Worst("income covers debt service", "USD")
    tolerance = money_tolerance_usd(recalculation.objective_usd)
    for contract, money in zip(book.contracts, recalculation.contract_money, strict=True):
        if contract.debt_usd == 0.0:
            continue
        most, owed = 0.0, contract.debt_usd
        if terms is not None and contract.owner_capex_usd > 0.0:
            owed = full_balance_usd(contract, money.capex_usd, terms)
            most = terms.loan_to_cost_frac * (contract.owner_capex_usd + owed - contract.debt_usd)
        cost.add(max(owed - most, -contract.debt_usd), tolerance, contract.label)
        if terms is not None and terms.minimum_dscr > 0.0:
            missing, month = coverage_shortfall_usd(contract, money, terms)
            if np.isfinite(missing):
                coverage.add(missing, tolerance, f"{contract.label}, {book.month_name(month)}")
    yield from cost.checks()
    yield from coverage.checks()
