"""Charts of money: cash flow, cash and debt, earnings, NPV by line and over the scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from optimizer.domain.liquidity import LiquidityRisk
from optimizer.domain.outcome import EarningsRow, NpvDistribution
from optimizer.domain.plan import Plan
from optimizer.domain.tail import TailDriver
from optimizer.report.figure import (
    MONEY_AXIS,
    MONEY_HOVER,
    MONTH_AXIS,
    Figure,
    Trace,
    bars,
    month_axis_value,
    musd,
)
from optimizer.report.formats import chart_text, listed, money, month, percent
from optimizer.report.totals import CASH_LINES, cash_by_year, lowest_cash
from optimizer.units import MONTHS_PER_YEAR

LINE_NAMES = {
    "mining": "Mining",
    "hosting": "Hosting",
    "gpu": "Own GPUs",
    "corporate": "Fixed costs",
    "debt": "Debt fees",
}
MOST_DRIVERS = 10
"""Parts of a plan that the chart of the tail shows one by one."""


def cash_flow(plan: Plan) -> Figure | None:
    """Cash of each year by line, with the net."""
    by_year = cash_by_year(plan)
    if not by_year:
        return None
    years = [str(year) for year in by_year]
    traces = [
        bars(line.name, years, musd(row[line.name] for row in by_year.values()), f"@{line.colour}", line.pattern)
        for line in CASH_LINES
        if line.name in next(iter(by_year.values()))
    ]
    net = {year: sum(row.values()) for year, row in zip(years, by_year.values(), strict=True)}
    return Figure(
        slug="cash-flow",
        title="Cash flow by year",
        caption="Expected cash in and out by calendar year, $M; hatched bars are investment, trade in machines and "
        "debt drawn, the diamonds are the net.",
        alternative="Net cash: " + ", ".join(f"{year} {money(usd)}" for year, usd in net.items()) + ".",
        traces=[*traces, _net(years, musd(net.values()))],
        layout=_by_year_layout(),
        height_px=430,
    )


def _net(years: list[str], values: list[float]) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "Net",
        "x": years,
        "y": values,
        "line": {"color": "@ink", "width": 1.5},
        "marker": {"symbol": "diamond", "size": 9, "color": "@ink", "line": {"color": "@paper", "width": 1}},
        "hovertemplate": MONEY_HOVER,
    }


def _by_year_layout() -> dict[str, Any]:
    return {
        "barmode": "relative",
        "xaxis": {"type": "category"},
        "yaxis": dict(MONEY_AXIS),
        "hovermode": "x unified",
    }


def cash_and_debt(plan: Plan) -> Figure | None:
    """Cash and debt at the end of each month."""
    low = lowest_cash(plan)
    if low is None:
        return None
    x = [month_axis_value(row.month) for row in plan.cash_flow]
    cash = {
        "type": "scatter",
        "mode": "lines",
        "name": "Cash",
        "x": x,
        "y": musd(row.cash_usd for row in plan.cash_flow),
        "line": {"color": "@ink", "width": 2.5},
        "hovertemplate": MONEY_HOVER,
    }
    lowest = {
        "type": "scatter",
        "mode": "markers",
        "name": f"Lowest cash: {money(low.cash_usd)} in {month(low.month)}",
        "x": [month_axis_value(low.month)],
        "y": musd([low.cash_usd]),
        "marker": {"symbol": "circle-open", "size": 13, "color": "@ink", "line": {"width": 2.5}},
        "hoverinfo": "skip",
    }
    peak = max(row.debt_usd for row in plan.cash_flow)
    debt = {
        "type": "scatter",
        "mode": "lines",
        "name": "Debt outstanding",
        "x": x,
        "y": musd(row.debt_usd for row in plan.cash_flow),
        "line": {"color": "@debt", "width": 2.5, "dash": "6px,3px"},
        "hovertemplate": MONEY_HOVER,
    }
    fan, told = _cash_fan(plan)
    return Figure(
        slug="liquidity",
        title="Liquidity: cash and debt by month",
        caption=f"Expected cash and debt outstanding at the end of each month, $M.{told}",
        alternative=f"Cash is lowest in {month(low.month)} at {money(low.cash_usd)} and ends at "
        f"{money(plan.cash_flow[-1].cash_usd)}; debt is at most {money(peak)}.{told}",
        traces=[*fan, cash, *([debt] if peak > 0 else []), lowest],
        layout={
            "xaxis": dict(MONTH_AXIS),
            "yaxis": {**MONEY_AXIS, "rangemode": "tozero"},
            "hovermode": "x unified",
        },
        height_px=320,
    )


def _cash_fan(plan: Plan) -> tuple[list[Trace], str]:
    """Edges of the cash that nine futures in ten have, filled in between, and what to say of it."""
    risk = plan.liquidity
    if risk is None or all(row.low_usd == row.high_usd for row in risk.periods):
        return [], ""
    x = [month_axis_value(row.month) for row in risk.periods]
    edges: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": x,
            "y": musd(getattr(row, field) for row in risk.periods),
            "line": {"color": "@ink", "width": 0.75, "dash": "1px,3px"},
            "hovertemplate": MONEY_HOVER,
            **({} if field == "low_usd" else {"fill": "tonexty", "fillcolor": "rgba(128,128,128,0.18)"}),
        }
        for name, field in (("Worst twentieth", "low_usd"), ("Best twentieth", "high_usd"))
    ]
    return edges, (
        f" The band holds nine futures in ten; in {percent(risk.below_floor_frac)} of all futures cash ends some "
        f"period below its floor, if nothing is decided otherwise by then{_depth(risk)}."
    )


def _depth(risk: LiquidityRisk) -> str:
    """How far below the floor, and when, as the end of a sentence."""
    if risk.worst_month is None or risk.shortfall_usd is None:
        return ""
    return f": by {money(risk.shortfall_usd)} at its worst on average, most often in {month(risk.worst_month)}"


def year_name(row: EarningsRow) -> str:
    """A calendar year, with its months when they are not all in the horizon."""
    return str(row.year) if row.month_count == MONTHS_PER_YEAR else f"{row.year} ({row.month_count} months)"


def earnings(plan: Plan) -> Figure | None:
    """Earnings of each year by line, with the sum."""
    rows = plan.earnings
    if not rows:
        return None
    years = [year_name(row) for row in rows]
    ticks = [year.replace(" (", "<br>(") for year in years]
    lines = (
        ("Mining", "@mining", [row.mining_usd for row in rows]),
        ("Hosting", "@hosting", [row.hosting_usd for row in rows]),
        ("Own GPUs", "@gpu", [row.gpu_usd for row in rows]),
        ("Fixed costs and overhead", "@corporate", [row.cost_usd for row in rows]),
    )
    net = [row.mining_usd + row.hosting_usd + row.gpu_usd + row.cost_usd for row in rows]
    return Figure(
        slug="earnings-by-year",
        title="Earnings by year",
        caption="Expected earnings by calendar year and business line before capex, debt and discounting, $M.",
        alternative="Earnings after fixed costs: "
        + ", ".join(f"{year} {money(usd)}" for year, usd in zip(years, net, strict=True))
        + ".",
        traces=[
            *(bars(name, ticks, musd(usd), colour) for name, colour, usd in lines if any(usd)),
            _net(ticks, musd(net)),
        ],
        layout=_by_year_layout(),
        height_px=360,
    )


def npv_by_line(plan: Plan) -> Figure | None:
    """What the expected NPV is made of."""
    npv = plan.npv
    if npv is None:
        return None
    parts = {line: float(getattr(npv, f"{line}_usd")) for line in LINE_NAMES}
    parts = {line: usd for line, usd in parts.items() if usd}
    names = [LINE_NAMES[line] for line in parts] + ["Total"]
    values = [*parts.values(), npv.total_usd]
    labels = [f"{name}<br>{money(usd)}" for name, usd in zip(names, values, strict=True)]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": musd(values),
        "y": labels,
        "marker": {"color": [f"@{line}" for line in parts] + ["@ink"]},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return Figure(
        slug="npv-by-line",
        title="What the NPV is made of",
        caption="Expected net present value by business line, terminal values included, $M.",
        alternative=listed([f"{name} {money(usd)}" for name, usd in zip(names, values, strict=True)]) + ".",
        traces=[trace],
        layout={
            "xaxis": dict(MONEY_AXIS),
            "yaxis": {"autorange": "reversed", "type": "category", "showgrid": False},
            "hovermode": "closest",
        },
        height_px=60 + 46 * len(names),
    )


def tail_drivers(plan: Plan) -> Figure | None:
    """From the mean to CVaR in a waterfall: what each part of the plan adds to the difference."""
    spread = plan.distribution
    if spread is None or not plan.tail_drivers:
        return None
    steps = _tail_steps(plan.tail_drivers)
    names, values = [name for name, _ in steps], [usd for _, usd in steps]
    starts = list(accumulate([spread.mean_usd, *values]))[:-1]
    labels = ["Mean", *names, "CVaR"]
    trace = {
        "type": "bar",
        "orientation": "h",
        "x": musd([spread.mean_usd, *values, spread.cvar_usd]),
        "base": musd([0.0, *starts, 0.0]),
        "y": labels,
        "marker": {"color": ["@ink", *("@bad" if usd < 0.0 else "@good" for usd in values), "@ink"]},
        "hovertemplate": "%{y}: %{x:$,.1f}M<extra></extra>",
        "showlegend": False,
    }
    return Figure(
        slug="tail-drivers",
        title="What drives the tail",
        caption=f"From expected NPV to the mean of the worst {percent(spread.tail_probability)} of scenarios: what "
        "each part of the plan lacks in them, $M.",
        alternative=listed([f"{driver.told} {money(driver.difference_usd)}" for driver in plan.tail_drivers]) + ".",
        traces=[trace],
        layout={
            "xaxis": dict(MONEY_AXIS),
            "yaxis": {"autorange": "reversed", "type": "category", "showgrid": False},
            "hovermode": "closest",
        },
        height_px=60 + 32 * len(labels),
    )


def _tail_steps(drivers: Sequence[TailDriver]) -> list[tuple[str, float]]:
    """The drivers that matter most by name, worst first, and what all others add."""
    most = sorted(drivers, key=lambda driver: -abs(driver.difference_usd))[:MOST_DRIVERS]
    steps = [(chart_text(driver.told), driver.difference_usd) for driver in drivers if driver in most]
    others = [driver.difference_usd for driver in drivers if driver not in most]
    return [*steps, ("All others", sum(others))] if others else steps


def npv_distribution(plan: Plan) -> Figure | None:
    """Cumulative distribution of the NPV, with mean, edge and mean of the tail, and mining on."""
    spread = plan.distribution
    if spread is None or not spread.quantiles:
        return None
    x = musd(item.npv_usd for item in spread.quantiles)
    y = [round(item.probability, 6) for item in spread.quantiles]
    curve = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "Probability of at most this NPV",
        "x": x,
        "y": y,
        "line": {"color": "@ink", "width": 2.5},
        "marker": {"size": 6, "color": "@ink"},
        "hovertemplate": "%{y:.0%} of scenarios: at most %{x:$,.1f}M<extra></extra>",
    }
    marks = [_mark(name, usd, colour, dash) for name, usd, colour, dash in _marks(plan, spread)]
    tail = percent(spread.tail_probability)
    return Figure(
        slug="npv-distribution",
        title="How bad, how good: the NPV over the scenarios",
        caption=f"Share of {spread.scenario_count:,d} scenarios in which the plan is worth at most that much, $M. "
        f"VaR is the edge of the worst {tail}, CVaR the mean inside them.",
        alternative=f"Mean {money(spread.mean_usd)}, VaR {money(spread.var_usd)} and CVaR {money(spread.cvar_usd)} "
        f"at {tail}; "
        + ", ".join(f"{percent(item.probability)} quantile {money(item.npv_usd)}" for item in spread.quantiles)
        + ".",
        traces=[curve, *marks],
        layout={
            "xaxis": dict(MONEY_AXIS),
            "yaxis": {"tickformat": ".0%", "range": [0, 1.02]},
            "hovermode": "closest",
        },
        height_px=380,
    )


def _marks(plan: Plan, spread: NpvDistribution) -> list[tuple[str, float, str, str]]:
    marks = [
        (f"CVaR {money(spread.cvar_usd)}", spread.cvar_usd, "@debt", "solid"),
        (f"VaR {money(spread.var_usd)}", spread.var_usd, "@debt", "6px,3px"),
        (f"Mean {money(spread.mean_usd)}", spread.mean_usd, "@hosting", "solid"),
    ]
    twin = plan.business_as_usual
    if twin is not None and twin.npv_usd is not None:
        marks.append((f"Mining on, mean {money(twin.npv_usd)}", twin.npv_usd, "@mining", "2px,2px"))
    return marks


def _mark(name: str, usd: float, colour: str, dash: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": musd([usd, usd]),
        "y": [0, 1],
        "line": {"color": colour, "width": 2.5, "dash": dash},
        "hovertemplate": f"{name}<extra></extra>",
    }
