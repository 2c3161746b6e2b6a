"""The committed hourly price series as they stand in their files: a portfolio that names one needs no arrays."""

from __future__ import annotations

import csv
import datetime
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from optimizer.errors import NotFoundError, SeriesError

YEAR: Final = 2025
HOURS: Final = 8_760
COLUMNS: Final = ("time", "price_usd_per_mwh")
_SUFFIX: Final = ".csv"


def series_names() -> list[str]:
    """Names of the series, sorted."""
    return sorted(item.name.removesuffix(_SUFFIX) for item in _folder().iterdir() if item.name.endswith(_SUFFIX))


def hour_starts() -> list[str]:
    """ISO starts of the hours, local standard time."""
    first = datetime.datetime(YEAR, 1, 1)
    return [(first + datetime.timedelta(hours=hour)).isoformat(timespec="minutes") for hour in range(HOURS)]


@cache
def hourly_prices(name: str) -> tuple[float, ...]:
    """Prices of a series, USD/MWh.

    Raises:
        NotFoundError: for a name that no series has.
        SeriesError: for a file with other hours or columns.
    """
    if name not in series_names():
        raise NotFoundError("price profile", name, series_names())
    rows = list(csv.reader(_folder().joinpath(name + _SUFFIX).read_text(encoding="utf-8").splitlines()))
    if tuple(rows[0]) != COLUMNS or len(rows) != HOURS + 1:
        raise SeriesError.single(name, f"expected {HOURS} hours of {COLUMNS}, found {len(rows) - 1} of {rows[0]}")
    return tuple(float(row[1]) for row in rows[1:])


def _folder() -> Traversable:
    return resources.files("optimizer.library").joinpath("data", "series")
