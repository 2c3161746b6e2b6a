"""On which statements two portfolios differ, by paths that :func:`optimizer.app.changes.changed` takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic_core import to_jsonable_python

from optimizer.app.changes import item_names
from optimizer.domain.base import Value, ValuePath
from optimizer.domain.comparison import AssumptionDifference
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.series import HourlyPrices

ABSENT: Final = "absent"
NO_ASSUMPTIONS: Final = frozenset({"name", "description"})
"""Fields of a portfolio on which nothing depends."""


def parts_that_differ(portfolio: Portfolio, other: Portfolio) -> list[str]:
    """The fields of the root that are not alike, in their order."""
    names = [name for name in Portfolio.model_fields if name not in NO_ASSUMPTIONS]
    return [name for name in names if getattr(portfolio, name) != getattr(other, name)]


def assumption_differences(portfolio: Portfolio, other: Portfolio) -> tuple[AssumptionDifference, ...]:
    """Every statement that differs, the deepest that can be named."""
    pairs = [(name, getattr(portfolio, name), getattr(other, name)) for name in parts_that_differ(portfolio, other)]
    return tuple(
        AssumptionDifference(path=path, value=_text(value), other_value=_text(value_of_other))
        for pair in pairs
        for path, value, value_of_other in _differences(*pair)
    )


def _differences(path: str, value: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    if value == other:
        return
    if isinstance(value, Value) and type(value) is type(other) and not isinstance(value, ValuePath | HourlyPrices):
        for name in type(value).model_fields:
            yield from _differences(f"{path}.{name}", getattr(value, name), getattr(other, name))
    elif isinstance(value, tuple) and isinstance(other, tuple):
        items, others = _labelled(value, other)
        for label in dict.fromkeys([*items, *others]):
            yield from _differences(f"{path}[{label}]", items.get(label, ABSENT), others.get(label, ABSENT))
    else:
        yield path, value, other


def _labelled(*lists: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The items of each list by name, or by index where names do not tell them apart."""
    names = [item_names(items) for items in lists]
    if all(all(labels) and len(set(labels)) == len(labels) for labels in names):
        return [dict(zip(labels, items, strict=True)) for labels, items in zip(names, lists, strict=True)]
    return [{str(index): item for index, item in enumerate(items)} for items in lists]


def _text(value: Any) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, HourlyPrices):
        hours = value.usd_per_mwh
        return f"{len(hours):,} hours at {sum(hours) / len(hours):,.6g} USD/MWh"
    if isinstance(value, float):
        return f"{value:.10g}"
    data = to_jsonable_python(value, exclude_none=True)
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
