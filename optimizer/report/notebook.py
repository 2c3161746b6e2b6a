"""A plan in a notebook: its answer as a short piece of HTML, and the charts of the report as Plotly figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from optimizer.domain.plan import Plan
from optimizer.errors import NotFoundError
from optimizer.extras import naming_extras
from optimizer.report import tables
from optimizer.report.figure import Figure
from optimizer.report.formats import escape, prose
from optimizer.report.sections import sections
from optimizer.report.style import STYLE
from optimizer.report.words import audit_alarm, headline, recommendation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as PlotlyFigure

_PAINTED = re.compile(r"@([a-z][a-z-]*)")


def plotted(plan: Plan, chart: str) -> PlotlyFigure:
    """A chart of the report by its slug, in the colours of the light scheme.

    Raises:
        NotFoundError: for a chart that the report of this plan does not have.
    """
    figures = {figure.slug: figure for part in sections(plan) for figure in part.figures}
    if chart not in figures:
        raise NotFoundError("chart of this plan", chart, figures)
    return _drawn(figures[chart])


def _drawn(figure: Figure) -> PlotlyFigure:
    with naming_extras():
        from plotly.graph_objects import Figure as PlotlyFigure

    layout = {"template": "plotly_white", "title": {"text": figure.title}, "height": figure.height_px + 80}
    return PlotlyFigure(data=_painted(figure.traces), layout=layout | _painted(figure.layout))


def _painted(value: Any) -> Any:
    """``value`` with the names of colours replaced by the colours."""
    if isinstance(value, str):
        named = _PAINTED.fullmatch(value)
        return _COLOURS[named[1]] if named else value
    if isinstance(value, dict):
        return {key: _painted(item) for key, item in value.items()}
    return [_painted(item) for item in value] if isinstance(value, list) else value


_COLOURS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", STYLE[: STYLE.index("}")]))
"""The colours of the light scheme, which is the first rule of the style sheet."""


def summary_html(plan: Plan) -> str:
    """The answer in a line and a paragraph, contracts, and an audit that failed."""
    alarm = audit_alarm(plan)
    warning = f"<p><strong>{escape(alarm[0])}</strong> {escape(alarm[1])}</p>" if alarm is not None else ""
    signed = tables.contracts(plan) if plan.contracts else ""
    name = escape(plan.manifest.portfolio_name)
    return f"<div>{warning}<h3>{name}: {escape(headline(plan))}</h3><p>{prose(recommendation(plan))}</p>{signed}</div>"
