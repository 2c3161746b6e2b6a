"""One description of a chart, whoever draws it: panels of lines and bands over one horizontal axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Final, NamedTuple

from optimizer.units import MONTHS_PER_YEAR

INK: Final = "#16202c"
MUTED: Final = "#56616e"
GRID: Final = "#e4e8ec"
COLOURS: Final = ("#0b6fb8", "#d98e04", "#0fa37f", "#b06a9b", "#8c2d19", MUTED)
"""Of the lines of one panel, in turn; the report's own colours."""
BAND_OPACITY: Final = 0.2
"""Of one band; where bands lie over each other it is darker."""
_LABEL_GAP_FRAC: Final = 0.075
"""Least distance of two labels over the height of their panel."""
_MOST_YEAR_TICKS: Final = 12
_LINE_CHARACTERS: Final = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel, labelled where it ends."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    """A gap where absent."""
    dashed: bool = False
    markers: bool = False
    """Whether its points are shown."""
    point_labels: Sequence[str] = ()
    """One a point, or none."""


@dataclass(frozen=True, slots=True)
class Band:
    """The area between two lines, which are labelled but not drawn."""

    low: Line
    high: Line


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over one vertical axis."""

    y_title: str
    """With its unit."""
    lines: tuple[Line, ...]
    percent: bool = False
    """Whether the axis runs from 0 to 100 %."""
    from_zero: bool = True
    """Whether the axis begins at 0 where nothing is below."""
    bands: tuple[Band, ...] = ()
    """Areas below the lines, the widest first."""

    @property
    def edges(self) -> Iterator[Line]:
        """Edges of the bands."""
        return (edge for band in self.bands for edge in (band.low, band.high))

    @property
    def values(self) -> list[float]:
        """Everything on the vertical axis."""
        return [y for line in (*self.lines, *self.edges) for y in line.y if y is not None]


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
    x_is_year: bool = False
    """Whether the horizontal axis is of years with fractions, as :func:`year_of` gives them."""

    @property
    def subtitle_lines(self) -> list[str]:
        """The subtitle, no line of it wider than the chart."""
        return wrap(self.subtitle, _LINE_CHARACTERS) or [""]

    @property
    def x_range(self) -> tuple[float, float]:
        """The horizontal axis, with a margin at both ends."""
        x = [x for panel in self.panels for line in (*panel.lines, *panel.edges) for x in line.x]
        margin = 0.04 * (max(x) - min(x)) or 0.04 * abs(x[0]) or 1.0
        return min(x) - margin, max(x) + margin

    @property
    def mark_in_left_half(self) -> bool:
        """Whether the mark is, so that its text goes to the right of it."""
        return self.mark is not None and self.mark[0] < sum(self.x_range) / 2.0

    @property
    def years_between_ticks(self) -> int:
        """Whole years from one tick of a horizontal axis of years to the next."""
        low, high = self.x_range
        return max(1, round((high - low) / _MOST_YEAR_TICKS + 0.5))


def year_of(year: int, month: int) -> float:
    """Place of the first of a month on an axis of years."""
    return year + (month - 1) / MONTHS_PER_YEAR


def month_of(place: float) -> tuple[int, int]:
    """Year and month nearest to a place on an axis of years; the inverse of :func:`year_of`."""
    year, month = divmod(round(place * MONTHS_PER_YEAR), MONTHS_PER_YEAR)
    return year, month + 1


class Label(NamedTuple):
    """A name beside the end of its line."""

    x: float
    y: float
    text: str
    colour: str
    dashed: bool


def end_labels(panel: Panel) -> list[Label]:
    """Names of the lines at their right ends, apart from each other; none where there is one line only."""
    if len(panel.lines) + len(panel.bands) < 2 or not panel.values:
        return []
    ends = []
    coloured = [(line, MUTED if line.dashed else colour) for line, colour in with_colours(panel)]
    for line, colour in [*coloured, *((edge, MUTED) for edge in panel.edges)]:
        drawn = [(x, y) for x, y in zip(line.x, line.y, strict=True) if y is not None]
        if drawn and line.name:
            ends.append(Label(*drawn[-1], line.name, colour, line.dashed))
    lowest, highest = min(0.0, *panel.values), max(0.0, *panel.values)
    least_gap = _LABEL_GAP_FRAC * (highest - lowest)
    placed: list[Label] = []
    for label in sorted(ends, key=lambda label: (-label.y, label.dashed)):  # from the top down
        limit = placed[-1].y - least_gap if placed else label.y
        placed.append(label._replace(y=min(label.y, limit)))
    floors = [lowest + least_gap * (place + 0.5) for place in reversed(range(len(placed)))]  # all above the axis
    return [label._replace(y=max(label.y, floor)) for label, floor in zip(placed, floors, strict=True)]


def with_colours(panel: Panel) -> list[tuple[Line, str]]:
    """Each line with the colour that is its turn."""
    return [(line, COLOURS[place % len(COLOURS)]) for place, line in enumerate(panel.lines)]


def has_markers(line: Line) -> bool:
    """Whether the points of a line are shown: those of one that would not be seen otherwise are, too."""
    return line.markers or bool(line.point_labels) or len(line.x) == 1
