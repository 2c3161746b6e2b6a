"""Costs of the company, discounting, and the NPV by business line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from optimizer.audit.book import Book
from optimizer.audit.contract import ContractMoney
from optimizer.audit.gpu import GpuMoney
from optimizer.audit.mining import MiningMoney
from optimizer.audit.paths import FloatArray
from optimizer.domain import Finance, ProjectDebt
from optimizer.units import MONTHS_PER_YEAR

LINES: Final[Mapping[str, tuple[str, ...]]] = {
    "mining": (
        "mining_margin_usd",
        "machine_purchases_usd",
        "machine_sales_usd",
        "machine_moves_usd",
        "hall_capex_usd",
        "power_sales_usd",
    ),
    "hosting": ("hosting_noi_usd", "hosting_prepayments_usd", "hosting_capex_usd", "building_capex_usd"),
    "gpu": ("gpu_margin_usd", "gpu_capex_usd"),
    "corporate": (
        "site_costs_usd",
        "opening_capex_usd",
        "interconnect_capex_usd",
        "overhead_usd",
        "carbon_usd",
        "corporate_tax_usd",
    ),
    "debt": ("debt_draws_usd", "debt_service_usd"),
}
"""The columns of the cash flow that each business line discounts."""

EARNINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "mining": ("mining_margin_usd", "power_sales_usd"),
    "hosting": ("hosting_noi_usd",),
    "gpu": ("gpu_margin_usd",),
    "cost": ("site_costs_usd", "overhead_usd", "carbon_usd"),
}
"""The columns of the cash flow that are earnings, by column of the earnings."""

Columns = dict[str, FloatArray]
"""Expected cash by column of the cash flow, ``[T]`` each; costs are negative."""


def effective_interest_per_year(terms: ProjectDebt | None) -> float:
    """Interest that is paid monthly, compounded over a year: at it a loan is worth what it draws."""
    monthly = terms.interest_per_year_frac / MONTHS_PER_YEAR if terms is not None else 0.0
    return float((1.0 + monthly) ** MONTHS_PER_YEAR - 1.0)


def discount_per_year_frac(finance: Finance, line: str) -> float:
    """Rate at which a business line is discounted."""
    rates = {
        "mining": finance.discount.mining_per_year_frac,
        "hosting": finance.discount.hosting_per_year_frac,
        "gpu": finance.discount.gpu_per_year_frac,
        "corporate": finance.discount.corporate_per_year_frac,
        "debt": effective_interest_per_year(finance.project_debt),
    }
    return rates[line]


def discount_factors(finance: Finance, line: str, length: int) -> FloatArray:
    """Worth today of a dollar at the end of each of ``length`` months."""
    rate = discount_per_year_frac(finance, line)
    return np.asarray((1.0 + rate) ** (-(np.arange(length) + 1.0) / MONTHS_PER_YEAR))


def company_columns(book: Book) -> Columns:
    """Fixed costs of sites, openings, works at sites and overhead."""
    portfolio = book.portfolio
    length, finance = portfolio.horizon.month_count, portfolio.finance
    fixed = np.array([site.fixed_opex_usd_per_month for site in portfolio.sites])
    opened = [(book.opened[s], site.opening.capex_usd) for s, site in enumerate(portfolio.sites) if site.opening]
    growth = (1.0 + finance.overhead_growth_per_year_frac) ** (np.arange(length) / MONTHS_PER_YEAR)
    return {
        "site_costs_usd": -(fixed @ book.usable()),
        "opening_capex_usd": _paid(opened, length),
        "interconnect_capex_usd": _paid([(item.decided, item.price_usd) for item in book.grid_advances], length),
        "hall_capex_usd": _paid([*_hall_prices(book)], length),
        "building_capex_usd": _paid([part for item in book.buildings for part in item.payments], length),
        "overhead_usd": -finance.overhead_usd_per_month * growth,
    }


def _hall_prices(book: Book) -> Iterator[tuple[int, float]]:
    """Month and price of halls added, and of halls converted back at the end of a contract."""
    for item in book.added_halls:
        yield item.order, item.price_usd
    for contract in book.contracts:
        terms = contract.place.reconversion
        if terms is not None and contract.reconverted_mw:
            halls_mw = contract.reconverted_mw * contract.place.halls_displaced_mw_per_critical_mw
            yield contract.end, halls_mw * terms.usd_per_hall_mw


def _paid(prices: Iterable[tuple[int, float]], length: int) -> FloatArray:
    """Prices by the month in which they are paid, negative; those outside the horizon are left out."""
    cash = np.zeros(length)
    for month, usd in prices:
        if 0 <= month < length:
            cash[month] -= usd
    return cash


def horizon_npv_usd(finance: Finance, columns: Columns) -> dict[str, float]:
    """Discounted cash of the horizon by line."""
    return {
        line: sum(float(discount_factors(finance, line, columns[name].size) @ columns[name]) for name in names)
        for line, names in LINES.items()
    }


def terminal_npv_usd(
    book: Book, mining: MiningMoney, contracts: Sequence[ContractMoney], gpu: GpuMoney, last_debt_usd: float
) -> dict[str, float]:
    """What counts after the horizon, by line, discounted."""
    finance, length = book.portfolio.finance, book.portfolio.horizon.month_count

    def at_end(line: str) -> float:
        return float(discount_factors(finance, line, length)[-1])

    return {
        "mining": mining.resale_at_end_usd * at_end("mining") + _mining_tail_npv_usd(book, mining),
        "hosting": sum(contract_tail_npv_usd(finance, money, length) for money in contracts),
        "gpu": gpu.residual_at_end_usd * at_end("gpu"),
        "corporate": 0.0,
        "debt": -last_debt_usd * at_end("debt"),
    }


def contract_npv_usd(finance: Finance, money: ContractMoney, month_count: int) -> float:
    """Expected NPV of a contract on the hosting line, tail included."""
    cash = (money.noi_usd + money.re_lease_usd + money.prepayment_usd + money.capex_usd + money.refit_usd)[:month_count]
    inside = float(discount_factors(finance, "hosting", month_count) @ cash)
    return inside + contract_tail_npv_usd(finance, money, month_count)


def contract_tail_npv_usd(finance: Finance, money: ContractMoney, month_count: int) -> float:
    """Worth of a contract after the horizon: the counted share of its income, less all capex still to be paid."""
    income = money.noi_usd + money.re_lease_usd + money.prepayment_usd
    counted = finance.terminal.contract_tail_frac * income + money.capex_usd
    factors = discount_factors(finance, "hosting", counted.size)
    return float(factors[month_count:] @ counted[month_count:])


def _mining_tail_npv_usd(book: Book, mining: MiningMoney) -> float:
    """Worth of the last month's margin in the months counted after the horizon, where the lease still lasts."""
    finance, length = book.portfolio.finance, book.portfolio.horizon.month_count
    until = length + finance.terminal.mining_tail_months
    factors = discount_factors(finance, "mining", until)
    return sum(
        float(factors[month]) * float(mining.margin_usd[month < book.usable_until, -1].sum())
        for month in range(length, until)
    )
