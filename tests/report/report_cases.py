"""Plans made by hand, as small as a report can be about."""

from __future__ import annotations

import datetime as dt
from typing import Any

from optimizer.domain.base import add_months
from optimizer.domain.decisions import (
    BuildingOrder,
    Decisions,
    GpuOrder,
    GridAdvance,
    HallOrder,
    MachineDecision,
    SiteOpening,
)
from optimizer.domain.options import SolveOptions
from optimizer.domain.outcome import (
    BusinessAsUsual,
    CapacityRow,
    CashFlowRow,
    ContractOutcome,
    EarningsRow,
    NpvBreakdown,
    NpvDistribution,
    Quantile,
)
from optimizer.domain.plan import Plan
from optimizer.domain.proof import (
    AuditCheck,
    AuditReport,
    FilledIn,
    Limit,
    Manifest,
    ModelSize,
    Seconds,
    Termination,
    TerminationReason,
    Version,
)

START = dt.date(2027, 1, 1)
MONTHS = 18
ZERO_CASH = {name: 0.0 for name, field in CashFlowRow.model_fields.items() if name != "month"}


def contract(index: int = 0, **changes: Any) -> ContractOutcome:
    sign = add_months(START, index)
    values: dict[str, Any] = {
        "offer": f"offer-{index}",
        "tenant": f"Tenant {index}",
        "site": f"Site {index % 2}",
        "critical_mw": 10.0 + index,
        "grid_mw": 13.0 + index,
        "sign_month": sign,
        "build_start_month": add_months(sign, 2),
        "energize_month": add_months(sign, 8),
        "full_energize_month": add_months(sign, 11),
        "end_month": add_months(sign, 128),
        "owner_capex_usd": 50e6,
        "debt_usd": 20e6,
        "first_year_rent_usd": 12e6,
        "npv_usd": 8e6,
    }
    return ContractOutcome(**(values | changes))


def check(name: str = "power within the import limit", deviation: float = 0.0, **changes: Any) -> AuditCheck:
    values = {"name": name, "unit": "MW", "largest_deviation": deviation, "tolerance": 1e-6, "where": "Site 0 2027-03"}
    return AuditCheck(**(values | changes))


def manifest(name: str = "by hand") -> Manifest:
    return Manifest(
        portfolio_name=name,
        portfolio_sha256="ab" * 32,
        options=SolveOptions(),
        versions=(Version(component="capacity-optimizer", version="0.1.0"),),
        model_size=ModelSize(rows=1_234, columns=567, integers=8, nonzeros=9_012),
        timings=(Seconds(stage="solve", seconds=1.5),),
    )


def capacity(site: str, grid_mw: float = 100.0) -> list[CapacityRow]:
    rows = []
    for index in range(MONTHS):
        hosting = 0.3 * grid_mw if index >= 8 else 0.0
        used = {"mining_mw": 0.5 * grid_mw, "hosting_mw": hosting, "gpu_mw": 0.0, "idle_mw": 0.5 * grid_mw - hosting}
        month = add_months(START, index)
        rows.append(CapacityRow(site=site, month=month, grid_mw=grid_mw, hashrate_eh_s=2.0, **used))
    return rows


def cash_flow() -> list[CashFlowRow]:
    rows, cash = [], 90e6
    for index in range(MONTHS):
        lines = {"mining_margin_usd": 2e6, "hosting_capex_usd": -5e6 if 2 <= index < 8 else 0.0, "overhead_usd": -5e5}
        net = sum(lines.values())
        cash += net
        values = ZERO_CASH | lines | {"net_cash_usd": net, "cash_usd": cash}
        rows.append(CashFlowRow(month=add_months(START, index), **values))
    return rows


def distribution(cvar_usd: float = 40e6) -> NpvDistribution:
    points = ((0.05, 50e6), (0.5, 95e6), (0.95, 160e6))
    return NpvDistribution(
        scenario_count=200,
        mean_usd=100e6,
        standard_error_usd=2e6,
        standard_deviation_usd=30e6,
        quantiles=tuple(Quantile(probability=probability, npv_usd=usd) for probability, usd in points),
        tail_probability=0.05,
        var_usd=50e6,
        cvar_usd=cvar_usd,
    )


