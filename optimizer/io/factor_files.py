"""Files with a column of months and one for each market factor: histories, forwards and tables of scenarios."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.domain.uncertainty import Factor, FactorFile
from optimizer.errors import SeriesError
from optimizer.io.table_files import columns_of, read_table

DEFAULT_SCENARIO_COLUMN = "scenario"


def read_history(
    file: Path, spec: FactorFile, path: str, *, month_ends: bool = False
) -> dict[Factor, tuple[float, ...]]:
    """Monthly means of every factor, consecutive months; with ``month_ends`` the last values of the months.

    Means of the days of a random walk change less from month to month than the walk does: their volatility is lower by
    a factor of the root of 2/3 (Working 1960).

    Raises:
        SeriesError: for a file that cannot be read, columns that are not there, cells that are not months or positive
            numbers, days that stand twice, and months without a value between others.
    """
    monthly = read_months(file, spec.month_column, _columns(spec), path, month_ends=month_ends)
    return {item.factor: tuple(monthly[item.factor.value].tolist()) for item in spec.columns}


def read_levels(file: Path, spec: FactorFile, path: str, start_month: dt.date) -> dict[Factor, tuple[float, ...]]:
    """Monthly means of every factor from a month on.

    Raises:
        SeriesError: as :func:`read_history`, and for a file without ``start_month``.
    """
    monthly, start = read_months(file, spec.month_column, _columns(spec), path), pd.Period(start_month, freq="M")
    if start not in monthly.index:
        told = f"{file.name} has {monthly.index[0]} to {monthly.index[-1]}, without the first month {start}"
        raise SeriesError.single(path, told, "give it from the first month of the horizon on")
    return {item.factor: tuple(monthly.loc[start:, item.factor.value].tolist()) for item in spec.columns}


def read_months(
    file: Path, month_column: str, columns: Mapping[str, str], path: str, *, month_ends: bool = False
) -> pd.DataFrame:
    """A row a month, none missing, and each of ``columns`` by what it holds: means of days, or the last of a month.

    Raises:
        SeriesError: as :func:`read_history`.
    """
    table = read_table(file, path)
    months = _months(table, month_column, file, path)
    values = pd.DataFrame(dict(_values(table, columns, file, path)))
    days = table[month_column].astype(str).to_numpy()
    twice = pd.Series(days).duplicated()
    if twice.any():
        row = int(np.argmax(twice.to_numpy()))
        raise SeriesError.single(path, f"{file.name} row {row + 2}: {days[row]} stands twice", "keep one row of it")
    order = np.argsort(days, kind="stable")
    by_month = values.iloc[order].groupby(months.to_numpy()[order])
    monthly = (by_month.last() if month_ends else by_month.mean()).sort_index()
    grid = pd.period_range(monthly.index[0], monthly.index[-1], freq="M")
    missing = grid.difference(pd.PeriodIndex(monthly.dropna().index))
    if len(missing):
        told = f"{file.name} has no value in {missing[0]}"
        raise SeriesError.single(path, told, "complete it, or cut it to the months that every factor has")
    return monthly


def read_forwards(file: Path, month_column: str, column: str) -> dict[dt.date, float]:
    """Quotes of a column by month, consecutive months; of several in a month their mean.

    Raises:
        SeriesError: as :func:`read_history`.
    """
    quotes = read_months(file, month_column, {"quote": column}, str(file))["quote"]
    months = pd.PeriodIndex(quotes.index).to_timestamp().date
    return dict(zip(months.tolist(), quotes.tolist(), strict=True))


def read_scenarios(
    file: Path, spec: FactorFile, path: str, start_month: dt.date
) -> dict[Factor, list[tuple[float, ...]]]:
    """Paths of every factor by scenario from a month on, in ascending order of the scenario number.

    Raises:
        SeriesError: as :func:`read_history`, and for scenarios without a number, of other months than the rest, or that
            begin after ``start_month``.
    """
    table = read_table(file, path)
    named = spec.scenario_column or DEFAULT_SCENARIO_COLUMN
    if named not in table:
        raise SeriesError.single(path, f"{file.name} has no column {named!r}", columns_of(table))
    if table[named].isna().any():
        row = int(np.argmax(table[named].isna().to_numpy()))
        raise SeriesError.single(path, f"{file.name} row {row + 2}: {named} is empty", "number every row's scenario")
    keys = pd.DataFrame({"scenario": table[named], "month": _months(table, spec.month_column, file, path).to_numpy()})
    if keys.duplicated().any():
        row = int(np.argmax(keys.duplicated().to_numpy()))
        told = f"{file.name} row {row + 2}: scenario {keys.scenario[row]} has {keys.month[row]} twice"
        raise SeriesError.single(path, told, "keep one row a scenario and month")
    found: dict[Factor, list[tuple[float, ...]]] = {}
    for factor, column in _values(table, _columns(spec), file, path):
        wide = (
            keys.assign(value=column.to_numpy()).pivot(index="scenario", columns="month", values="value").sort_index()
        )
        grid = pd.period_range(wide.columns[0], wide.columns[-1], freq="M")
        if len(grid) != len(wide.columns) or wide.isna().any(axis=None):
            told = f"the scenarios of {file.name} do not all have every month from {grid[0]} to {grid[-1]}"
            raise SeriesError.single(path, told, "give every scenario the same consecutive months")
        if not grid[0] <= pd.Period(start_month, freq="M") <= grid[-1]:
            told = f"{file.name} has {grid[0]} to {grid[-1]}, without the first month {start_month:%Y-%m}"
            raise SeriesError.single(path, told, "give it from the first month of the horizon on")
        wide = wide.loc[:, pd.Period(start_month, freq="M") :]
        found[Factor(factor)] = [tuple(row) for row in wide.to_numpy(dtype=float).tolist()]
    return found


def _columns(spec: FactorFile) -> dict[str, str]:
    return {item.factor.value: item.column for item in spec.columns}


def _months(table: pd.DataFrame, month_column: str, file: Path, path: str) -> pd.Series[pd.Period]:
    if month_column not in table:
        raise SeriesError.single(path, f"{file.name} has no column {month_column!r}", columns_of(table))
    stated = table[month_column]
    days = stated.astype(str).str[:10]  # the local day; what follows may change its zone on the way
    dates = pd.to_datetime(days, format="ISO8601", errors="coerce")
    if dates.isna().any():
        row = int(np.argmax(dates.isna().to_numpy()))
        told = f"{file.name} row {row + 2}: {str(stated.iloc[row])!r} is not a month"
        raise SeriesError.single(path, told, "write it as 2025-01, or a day as 2025-01-31")
    return dates.dt.to_period("M")


def _values(
    table: pd.DataFrame, columns: Mapping[str, str], file: Path, path: str
) -> Iterator[tuple[str, pd.Series[float]]]:
    for what, name in columns.items():
        if name not in table:
            raise SeriesError.single(path, f"{file.name} has no column {name!r}", columns_of(table))
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = (values.isna() & table[name].notna()) | (values <= 0.0)
        if wrong.any():
            row = int(np.argmax(wrong.to_numpy()))
            told = f"{file.name} row {row + 2}: {name} is {table[name].astype(object).iloc[row]!r}"
            raise SeriesError.single(path, told, "write a positive number")
        yield what, values
