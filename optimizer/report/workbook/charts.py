"""Charts of the sheets, in the colours of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from openpyxl.chart import AreaChart, BarChart, LineChart, Reference, ScatterChart, Series
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties

from optimizer.report.style import STYLE
from optimizer.report.workbook.cells import MONTH, Placed

WIDTH_CM, HEIGHT_CM = 24.0, 8.5
ROWS: Final = 18
"""Rows that a chart covers."""
MUSD_AXIS: Final = '#,##0,,"M"'
GRID: Final = "E4E8EC"
COLOURS: Final[Mapping[str, str]] = dict(reversed(re.findall(r"--([a-z-]+): #([0-9a-f]{6})", STYLE)))
"""Colours by name; of those that are stated twice the first, which is for light paper."""


def use(placed: Placed, uses: Mapping[str, str]) -> AreaChart:
    """MW by month and use, stacked; ``uses`` are columns and the names of their colours."""
    chart = AreaChart(grouping="stacked")
    _finish(chart, "MW by use", "#,##0", [_series(placed, name) for name in uses], [*uses.values()])
    _by_month(chart, placed)
    return chart


def cash_and_debt(placed: Placed) -> LineChart:
    """Cash and debt at the end of each month."""
    chart = LineChart()
    names = {"cash_usd": "hosting", "debt_usd": "debt"}
    _finish(chart, "Cash and debt, USD", MUSD_AXIS, [_series(placed, name) for name in names], [*names.values()])
    for series in chart.series:
        series.smooth = False
    _by_month(chart, placed)
    return chart


def add_earnings(placed: Placed, at: str, colours: Sequence[str]) -> None:
    """Earnings by year; the first rows of the table are their lines."""
    chart = BarChart()
    chart.grouping, chart.overlap, chart.gapWidth = "stacked", 100, 40
    page, head, last = placed.page, placed.first - 1, len(placed.columns)
    rows = range(placed.first, placed.first + len(colours))
    lines = [Series(Reference(page, 2, row, last, row), title=page.cell(row, 1).value) for row in rows]
    _finish(chart, "Earnings by year, USD", MUSD_AXIS, lines, colours)
    chart.set_categories(Reference(page, 2, head, last, head))
    page.add_chart(chart, at)


def add_npv(placed: Placed, at: str) -> None:
    """NPV by line as the plan states it; the last row is the total."""
    chart = BarChart(barDir="bar")
    lines = Reference(placed.page, placed.columns["stated_usd"], placed.first, max_row=placed.last - 1)
    _finish(chart, "Expected NPV by line, USD", MUSD_AXIS, [Series(lines, title="NPV")], ["hosting"])
    chart.set_categories(Reference(placed.page, 1, placed.first, max_row=placed.last - 1))
    chart.legend, chart.x_axis.scaling.orientation, chart.x_axis.tickLblPos = None, "maxMin", "low"
    placed.page.add_chart(chart, at)


def add_quantiles(placed: Placed, at: str) -> None:
    """NPV by probability."""
    chart = ScatterChart(scatterStyle="lineMarker")
    across, up = (_column(placed, name) for name in ("npv_usd", "probability"))
    _finish(chart, "Probability of at most this NPV, USD", "0%", [Series(up, across, title="NPV")], ["hosting"])
    chart.legend, chart.x_axis.number_format, chart.x_axis.majorGridlines = None, MUSD_AXIS, None
    chart.y_axis.scaling.min, chart.y_axis.scaling.max = 0.0, 1.0
    for series in chart.series:
        series.smooth, series.marker.symbol = False, "circle"
    placed.page.add_chart(chart, at)


def _column(placed: Placed, name: str) -> Reference:
    return Reference(placed.page, placed.columns[name], placed.first, max_row=placed.last)


def _series(placed: Placed, name: str) -> Any:
    return Series(_column(placed, name), title=name)


def _by_month(chart: Any, placed: Placed) -> None:
    chart.set_categories(_column(placed, "month"))
    chart.x_axis.number_format = MONTH
    months = placed.last - placed.first + 1
    chart.x_axis.tickLblSkip = chart.x_axis.tickMarkSkip = max(1, months // 12)


def _finish(chart: Any, title: str, number_format: str, lines: Sequence[Any], colours: Sequence[str]) -> None:
    """What all charts share."""
    chart.title, chart.width, chart.height = title, WIDTH_CM, HEIGHT_CM
    chart.legend.position = "b"
    for series, colour in zip(lines, colours, strict=True):
        series.graphicalProperties = GraphicalProperties(solidFill=COLOURS[colour])
        series.graphicalProperties.line.solidFill = COLOURS[colour]
        chart.series.append(series)
    if isinstance(chart, ScatterChart | LineChart):
        for series in chart.series:
            series.graphicalProperties.noFill, series.graphicalProperties.solidFill = True, None
            series.graphicalProperties.line.width = 22_000
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete = False
    chart.x_axis.tickLblPos = "low"
    chart.y_axis.number_format, chart.y_axis.majorGridlines = number_format, ChartLines()
    chart.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill=GRID))
