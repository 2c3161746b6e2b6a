"""Where and when to sign: the placement case in linopy, stated a second time from ``docs/explanation/economics.md``.

Nothing of the package takes part in the second statement: ``placement_coefficients`` computes with plain numbers, and
linopy hands its own rows to HiGHS. Instead of stocks and balances, the rows here add up everything since the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import linopy
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from placement_case import FINANCE, MONTH_COUNT, statement
from placement_coefficients import (
    LAST,
    FleetClass,
    classes_of,
    discount,
    fixed_usd,
    grid_mw,
    index_of,
    mining_musd_per_thousand,
    starts_of,
)
from support import best

from optimizer.domain import Portfolio, validated

T = MONTH_COUNT
MONTHS = pd.RangeIndex(T, name="month")


def site_index(case: dict[str, Any]) -> pd.Index:
    return pd.Index([site["name"] for site in case["sites"]], name="site")


def by_month(values: Any) -> xr.DataArray:
    return xr.DataArray(np.asarray(values, dtype=float), coords=[MONTHS])


def by_site(case: dict[str, Any], value: Callable[[dict[str, Any]], float]) -> xr.DataArray:
    return xr.DataArray([float(value(site)) for site in case["sites"]], coords=[site_index(case)])


def so_far(flow: linopy.LinearExpression, delay: int = 0) -> linopy.LinearExpression:
    """All of a flow that has come by each month, if it takes ``delay`` months to come."""
    months = np.arange(T)
    come = xr.DataArray(
        (months[:, None] + delay <= months).astype(float), coords={"earlier": MONTHS.rename("earlier"), "month": MONTHS}
    )
    return ((1.0 * flow).rename(month="earlier") * come).sum("earlier")


@dataclass
class Totals:
    """What contracts and machines add to the rows they share, one linear expression each."""

    npv_musd: list = field(default_factory=list)
    cash_so_far_musd: list = field(default_factory=list)
    """By month."""
    capex_musd: list = field(default_factory=list)
    """By month."""
    power_mw: list = field(default_factory=list)
    """By site and month."""
    halls_mw: list = field(default_factory=list)
    """By site and month."""


def optimum_usd(case: dict[str, Any]) -> float:
    """The best NPV, by linopy and HiGHS."""
    model, totals, finance = linopy.Model(), Totals(), case["finance"]
    if case["offers"]:
        state_contracts(model, totals, case)
    for machines in classes_of(case):
        state_machines(model, totals, case, machines)

    sites = site_index(case)
    grid = xr.DataArray([[grid_mw(site, month) for month in MONTHS] for site in case["sites"]], coords=[sites, MONTHS])
    model.add_constraints(linopy.merge(totals.power_mw) <= grid, name="power")
    model.add_constraints(linopy.merge(totals.halls_mw) <= by_site(case, lambda site: site["hall_mw"]), name="halls")
    fixed = np.array([fixed_usd(case, month) for month in MONTHS])
    least_musd = (finance["minimum_liquidity_usd"] - finance["opening_cash_usd"] + np.cumsum(fixed)) / 1e6
    model.add_constraints(linopy.merge(totals.cash_so_far_musd) >= by_month(least_musd), name="liquidity")
    capex_musd = linopy.merge(totals.capex_musd)
    for budget in finance["capex_budgets"]:
        window = list(range(index_of(budget["from_month"]), index_of(budget["until_month"]) + 1))
        most_musd = budget["maximum_capex_usd"] / 1e6
        model.add_constraints(capex_musd.sel(month=window).sum() <= most_musd, name=f"budget {budget['name']}")
    model.add_objective(linopy.merge(totals.npv_musd), sense="max")
    model.solve("highs", io_api="direct", threads=1, mip_rel_gap=0.0, mip_abs_gap=1e-6, output_flag=False)
    assert model.termination_condition == "optimal"

    factors = [discount(case, "corporate", month) for month in MONTHS]
    return (
        1e6 * (model.objective.value + sum(stock_at_end_musd(case, item) for item in classes_of(case)))
        - factors @ fixed
    )


def state_contracts(model: linopy.Model, totals: Totals, case: dict[str, Any]) -> None:
    """Each offer at most once, with MW between its least and its most."""
    starts, sites = starts_of(case), site_index(case)
    index = pd.RangeIndex(len(starts), name="start")

    def of_start(values: Any, *others: pd.Index) -> xr.DataArray:
        return xr.DataArray(np.array(values, dtype=float), coords=[index, *others])

    chosen = model.add_variables(binary=True, coords=[index], name="chosen")
    critical_mw = model.add_variables(lower=0.0, coords=[index], name="critical_mw")
    for offer in case["offers"]:
        mine = [number for number, start in enumerate(starts) if start.offer == offer["name"]]
        model.add_constraints(chosen.sel(start=mine).sum() <= 1, name=f"{offer['name']} once")
    model.add_constraints(critical_mw >= of_start([start.least_mw for start in starts]) * chosen, name="least")
    model.add_constraints(critical_mw <= of_start([start.most_mw for start in starts]) * chosen, name="most")

    cash, capex, grid, halls = (
        of_start([getattr(start, name) for start in starts], MONTHS)
        for name in ("cash_musd", "capex_musd", "grid_mw", "halls_mw")
    )
    there = of_start([[start.site == name for name in sites] for start in starts], sites)
    totals.npv_musd.append((critical_mw * of_start([start.npv_musd for start in starts])).sum())
    totals.cash_so_far_musd.append((critical_mw * cash.cumsum("month")).sum("start"))
    totals.capex_musd.append((critical_mw * capex).sum("start"))
    totals.power_mw.append((critical_mw * (there * grid)).sum("start"))
    totals.halls_mw.append((critical_mw * (there * halls)).sum("start"))


def state_machines(model: linopy.Model, totals: Totals, case: dict[str, Any], machines: FleetClass) -> None:
    """Run, buy, sell and move machines of one class; those that do not run are stored."""
    terms, sites = machines.model, site_index(case)
    lead, downtime = terms["delivery_lead_months"], terms["move_downtime_months"]
    modes = pd.RangeIndex(len(terms["modes"]), name="mode")

    def flow(what: str, from_month: int = 0, until_month: int = T) -> linopy.Variable:
        most = by_month([np.inf if from_month <= month < until_month else 0.0 for month in MONTHS])
        return model.add_variables(0.0, most.expand_dims(site=sites), name=f"{what} {machines.name}")

    running = model.add_variables(lower=0.0, coords=[modes, sites, MONTHS], name=f"running {machines.name}")
    bought = flow("bought", until_month=T - lead if machines.purchasable else 0)
    left, came = flow("left", until_month=T - downtime), flow("came", from_month=downtime)
    sold = flow("sold")
    moved = so_far(left.sum("site"), downtime) - so_far(came.sum("site"))
    model.add_constraints(moved == 0, name=f"moved {machines.name}")
    change = so_far(bought, lead) + so_far(came) - so_far(sold) - so_far(left)
    at_start = by_site(case, lambda site: machines.thousands_at(case, site["name"]))
    model.add_constraints(running.sum("mode") - change <= at_start, name=f"stock {machines.name}")

    new = by_month([machines.new_musd_per_thousand(month) for month in MONTHS])
    used = by_month([machines.resale_musd_per_thousand(month) for month in MONTHS])
    duty = by_site(case, lambda site: site.get("import_duty_frac", 0.0))
    paid = (bought * (new * (1.0 + duty))).sum("site")
    worth = [[mining_musd_per_thousand(case, site, machines, month) for month in MONTHS] for site in case["sites"]]
    margin = (running * xr.DataArray(worth, coords=[sites, MONTHS, modes])).sum(["mode", "site"])
    moves = (left * (terms["move_usd_per_machine"] / 1e3)).sum("site") + (came * (used * duty)).sum("site")
    cash = margin + (sold * used).sum("site") - paid - moves
    factors = np.array([discount(case, "mining", month) for month in range(LAST)])
    tail = factors[T : T + case["finance"]["terminal"]["mining_tail_months"]].sum()
    totals.npv_musd.append((cash * by_month(factors[:T])).sum())
    totals.npv_musd.append(margin.sel(month=T - 1) * float(tail))
    totals.npv_musd.append(change.sel(month=T - 1).sum() * end_musd_per_thousand(case, machines))
    totals.cash_so_far_musd.append(so_far(cash))
    totals.capex_musd.append(paid)
    mw = xr.DataArray([mode["power_w"] / 1e3 for mode in terms["modes"]], coords=[modes])
    totals.halls_mw.append((running * mw).sum("mode"))
    totals.power_mw.append((running * (mw * by_site(case, lambda site: site["mining_pue"]))).sum("mode"))


def end_musd_per_thousand(case: dict[str, Any], machines: FleetClass) -> float:
    """What a thousand machines in stock at the end count for."""
    counted = case["finance"]["terminal"]["machine_resale_frac"] * discount(case, "mining", T - 1)
    return counted * machines.resale_musd_per_thousand(T - 1)


def stock_at_end_musd(case: dict[str, Any], machines: FleetClass) -> float:
    """What the machines of the start would count for if they stayed: the constant of the objective."""
    standing = sum(machines.thousands_at(case, site["name"]) for site in case["sites"])
    return standing * end_musd_per_thousand(case, machines)


VARIANTS: dict[str, dict[str, Any]] = {
    "as stated": {},
    "without capex budgets": {"finance": {**FINANCE, "capex_budgets": []}},
    "without liquidity floor": {"finance": {**FINANCE, "minimum_liquidity_usd": 0.0}},
    "without machines": {"asic_models": [], "fleets": []},
    "without offers": {"offers": []},
}


@cache
def planned_usd(variant: str) -> float:
    """The planner's optimum, proven to gap 0 and audited."""
    case = validated(Portfolio, statement(**VARIANTS[variant]), "portfolio")
    return float(best(case).termination.objective_usd or 0.0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_both_statements_have_the_same_optimum(variant):
    assert optimum_usd(statement(**VARIANTS[variant])) == pytest.approx(planned_usd(variant), rel=1e-8)


def test_every_part_of_the_statement_bends_the_answer():
    """Limits cost more than a thousand dollars each, and contracts and machines are worth millions."""
    stated = planned_usd("as stated")
    assert planned_usd("without liquidity floor") > stated + 1e3
    assert planned_usd("without capex budgets") > stated + 1e3
    assert planned_usd("without machines") < stated - 1e6
    assert planned_usd("without offers") < stated - 1e6


def test_the_page_shows_these_figures():
    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "external-truth.md").read_text("utf-8")
    for variant in VARIANTS:
        assert f"| {variant} | {planned_usd(variant):,.0f} |" in page
