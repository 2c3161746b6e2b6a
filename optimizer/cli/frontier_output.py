"""What ``optimizer frontier`` prints and draws."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from optimizer.cli.curve_output import Answer, Column, number
from optimizer.domain.frontier import Frontier, FrontierPoint
from optimizer.domain.proof import Limit
from optimizer.units import USD_PER_MUSD

if TYPE_CHECKING:
    from optimizer.report.chart import Chart

COLUMNS: tuple[Column, ...] = (
    ("weight\nof CVaR", number("cvar_weight_frac", 2)),
    ("NPV\nM USD", number("npv_usd", 1, 1.0 / USD_PER_MUSD)),
    ("CVaR\nM USD", number("cvar_usd", 1, 1.0 / USD_PER_MUSD)),
    ("gap\n%", number("gap_frac", 2, 100.0)),
    ("proven by", lambda record: "search" if record["searched"] else "neighbours"),
    ("audit", lambda record: "passed" if record["audit_passed"] else "FAILED"),
)


def frontier_answer(name: str, found: Frontier) -> Answer:
    """The frontier as a table, notes and a picture."""
    title = f"{name}: expected NPV against CVaR"
    subtitle = f"mean of the worst {found.tail_probability:.0%} of {found.scenario_count:,} futures"
    records = [_record(point) for point in found.points]

    def drawn(charts: ModuleType) -> Chart:
        chart: Chart = charts.frontier_chart(found, title, subtitle)
        return chart

    return Answer(title, subtitle, found.model_dump(mode="json"), records, COLUMNS, _notes(found), drawn)


def _record(point: FrontierPoint) -> dict[str, object]:
    names = (
        "cvar_weight_frac",
        "npv_usd",
        "cvar_usd",
        "objective_usd",
        "bound_usd",
        "gap_frac",
        "searched",
        "audit_passed",
    )
    return {**{name: getattr(point, name) for name in names}, "differs": "; ".join(point.differs)}


def _notes(found: Frontier) -> list[str]:
    if not found.points:
        return [f"no plan: {found.detail}"]
    notes = [
        f"from a weight of {point.cvar_weight_frac:.2f} on: {'; '.join(point.differs)}"
        for point in found.points
        if point.differs
    ]
    first, last = found.points[0], found.points[-1]
    gained, paid = ((last.cvar_usd - first.cvar_usd) / USD_PER_MUSD, (first.npv_usd - last.npv_usd) / USD_PER_MUSD)
    if gained > 0.0:
        notes.append(f"the worst futures can be {gained:,.1f} M USD better, for {paid:,.1f} of the mean")
    if found.limit is not Limit.NONE:
        why = "the time was up" if found.limit is Limit.TIME else "it was stopped"
        notes.append(f"{why} before every gap was proven; give --time-limit, or ask for a wider --gap")
    return notes
