"""A plan that breaks no rule, in a portfolio that states every rule, with room to tighten each."""

from __future__ import annotations

from typing import Any

import numpy as np
from audit_cases import asic, offer, place, site

from optimizer.audit import Claims
from optimizer.domain import Decisions, Portfolio, validated

PERIODS = ["2027-01", "2027-02", "2027-03", "2027-04", "2027-05", "2027-06", "2027-07", "2027-10"]
"""Six months, then two quarters."""


def stated_portfolio() -> dict[str, Any]:
    """Two open sites, one to open abroad, and every kind of limit, each with room; long because it is data."""
    return {
        "name": "case",
        "horizon": {
            "start_month": "2027-01",
            "segments": [{"months_per_period": 1, "period_count": 6}, {"months_per_period": 3, "period_count": 2}],
            "sign_every_months": 2,
        },
        "sites": [
            site("A", grid=[{"from_month": "2026-01", "grid_mw": 30.0}], hall_mw=6.0),
            site("B", grid=[{"from_month": "2026-01", "grid_mw": 20.0}], hall_mw=3.0, region="US-NY"),
            site(
                "C",
                country="CA",
                region="CA-QC",
                grid=[{"from_month": "2026-01", "grid_mw": 5.0}],
                hall_mw=2.0,
                opening={"earliest_month": "2027-01", "capex_usd": 1e5, "lead_months": 2},
            ),
        ],
        "asic_models": [asic(purchasable=True, delivery_lead_months=2)],
        "fleets": [
            {"asic_model": "M", "site": "A", "count": 1000},
            {"asic_model": "M", "site": "C", "count": 100},
        ],
        "offers": [
            offer("O1", term_months=6, sites=[place("A", build_months=1, halls_displaced_mw_per_critical_mw=0.05)]),
            offer("O2", sites=[place("A"), place("B")]),
            offer(
                "O3",
                tenant="T3",
                critical_mw=None,
                minimum_critical_mw=5.0,
                maximum_critical_mw=8.0,
                term_months=8,
                sites=[place("B", build_months=2)],
            ),
        ],
        "gpu_options": [
            {
                "name": "G",
                "gpu_model": "GB300",
                "sites": ["A", "C"],
                "block_gpu_count": 100,
                "maximum_block_count": 1,
                "order_from_month": "2027-01",
                "order_until_month": "2027-06",
                "capex_usd_per_gpu": 1000.0,
                "fit_out_usd_per_critical_mw": 0.0,
                "power_kw_per_gpu": 1.0,
                "lead_months": 2,
                "life_months": 6,
                "rental_usd_per_gpu_hour": 1.0,
                "utilisation_frac": 0.8,
            }
        ],
        "market": {"btc_usd": 1e5, "network_eh_s": 1000.0, "block_height_at_start": 930_000},
        "finance": {
            "opening_cash_usd": 1e8,
            "minimum_liquidity_usd": 5e7,
            "capex_budgets": [
                {"name": "2027", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 2e7}
            ],
            "project_debt": {
                "loan_to_cost_frac": 0.5,
                "interest_per_year_frac": 0.12,
                "amortization_months": 10,
                "minimum_dscr": 1.2,
                "maximum_debt_usd": 5e6,
            },
        },
        "policy": {
            "exclusive_groups": [{"name": "one of two", "offers": ["O1", "O2"]}],
            "all_or_nothing_groups": [{"name": "both", "offers": ["O1", "O3"]}],
            "mandatory": [{"offer": "O1"}, {"offer": "O3", "sign_month": "2027-01"}],
            "forbidden": [{"offer": "O2", "site": "B"}, {"offer": "O1", "sign_month": "2027-01"}],
            "parallel_builds": [{"region": "US-TX", "maximum_count": 1}],
            "tenant_limits": [{"tenant": "T1", "maximum_share_frac": 0.5}],
            "technology_limits": [
                {"use": "hosting", "maximum_share_frac": 0.9},
                {"asic_models": ["M"], "maximum_share_frac": 1.0, "from_month": "2027-03"},
            ],
            "country_limits": [{"country": "US", "maximum_share_frac": 0.9}],
            "domestic_share": {"country": "US", "minimum_share_frac": 0.8},
            "minimum_hashrate": [{"minimum_eh_s": 0.1}],
            "freeze_until_month": "2027-03",
            "contract_changes": {
                "previous": [
                    {"offer": "O1", "site": "A", "sign_month": "2027-03"},
                    {"offer": "O3", "site": "B", "sign_month": "2027-03"},
                ],
                "maximum_count": 1,
            },
        },
    }


def machine_row(where: str, period: int, stock: float, running: float) -> dict[str, Any]:
    return {
        "site": where,
        "asic_model": "M",
        "month": PERIODS[period],
        "stock_count": stock,
        "running": [{"mode": 2, "machine_count": running}],
    }


def stated_decisions() -> dict[str, Any]:
    """O1 and O3 signed, machines bought, moved from A to B and sold, a GPU block at A, C opened."""
    machines = {}
    for p in range(len(PERIODS)):
        machines["A", p] = machine_row("A", p, [1000, 1000, 900, 900][p] if p < 4 else 850, 800)
        machines["C", p] = machine_row("C", p, 100, 100 if p >= 2 else 0)
        if p >= 3:
            machines["B", p] = machine_row("B", p, 200, 200)
    machines["A", 0]["bought_count"] = 100
    machines["A", 2]["moved_out_count"] = 200
    machines["B", 3]["moved_in_count"] = 200
    machines["A", 4]["sold_count"] = 50
    return {
        "contracts": [
            {"offer": "O1", "site": "A", "sign_month": "2027-03", "critical_mw": 10.0, "debt_usd": 1e6},
            {"offer": "O3", "site": "B", "sign_month": "2027-01", "critical_mw": 6.0},
        ],
        "machines": list(machines.values()),
        "gpu_orders": [{"gpu_option": "G", "site": "A", "order_month": "2027-03", "block_count": 1}],
        "site_openings": [{"site": "C", "month": "2027-01"}],
    }


def row_of(decisions: dict[str, Any], where: str, period: int) -> dict[str, Any]:
    return next(row for row in decisions["machines"] if (row["site"], row["month"]) == (where, PERIODS[period]))


def read(portfolio: dict[str, Any], decisions: dict[str, Any]) -> tuple[Portfolio, Decisions]:
    return validated(Portfolio, portfolio, "portfolio"), validated(Decisions, decisions, "decisions")


def set_at(data: dict[str, Any], path: str, value: object) -> None:
    """Set ``finance.project_debt.minimum_dscr`` or ``sites.0.hall_mw``."""
    *parts, last = path.split(".")
    for part in parts:
        data = data[int(part)] if part.isdigit() else data[part]  # type: ignore[index]
    data[int(last) if last.isdigit() else last] = value  # type: ignore[index]


def claims_of(found) -> Claims:
    """What a model says that agrees with the recalculation."""
    periods = found.book.portfolio.horizon.periods
    ends = [period.last for period in periods]

    def most(by_month):
        return np.column_stack([by_month[:, list(period.months)].max(axis=1) for period in periods])

    return Claims(
        objective_usd=found.npv.total_usd,
        npv_by_line_usd={line: getattr(found.npv, f"{line}_usd") for line in ("mining", "hosting", "gpu", "debt")},
        cash_usd=found.cash_usd[ends],
        debt_usd=found.debt_usd[ends],
        mining_mw=most(found.use.mining_mw),
        hosting_mw=most(found.use.hosting_mw),
        gpu_mw=most(found.use.gpu_mw),
    )
