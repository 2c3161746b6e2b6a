"""Charts by Plotly, as pages that any browser shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from optimizer.report.chart import (
    BAND_OPACITY,
    COLOURS,
    GRID,
    INK,
    MUTED,
    Band,
    Chart,
    Label,
    Line,
    end_labels,
    has_markers,
    month_of,
    with_colours,
)
from optimizer.report.formats import chart_text
from optimizer.units import MONTHS_PER_YEAR

Placed = Callable[[float], Any]
"""Where Plotly has a place of the horizontal axis."""

_PANEL_PX: Final = 290
_LEAST_PX: Final = 420
"""Heights in the browser: of one panel of several, and of a panel that is alone."""


def figure(chart: Chart) -> dict[str, Any]:
    """A Plotly figure: one pair of axes a panel, from the top down."""
    count, placed = len(chart.panels), _month if chart.x_is_year else float
    traces: list[dict[str, Any]] = []
    axis = {"gridcolor": GRID, "zerolinecolor": MUTED, "linecolor": MUTED, "automargin": True}
    below_title = "".join(f"<br><sup>{chart_text(line)}</sup>" for line in chart.subtitle_lines)
    layout: dict[str, Any] = {
        "title": {"text": f"{chart_text(chart.title)}{below_title}", "x": 0.01},
        "font": {"family": "system-ui, sans-serif", "color": INK},
        "plot_bgcolor": "#ffffff",
        "showlegend": False,
        "hovermode": "x unified",
        "height": 160 + max(_PANEL_PX * count, _LEAST_PX),
        "margin": {"r": 160},
        "xaxis": {
            **axis,
            "title": {"text": chart.x_title},
            "range": [placed(end) for end in chart.x_range],
            "anchor": f"y{count if count > 1 else ''}",
            **(_years(chart) if chart.x_is_year else {}),
        },
        "annotations": [],
    }
    gap = 0.06
    for place, panel in enumerate(chart.panels):
        name = f"y{place + 1 if place else ''}"
        top = 1.0 - place / count
        bottom = 1.0 - (place + 1) / count + (gap if place + 1 < count else 0.0)
        layout[f"yaxis{name[1:]}"] = {
            **axis, "title": {"text": panel.y_title}, "domain": [bottom, top], "tickformat": ",~g",
            "rangemode": "tozero" if panel.from_zero else "normal", **({"range": [0, 100]} if panel.percent else {}),
        }  # fmt: skip
        for band in panel.bands:
            traces += _band(band, name, placed)
        in_front_last = sorted(with_colours(panel), key=lambda item: not item[0].dashed)
        traces += [_trace(line, colour, name, placed) for line, colour in in_front_last]
        layout["annotations"] += [_label(label, name, placed) for label in end_labels(panel)]
    if chart.mark is not None:
        x, text = placed(chart.mark[0]), chart.mark[1]
        rule = {"color": MUTED, "width": 1, "dash": "dot"}
        layout["shapes"] = [{"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": rule}]
        side, shift_px = ("left", 5) if chart.mark_in_left_half else ("right", -5)
        place_of_text = {"x": x, "y": 1, "yref": "paper", "xanchor": side, "yanchor": "top", "xshift": shift_px}
        layout["annotations"].append(
            {"text": chart_text(text), "showarrow": False, "font": {"color": MUTED}, **place_of_text}
        )
    return {"data": traces, "layout": layout}


def _years(chart: Chart) -> dict[str, Any]:
    """An axis of dates with a tick at the start of a year."""
    every = f"M{MONTHS_PER_YEAR * chart.years_between_ticks}"
    return {"type": "date", "tickformat": "%Y", "hoverformat": "%Y-%m", "tick0": "2000-01-01", "dtick": every}


def _month(place: float) -> str:
    year, month = month_of(place)
    return f"{year:04d}-{month:02d}-01"


def _trace(line: Line, colour: str, axis: str, placed: Placed) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" + ("+markers" if has_markers(line) else "") + ("+text" if line.point_labels else ""),
        "name": chart_text(line.name),
        "x": [placed(x) for x in line.x],
        "y": list(line.y),
        "text": list(line.point_labels) or None,
        "textposition": "top center",
        "cliponaxis": False,
        "yaxis": axis,
        "line": {"color": MUTED if line.dashed else colour, "dash": "dash" if line.dashed else "solid"},
        "hovertemplate": "%{y:,.4~g}",
    }


def _band(band: Band, axis: str, placed: Placed) -> list[dict[str, Any]]:
    """The lower edge, and the upper one with the area down to it."""
    red, green, blue = (int(COLOURS[0][i : i + 2], 16) for i in (1, 3, 5))
    area = {"fill": "tonexty", "fillcolor": f"rgba({red}, {green}, {blue}, {BAND_OPACITY})"}
    low, high = (_trace(edge, COLOURS[0], axis, placed) | {"line": {"width": 0}} for edge in (band.low, band.high))
    return [low, high | area]


def _label(label: Label, axis: str, placed: Placed) -> dict[str, Any]:
    return {
        "x": placed(label.x),
        "y": label.y,
        "yref": axis,
        "text": chart_text(label.text),
        "showarrow": False,
        "xanchor": "left",
        "xshift": 6,
        "font": {"color": label.colour},
    }
