"""Pictures of curves: what each shows, and the file it goes into.

:mod:`optimizer.report.chart` describes a chart; Matplotlib draws it as PNG, SVG or PDF, Plotly as HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final

from optimizer.domain.backtest import Backtest
from optimizer.domain.cluster_curves import ClusterCurve, ClusterValue
from optimizer.domain.curves import HashingCurve, ThroughputCurve
from optimizer.domain.frontier import Frontier
from optimizer.domain.market_answers import MarketFan
from optimizer.domain.merit_order import MeritOrder
from optimizer.domain.network_curves import NetworkCurve, NetworkMonth
from optimizer.domain.simulation import Simulation
from optimizer.errors import InvalidInputError
from optimizer.extras import install_command
from optimizer.io.text import check_writable, write_text
from optimizer.report.chart import Band, Chart, Line, Panel, year_of
from optimizer.units import USD_PER_MUSD

DRAWN_BY_MATPLOTLIB: Final = frozenset({".png", ".svg", ".pdf"})
_SUFFIXES: Final = (*sorted(DRAWN_BY_MATPLOTLIB), ".html")


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


def frontier_chart(found: Frontier, title: str, subtitle: str) -> Chart:
    """Expected NPV over CVaR, each point with its weight."""
    x = [point.cvar_usd / USD_PER_MUSD for point in found.points]
    y = [point.npv_usd / USD_PER_MUSD for point in found.points]
    same = {place: index for index, place in reversed([*enumerate(zip(x, y, strict=True))])}
    labels = [
        f"{point.cvar_weight_frac:.3g}" if same[place] == index else ""
        for index, (point, place) in enumerate(zip(found.points, zip(x, y, strict=True), strict=True))
    ]
    line = Line("weight of CVaR", x, y, markers=True, point_labels=labels)
    panel = Panel("Expected NPV, million USD, by weight of CVaR", (line,), from_zero=False)
    return Chart(title=title, subtitle=subtitle, x_title="CVaR, million USD", panels=(panel,))


def simulation_chart(found: Simulation, title: str, subtitle: str) -> Chart:
    """NPV by rank among the paths, by strategy."""
    lines = []
    for place, item in enumerate(found.strategies):
        npv = sorted(path.outcomes[place].npv_usd / USD_PER_MUSD for path in found.paths)
        rank = [100.0 * (index + 0.5) / len(npv) for index in range(len(npv))]
        lines.append(Line(item.strategy.told, rank, npv, markers=len(npv) == 1))
    panel = Panel("NPV, million USD", tuple(lines))
    return Chart(title=title, subtitle=subtitle, x_title="Share of paths that earn less, %", panels=(panel,))


def backtest_chart(found: Backtest, title: str, subtitle: str) -> Chart:
    """Cash by strategy at the ends of years, over hashprice."""
    x = [year_of(row.year, 12) for row in found.years]
    cash = [
        Line(item.strategy.told, x, [row.cash_usd[place] / USD_PER_MUSD for row in found.years], markers=True)
        for place, item in enumerate(found.outcomes)
    ]
    hashprice = Line("mean of the year", x, [row.hashprice_usd_per_ph_day for row in found.years], markers=True)
    panels = (Panel("Cash, million USD", tuple(cash)), Panel("Hashprice, USD per PH/s and day", (hashprice,)))
    return Chart(title=title, subtitle=subtitle, x_title="Year", panels=panels, x_is_year=True)


def breakeven_chart(lines: Sequence[Line], title: str, subtitle: str) -> Chart:
    """Break-even power price over the hashprice, one line a mode."""
    panel = Panel("Break-even power price, USD per MWh", tuple(lines))
    return Chart(title=title, subtitle=subtitle, x_title="Hashprice, USD per PH/s and day", panels=(panel,))


def merit_order_chart(order: MeritOrder, title: str, subtitle: str) -> Chart:
    """Value of a MW and of the month over the MW of the site, steps coloured by model."""
    ends = [0.0, *(step.cumulative_grid_mw for step in order.steps)]
    levels = [step.usd_per_mw_month for step in order.steps]
    x, staircase = _staircase(ends, levels)
    steps = []
    for model in dict.fromkeys(step.asic_model for step in order.steps):
        own = [step.usd_per_mw_month if step.asic_model == model else None for step in order.steps]
        steps.append(Line(model, x, _staircase(ends, own)[1]))
    values = [0.0, *(step.cumulative_usd_per_month / USD_PER_MUSD for step in order.steps)]
    return Chart(
        title=title,
        subtitle=subtitle,
        x_title="Mining load at the meter, MW",
        panels=(
            Panel("Value of a MW, USD per month", (*steps, Line("", x, staircase, dashed=True))),
            Panel("Value, million USD per month", (Line("value", ends, values, markers=True),)),
        ),
        mark=(order.paying_grid_mw, f"{order.paying_grid_mw:,.1f} MW pay"),
    )


def cluster_chart(curve: ClusterCurve, title: str, subtitle: str) -> Chart:
    """What clusters get done over their size, and what one more GPU adds."""
    points = sorted(curve.points, key=lambda point: point.gpu_count)
    x: list[float] = [point.gpu_count for point in points]
    useful = curve.largest_useful_gpu_count
    mark = (useful, f"{useful:,.0f}: one more adds nothing") if useful is not None and x[0] < useful < x[-1] else None
    return Chart(
        title=title,
        subtitle=subtitle,
        x_title="GPUs of the cluster",
        panels=(
            Panel(
                "Effective GPUs",
                (
                    Line("cluster", x, [point.effective_gpu_count for point in points]),
                    Line("without losses", x, x, dashed=True),
                ),
            ),
            Panel("One more GPU adds, GPUs", (Line("adds", x, [p.marginal_effective_gpu_frac for p in points]),)),
            Panel(
                "Share, %",
                (
                    Line("time that trains", x, [100.0 * point.goodput_frac for point in points]),
                    Line("kept in scaling", x, [100.0 * point.scaling_efficiency_frac for point in points]),
                ),
                percent=True,
            ),
        ),
        mark=mark,
    )


def cluster_value_chart(value: ClusterValue, title: str, subtitle: str) -> Chart:
    """Value of a cluster over its MW in straight pieces, and of a MW within each."""
    mw = [knot.critical_mw for knot in value.knots]
    x, levels = _staircase(mw, [knot.usd_per_mw_month for knot in value.knots[1:]])
    musd = [knot.usd_per_month / USD_PER_MUSD for knot in value.knots]
    return Chart(
        title=title,
        subtitle=subtitle,
        x_title="Critical IT power without caps, MW",
        panels=(
            Panel("Rent less energy, million USD per month", (Line("value", mw, musd, markers=True),)),
            Panel("Of one more MW, USD per month", (Line("of one more MW", x, levels),)),
        ),
    )


def network_chart(curve: NetworkCurve, title: str, subtitle: str) -> Chart:
    """Hashprice, the change of it that an exit makes, and hashrate, over time."""
    x = [year_of(row.month.year, row.month.month) for row in curve.months]
    changes = [row.hashprice_change_frac for row in curve.months]

    def panel(y_title: str, value: Callable[[NetworkMonth], float]) -> Panel:
        lines = [Line("as it is", x, [value(row.before) for row in curve.months])]
        after = [value(row.after) if row.after is not None else None for row in curve.months]
        return Panel(y_title, (*lines, Line("with the exit", x, after)) if changes[0] is not None else tuple(lines))

    panels = [
        panel("Hashprice, BTC per PH/s and day", lambda month: month.hashprice_btc_per_ph_day),
        panel("Network, EH/s", lambda month: month.network_eh_s),
    ]
    if changes[0] is not None:
        percent = [100.0 * change for change in changes if change is not None]
        panels.insert(1, Panel("Change of hashprice, %", (Line("change", x, percent),)))
    return Chart(title=title, subtitle=subtitle, x_title="Year", panels=tuple(panels), x_is_year=True)


def fan_chart(fan: MarketFan, title: str) -> Chart:
    """Quantiles over time: a band for each pair of them, and a line in the middle."""
    x = [year_of(row.month.year, row.month.month) for row in fan.months]
    quantiles = [
        Line("median" if probability == 0.5 else f"{probability:.0%}", x, [row.quantiles[i] for row in fan.months])
        for i, probability in enumerate(fan.probabilities)
    ]
    pairs = len(quantiles) // 2
    panel = Panel(
        f"{fan.quantity.value}, {fan.unit}",
        tuple(quantiles[pairs : len(quantiles) - pairs]),
        bands=tuple(Band(quantiles[i], quantiles[-1 - i]) for i in range(pairs)),
    )
    subtitle = f"Quantiles over {fan.scenario_count:,} scenarios"
    return Chart(title=title, subtitle=subtitle, x_title="Year", panels=(panel,), x_is_year=True)


def _staircase(ends: Sequence[float], levels: Sequence[float | None]) -> tuple[list[float], list[float | None]]:
    """Corners of steps between consecutive ends."""
    return [x for pair in pairwise(ends) for x in pair], [level for level in levels for _ in range(2)]


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
        fix = f"{install_command('plot')}, or write .html"
        raise InvalidInputError.single(str(path), "drawing it needs Matplotlib, which is not installed", fix, "output")


def write_chart(chart: Chart, path: Path) -> None:
    """Draw a chart into a file; its suffix says the format.

    Raises:
        InvalidInputError: as :func:`check_chart_file`.
    """
    check_chart_file(path)
    if path.suffix.lower() in DRAWN_BY_MATPLOTLIB:
        from optimizer.report import draw_matplotlib

        draw_matplotlib.draw(chart, path)
    else:
        from plotly.io import to_html  # slow to load

        from optimizer.report import draw_plotly

        config = {"displayModeBar": False, "responsive": True}
        page = to_html(draw_plotly.figure(chart), config=config, include_plotlyjs=True, full_html=True)
        write_text(path, page)
