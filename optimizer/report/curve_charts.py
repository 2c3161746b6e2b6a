"""Pictures of curves: one description of a chart, drawn by Matplotlib (PNG, SVG, PDF) or by Plotly (HTML).

Matplotlib is optional and loaded when it is needed; so is Plotly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from optimizer.domain.curves import HashingCurve, ThroughputCurve
from optimizer.errors import InvalidInputError
from optimizer.io.text import check_writable, write_text
from optimizer.report.formats import chart_text

DRAWN_BY_MATPLOTLIB: Final = frozenset({".png", ".svg", ".pdf"})
_SUFFIXES: Final = (*sorted(DRAWN_BY_MATPLOTLIB), ".html")
_INK, _MUTED, _GRID = "#16202c", "#56616e", "#e4e8ec"
_COLOURS: Final = ("#0b6fb8", "#d98e04", "#0fa37f", "#b06a9b", "#8c2d19", "#56616e")
"""Of the lines of one panel, in turn; the report's own colours."""
_DPI: Final = 160
_PANEL_PX: Final = 290
_LEAST_PX: Final = 420
"""Heights in the browser: of one panel of several, and of a panel that is alone."""
_LABEL_GAP_FRAC: Final = 0.075
"""Least distance of two labels over the height of their panel."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel, labelled where it ends."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    """A gap where absent."""
    dashed: bool = False
    point_labels: Sequence[str] = ()
    """One a point, or none."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over one vertical axis."""

    y_title: str
    """With its unit."""
    lines: tuple[Line, ...]
    percent: bool = False
    """Whether the axis runs from 0 to 100 %."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels one below the other over one horizontal axis."""

    title: str
    subtitle: str
    x_title: str
    """With its unit."""
    panels: tuple[Panel, ...]
    mark: tuple[float, str] | None = None
    """A place on the horizontal axis, and what is there."""


def hashing_chart(curve: HashingCurve, title: str, subtitle: str) -> Chart:
    """Margin, running hours and realised power price over the hashprice."""
    points = sorted(curve.points, key=lambda point: point.hashprice_usd_per_ph_day)
    x = [point.hashprice_usd_per_ph_day for point in points]
    mean, breakeven = curve.mean_power_usd_per_mwh, curve.breakeven_hashprice_usd_per_ph_day
    return Chart(
        title=title,
        subtitle=subtitle,
        x_title="Hashprice, USD per PH/s and day",
        panels=(
            Panel("Margin, USD per MW and month", (Line("margin", x, [p.margin_usd_per_mw_month for p in points]),)),
            Panel(
                "Running hours, %", (Line("running", x, [100.0 * p.running_hours_frac for p in points]),), percent=True
            ),
            Panel(
                "Power price, USD per MWh",
                (
                    Line("in hours that run", x, [p.realised_power_usd_per_mwh for p in points]),
                    Line("in all hours", x, [mean] * len(points), dashed=True),
                ),
            ),
        ),
        mark=(breakeven, f"{breakeven:,.1f}: break-even at the mean power price") if x[0] < breakeven < x[-1] else None,
    )


def throughput_chart(curve: ThroughputCurve, title: str, subtitle: str) -> Chart:
    """What the cluster gets done over the power it draws, each point with its cap."""
    x = [point.grid_mw for point in curve.points]
    y = [point.effective_gpu_count for point in curve.points]
    labels = [f"{point.cap_frac:.0%}" for point in curve.points]
    proportional = [full / x[-1] * y[-1] for full in x]
    lines = [Line("at this power cap", x, y, point_labels=labels)]
    if len(x) > 1:
        lines.append(Line("in proportion to power", x, proportional, dashed=True))
    panel = Panel("Effective GPUs (no caps, no failures)", tuple(lines))
    return Chart(title=title, subtitle=subtitle, x_title="Power at the meter, MW", panels=(panel,))


def breakeven_chart(lines: Sequence[Line], title: str, subtitle: str) -> Chart:
    """Break-even power price over the hashprice, one line a mode."""
    panel = Panel("Break-even power price, USD per MWh", tuple(lines))
    return Chart(title=title, subtitle=subtitle, x_title="Hashprice, USD per PH/s and day", panels=(panel,))


