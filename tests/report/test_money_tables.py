"""What page and terminal tell of money beside the cash flow: stresses, corporate tax, an enterprise value as objective, power sold back, carbon."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from report_cases import capacity, contract, made_plan
from rich.console import Console

from optimizer.cli.summary import print_plan
from optimizer.domain import Objective
from optimizer.domain.liquidity import LiquidityRisk, LiquidityRow
from optimizer.domain.outcome import BusinessAsUsual, CarbonRow, ObjectiveOutcome, StressOutcome, TaxRow
from optimizer.domain.plan import Plan
from optimizer.domain.tail import TailDriver
from optimizer.report import render_report
from optimizer.report.charts_money import tail_drivers

MONTH = dt.date(2027, 8, 1)


def told(plan: Plan) -> str:
    """The summary as text."""
    target = Console(file=io.StringIO(), width=120)
    print_plan(plan, target)
    return target.file.getvalue()  # type: ignore[attr-defined]


def winter(name: str = "winter") -> StressOutcome:
    return StressOutcome(
        stress=name,
        minimum_liquidity_usd=5e6,
        least_cash_usd=7.3e6,
        least_cash_month=dt.date(2027, 9, 1),
        npv_usd=-12.6e6,
    )


def test_the_least_cash_of_every_stress_is_told() -> None:
    plan = made_plan(contract(0), stresses=(winter(), winter("<b>bust</b>")))
    for text in (told(plan), render_report(plan)):
        assert "winter" in text
        assert "7.3" in text
        assert "12.6" in text
    assert "7.3 M USD in 2027-09, floor 5.0 M USD" in told(plan)
    assert "<b>bust</b>" not in render_report(plan)
    assert "stress" not in told(made_plan(contract(0)))
    assert "of the plan in every stress" not in render_report(made_plan(contract(0)))


def test_how_deep_cash_falls_below_its_floor_is_told() -> None:
    def short(**depth: object) -> LiquidityRisk:
        row = LiquidityRow(month=MONTH, low_usd=1e6, median_usd=2e6, high_usd=3e6, below_floor_frac=0.2)
        return LiquidityRisk(scenario_count=10, below_floor_frac=0.2, periods=(row,), **depth)

    plan = made_plan(contract(0), liquidity=short(shortfall_usd=26.4e6, worst_month=MONTH))
    assert "by 26.4 M USD, most often in 2027-08" in told(plan)
    assert "by $26.4M at its worst on average, most often in 2027-08." in render_report(plan)
    earlier = made_plan(contract(0), liquidity=short())
    assert "at its worst" not in told(earlier)
    assert "decided otherwise by then." in render_report(earlier)


def test_what_drives_the_tail_is_a_waterfall_from_the_mean_to_cvar() -> None:
    drivers = (
        TailDriver(kind="contract", site="Site 0", offer="<b>O1</b>", difference_usd=-40e6),
        *(TailDriver(kind="machines", site=f"Site {site}", difference_usd=-1e6) for site in range(1, 11)),
        TailDriver(kind="power_sales", site="Site 0", difference_usd=2e6),
    )
    plan = made_plan(contract(0), tail_drivers=drivers)
    figure = tail_drivers(plan)
    spread = plan.distribution
    (trace,) = figure.traces
    assert trace["y"] == [
        "Mean", "&lt;b&gt;O1&lt;/b&gt; at Site 0", *(f"mining at Site {site}" for site in range(1, 9)),
        "power sold back at Site 0", "All others", "CVaR",
    ]  # fmt: skip
    mean = round(spread.mean_usd / 1e6, 4)
    assert trace["base"][:3] == [0.0, mean, pytest.approx(mean - 40.0)]
    assert trace["base"][-2:] == [pytest.approx(mean - 46.0), 0.0]
    assert trace["x"] == [mean, -40.0, *[-1.0] * 8, 2.0, -2.0, round(spread.cvar_usd / 1e6, 4)]
    page = render_report(plan)
    assert "What drives the tail as a table" in page
    assert "<b>O1" not in page
    assert tail_drivers(made_plan(contract(0))) is None
    assert "What drives the tail" not in render_report(made_plan(contract(0)))


def test_tax_is_told_by_year_and_in_all() -> None:
    rows = tuple(
        TaxRow(year=year, income_usd=9e6, written_off_usd=2e6, losses_used_usd=1e6, losses_left_usd=3e6, tax_usd=1.26e6)
        for year in (2027, 2028)
    )
    plan = made_plan(contract(0), tax=rows)
    assert "corporate tax paid" in told(plan)
    assert "2.5 M USD" in told(plan)
    page = render_report(plan)
    assert "Corporate tax on expected income by calendar year" in page
    assert "corporate tax paid" not in told(made_plan(contract(0)))
    assert "Corporate tax" not in render_report(made_plan(contract(0)))


def test_an_enterprise_value_is_not_called_npv() -> None:
    made = ObjectiveOutcome(
        year=2029, multiple_value_usd=800e6, cash_usd=55e6, debt_usd=33e6, value_usd=822e6, discounted_usd=611e6
    )
    twin = BusinessAsUsual(feasible=True, npv_usd=120e6, difference_usd=-20e6, discounted_value_usd=411e6)
    plan = made_plan(contract(0), objective=Objective.ENTERPRISE_VALUE, enterprise=made, business_as_usual=twin)
    text, page = told(plan), render_report(plan)
    assert "discounted enterprise value 100.0 M USD, bound" in text
    for figure in ("822.0", "800.0", "22.0", "611.0", "411.0", "20.0 M USD more"):
        assert figure in text, figure
    assert "in discounted enterprise value" in page
    assert "Objective: discounted enterprise value" in page
    assert "discounted" not in told(made_plan(contract(0)))
    assert "discounted enterprise" not in render_report(made_plan(contract(0)))


def test_power_sold_back_is_a_use_of_its_own() -> None:
    rows = [
        row.model_copy(update={"sold_mw": 17.0, "idle_mw": row.idle_mw - 17.0}) for row in capacity("Site 0", 100.0)
    ]
    plan = made_plan(contract(0), capacity=tuple(rows))
    sold = [line.split() for line in told(plan).splitlines() if line.strip().startswith("sold")]
    assert sold == [["sold", "17", "17"]]
    assert "Sold back" in render_report(plan)
    assert "Sold back" not in render_report(made_plan(contract(0)))


def test_carbon_is_told_by_year_and_in_all() -> None:
    rows = (
        CarbonRow(year=2027, caused_t=41_000.0, maximum_t=50_000.0, cost_usd=2.1e6),
        CarbonRow(year=2028, caused_t=1_234.0, cost_usd=0.1e6),
    )
    plan = made_plan(contract(0), carbon=rows)
    assert "42,234 t for 2.2 M USD" in told(plan)
    for text in ("41,000", "50,000", "1,234"):
        assert text in render_report(plan)
    assert "Carbon" not in render_report(made_plan(contract(0)))
