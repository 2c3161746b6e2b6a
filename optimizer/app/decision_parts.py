"""The parts of decisions that can differ one by one, and how their differences are told."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from optimizer.domain.base import Value
from optimizer.domain.decisions import Decisions, MachineDecision, PowerSale
from optimizer.domain.portfolio import Portfolio

NEGLIGIBLE: Final = 1e-6
"""Machines and MW below this are the solver's rounding."""
Rows = tuple[Any, ...]


@dataclass(frozen=True)
class Part:
    """One field of the decisions: what belongs together in it, and its months."""

    field: str
    """Field of :class:`~optimizer.domain.decisions.Decisions`."""
    key: Callable[[Any], Hashable]
    """What is changed together."""
    month: str
    """Field that says when."""
    told: Callable[[Rows, Rows, Portfolio], str]
    """Rows that only the plan has, rows that only the other has, and the plan's portfolio, in words."""

    def differences(self, decisions: Decisions, other: Decisions) -> Iterator[tuple[Rows, Rows]]:
        """Rows of the plan and of the other, wherever they differ; earliest first."""
        grouped: dict[Hashable, tuple[list[Any], list[Any]]] = {}
        for side, source in enumerate((decisions, other)):
            for row in getattr(source, self.field):
                grouped.setdefault(self.key(row), ([], []))[side].append(row)
        pairs = [(tuple(rows), tuple(others)) for rows, others in grouped.values() if not _alike(rows, others)]
        yield from sorted(pairs, key=lambda pair: min(getattr(row, self.month) for row in (*pair[0], *pair[1])))


def _alike(rows: list[Any], others: list[Any]) -> bool:
    """Whether rows say the same in any order, but for rounding."""
    if len(rows) != len(others):
        return False
    pairs = zip(sorted(rows, key=_in_order), sorted(others, key=_in_order), strict=True)
    return all(row == other or _close(row, other) for row, other in pairs)


def _in_order(row: Value) -> str:
    """Names and months before numbers."""
    return repr([value for value in dict(row).values() if not isinstance(value, float | tuple)])


def _close(value: Any, other: Any) -> bool:
    if isinstance(value, float | int) and isinstance(other, float | int):
        return abs(value - other) <= NEGLIGIBLE * max(1.0, abs(value))
    if isinstance(value, tuple) and isinstance(other, tuple):
        return len(value) == len(other) and all(_close(*pair) for pair in zip(value, other, strict=True))
    if isinstance(value, Value) and type(value) is type(other):
        return all(_close(getattr(value, name), getattr(other, name)) for name in type(value).model_fields)
    return bool(value == other)


def _by_words(rows: Rows, others: Rows, _: Portfolio) -> str:
    new = "; ".join(row.told for row in rows if row not in others)
    old = "; ".join(row.told for row in others if row not in rows)
    return f"{new}, instead of: {old}" if new and old else new or f"Not: {old}"


def _by_machines(rows: tuple[MachineDecision, ...], others: tuple[MachineDecision, ...], portfolio: Portfolio) -> str:
    """How many more or fewer run, on average over the horizon, and are bought, sold and moved."""
    horizon, site = portfolio.horizon, (*rows, *others)[0].site
    months = {horizon.month_at(period.first): period.length for period in horizon.periods}
    share = {month: length / horizon.month_count for month, length in months.items()}

    def running(row: MachineDecision) -> float:
        return share.get(row.month, 0.0) * sum(item.machine_count for item in row.running)

    def more(count: Callable[[MachineDecision], float]) -> float:
        return sum(map(count, rows)) - sum(map(count, others))

    counts = {
        "running on average": more(running),
        "bought": more(lambda row: row.bought_count),
        "sold": more(lambda row: row.sold_count),
        "moved in": more(lambda row: row.moved_in_count),
        "moved out": more(lambda row: row.moved_out_count),
    }
    told = [f"{abs(n):,.0f} {'more' if n > 0 else 'fewer'} {what}" for what, n in counts.items() if round(n)]
    return f"Machines at {site}: {', '.join(told) or 'as many, other modes or months'}"


def _by_sales(rows: tuple[PowerSale, ...], others: tuple[PowerSale, ...], _: Portfolio) -> str:
    return f"Sell back power at {(*rows, *others)[0].site} in {len(rows)} periods, instead of in {len(others)}"


PARTS: Final = (
    Part("contracts", lambda row: row.offer, "sign_month", _by_words),
    Part("gpu_orders", lambda row: (row.gpu_option, row.site), "order_month", _by_words),
    Part("site_openings", lambda row: row.site, "month", _by_words),
    Part("grid_advances", lambda row: row.site, "step_month", _by_words),
    Part("hall_orders", lambda row: row.site, "month", _by_words),
    Part("building_orders", lambda row: (row.site, row.building), "month", _by_words),
    Part("machines", lambda row: row.site, "month", _by_machines),
    Part("power_sales", lambda row: row.site, "month", _by_sales),
)
"""In the order in which their worth is told."""
FOLLOWING: Final = frozenset({"machines", "power_sales"})
"""Parts that follow from the others and the market."""


def told_differences(portfolio: Portfolio, before: Decisions, after: Decisions) -> tuple[str, ...]:
    """What differs, in words, but for machines, power and debt, which follow."""
    sides = after, before
    contracts = [tuple(item.model_copy(update={"debt_usd": 0.0}) for item in side.contracts) for side in sides]
    bare = [side.model_copy(update={"contracts": signed}) for side, signed in zip(sides, contracts, strict=True)]
    parts = [part for part in PARTS if part.field not in FOLLOWING]
    return tuple(part.told(*rows, portfolio) for part in parts for rows in part.differences(*bare))
