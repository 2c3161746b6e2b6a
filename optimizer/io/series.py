"""Where the hours of a named series come from: its file, the reference library, or the portfolio itself."""

from __future__ import annotations

from pathlib import Path

from optimizer.domain.series import HourlyPrices, HourlySeries
from optimizer.errors import SeriesError, did_you_mean
from optimizer.extras import naming_extras
from optimizer.library.hours import hour_starts, hourly_prices, series_names


def load_hours(series: HourlySeries, folder: Path | None, path: str) -> HourlySeries:
    """``series`` with its hours: read from its file below ``folder``, or from the library.

    Raises:
        SeriesError: naming the series, the file and the row.
    """
    if series.library is not None:
        return _with_hours(series, _library_hours(series.library, path))
    if series.file is None:
        return series
    if folder is None:
        if series.hours is not None:
            return series
        raise SeriesError.single(f"{path}.file", "there is no folder to find it in", "load the portfolio from a file")
    with naming_extras():
        from optimizer.io.hourly_files import read_hours  # pandas, which most portfolios do not need

    return _with_hours(series, read_hours(folder / series.file.path, series.file, f"{path}.file"))


def _with_hours(series: HourlySeries, hours: HourlyPrices) -> HourlySeries:
    return series.model_copy(update={"hours": hours})


def _library_hours(name: str, path: str) -> HourlyPrices:
    known = series_names()
    if name not in known:
        hint = did_you_mean(name, known).removeprefix("; ")
        raise SeriesError.single(f"{path}.library", f"no library series is named {name!r}", hint)
    return HourlyPrices(first_hour=hour_starts()[0], usd_per_mwh=hourly_prices(name))
