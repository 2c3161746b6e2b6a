"""Charts of what the company does: MW by use, the contract timeline, hashrate and machines."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

from optimizer.domain.base import add_months, months_between
from optimizer.domain.outcome import ContractOutcome
from optimizer.domain.plan import Plan
from optimizer.report.figure import MONTH_AXIS, USE_COLOURS, Figure, Trace, bars, month_axis_value, rounded
from optimizer.report.formats import chart_text, count, listed, month, mw, number
from optimizer.report.totals import (
    LEAST_MW,
    USE_NAMES,
    USES,
    FleetMove,
    Use,
    fleet_moves,
    use_by_site,
    use_of_company,
)

MOST_SITE_CHARTS = 24
"""The sites with the largest grid connections are drawn; the file of the plan holds all."""
_ROW_PX = 52
_STAGES = (
    ("Signed, not yet building", "@idle", ""),
    ("Building", "@hosting", "/"),
    ("First phases live", "@hosting-soft", ""),
    ("All MW live", "@hosting", ""),
)
"""Stages of a contract, in order: name, colour, hatching."""


def capacity_of_company(plan: Plan) -> Figure | None:
    """MW by use of all sites together."""
    use = use_of_company(plan)
    if not use:
        return None
    return Figure(
        slug="use-company",
        title="All sites together",
        caption="MW at the meter by use in each month, stacked; the dashed line is the import limit.",
        alternative=_use_in_words("All sites together", use),
        traces=_use_traces(use),
        layout=_use_layout(),
    )


def drawn_sites(plan: Plan) -> tuple[dict[str, list[Use]], list[str], int]:
    """Sites to draw, names of those that have no grid connection at any time, and how many more there are."""
    by_site = use_by_site(plan)
    peaks = {site: max(row.grid_mw for row in use) for site, use in by_site.items()}
    closed = [site for site, peak in peaks.items() if peak < LEAST_MW]
    largest = sorted((site for site in by_site if site not in closed), key=lambda site: -peaks[site])[:MOST_SITE_CHARTS]
    drawn = {site: use for site, use in by_site.items() if site in largest}
    return drawn, closed, len(by_site) - len(closed) - len(drawn)


def capacity_of_sites(plan: Plan) -> list[Figure]:
    """MW by use, a small chart a site."""
    sites, _, _ = drawn_sites(plan)
    return [
        Figure(
            slug=f"use-site-{index}",
            title=site,
            caption=f"Import limit {_limits(use)}.",
            alternative=_use_in_words(site, use),
            traces=[{**trace, "showlegend": False} for trace in _use_traces(use)],
            layout=_use_layout(),
            height_px=220,
            small=True,
        )
        for index, (site, use) in enumerate(sites.items())
    ]


def _limits(use: list[Use]) -> str:
    low, high = min(row.grid_mw for row in use), max(row.grid_mw for row in use)
    return mw(high) if high - low < LEAST_MW else f"{number(low)} to {mw(high)}"


def _use_traces(use: list[Use]) -> list[Trace]:
    x = [month_axis_value(row.month) for row in use]
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": USE_NAMES[name],
            "x": x,
            "y": rounded(row.of(name) for row in use),
            "stackgroup": "use",
            "line": {"shape": "hv", "width": 0.5, "color": USE_COLOURS[name]},
            "fillcolor": USE_COLOURS[name],
            "hovertemplate": "%{y:,.1f} MW",
        }
        for name in USES
        if any(row.of(name) >= LEAST_MW for row in use)
    ]
    limit = {
        "type": "scatter",
        "mode": "lines",
        "name": "Grid limit",
        "x": x,
        "y": rounded(row.grid_mw for row in use),
        "line": {"shape": "hv", "width": 2, "dash": "4px,3px", "color": "@ink"},
        "hovertemplate": "%{y:,.1f} MW",
    }
    return [*traces, limit]


def _use_layout() -> dict[str, Any]:
    return {
        "xaxis": dict(MONTH_AXIS),
        "yaxis": {"tickformat": ",~r", "ticksuffix": " MW", "rangemode": "tozero"},
        "hovermode": "x unified",
    }


def _use_in_words(site: str, use: list[Use]) -> str:
    first, last = use[0], use[-1]
    parts = [
        f"{USE_NAMES[name]} {mw(first.of(name))} then {mw(last.of(name))}"
        for name in USES
        if max(row.of(name) for row in use) >= LEAST_MW
    ]
    return f"{site}, {month(first.month)} then {month(last.month)}: {listed(parts)}; import limit {_limits(use)}."


def timeline(plan: Plan) -> Figure | None:
    """Contracts from signing to the end of the term."""
    if not plan.contracts:
        return None
    contracts = sorted(plan.contracts, key=lambda item: (item.sign_month, item.offer))
    rows = list(range(len(contracts)))
    traces = []
    for index, (name, colour, pattern) in enumerate(_STAGES):
        spans = {row: _spans(item)[index] for row, item in enumerate(contracts)}
        spans = {row: (start, end) for row, (start, end) in spans.items() if end > start}
        if spans:
            traces.append(_stage(name, colour, pattern, spans))
    signs: Trace = {
        "type": "scatter",
        "mode": "markers",
        "name": "Signing",
        "x": [month_axis_value(item.sign_month) for item in contracts],
        "y": rows,
        "text": [f"signed {month(item.sign_month)}" for item in contracts],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"symbol": "diamond", "size": 11, "color": "@ink", "line": {"color": "@paper", "width": 1}},
    }
    return Figure(
        slug="timeline",
        title="Timeline",
        caption="One row a contract, by month of signing; the dotted line is the end of the planning horizon.",
        alternative="; ".join(_contract_in_words(item) for item in contracts) + ".",
        traces=[*traces, signs],
        layout={
            "barmode": "overlay",
            "xaxis": dict(MONTH_AXIS),
            "yaxis": {"visible": False, "range": [len(rows) - 0.5, -0.8], "fixedrange": True},
            "annotations": [_row_label(row, item) for row, item in zip(rows, contracts, strict=True)],
            "shapes": _horizon_end(plan),
            "hovermode": "closest",
        },
        height_px=_ROW_PX * len(rows) + 130,
    )


def _spans(item: ContractOutcome) -> list[tuple[dt.date, dt.date]]:
    """Start and end of every stage."""
    full = min(item.full_energize_month, item.end_month)
    return list(pairwise([item.sign_month, item.build_start_month, item.energize_month, full, item.end_month]))


def _stage(name: str, colour: str, pattern: str, spans: dict[int, tuple[dt.date, dt.date]]) -> Trace:
    milliseconds = [(end - start).days * 86_400_000 for start, end in spans.values()]
    text = [
        f"{name.lower()}: {month(start)} to {month(end)} ({count(months_between(start, end), 'month')})"
        for start, end in spans.values()
    ]
    bar = bars(name, milliseconds, [], colour, pattern)
    base = [month_axis_value(start) for start, _ in spans.values()]
    return bar | {
        "orientation": "h",
        "base": base,
        "y": list(spans),
        "width": 0.36,
        "text": text,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }


def _row_label(row: int, item: ContractOutcome) -> dict[str, Any]:
    return {
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "y",
        "y": row - 0.24,
        "yanchor": "bottom",
        "showarrow": False,
        "align": "left",
        "bgcolor": "@paper",
        "borderpad": 1,
        "text": chart_text(f"{item.offer} at {item.site}, {mw(item.critical_mw)}"),
    }


def _horizon_end(plan: Plan) -> list[dict[str, Any]]:
    if not plan.cash_flow:
        return []
    end = month_axis_value(add_months(plan.cash_flow[-1].month, 1))
    line = {"color": "@muted", "width": 1.5, "dash": "dot"}
    return [{"type": "line", "xref": "x", "x0": end, "x1": end, "yref": "paper", "y0": 0, "y1": 1, "line": line}]


def _contract_in_words(item: ContractOutcome) -> str:
    return (
        f"{item.offer} at {item.site}: signed {month(item.sign_month)}, building from {month(item.build_start_month)}, "
        f"first live {month(item.energize_month)}, all live {month(item.full_energize_month)}, "
        f"ends {month(item.end_month)}"
    )


def hashrate(plan: Plan) -> Figure | None:
    """Hashrate of the running machines, all sites together."""
    use = use_of_company(plan)
    if not any(row.hashrate_eh_s >= 0.005 for row in use):
        return None
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "Hashrate",
        "x": [month_axis_value(row.month) for row in use],
        "y": rounded(row.hashrate_eh_s for row in use),
        "line": {"shape": "hv", "width": 2.5, "color": "@mining"},
        "showlegend": False,
        "hovertemplate": "%{y:,.2f} EH/s<extra></extra>",
    }
    return Figure(
        slug="hashrate",
        title="Hashrate",
        caption="EH/s of the running machines at their ceiling mode, all sites together, by month.",
        alternative=f"Hashrate {number(use[0].hashrate_eh_s, 'EH/s', 2)} in {month(use[0].month)} and "
        f"{number(use[-1].hashrate_eh_s, 'EH/s', 2)} in {month(use[-1].month)}.",
        traces=[trace],
        layout={
            "xaxis": dict(MONTH_AXIS),
            "yaxis": {"ticksuffix": " EH/s", "rangemode": "tozero"},
            "hovermode": "x unified",
        },
        height_px=260,
    )


def machines_by_year(plan: Plan) -> Figure | None:
    """Machines bought, sold and moved in each year."""
    moves = fleet_moves(plan)
    if not moves:
        return None
    years = sorted({row.month.year for row in plan.cash_flow} | {item.year for item in moves})
    kinds = (("Bought", "", "bought"), ("Sold", "/", "sold"), ("Moved to another site", ".", "moved_out"))
    traces, said = [], []
    for name, pattern, field in kinds:
        total = [round(sum(_counted(item, field) for item in moves if item.year == year)) for year in years]
        said.append(f"{name.lower()}: {count(sum(total), 'machine')}")
        if any(total):
            trace = bars(name, [str(year) for year in years], total, "@mining", pattern)
            traces.append(trace | {"hovertemplate": "%{y:,.0f} machines"})
    return Figure(
        slug="machines",
        title="Machines bought, sold and moved",
        caption="Machines by calendar year, all sites and models together.",
        alternative=f"From {years[0]} to {years[-1]}, {', '.join(said)}.",
        traces=traces,
        layout={
            "barmode": "group",
            "xaxis": {"type": "category"},
            "yaxis": {"tickformat": ",~r", "rangemode": "tozero"},
            "hovermode": "x unified",
        },
        height_px=300,
    )


def _counted(item: FleetMove, field: str) -> float:
    return float(getattr(item, field))
