"""Sums of a plan that more than one part of the page shows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from optimizer.domain.outcome import CapacityRow, CashFlowRow
from optimizer.domain.plan import Plan

USES = ("mining", "hosting", "gpu", "sold", "idle")
"""Uses of a site's MW, in the order in which they are stacked."""
USE_NAMES = {"mining": "Mining", "hosting": "Hosting", "gpu": "Own GPUs", "sold": "Sold back", "idle": "Idle"}
LEAST_MW = 0.05
"""Less than this is shown as nothing."""
LEAST_MACHINES = 0.5


@dataclass(frozen=True, slots=True)
class Use:
    """MW at the meter by use in one month, at one site or at all."""

    month: dt.date
    grid_mw: float
    mining_mw: float
    hosting_mw: float
    gpu_mw: float
    sold_mw: float
    idle_mw: float
    hashrate_eh_s: float

    def of(self, use: str) -> float:
        """MW of one use."""
        return float(getattr(self, f"{use}_mw"))


def use_by_site(plan: Plan) -> dict[str, list[Use]]:
    """Months of every site, in order."""
    rows: dict[str, list[Use]] = defaultdict(list)
    for row in sorted(plan.capacity, key=lambda row: row.month):
        rows[row.site].append(_sum(row.month, [row]))
    return {site: rows[site] for site in dict.fromkeys(row.site for row in plan.capacity)}


def use_of_company(plan: Plan) -> list[Use]:
    """Months of all sites together, in order."""
    rows: dict[dt.date, list[CapacityRow]] = defaultdict(list)
    for row in plan.capacity:
        rows[row.month].append(row)
    return [_sum(month, rows[month]) for month in sorted(rows)]


def _sum(month: dt.date, rows: Iterable[CapacityRow]) -> Use:
    rows = list(rows)
    return Use(
        month,
        sum(row.grid_mw for row in rows),
        sum(row.mining_mw for row in rows),
        sum(row.hosting_mw for row in rows),
        sum(row.gpu_mw for row in rows),
        sum(row.sold_mw for row in rows),
        sum(row.idle_mw for row in rows),
        sum(row.hashrate_eh_s for row in rows),
    )


def mean_by_year(use: list[Use]) -> dict[int, Use]:
    """Mean MW of each calendar year."""
    years: dict[int, list[Use]] = defaultdict(list)
    for row in use:
        years[row.month.year].append(row)
    means = {}
    for year, rows in years.items():
        mean = [sum(getattr(row, name) for row in rows) / len(rows) for name in Use.__slots__[1:]]
        means[year] = Use(dt.date(year, 1, 1), *mean)
    return means


@dataclass(frozen=True, slots=True)
class CashLine:
    """One line of the cash flow as the page shows it."""

    name: str
    colour: str
    """Name of the colour: the business line's."""
    pattern: str
    """Hatching: investment and trade are hatched, running cash is solid."""
    usd: Callable[[CashFlowRow], float]


CASH_LINES = (
    CashLine("Mining margin", "mining", "", lambda row: row.mining_margin_usd),
    CashLine(
        "Machines bought, sold, moved",
        "mining",
        "/",
        lambda row: row.machine_purchases_usd + row.machine_sales_usd + row.machine_moves_usd,
    ),
    CashLine("Mining halls", "mining", "x", lambda row: row.hall_capex_usd),
    CashLine("Power sold back", "mining", "x", lambda row: row.power_sales_usd),
    CashLine("Hosting income", "hosting", "", lambda row: row.hosting_noi_usd + row.hosting_prepayments_usd),
    CashLine("Hosting capex", "hosting", "/", lambda row: row.hosting_capex_usd),
    CashLine("Buildings", "hosting", "x", lambda row: row.building_capex_usd),
    CashLine("GPU margin", "gpu", "", lambda row: row.gpu_margin_usd),
    CashLine("GPU capex", "gpu", "/", lambda row: row.gpu_capex_usd),
    CashLine("Site costs and overhead", "corporate", "", lambda row: row.site_costs_usd + row.overhead_usd),
    CashLine("Site openings", "corporate", "/", lambda row: row.opening_capex_usd),
    CashLine("Grid steps brought forward", "corporate", "/", lambda row: row.interconnect_capex_usd),
    CashLine("Carbon", "corporate", ".", lambda row: row.carbon_usd),
    CashLine("Corporate tax", "corporate", "x", lambda row: row.corporate_tax_usd),
    CashLine("Debt drawn", "debt", "/", lambda row: row.debt_draws_usd),
    CashLine("Debt service", "debt", "", lambda row: row.debt_service_usd),
)


def cash_by_year(plan: Plan) -> dict[int, dict[str, float]]:
    """Cash of each calendar year by line; lines that are zero throughout are left out."""
    years: dict[int, dict[str, float]] = {}
    for row in plan.cash_flow:
        year = years.setdefault(row.month.year, dict.fromkeys((line.name for line in CASH_LINES), 0.0))
        for line in CASH_LINES:
            year[line.name] += line.usd(row)
    used = {name for year in years.values() for name, usd in year.items() if usd}
    return {year: {name: usd for name, usd in lines.items() if name in used} for year, lines in sorted(years.items())}


def lowest_cash(plan: Plan) -> CashFlowRow | None:
    """The month with the least cash at its end."""
    return min(plan.cash_flow, key=lambda row: row.cash_usd, default=None)


def owner_capex_usd(plan: Plan) -> float:
    """What is spent on contracts, machines, GPUs, openings and works at sites, before debt; positive."""
    return -sum(
        row.hosting_capex_usd
        + row.machine_purchases_usd
        + row.gpu_capex_usd
        + row.opening_capex_usd
        + row.interconnect_capex_usd
        + row.hall_capex_usd
        + row.building_capex_usd
        for row in plan.cash_flow
    )


@dataclass(frozen=True, slots=True)
class FleetMove:
    """What happened in one year to one ASIC model at one site."""

    year: int
    site: str
    asic_model: str
    bought: float
    sold: float
    moved_out: float
    moved_in: float


def fleet_moves(plan: Plan) -> list[FleetMove]:
    """Machines bought, sold and moved by year, site and model, in that order; conditions together."""
    sums: dict[tuple[int, str, str], list[float]] = defaultdict(lambda: [0.0] * 4)
    for item in plan.decisions.machines:
        total = sums[item.month.year, item.site, item.asic_model]
        for index, moved in enumerate((item.bought_count, item.sold_count, item.moved_out_count, item.moved_in_count)):
            total[index] += moved
    return [
        FleetMove(*key, *total) for key, total in sorted(sums.items()) if any(item >= LEAST_MACHINES for item in total)
    ]