def check_chart_file(path: Path) -> None:
    """Refuse a picture that cannot be written, before the work is done for it.

    Raises:
        InvalidInputError: no format goes by its suffix, the folder is not there, or Matplotlib is not installed.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise InvalidInputError.single(str(path), f"has extension {suffix!r}", f"use {', '.join(_SUFFIXES)}", "output")
    check_writable(path)
    if suffix in DRAWN_BY_MATPLOTLIB and find_spec("matplotlib") is None:
        fix = "pip install 'capacity-optimizer[plot]', or write .html, which needs nothing"
        raise InvalidInputError.single(str(path), "drawing it needs Matplotlib, which is not installed", fix, "output")


def write_chart(chart: Chart, path: Path) -> None:
    """Draw a chart into a file; its suffix says the format.

    Raises:
        InvalidInputError: as :func:`check_chart_file`.
    """
    check_chart_file(path)
    if path.suffix.lower() in DRAWN_BY_MATPLOTLIB:
        _draw(chart, path)
    else:
        from plotly.io import to_html  # slow to load

        config = {"displayModeBar": False, "responsive": True}
        write_text(path, to_html(_plotly_figure(chart), config=config, include_plotlyjs=True, full_html=True))


# ----------------------------------------------------------------------------------------------------------- Matplotlib


def _draw(chart: Chart, path: Path) -> None:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights = [1.6 if place == 0 else 1.0 for place in range(len(chart.panels))]
    settings: Any = {"font.size": 9.5, "text.color": _INK, "axes.labelcolor": _INK, "svg.hashsalt": "curve"}
    settings["text.parse_math"] = False  # a dollar sign in a name is no formula
    with rc_context(settings):
        figure = Figure(figsize=(8.0, 1.3 + 2.1 * sum(heights)), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(len(chart.panels), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, panel in zip(grid[:, 0], chart.panels, strict=True):
            _draw_panel(axes, panel)
            if chart.mark is not None:
                axes.axvline(chart.mark[0], color=_MUTED, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1)
        top, bottom = grid[0, 0], grid[-1, 0]
        if chart.mark is not None:
            side = "left" if _in_left_half(chart) else "right"
            top.annotate(
                chart.mark[1], (chart.mark[0], 1.0), xycoords=("data", "axes fraction"), ha=side, va="top",
                xytext=(5 if side == "left" else -5, -4), textcoords="offset points", color=_MUTED, fontsize=8.5,
            )  # fmt: skip
        bottom.set_xlabel(chart.x_title)
        top.set_title(chart.title, loc="left", fontsize=13, fontweight="bold", pad=26)
        below_title = {"xycoords": "axes fraction", "xytext": (0, 10), "textcoords": "offset points"}
        top.annotate(chart.subtitle, (0.0, 1.0), color=_MUTED, **below_title)
        # No dates inside: the same question gives the same file.
        metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
        figure.savefig(path, dpi=_DPI, metadata=metadata)


def _draw_panel(axes: Any, panel: Panel) -> None:
    axes.set_ylabel(panel.y_title)
    axes.grid(visible=True, color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_MUTED)
    axes.tick_params(length=0, colors=_MUTED)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    for colour, line in zip(_cycled(len(panel.lines)), panel.lines, strict=True):
        y = [float("nan") if value is None else value for value in line.y]
        shown = _MUTED if line.dashed else colour
        style: Any = {"linewidth": 2.2, "zorder": 3}
        if line.dashed:
            style = {"linewidth": 1.4, "linestyle": (0, (4, 3)), "zorder": 2}
        if _has_markers(line):
            style |= {"marker": "o", "markersize": 4.5}
        axes.plot(line.x, y, color=shown, clip_on=False, **style)
        for x_at, y_at, text in zip(line.x, y, line.point_labels, strict=False):
            axes.annotate(text, (x_at, y_at), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8.5,
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, zorder=2.5)  # fmt: skip
    for label in _end_labels(panel):
        axes.annotate(
            label.text, (label.x, label.y), xytext=(6, 0), textcoords="offset points", color=label.colour, va="center",
            fontsize=9, annotation_clip=False,
        )  # fmt: skip
    axes.margins(y=0.08)
    if panel.percent:
        axes.set_ylim(0.0, 100.0)
    elif all(value is None or value >= 0.0 for line in panel.lines for value in line.y):
        axes.set_ylim(bottom=0.0)


class _Label(NamedTuple):
    x: float
    y: float
    text: str
    colour: str
    dashed: bool


def _end_labels(panel: Panel) -> list[_Label]:
    """Names of the lines at their right ends, apart from each other; none where there is one line only."""
    if len(panel.lines) < 2:
        return []
    ends = []
    for colour, line in zip(_cycled(len(panel.lines)), panel.lines, strict=True):
        drawn = [(x, y) for x, y in zip(line.x, line.y, strict=True) if y is not None]
        if drawn:
            ends.append(_Label(*drawn[-1], line.name, _MUTED if line.dashed else colour, line.dashed))
    values = [y for line in panel.lines for y in line.y if y is not None]
    least_gap = _LABEL_GAP_FRAC * (max(0.0, *values) - min(0.0, *values)) if values else 0.0
    placed: list[_Label] = []
    for label in sorted(ends, key=lambda label: (-label.y, label.dashed)):  # from the top down
        highest = placed[-1].y - least_gap if placed else label.y
        placed.append(label._replace(y=min(label.y, highest)))
    return placed


def _x_range(chart: Chart) -> tuple[float, float]:
    """The horizontal axis, with a margin at both ends."""
    x = [x for panel in chart.panels for line in panel.lines for x in line.x]
    margin = 0.04 * (max(x) - min(x)) or 0.04 * abs(x[0]) or 1.0
    return min(x) - margin, max(x) + margin


def _in_left_half(chart: Chart) -> bool:
    """Whether the mark is, so that its text goes to the right of it."""
    assert chart.mark is not None
    return chart.mark[0] < sum(_x_range(chart)) / 2.0


def _has_markers(line: Line) -> bool:
    return bool(line.point_labels) or len(line.x) == 1


def _cycled(count: int) -> list[str]:
    return [_COLOURS[place % len(_COLOURS)] for place in range(count)]


# --------------------------------------------------------------------------------------------------------------- Plotly


def _plotly_figure(chart: Chart) -> dict[str, Any]:
    """A Plotly figure: one pair of axes a panel, from the top down."""
    count = len(chart.panels)
    traces: list[dict[str, Any]] = []
    axis = {"gridcolor": _GRID, "zerolinecolor": _MUTED, "linecolor": _MUTED, "automargin": True}
    layout: dict[str, Any] = {
        "title": {"text": f"{chart_text(chart.title)}<br><sup>{chart_text(chart.subtitle)}</sup>", "x": 0.01},
        "font": {"family": "system-ui, sans-serif", "color": _INK},
        "plot_bgcolor": "#ffffff",
        "showlegend": False,
        "hovermode": "x unified",
        "height": 160 + max(_PANEL_PX * count, _LEAST_PX),
        "margin": {"r": 160},
        "xaxis": {
            **axis,
            "title": {"text": chart.x_title},
            "range": _x_range(chart),
            "anchor": f"y{count if count > 1 else ''}",
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
            "rangemode": "tozero", **({"range": [0, 100]} if panel.percent else {}),
        }  # fmt: skip
        for colour, line in zip(_cycled(len(panel.lines)), panel.lines, strict=True):
            traces.append(_plotly_trace(line, colour, name))
        layout["annotations"] += [_plotly_label(label, name) for label in _end_labels(panel)]
    if chart.mark is not None:
        x, text = chart.mark
        rule = {"color": _MUTED, "width": 1, "dash": "dot"}
        layout["shapes"] = [{"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": rule}]
        side, shift_px = ("left", 5) if _in_left_half(chart) else ("right", -5)
        place_of_text = {"x": x, "y": 1, "yref": "paper", "xanchor": side, "yanchor": "top", "xshift": shift_px}
        layout["annotations"].append(
            {"text": chart_text(text), "showarrow": False, "font": {"color": _MUTED}, **place_of_text}
        )
    return {"data": traces, "layout": layout}


def _plotly_trace(line: Line, colour: str, axis: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines" + ("+markers" if _has_markers(line) else "") + ("+text" if line.point_labels else ""),
        "name": chart_text(line.name),
        "x": list(line.x),
        "y": list(line.y),
        "text": list(line.point_labels) or None,
        "textposition": "top center",
        "cliponaxis": False,
        "yaxis": axis,
        "line": {"color": _MUTED if line.dashed else colour, "dash": "dash" if line.dashed else "solid"},
        "hovertemplate": "%{y:,.4~g}",
    }


def _plotly_label(label: _Label, axis: str) -> dict[str, Any]:
    return {
        "x": label.x,
        "y": label.y,
        "yref": axis,
        "text": chart_text(label.text),
        "showarrow": False,
        "xanchor": "left",
        "xshift": 6,
        "font": {"color": label.colour},
    }
