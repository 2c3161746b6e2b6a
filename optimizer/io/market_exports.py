"""Hourly prices out of the files that market operators hand out, in local standard time.

Each operator has a map of columns, looked up by their letters alone: exports of one operator differ in case, spaces and
underscores. Prices by quarter-hour or five minutes become means of whole hours. Nothing is filled in here: an hour that
is not complete is left out, and the portfolio says what to do about it (``missing_hours``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from optimizer.domain.series import MarketOperator, SeriesFile
from optimizer.errors import SeriesError, did_you_mean
from optimizer.io.hourly_files import DEFAULT_TIME_COLUMN
from optimizer.io.table_files import columns_of, read_table
from optimizer.units import HOURS_PER_DAY

PRICE_COLUMN: Final = str(SeriesFile.model_fields["value_column"].default)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where an operator's export has what; names are the letters of its columns, alternatives in order."""

    times: Callable[[pd.DataFrame, str], pd.Series[pd.Timestamp]]
    """Starts of the rows in UTC."""
    price: tuple[str, ...]
    place: tuple[str, ...]
    standard_offset_h: int
    """Local standard time less UTC."""
    only: tuple[str, str] | None = None
    """A column, and the only value of it whose rows are prices."""


def read_market_export(
    files: Iterable[Path], operator: MarketOperator, place: str, usd_per_eur: float | None = None
) -> pd.DataFrame:
    """Whole hours of one place, from one or more exports: columns ``time`` and ``price_usd_per_mwh``.

    ``usd_per_eur`` turns the euros of ENTSO-E into dollars; nothing else is in euros.

    Raises:
        SeriesError: for a file without the operator's columns, a place that is not in it, times or prices that cannot
            be read, and an interval that stands twice.
    """
    if (usd_per_eur is None) == (operator is MarketOperator.ENTSO_E):
        told = "is missing: prices of ENTSO-E are in EUR" if usd_per_eur is None else "is for the euros of ENTSO-E"
        raise SeriesError.single("usd_per_eur", told, "state it, as 1.08" if usd_per_eur is None else "drop it")
    intervals = pd.concat([_intervals(file, operator, place) for file in files]).sort_index()
    twice = intervals.index[intervals.index.duplicated()]
    if len(twice):
        fix = "keep one file for each month, and one market in it"
        raise SeriesError.single(str(place), f"{twice[0]:%Y-%m-%d %H:%M} stands twice", fix)
    if not intervals.notna().any():
        raise SeriesError.single(str(place), "has no price in any row", "export the file again")
    by_hour = intervals.groupby(pd.DatetimeIndex(intervals.index).floor("h"))
    whole = by_hour.mean()[by_hour.count() == _intervals_per_hour(by_hour.size())]
    hours = pd.DatetimeIndex(whole.index).strftime("%Y-%m-%dT%H:%M")
    return pd.DataFrame({DEFAULT_TIME_COLUMN: hours, PRICE_COLUMN: whole.to_numpy() * (usd_per_eur or 1.0)})


def missing_hours_of(hours: pd.DataFrame) -> int:
    """Hours between the first and the last that are not there."""
    times = pd.to_datetime(hours[DEFAULT_TIME_COLUMN])
    return int((times.iloc[-1] - times.iloc[0]) / pd.Timedelta(hours=1)) + 1 - len(times)


def _intervals_per_hour(sizes: pd.Series[int]) -> pd.Series[int]:
    """Intervals that an hour should have: as many as the fullest hour of its day; markets changed to quarter-hours."""
    return sizes.groupby(pd.DatetimeIndex(sizes.index).floor("D")).transform("max")


def _intervals(file: Path, operator: MarketOperator, place: str) -> pd.Series[float]:
    """Prices of a file at a place, by start of the interval in local standard time."""
    layout, where = _LAYOUTS[operator], str(file)
    table = read_table(file, where)
    if layout.only is not None:
        column, kept = layout.only
        table = table[_column(table, (column,), where).astype(str) == kept]
    places = _column(table, layout.place, where).astype(str).str.strip()
    known = sorted(set(places))
    if place not in known:
        hint = did_you_mean(place, known).removeprefix("; ")
        raise SeriesError.single(where, f"{file.name} has no prices at {place!r}", hint)
    table = table[places == place]
    stated = _column(table, layout.price, where).replace(["-", "n/e", ""], None)
    prices = pd.to_numeric(stated, errors="coerce")
    unreadable = stated[prices.isna() & stated.notna()]
    if len(unreadable):
        told = f"{file.name} row {unreadable.index[0] + 2}: {unreadable.iloc[0]!r} is not a price"
        raise SeriesError.single(where, told, "write a number")
    times = layout.times(table, where).dt.tz_convert(None) + pd.Timedelta(hours=layout.standard_offset_h)
    return pd.Series(prices.to_numpy(dtype=float), index=pd.DatetimeIndex(times))


