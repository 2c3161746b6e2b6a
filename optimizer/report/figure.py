"""What a chart is before it is drawn: data and layout for Plotly, with a caption and a text for who cannot see it.

Colours are names such as ``@mining``; the page puts in the value of its light or dark scheme.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Trace = dict[str, Any]

USE_COLOURS = {"mining": "@mining", "hosting": "@hosting", "gpu": "@gpu", "sold": "@sold", "idle": "@idle"}
MONTH_AXIS = {"type": "date", "tickformat": "%Y-%m", "hoverformat": "%Y-%m"}
MONEY_AXIS = {"tickformat": "$,~r", "ticksuffix": "M", "zeroline": True}
MONEY_HOVER = "%{y:$,.1f}M"


@dataclass(frozen=True, slots=True)
class Figure:
    """One chart with its words."""

    slug: str
    """Unique on the page."""
    title: str
    caption: str
    """What is drawn, with units; plain text."""
    alternative: str
    """What it shows, for screen readers; plain text."""
    traces: list[Trace]
    layout: dict[str, Any] = field(default_factory=dict)
    height_px: int = 360
    small: bool = False
    """One of several that stand side by side."""


def month_axis_value(month: dt.date) -> str:
    """A month on a date axis."""
    return f"{month:%Y-%m-%d}"


def musd(values: Iterable[float]) -> list[float]:
    """Million dollars, rounded to what a chart can show."""
    return [round(value / 1e6, 4) + 0.0 for value in values]


def rounded(values: Iterable[float]) -> list[float]:
    """Rounded to what a chart can show."""
    return [round(value, 3) + 0.0 for value in values]


def bars(name: str, x: Sequence[Any], y: Iterable[float], colour: str, pattern: str = "") -> Trace:
    """Bars of one line; hatched ones keep the colour of their line, and zeros are not drawn at all."""
    marker: dict[str, Any] = {"color": colour, "line": {"color": colour, "width": 1}}
    if pattern:
        marker["pattern"] = {"shape": pattern, "fillmode": "replace", "size": 7, "solidity": 0.45, "fgcolor": colour}
    return {
        "type": "bar",
        "name": name,
        "x": x,
        "y": [value or None for value in y],
        "marker": marker,
        "hovertemplate": MONEY_HOVER,
    }
