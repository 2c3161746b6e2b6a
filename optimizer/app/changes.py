"""A portfolio with other numbers, by paths: ``market.btc_usd``, ``offers[chip-lab].price_usd_per_kw_month``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from optimizer.domain.base import Value, ValuePath, validated
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError, did_you_mean

STEP = re.compile(r"([a-z_0-9]+)((?:\[[^\]]*\])*)(?:\.|$)")
WHAT = "changes"


def changed(portfolio: Portfolio, scale: Mapping[str, float], change: Mapping[str, object]) -> Portfolio:
    """The portfolio with some numbers multiplied and others replaced, judged by the domain as if stated so.

    A path names fields, joined by dots. Items of a list are in brackets by name (of sites of an offer and of fleets the
    site's), by index, or all of them: ``offers[*].sites[*].capex_usd_per_critical_mw``. A path over time is multiplied
    as a whole.

    Raises:
        InvalidInputError: for a path that does not exist or holds no number, and for what the domain refuses.
    """
    for path, factor in scale.items():
        portfolio = _with(portfolio, path, _times(path, factor))
    for path, value in change.items():
        portfolio = _with(portfolio, path, _becomes(value))
    return portfolio


def _becomes(value: object) -> Callable[[Any], Any]:
    return lambda _: value


def _times(path: str, factor: float) -> Callable[[Any], Any]:
    def times(value: Any) -> Any:
        if isinstance(value, ValuePath):
            points = [{"from_month": item.from_month, "value": item.value * factor} for item in value.points]
            base = {} if value.value is None else {"value": value.value * factor}
            return {**base, "points": points, "growth_per_year_frac": value.growth_per_year_frac}
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidInputError.single(path, f"is {value!r}, not a number", "name a number or a path", WHAT)
        return value * factor

    return times


def _with(portfolio: Portfolio, path: str, new: Callable[[Any], Any]) -> Portfolio:
    steps = _steps(path)
    return validated(Portfolio, _fields(_replaced(portfolio, steps, path, new)), WHAT)


def item_names(items: tuple[Any, ...]) -> list[str]:
    """What the items of a list are called in paths; empty where one has no name."""
    return [str(getattr(item, "name", getattr(item, "site", ""))) for item in items]


def _steps(path: str) -> list[str]:
    """``offers[a].price`` as ``offers``, ``[a]``, ``price``."""
    steps: list[str] = []
    position = 0
    while position < len(path):
        match = STEP.match(path, position)
        if match is None:
            raise InvalidInputError.single(path, "is no path", "write market.btc_usd or offers[name].field", WHAT)
        steps += [match[1], *re.findall(r"\[[^\]]*\]", match[2])]
        position = match.end()
    return steps


def _replaced(value: Any, steps: list[str], path: str, new: Callable[[Any], Any]) -> Any:
    """``value`` with what is at the end of the steps replaced, as plain data along them."""
    if not steps:
        return new(value)
    step, rest = steps[0], steps[1:]
    if step.startswith("["):
        where = _items(value, step[1:-1], path)
        return [_replaced(item, rest, path, new) if i in where else item for i, item in enumerate(value)]
    known = list(type(value).model_fields) if isinstance(value, Value) else []
    if step not in known:
        fix = did_you_mean(step, known).removeprefix("; ") or "paths end at a number"
        raise InvalidInputError.single(path, f"has no {step!r}", fix, WHAT)
    return {**_fields(value), step: _replaced(getattr(value, step), rest, path, new)}


def _fields(value: Any) -> Any:
    """What was stated of a value, by name: what is a default stays one."""
    if not isinstance(value, Value):
        return value
    return {name: getattr(value, name) for name in value.model_fields_set}


def _items(value: Any, word: str, path: str) -> set[int]:
    if not isinstance(value, tuple):
        raise InvalidInputError.single(path, f"has no items at [{word}]", "put brackets after a list", WHAT)
    if word == "*":
        return set(range(len(value)))
    names = item_names(value)
    if word in names:
        return {i for i, name in enumerate(names) if name == word}
    if word.isdigit() and int(word) < len(value):
        return {int(word)}
    fix = did_you_mean(word, names).removeprefix("; ")
    raise InvalidInputError.single(path, f"no item is named {word!r}", fix, WHAT)
