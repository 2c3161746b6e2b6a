"""Two plans side by side as one HTML page that needs no network: what differs, and what each difference is worth."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from optimizer.domain.comparison import Comparison
from optimizer.domain.outcome import CashFlowRow
from optimizer.domain.plan import Plan
from optimizer.io.text import write_text
from optimizer.report.charts_operations import capacity_of_company
from optimizer.report.figure import MONEY_AXIS, MONEY_HOVER, MONTH_AXIS, Figure, Trace, month_axis_value, musd
from optimizer.report.formats import count, escape, money, prose
from optimizer.report.page import navigation, page
from optimizer.report.sections import Section, figure_html
from optimizer.report.tables import numbers, table, words
from optimizer.units import USD_PER_MUSD


def comparison_figures(plan: Plan) -> dict[str, float]:
    """What is compared of a plan, in USD, by its name; parts of a figure are set in."""
    assert plan.npv is not None
    assert plan.distribution is not None
    return {
        "expected NPV": plan.npv.total_usd,
        "  of which mining": plan.npv.mining_usd,
        "  of which hosting": plan.npv.hosting_usd,
        "  of which gpu": plan.npv.gpu_usd,
        f"mean of the worst {plan.distribution.tail_probability:.0%} of futures": plan.distribution.cvar_usd,
        "least cash": min(row.cash_usd for row in plan.cash_flow),
        "most debt": max(row.debt_usd for row in plan.cash_flow),
    }


def write_comparison(answer: Comparison, path: str | Path) -> None:
    """Write a comparison as one HTML file."""
    write_text(Path(path), render_comparison(answer))


def render_comparison(answer: Comparison) -> str:
    """A comparison as one HTML page."""
    parts = [
        part
        for part in (_figures(answer), _changes(answer), _money(answer), _power(answer), _limits(answer), _told(answer))
        if part.html
    ]
    name = answer.plan.plan.manifest.portfolio_name
    more = "more" if answer.difference_usd >= 0.0 else "less"
    title = f"The plan is worth {money(abs(answer.difference_usd))} {more} than the other"
    header = (
        f'<header>\n<p class="eyebrow">Two plans of {escape(name)}</p>\n<h1>{escape(title)}</h1>\n'
        f'<p class="lead">{prose(answer.told)}</p>\n{navigation(parts)}</header>\n'
    )
    return page(f"{name}: two plans", header, parts, lambda _: "")


def _figures(answer: Comparison) -> Section:
    sides = comparison_figures(answer.plan.plan), comparison_figures(answer.other.plan)
    rows = [[name.strip(), *map(_musd, (usd, sides[1][name], usd - sides[1][name]))] for name, usd in sides[0].items()]
    columns = [*words("Figure"), *numbers("Plan", "Other", "Difference")]
    return Section("key-figures", "Key figures", table("Key figures of both plans, $M.", columns, rows))


def _changes(answer: Comparison) -> Section:
    """The way from the other plan to this one, step by step."""
    if not answer.changes:
        return Section("changes", "What differs", "<p>The two decide the same under the same assumptions.</p>")
    sums = list(accumulate(item.npv_usd for item in answer.changes))
    rows = [
        [f"{index}. {item.told}", _musd(item.npv_usd), _musd(reached)]
        for index, (item, reached) in enumerate(zip(answer.changes, sums, strict=True), start=1)
    ]
    columns = [*words("From the other plan to this one"), *numbers("Adds to the NPV", "Sum so far")]
    figure = _waterfall(answer, sums)
    content = figure_html(figure) + table("What each change adds on top of those before it, $M.", columns, rows)
    return Section("changes", "What differs, and what it is worth", content, (figure,))


def _waterfall(answer: Comparison, sums: list[float]) -> Figure:
    worth = [item.npv_usd for item in answer.changes]
    places = [*map(str, range(1, len(worth) + 1)), "Sum"]
    colours = ["@good" if usd >= 0.0 else "@debt" for usd in worth] + ["@ink"]
    trace: Trace = {
        "type": "bar",
        "x": places,
        "y": musd([*worth, sums[-1]]),
        "base": musd([0.0, *sums[:-1], 0.0]),
        "customdata": musd([*worth, sums[-1]]),
        "marker": {"color": colours},
        "hovertemplate": "%{customdata:$,.1f}M<extra></extra>",
    }
    return Figure(
        slug="worth",
        title="From the other plan to this one",
        caption="What each change of the table below adds to the expected NPV, by its number, and their sum, $M.",
        alternative=f"{count(len(worth), 'change')} from the other plan to this one sum to {money(sums[-1])}.",
        traces=[trace],
        layout={"xaxis": {"type": "category"}, "yaxis": dict(MONEY_AXIS), "showlegend": False},
        height_px=320,
    )


def _money(answer: Comparison) -> Section:
    figures = (_by_month(answer, "cash", "Cash", "@ink"), _by_month(answer, "debt", "Debt outstanding", "@debt"))
    drawn = tuple(figure for figure in figures if figure is not None)
    return Section("money", "Cash and debt", "".join(map(figure_html, drawn)), drawn)


def _by_month(answer: Comparison, slug: str, name: str, colour: str) -> Figure | None:
    """A balance of both plans at the end of each month; nothing where neither has it."""
    sides = {"Plan": answer.plan.plan.cash_flow, "Other": answer.other.plan.cash_flow}
    usd = {side: [_balance(row, slug) for row in rows] for side, rows in sides.items()}
    if not any(map(any, usd.values())):
        return None
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": side,
            "x": [month_axis_value(row.month) for row in rows],
            "y": musd(usd[side]),
            "line": {"color": colour, "width": 2.5 if side == "Plan" else 1.5, "dash": "" if side == "Plan" else "dot"},
            "hovertemplate": MONEY_HOVER,
        }
        for side, rows in sides.items()
    ]
    least = {side: f"{money(min(values))} to {money(max(values))}" for side, values in usd.items()}
    return Figure(
        slug=slug,
        title=name,
        caption=f"{name} at the end of each month, expected, $M; the other plan is dotted.",
        alternative=f"{name} of the plan is from {least['Plan']}, of the other from {least['Other']}.",
        traces=traces,
        layout={"xaxis": dict(MONTH_AXIS), "yaxis": {**MONEY_AXIS, "rangemode": "tozero"}, "hovermode": "x unified"},
        height_px=300,
    )


def _balance(row: CashFlowRow, slug: str) -> float:
    return row.cash_usd if slug == "cash" else row.debt_usd


def _power(answer: Comparison) -> Section:
    drawn = tuple(
        replace(figure, slug=f"use-{slug}", title=title, small=True)
        for slug, title, side in (("plan", "Plan", answer.plan), ("other", "Other", answer.other))
        if (figure := capacity_of_company(side.plan)) is not None
    )
    content = "".join(map(figure_html, drawn))
    return Section("power", "Use of power", f'<div class="small-charts">{content}</div>' if drawn else "", drawn)


def _limits(answer: Comparison) -> Section:
    rows = [
        [name, item.told, item.fix]
        for name, side in (("Plan", answer.plan), ("Other", answer.other))
        for item in side.broken
    ]
    told = table("Limits that a plan does not keep.", words("Which", "What is wrong", "What to do"), rows)
    return Section("limits", "Broken limits", told if rows else "")


def _told(answer: Comparison) -> Section:
    rows = [[item.path, item.value, item.other_value] for item in answer.assumptions]
    told = table("Statements of the two portfolios that differ.", words("Statement", "Plan", "Other"), rows)
    return Section("assumptions", "Assumptions that differ", told if rows else "")


def _musd(usd: float) -> str:
    return f"{usd / USD_PER_MUSD + 0.0:,.1f}".replace("-", "\u2212")
