"""Charts by Matplotlib, as PNG, SVG or PDF. It is optional, and loaded when something is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from optimizer.report.chart import (
    BAND_OPACITY,
    COLOURS,
    GRID,
    INK,
    MUTED,
    Chart,
    Panel,
    end_labels,
    has_markers,
    with_colours,
)

_DPI: Final = 160


def draw(chart: Chart, path: Path) -> None:
    """Draw a chart into a PNG, SVG or PDF file; Matplotlib is loaded here."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MultipleLocator

    heights = [1.6 if place == 0 else 1.0 for place in range(len(chart.panels))]
    settings: Any = {"font.size": 9.5, "text.color": INK, "axes.labelcolor": INK, "svg.hashsalt": "curve"}
    settings["text.parse_math"] = False  # a dollar sign in a name is no formula
    with rc_context(settings):
        figure = Figure(figsize=(8.0, 1.3 + 2.1 * sum(heights)), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(len(chart.panels), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, panel in zip(grid[:, 0], chart.panels, strict=True):
            _draw_panel(axes, panel)
            if chart.mark is not None:
                axes.axvline(chart.mark[0], color=MUTED, linewidth=1.0, linestyle=(0, (2, 2)), zorder=1)
        top, bottom = grid[0, 0], grid[-1, 0]
        if chart.mark is not None:
            side = "left" if chart.mark_in_left_half else "right"
            top.annotate(
                chart.mark[1], (chart.mark[0], 1.0), xycoords=("data", "axes fraction"), ha=side, va="top",
                xytext=(5 if side == "left" else -5, -4), textcoords="offset points", color=MUTED, fontsize=8.5,
            )  # fmt: skip
        bottom.set_xlabel(chart.x_title)
        if chart.x_is_year:
            bottom.xaxis.set_major_locator(MultipleLocator(chart.years_between_ticks))
            bottom.xaxis.set_major_formatter(lambda year, _: f"{year:.0f}")
        below = chart.subtitle_lines
        top.set_title(chart.title, loc="left", fontsize=13, fontweight="bold", pad=13 + 13 * len(below))
        below_title = {"xycoords": "axes fraction", "xytext": (0, 10), "textcoords": "offset points"}
        top.annotate("\n".join(below), (0.0, 1.0), color=MUTED, **below_title)
        # No dates inside: the same question gives the same file.
        metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix.lower())
        figure.savefig(path, dpi=_DPI, metadata=metadata)


def _draw_panel(axes: Any, panel: Panel) -> None:
    axes.set_ylabel(panel.y_title)
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.tick_params(length=0, colors=MUTED)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    for band in panel.bands:
        axes.fill_between(band.low.x, band.low.y, band.high.y, color=COLOURS[0], alpha=BAND_OPACITY, linewidth=0.0)
    for line, colour in with_colours(panel):
        y = [float("nan") if value is None else value for value in line.y]
        shown = MUTED if line.dashed else colour
        style: Any = {"linewidth": 2.2, "zorder": 3}
        if line.dashed:
            style = {"linewidth": 1.4, "linestyle": (0, (4, 3)), "zorder": 2}
        if has_markers(line):
            style |= {"marker": "o", "markersize": 4.5}
        axes.plot(line.x, y, color=shown, clip_on=False, **style)
        for x_at, y_at, text in zip(line.x, y, line.point_labels, strict=False):
            axes.annotate(text, (x_at, y_at), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8.5,
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8}, zorder=2.5)  # fmt: skip
    for label in end_labels(panel):
        axes.annotate(
            label.text, (label.x, label.y), xytext=(6, 0), textcoords="offset points", color=label.colour, va="center",
            fontsize=9, annotation_clip=False,
        )  # fmt: skip
    axes.margins(y=0.08 if panel.from_zero else 0.15)
    if panel.percent:
        axes.set_ylim(0.0, 100.0)
    elif panel.from_zero and min(panel.values, default=0.0) >= 0.0:
        axes.set_ylim(bottom=0.0)