def _column(table: pd.DataFrame, names: tuple[str, ...], where: str) -> pd.Series[str]:
    """The first of the columns that is there."""
    found = _found(table, names)
    if found is None:
        raise SeriesError.single(where, f"there is no column {names[0]!r}", columns_of(table))
    return table[found]


def _found(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    letters = {re.sub("[^a-z]", "", str(column).lower()): str(column) for column in table.columns}
    return next((letters[name] for name in names if name in letters), None)


def _parsed(texts: pd.Series[str], form: str | None, where: str) -> pd.Series[pd.Timestamp]:
    """Times in the form of the operator; the row of the first that is none."""
    times = pd.to_datetime(texts, format=form or "ISO8601", utc=form is None, errors="coerce")
    if times.isna().any():
        row = times.index[times.isna()][0]
        raise SeriesError.single(where, f"row {row + 2}: {texts[row]!r} is not a time", "export the file again")
    return times


def _ercot_times(table: pd.DataFrame, where: str) -> pd.Series[pd.Timestamp]:
    """Days and hours of Central prevailing time; the flag marks the hour that is repeated in autumn."""
    days = _parsed(_column(table, ("deliverydate",), where), "%m/%d/%Y", where)
    stated = _column(table, ("hourending", "deliveryhour"), where).astype(str)
    hour = pd.to_numeric(stated.str.removesuffix(":00"), errors="coerce")
    wrong = stated[~hour.between(1, int(HOURS_PER_DAY))]
    if len(wrong):
        raise SeriesError.single(where, f"row {wrong.index[0] + 2}: hour {wrong.iloc[0]!r}", "hours run from 1 to 24")
    times = days + pd.to_timedelta(hour - 1, unit="h")
    if _found(table, ("deliveryinterval",)) is not None:
        quarter = pd.to_numeric(_column(table, ("deliveryinterval",), where)) - 1
        times += pd.to_timedelta(15 * quarter, unit="min")
    repeated = _column(table, ("dstflag", "repeatedhourflag"), where).astype(str) == "Y"
    return times.dt.tz_localize("America/Chicago", ambiguous=(~repeated).to_numpy()).dt.tz_convert("UTC")


def _pjm_times(table: pd.DataFrame, where: str) -> pd.Series[pd.Timestamp]:
    stated = _column(table, ("datetimebeginningutc",), where)
    form = "%m/%d/%Y %I:%M:%S %p" if stated.iloc[0].endswith("M") else None
    times = _parsed(stated, form, where)
    return times.dt.tz_localize("UTC") if form else times


def _caiso_times(table: pd.DataFrame, where: str) -> pd.Series[pd.Timestamp]:
    return _parsed(_column(table, ("intervalstarttimegmt",), where), None, where)


def _entso_e_times(table: pd.DataFrame, where: str) -> pd.Series[pd.Timestamp]:
    """Starts of the market time units, in the zone that the column is named after."""
    column = _found(table, ("mtuutc",))
    stated = _column(table, ("mtuutc", "mtucetcest"), where).str.partition(" - ")[0].str.replace("/", ".")
    form = "%d.%m.%Y %H:%M:%S" if stated.iloc[0].count(":") == 2 else "%d.%m.%Y %H:%M"
    times = _parsed(stated, form, where)
    if column is not None:
        return times.dt.tz_localize("UTC")
    return times.dt.tz_localize("Europe/Brussels", ambiguous="infer").dt.tz_convert("UTC")


_LAYOUTS: Final = {
    MarketOperator.ERCOT: _Layout(
        _ercot_times, ("settlementpointprice",), ("settlementpointname", "settlementpoint"), standard_offset_h=-6
    ),
    MarketOperator.PJM: _Layout(_pjm_times, ("totallmprt", "totallmpda"), ("pnodename",), standard_offset_h=-5),
    MarketOperator.CAISO: _Layout(
        _caiso_times, ("mw", "value", "lmpprc"), ("node", "nodeid"), standard_offset_h=-8, only=("lmptype", "LMP")
    ),
    MarketOperator.ENTSO_E: _Layout(_entso_e_times, ("dayaheadpriceeurmwh",), ("area",), standard_offset_h=1),
}
