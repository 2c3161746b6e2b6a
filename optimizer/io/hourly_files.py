"""Files of hourly prices, CSV and Parquet, into consecutive hours without gaps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.domain.base import validated
from optimizer.domain.series import HourlyPrices, MissingHours, SeriesFile
from optimizer.errors import SeriesError
from optimizer.io.table_files import columns_of, read_table
from optimizer.units import HOURS_PER_DAY

DEFAULT_TIME_COLUMN = "time"
LONGEST_INTERPOLATION_HOURS = 48


def read_hours(file: Path, spec: SeriesFile, path: str) -> HourlyPrices:
    """The hours of a file, in order, gaps handled as ``spec`` says.

    Raises:
        SeriesError: for a file that cannot be read, columns that are not there, times that cannot be parsed or stand
            twice, prices that are not numbers, and missing hours unless the specification says how to fill them.
    """
    table = read_table(file, path)
    times = _times(table, spec, path)
    if spec.value_column not in table:
        raise SeriesError.single(path, f"{file.name} has no column {spec.value_column!r}", columns_of(table))
    prices = pd.to_numeric(table[spec.value_column], errors="coerce")
    unreadable = prices.isna() & table[spec.value_column].notna() & (table[spec.value_column].astype(str) != "nan")
    if unreadable.any():
        row = int(np.argmax(unreadable.to_numpy()))
        value = table[spec.value_column].iloc[row]
        told = f"{file.name} row {row + 2}: {value!r} is not a price"
        raise SeriesError.single(path, told, "write a number in USD/MWh")
    hourly = pd.Series(prices.to_numpy(dtype=float), index=times).sort_index()
    twice = hourly.index[hourly.index.duplicated()]
    if len(twice):
        raise SeriesError.single(path, f"{file.name} has {twice[0]} twice", "keep one row an hour, in standard time")
    grid = pd.date_range(hourly.index[0], hourly.index[-1], freq="h")
    if len(hourly.index.difference(grid)):
        odd = hourly.index.difference(grid)[0]
        raise SeriesError.single(path, f"{file.name} has {odd}, which is no full hour", "average the prices by hour")
    complete = hourly.reindex(grid)
    missing = int(complete.isna().sum())
    if missing:
        complete = _filled(complete, spec.missing_hours, file, path)
    data = {
        "first_hour": grid[0].to_pydatetime(),
        "usd_per_mwh": tuple(complete.tolist()),
        "filled_hour_count": missing,
    }
    return validated(HourlyPrices, data, str(file))


def _times(table: pd.DataFrame, spec: SeriesFile, path: str) -> pd.DatetimeIndex:
    """Start of the hour of every row, local standard time."""
    named = [name for name in (spec.time_column, spec.date_column, spec.hour_ending_column) if name]
    for name in named or [DEFAULT_TIME_COLUMN]:
        if name not in table:
            raise SeriesError.single(path, f"there is no column {name!r}", columns_of(table))
    dates = table[spec.date_column if spec.date_column is not None else named[0] if named else DEFAULT_TIME_COLUMN]
    times = pd.to_datetime(dates, format="ISO8601", errors="coerce")
    if times.isna().any():
        row = int(np.argmax(times.isna().to_numpy()))
        told = f"row {row + 2}: {dates.iloc[row]!r} is not a time"
        raise SeriesError.single(path, told, "write it as 2025-01-01T00:00")
    if getattr(times.dt, "tz", None) is not None:
        times = times.dt.tz_localize(None)
    if spec.hour_ending_column is not None:
        hour = pd.to_numeric(table[spec.hour_ending_column], errors="coerce")
        wrong = ~hour.between(1, int(HOURS_PER_DAY))
        if wrong.any():
            row = int(np.argmax(wrong.to_numpy()))
            value = table[spec.hour_ending_column].iloc[row]
            raise SeriesError.single(path, f"row {row + 2}: hour ending {value!r}", "hours run from 1 to 24")
        times = times + pd.to_timedelta(hour - 1, unit="h")
    return pd.DatetimeIndex(times)


def _filled(hourly: pd.Series[float], how: MissingHours, file: Path, path: str) -> pd.Series[float]:
    gaps = hourly.index[hourly.isna()]
    if how is MissingHours.ERROR:
        raise SeriesError.single(
            path,
            f"{file.name} lacks {len(gaps)} hours, the first is {gaps[0]}",
            "complete it, or set missing_hours to interpolate or typical-hour",
        )
    if how is MissingHours.INTERPOLATE:
        runs = (hourly.notna()).cumsum()[hourly.isna()].value_counts()
        if int(runs.max()) > LONGEST_INTERPOLATION_HOURS:
            raise SeriesError.single(
                path,
                f"{file.name} has a gap of {int(runs.max())} hours, too long to interpolate",
                "set missing_hours to typical-hour",
            )
        return hourly.interpolate(limit_direction="both")
    index = pd.DatetimeIndex(hourly.index)
    typical = hourly.groupby([index.month, index.hour]).transform("mean")
    filled = hourly.fillna(typical)
    if filled.isna().any():
        month = pd.DatetimeIndex(filled.index[filled.isna()])[0]
        raise SeriesError.single(path, f"{file.name} has no price at all in {month:%B} at {month:%H:%M}", "complete it")
    return filled
