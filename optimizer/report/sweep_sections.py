"""Sections of a sweep: what moves the worth, and where each contract is signed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from optimizer.domain.sweep import Sweep, SweepPoint, TornadoBar
from optimizer.report.figure import MONEY_AXIS, MONEY_HOVER, Figure, Trace, musd
from optimizer.report.formats import chart_text, count, escape, gap, money
from optimizer.report.sections import Section, figure_html
from optimizer.report.tables import numbers, table, words

STATES: Final = (
    ("@idle", "idle", "not signed by any best plan (proven)"),
    ("@grid", "grid", "not signed, within the gap"),
    ("@hosting-soft", "hosting-soft", "signed, within the gap"),
    ("@hosting", "hosting", "signed by every best plan (proven)"),
)
"""Colour, its name in the style sheet, and meaning of each state of an offer at a point."""
PROVEN: Final = frozenset({0, 3})
MOST_REGIONS: Final = 24
"""Offers with a map of their own; the table has all."""


def sweep_sections(answer: Sweep, prefix: str = "") -> list[Section]:
    """Sections of a sweep, those without content left out; ``prefix`` makes their names unique on a page."""
    made = (_tornado, _worth, _regions, _switching, _points)
    return [part for section in made if (part := section(answer, prefix)).html]


def _tornado(answer: Sweep, prefix: str) -> Section:
    """Each assumption alone, what moves the worth most on top."""
    if not answer.tornado:
        return Section(f"{prefix}tornado", "What moves the worth", "")
    figure = _named(_tornado_figure(answer.tornado, answer.base_npv_usd), prefix)
    rows = [
        [bar.path, f"{bar.least_factor:g}", f"{bar.most_factor:g}", money(bar.npv_at_least_usd),
         money(bar.npv_at_most_usd), bar.difference.told]
        for bar in answer.tornado
    ]  # fmt: skip
    columns = [
        *words("Assumption"),
        *numbers("From", "To", "NPV at the first", "NPV at the last"),
        *words("Moves the worth by"),
    ]
    told = table("What each assumption does alone, the others as stated.", columns, rows)
    return Section(f"{prefix}tornado", "What moves the worth", figure_html(figure) + told, (figure,))


def _tornado_figure(bars: tuple[TornadoBar, ...], base_usd: float | None) -> Figure:
    shown = bars[::-1]  # the first is drawn at the bottom
    start = base_usd or 0.0
    paths = [chart_text(bar.path) for bar in shown]
    traces: list[Trace] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": musd(usd - start for usd in worth),
            "y": paths,
            "base": [musd([start])[0]] * len(paths),
            "customdata": musd(worth),
            "marker": {"color": colour},
            "hovertemplate": "%{y}: %{customdata:$,.1f}M",
        }
        for name, colour, worth in (
            ("at the first factor", "@hosting", [bar.npv_at_least_usd for bar in shown]),
            ("at the last factor", "@mining", [bar.npv_at_most_usd for bar in shown]),
        )
    ]
    first = bars[0]
    return Figure(
        slug="tornado",
        title="Expected NPV when one assumption is off",
        caption="Expected NPV at the first and the last factor of each assumption, from the plan as stated, $M.",
        alternative=f"{first.path} moves the NPV most, from {money(first.npv_at_least_usd)} to "
        f"{money(first.npv_at_most_usd)}.",
        traces=traces,
        layout={"xaxis": dict(MONEY_AXIS), "yaxis": {"type": "category"}, "barmode": "overlay"},
        height_px=120 + 46 * len(bars),
    )


def _worth(answer: Sweep, prefix: str) -> Section:
    drawn = [_map_of_worth(*paths, points) for paths, points in _pairs(answer).items()]
    drawn += [_curve(path, points) for path, points in _alone(answer).items()]
    figures = tuple(_named(figure, prefix) for figure in drawn)
    return Section(f"{prefix}worth", "Worth of the best plan", "".join(map(figure_html, figures)), figures)


def _alone(answer: Sweep) -> dict[str, list[SweepPoint]]:
    """Points off in one assumption, by its path, in the order of its factors."""
    found: dict[str, list[SweepPoint]] = {}
    for point in (*answer.points, *answer.between):
        if len(point.factors) == 1 and point.npv_usd is not None:
            found.setdefault(point.factors[0].path, []).append(point)
    return {path: sorted(points, key=lambda point: point.factors[0].factor) for path, points in found.items()}


def _pairs(answer: Sweep) -> dict[tuple[str, str], list[SweepPoint]]:
    """Points off in two assumptions, by their paths."""
    found: dict[tuple[str, str], list[SweepPoint]] = {}
    for point in answer.points:
        if len(point.factors) == 2:
            first, second = point.factors
            found.setdefault((first.path, second.path), []).append(point)
    return found


def _curve(path: str, points: list[SweepPoint]) -> Figure:
    """What was found, and what no plan is worth more than, over the factors of one assumption."""
    factors = [point.factors[0].factor for point in points]
    worth = [point.objective_usd or 0.0 for point in points]
    bounds = [worth[at] if point.bound_usd is None else point.bound_usd for at, point in enumerate(points)]
    lines = (("plan", worth, "@hosting", "none"), ("bound: no plan is worth more", bounds, "@muted", "tonexty"))
    traces: list[Trace] = [
        {
            "type": "scatter", "mode": "lines+markers", "name": name, "x": factors, "y": musd(values), "fill": fill,
            "fillcolor": "@grid", "line": {"color": colour}, "hovertemplate": MONEY_HOVER,
        }
        for name, values, colour, fill in lines
    ]  # fmt: skip
    return Figure(
        slug=f"worth-of-{_slug(path)}",
        title=path,
        caption=f"Worth of the plan found over the factor on {path}, and its bound, $M.",
        alternative=f"From {money(worth[0])} at {factors[0]:g} to {money(worth[-1])} at {factors[-1]:g}.",
        traces=traces,
        layout={"xaxis": {"title": {"text": "factor"}}, "yaxis": dict(MONEY_AXIS), "hovermode": "x unified"},
        height_px=300,
    )


def _map_of_worth(first: str, second: str, points: list[SweepPoint]) -> Figure:
    x, y = _axes(points)
    by_place = {_place(point): point.npv_usd for point in points}
    worth = [[None if (usd := by_place.get((at, up))) is None else musd([usd])[0] for at in x] for up in y]
    known = [usd for usd in by_place.values() if usd is not None]
    said = f"NPV from {money(min(known))} to {money(max(known))}." if known else "No plan was found."
    trace: Trace = {
        "type": "heatmap", "x": x, "y": y, "z": worth, "colorscale": "Cividis", "colorbar": {"ticksuffix": "M"},
        "hovertemplate": "%{x} and %{y}: %{z:$,.1f}M<extra></extra>",
    }  # fmt: skip
    return Figure(
        slug="map-of-worth",
        title=f"Expected NPV over {first} and {second}",
        caption=f"Expected NPV of the plan found, $M, over the factor on {first} (across) and on {second} (up).",
        alternative=said,
        traces=[trace],
        layout=_map_layout(x, y, (first, second)),
        height_px=420,
    )


def _regions(answer: Sweep, prefix: str) -> Section:
    """Where each contract is signed, over two assumptions."""
    html, figures = "", list[Figure]()
    for paths, points in _pairs(answer).items():
        offers = sorted({offer for point in points for offer in point.signed})
        figures += [_named(_region(offer, points), prefix) for offer in offers[:MOST_REGIONS]]
        html += f"<p>Across is the factor on {escape(paths[0])}, up that on {escape(paths[1])}.</p>"
        if len(offers) > MOST_REGIONS:
            html += f"<p>{len(offers) - MOST_REGIONS} more are in the table of points.</p>"
    if not figures:
        return Section(f"{prefix}regions", "Where each contract is signed", "")
    keys = "".join(
        f'<li><span style="background:var(--{name})" aria-hidden="true"></span>{told}</li>' for _, name, told in STATES
    )
    maps = f'<div class="small-charts">{"".join(map(figure_html, figures))}</div>'
    told = "<p>A tick marks what is proven; a place without a plan is empty.</p>"
    content = f'<ul class="colour-key">{keys}</ul>{told}{html}{maps}'
    return Section(f"{prefix}regions", "Where each contract is signed", content, tuple(figures))


def offer_state(offer: str, point: SweepPoint) -> int | None:
    """Place in :data:`STATES`; None without a plan."""
    if point.npv_usd is None:
        return None
    if offer in point.signed:
        return 3 if offer in point.proven_signed else 2
    return 0 if offer in point.proven_unsigned else 1


def _region(offer: str, points: list[SweepPoint]) -> Figure:
    x, y = _axes(points)
    by_place = {_place(point): offer_state(offer, point) for point in points}
    states = [[by_place.get((at, up)) for at in x] for up in y]
    signed = sum(state is not None and state >= 2 for state in by_place.values())
    proven = sum(state in PROVEN for state in by_place.values())
    edges = [(place + side) / len(STATES) for place in range(len(STATES)) for side in (0, 1)]
    trace: Trace = {
        "type": "heatmap", "x": x, "y": y, "z": states, "zmin": -0.5, "zmax": len(STATES) - 0.5, "showscale": False,
        "colorscale": [[edge, STATES[place // 2][0]] for place, edge in enumerate(edges)], "xgap": 1, "ygap": 1,
        "text": [["\u2713" if state in PROVEN else "" for state in row] for row in states], "texttemplate": "%{text}",
        "customdata": [["" if state is None else STATES[state][2] for state in row] for row in states],
        "hovertemplate": "%{x} and %{y}: %{customdata}<extra></extra>",
    }  # fmt: skip
    return Figure(
        slug=f"region-{_slug(offer)}",
        title=offer,
        caption=f"Signed at {signed} of {count(len(points), 'point')}; {proven} are proven.",
        alternative=f"{offer} is signed at {signed} of {len(points)} points, {proven} of which are proven.",
        traces=[trace],
        layout=_map_layout(x, y),
        height_px=260,
        small=True,
    )


def _axes(points: list[SweepPoint]) -> tuple[list[float], list[float]]:
    x, y = ({point.factors[side].factor for point in points} for side in (0, 1))
    return sorted(x), sorted(y)


def _place(point: SweepPoint) -> tuple[float, float]:
    first, second = point.factors
    return first.factor, second.factor


def _map_layout(x: list[float], y: list[float], titles: tuple[str, str] = ("", "")) -> dict[str, object]:
    return {
        side: {
            "title": {"text": chart_text(title), "standoff": 8},
            "tickvals": ticks,
            "tickformat": ".3~g",
            "showgrid": False,
        }
        for side, title, ticks in (("xaxis", titles[0], x), ("yaxis", titles[1], y))
    }


def _switching(answer: Sweep, prefix: str) -> Section:
    rows = [
        [item.offer, item.path, "comes in" if item.signed_above else "leaves", f"{item.low_factor:.4g}",
         f"{item.high_factor:.4g}", _factor(item.proven_low_factor), _factor(item.proven_high_factor)]
        for item in answer.switching_points
    ]  # fmt: skip
    if not rows:
        return Section(f"{prefix}switching", "Where contracts change", "")
    columns = [*words("Contract", "Assumption", "Above it"), *numbers("Last factor below", "First above")]
    columns += numbers("Proven from below", "Proven from above")
    told = table("Factors between which the plan signs a contract on one side only.", columns, rows)
    return Section(f"{prefix}switching", "Where contracts change", told)


def _factor(factor: float | None) -> str:
    return "within the gap" if factor is None else f"{factor:.4g}"


def _points(answer: Sweep, prefix: str) -> Section:
    rows = [
        [", ".join(f"{item.path} \u00d7 {item.factor:.4g}" for item in point.factors),
         "no plan" if point.npv_usd is None else money(point.npv_usd),
         "not known" if point.gap_frac is None else gap(point.gap_frac), f"{point.search_s:,.1f}", _signed_at(point)]
        for point in (*answer.points, *answer.between)
    ]  # fmt: skip
    rows += [
        [", ".join(f"{item.path} \u00d7 {item.factor:.4g}" for item in place.factors), "not reached", "", "", ""]
        for place in answer.unreached
    ]
    columns = [*words("Factors"), *numbers("NPV", "Gap", "Seconds"), *words("Signed; * by every best plan (proven)")]
    content = table("Every point that was searched.", columns, rows)
    return Section(
        f"{prefix}points", "Points", f"<details><summary>Every point as a table</summary>{content}</details>"
    )


def _signed_at(point: SweepPoint) -> str:
    if point.npv_usd is None:
        return point.reason.value.replace("-", " ")
    return ", ".join(f"{name}*" if name in point.proven_signed else name for name in point.signed) or "nothing"


def _named(figure: Figure, prefix: str) -> Figure:
    return replace(figure, slug=f"{prefix}{figure.slug}")


def _slug(name: str) -> str:
    """A name as a part of an id of the page."""
    return "".join(sign if sign.isascii() and sign.isalnum() else f"-{ord(sign):x}-" for sign in name)
