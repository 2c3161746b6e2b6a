"""Which defaults a portfolio relies on."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum

from pydantic import BaseModel

from optimizer.domain.base import ValuePath
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import FilledIn
from optimizer.domain.series import HourlyPrices

_INDEX = re.compile(r"\[(\d+)\]")
SILENT = frozenset({"", None})
"""Defaults that mean absence and need no mention."""


def filled_in(portfolio: Portfolio) -> tuple[FilledIn, ...]:
    """Every number or choice that was not stated, with the value used; equal ones along a list are told once."""
    grouped: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    for path, value in _defaults(portfolio, "", stated=True):
        grouped[_INDEX.sub("[#]", path), value].append(tuple(_INDEX.findall(path)))
    reported = []
    for (pattern, value), indices in grouped.items():
        parts = pattern.split("[#]")
        text = parts[0]
        for position, rest in enumerate(parts[1:]):
            used = sorted({int(index[position]) for index in indices})
            text += f"[{_ranges(used)}]" + rest
        reported.append(FilledIn(path=text, value=value))
    for index, series in enumerate(portfolio.series):
        if series.hours is not None and series.hours.filled_hour_count:
            how = series.file.missing_hours.value if series.file is not None else "at the source"
            told = f"{series.hours.filled_hour_count:,} missing hours filled in ({how})"
            reported.append(FilledIn(path=f"series[{index}].hours", value=told))
    return tuple(reported)


def _defaults(item: BaseModel, path: str, *, stated: bool) -> Iterator[tuple[str, str]]:
    """Paths and values of the leaves that nobody stated."""
    for name in type(item).model_fields:
        value = getattr(item, name)
        here = f"{path}.{name}" if path else name
        if isinstance(value, HourlyPrices):
            continue  # data, not a statement; what was filled in is told at the end
        given = stated and name in item.model_fields_set
        if isinstance(value, ValuePath) or not isinstance(value, BaseModel | tuple):
            if not given and not (isinstance(value, str | None) and value in SILENT):
                yield here, _text(value)
        elif isinstance(value, BaseModel):
            yield from _defaults(value, here, stated=given)
        else:
            for index, element in enumerate(value):
                if isinstance(element, BaseModel) and not isinstance(element, ValuePath):
                    yield from _defaults(element, f"{here}[{index}]", stated=given)


def _text(value: object) -> str:
    if isinstance(value, ValuePath):
        return f"{value.value:g}" if value.value is not None else "path"
    if isinstance(value, Enum):
        return str(value.value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ranges(numbers: list[int]) -> str:
    """``[0, 1, 2, 5]`` as ``0-2,5``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
