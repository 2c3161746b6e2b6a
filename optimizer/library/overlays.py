"""Named overlays of the market, with the history that they are taken from or the word that they are constructed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from optimizer.domain.uncertainty import Factor, OverlayEffect, OverlayPoint
from optimizer.errors import NotFoundError
from optimizer.library.rows import load_rows

DEFAULT_HAZARD = "default_hazard"
"""Target of points that multiply the tenants' default hazard."""


@dataclass(frozen=True, slots=True)
class OverlayPointRow:
    """One point of an overlay."""

    overlay: str
    target: str
    """A market factor, or ``default_hazard``."""
    month_offset: int
    multiplier: float
    confidence: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class OverlayPreset:
    """One overlay."""

    name: str
    effects: tuple[OverlayEffect, ...]
    default_hazard: tuple[OverlayPoint, ...]
    confidence: str
    """The weakest of its points."""
    source: str
    note: str


@cache
def overlays() -> tuple[OverlayPreset, ...]:
    """All overlays of the library."""
    rows = load_rows(OverlayPointRow, "overlay_points.csv")
    return tuple(
        _preset(name, [row for row in rows if row.overlay == name])
        for name in dict.fromkeys(row.overlay for row in rows)
    )


def overlay(name: str) -> OverlayPreset:
    """One overlay.

    Raises:
        NotFoundError: for a name that the library does not have.
    """
    known = {item.name: item for item in overlays()}
    if name not in known:
        raise NotFoundError("overlay", name, known)
    return known[name]


def _preset(name: str, rows: list[OverlayPointRow]) -> OverlayPreset:
    points: dict[str, list[OverlayPoint]] = {}
    for row in rows:
        points.setdefault(row.target, []).append(OverlayPoint(month_offset=row.month_offset, multiplier=row.multiplier))
    return OverlayPreset(
        name=name,
        effects=tuple(
            OverlayEffect(factor=Factor(target), points=tuple(found))
            for target, found in points.items()
            if target != DEFAULT_HAZARD
        ),
        default_hazard=tuple(points.get(DEFAULT_HAZARD, ())),
        confidence="sourced" if all(row.confidence == "sourced" for row in rows) else "unsourced-estimate",
        source="; ".join(dict.fromkeys(row.source for row in rows if row.source)),
        note="; ".join(dict.fromkeys(row.note for row in rows if row.note)),
    )
