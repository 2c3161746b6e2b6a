"""Files with a column of months and one for each market factor: histories, and tables of scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.domain.uncertainty import Factor, FactorFile
from optimizer.errors import SeriesError
from optimizer.io.table_files import columns_of, read_table

DEFAULT_SCENARIO_COLUMN = "scenario"


def read_history(file: Path, spec: FactorFile, path: str) -> dict[Factor, tuple[float, ...]]:
    """Monthly means of every factor, consecutive months.

    Raises:
        SeriesError: for a file that cannot be read, columns that are not there, cells that are not months or positive
            numbers, and months without a value between others.
    """
    table = read_table(file, path)
    months = _months(table, spec, file, path)
    values = pd.DataFrame({factor.value: column for factor, column in _factors(table, spec, file, path)})
    monthly = values.groupby(months.to_numpy()).mean().sort_index()
    grid = pd.period_range(monthly.index[0], monthly.index[-1], freq="M")
    missing = grid.difference(pd.PeriodIndex(monthly.dropna().index))
    if len(missing):
        told = f"{file.name} has no value in {missing[0]}"
        raise SeriesError.single(path, told, "complete it, or cut it to the months that every factor has")
    return {item.factor: tuple(monthly[item.factor.value].tolist()) for item in spec.columns}


def read_scenarios(file: Path, spec: FactorFile, path: str) -> dict[Factor, list[tuple[float, ...]]]:
    """Paths of every factor by scenario, in ascending order of the scenario number.

    Raises:
        SeriesError: as :func:`read_history`, and for scenarios that do not have the same consecutive months.
    """
    table = read_table(file, path)
    named = spec.scenario_column or DEFAULT_SCENARIO_COLUMN
    if named not in table:
        raise SeriesError.single(path, f"{file.name} has no column {named!r}", columns_of(table))
    keys = pd.DataFrame({"scenario": table[named], "month": _months(table, spec, file, path).to_numpy()})
    if keys.duplicated().any():
        row = int(np.argmax(keys.duplicated().to_numpy()))
        told = f"{file.name} row {row + 2}: scenario {keys.scenario[row]} has {keys.month[row]} twice"
        raise SeriesError.single(path, told, "keep one row a scenario and month")
    found: dict[Factor, list[tuple[float, ...]]] = {}
    for factor, column in _factors(table, spec, file, path):
        wide = (
            keys.assign(value=column.to_numpy()).pivot(index="scenario", columns="month", values="value").sort_index()
        )
        grid = pd.period_range(wide.columns[0], wide.columns[-1], freq="M")
        if len(grid) != len(wide.columns) or wide.isna().any(axis=None):
            told = f"the scenarios of {file.name} do not all have every month from {grid[0]} to {grid[-1]}"
            raise SeriesError.single(path, told, "give every scenario the same consecutive months")
        found[factor] = [tuple(row) for row in wide.to_numpy(dtype=float).tolist()]
    return found


def _months(table: pd.DataFrame, spec: FactorFile, file: Path, path: str) -> pd.Series[pd.Period]:
    if spec.month_column not in table:
        raise SeriesError.single(path, f"{file.name} has no column {spec.month_column!r}", columns_of(table))
    stated = table[spec.month_column]
    dates = pd.to_datetime(stated.astype(str), format="ISO8601", errors="coerce")
    if dates.isna().any():
        row = int(np.argmax(dates.isna().to_numpy()))
        told = f"{file.name} row {row + 2}: {stated.iloc[row]!r} is not a month"
        raise SeriesError.single(path, told, "write it as 2025-01, or a day as 2025-01-31")
    return dates.dt.to_period("M")


def _factors(table: pd.DataFrame, spec: FactorFile, file: Path, path: str) -> Iterator[tuple[Factor, pd.Series[float]]]:
    for item in spec.columns:
        if item.column not in table:
            raise SeriesError.single(path, f"{file.name} has no column {item.column!r}", columns_of(table))
        values = pd.to_numeric(table[item.column], errors="coerce")
        wrong = (values.isna() & table[item.column].notna()) | (values <= 0.0)
        if wrong.any():
            row = int(np.argmax(wrong.to_numpy()))
            told = f"{file.name} row {row + 2}: {item.column} is {table[item.column].astype(object).iloc[row]!r}"
            raise SeriesError.single(path, told, "write a positive number")
        yield item.factor, values