def made_plan(*contracts: ContractOutcome, **changes: Any) -> Plan:
    """A plan that is optimal, audited and better than mining on; ``changes`` replace its fields."""
    values: dict[str, Any] = {
        "termination": Termination(
            reason=TerminationReason.OPTIMAL, objective_usd=100e6, bound_usd=100.06e6, gap_frac=0.0005, node_count=7
        ),
        "decisions": Decisions(
            machines=(
                MachineDecision(site="Site 0", asic_model="s21", month=START, stock_count=900.0, sold_count=100.0),
                MachineDecision(site="Site 1", asic_model="s21", month=add_months(START, 13), bought_count=250.0),
            )
        ),
        "contracts": contracts,
        "capacity": (*capacity("Site 0"), *capacity("Site 1", 60.0), *capacity("Closed", 0.0)),
        "cash_flow": tuple(cash_flow()),
        "earnings": (
            EarningsRow(year=2027, month_count=12, mining_usd=24e6, hosting_usd=0.0, gpu_usd=0.0, cost_usd=-6e6),
            EarningsRow(year=2028, month_count=6, mining_usd=12e6, hosting_usd=6e6, gpu_usd=0.0, cost_usd=-3e6),
        ),
        "npv": NpvBreakdown(
            mining_usd=120e6, hosting_usd=10e6, gpu_usd=0.0, corporate_usd=-30e6, debt_usd=0.0, total_usd=100e6
        ),
        "distribution": distribution(),
        "business_as_usual": BusinessAsUsual(feasible=True, npv_usd=70e6, difference_usd=30e6),
        "audit": AuditReport(checks=(check(), check("claimed objective", 3e-7, unit="USD", tolerance=100.0))),
        "filled_in": (FilledIn(path="sites[0].mining_pue", value="1.05"),),
        "manifest": manifest(),
    }
    return Plan(**(values | changes))


def without_plan(reason: TerminationReason, **changes: Any) -> Plan:
    """What a search without a plan leaves."""
    end = Termination(**({"reason": reason, "limit": Limit.NONE} | changes))
    return Plan(termination=end, manifest=manifest(), filled_in=(FilledIn(path="sites[0].mining_pue", value="1.05"),))


def everything() -> Plan:
    """A plan with every kind of decision."""
    decisions = Decisions(
        gpu_orders=(
            GpuOrder(gpu_option="b200", site="Site 0", order_month=START, block_count=3, refreshed_block_count=2),
        ),
        site_openings=(SiteOpening(site="Site 1", month=START),),
        grid_advances=(GridAdvance(site="Site 0", step_month=add_months(START, 9), advance_months=3),),
        hall_orders=(HallOrder(site="Site 0", month=START, hall_mw=12.5),),
        building_orders=(BuildingOrder(site="Site 0", building="H1", month=START),),
        machines=made_plan().decisions.machines,
    )
    ending = contract(1, reconverted_mw=3.0, re_leased_mw=4.5)
    return made_plan(contract(0), ending, decisions=decisions, enterprise_value_usd=800e6)


def hostile(attack: str) -> Plan:
    """A plan in which every text that a user can choose is ``attack``."""
    machine = MachineDecision(site=attack, asic_model=attack, month=START, bought_count=5.0)
    order = GpuOrder(gpu_option=attack, site=attack, order_month=START, block_count=1)
    return made_plan(
        contract(0, offer=attack, tenant=attack, site=attack, re_leased_mw=1.0),
        decisions=Decisions(
            machines=(machine,),
            gpu_orders=(order,),
            site_openings=(SiteOpening(site=attack, month=START),),
            grid_advances=(GridAdvance(site=attack, step_month=START, advance_months=3),),
            hall_orders=(HallOrder(site=attack, month=START, hall_mw=1.0),),
            building_orders=(BuildingOrder(site=attack, building=attack, month=START),),
        ),
        capacity=tuple(capacity(attack)),
        audit=AuditReport(checks=(check(attack, 1.0, where=attack),)),
        business_as_usual=BusinessAsUsual(feasible=False, detail=attack),
        filled_in=(FilledIn(path=attack, value=attack),),
        manifest=manifest(attack).model_copy(update={"versions": (Version(component=attack, version=attack),)}),
    )
