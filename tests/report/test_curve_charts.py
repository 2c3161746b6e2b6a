"""Charts of curves: what is on them, and what the two that draw them make of it."""

import datetime as dt
from itertools import pairwise

import pytest

from optimizer.domain.market_answers import FanRow, MarketFan
from optimizer.report import draw_plotly
from optimizer.report.chart import Band, Chart, Line, Panel, end_labels, month_of, year_of
from optimizer.report.curve_charts import fan_chart, write_chart


def line(name, last):
    return Line(name, [0.0, 1.0], [0.0, last])


def fan(months=25, spread=1.0):
    rows = [
        FanRow(
            month=dt.date(2027 + index // 12, index % 12 + 1, 1),
            mean=50.0,
            quantiles=tuple(50.0 + spread * step for step in (-20, -10, 0, 10, 20)),
        )
        for index in range(months)
    ]
    return MarketFan(
        quantity="hashprice",
        unit="USD per PH/s and day",
        scenario_count=10,
        probabilities=(0.05, 0.25, 0.5, 0.75, 0.95),
        months=tuple(rows),
    )


def test_labels_at_the_ends_of_lines_keep_apart():
    panel = Panel("y", (line("a", 99.0), line("b", 100.0), line("c", 50.0)))
    labels = end_labels(panel)
    assert [label.text for label in labels] == ["b", "a", "c"]
    assert labels[0].y - labels[1].y >= 7.0
    assert labels[2].y == 50.0
    assert end_labels(Panel("y", panel.lines[:1])) == []


def test_labels_stay_above_the_axis_and_lines_without_a_name_have_none():
    lines = tuple(line(name, last) for name, last in (("a", 3.0), ("b", 2.0), ("c", 1.0), ("", 1.5), ("d", 100.0)))
    labels = end_labels(Panel("y", lines))
    heights = [label.y for label in labels]
    assert [label.text for label in labels] == ["d", "a", "b", "c"]
    assert min(heights) > 0.0
    assert all(above - below >= 7.4 for above, below in pairwise(heights))


def test_the_edges_of_bands_are_labelled_and_reach_the_axes():
    panel = Panel("y", (line("median", 5.0),), bands=(Band(line("low", 1.0), line("high", 9.0)),))
    assert [label.text for label in end_labels(panel)] == ["high", "median", "low"]
    assert max(panel.values) == 9.0


def test_places_on_an_axis_of_years_are_months():
    for year, month in ((2027, 1), (2027, 12), (2031, 7)):
        assert month_of(year_of(year, month)) == (year, month)
    chart = Chart("", "", "Year", (Panel("y", (Line("", [2027.0, 2057.0], [1.0, 2.0]),)),), x_is_year=True)
    assert chart.years_between_ticks == 3
    assert fan_chart(fan(), "").years_between_ticks == 1


def test_a_fan_is_two_bands_and_a_line():
    chart = fan_chart(fan(), "case: hashprice")
    (panel,) = chart.panels
    assert [item.name for item in panel.lines] == ["median"]
    assert [(band.low.name, band.high.name) for band in panel.bands] == [("5%", "95%"), ("25%", "75%")]
    assert panel.bands[0].high.y[0] == 70.0
    assert panel.lines[0].x[12] == 2028.0
    assert chart.subtitle == "Quantiles over 10 scenarios"


def test_plotly_fills_between_the_edges_over_dates():
    figure = draw_plotly.figure(fan_chart(fan(), "case"))
    low, high, inner_low, inner_high, median = figure["data"]
    assert [trace.get("fill") for trace in figure["data"]] == [None, "tonexty", None, "tonexty", None]
    assert (low["y"][0], high["y"][0], inner_low["y"][0], inner_high["y"][0]) == (30.0, 70.0, 40.0, 60.0)
    assert low["line"]["width"] == 0 != median["line"]
    assert median["x"][:2] == ["2027-01-01", "2027-02-01"]
    axis = figure["layout"]["xaxis"]
    assert (axis["type"], axis["tickformat"], axis["dtick"]) == ("date", "%Y", "M12")


@pytest.mark.parametrize("months", [1, 25])
@pytest.mark.parametrize("suffix", ["svg", "html"])
def test_a_fan_is_drawn_with_years_on_its_axis(tmp_path, suffix, months):
    path = tmp_path / f"fan.{suffix}"
    write_chart(fan_chart(fan(months), "case"), path)
    text = path.read_text(encoding="utf-8")
    assert "median" in text or suffix == "svg"
    assert len(text) > 5_000


def test_matplotlib_fills_two_areas_and_writes_whole_years(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    write_chart(fan_chart(fan(), "case"), tmp_path / "fan.png")
    (axes,) = drawn[0].axes
    drawn[0].draw_without_rendering()
    assert len(axes.collections) == 2
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert {"2027", "2028", "2029"} <= set(shown)
    assert len(shown) == len(set(shown))
    assert {text.get_text() for text in axes.texts} >= {"median", "5%", "25%", "75%", "95%"}
