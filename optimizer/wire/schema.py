"""Which message, and which field of it, stands for which domain class and field.

Names are the same on both sides, so the pairing is looked up, not written down; what differs is in the tables here.
"""

from __future__ import annotations

import datetime as dt
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from google.protobuf.message import Message

from optimizer.api.v1 import (
    alternatives_pb2,
    break_evens_pb2,
    comparison_pb2,
    curves_pb2,
    decisions_pb2,
    diagnosis_pb2,
    evaluation_pb2,
    explanation_pb2,
    finance_pb2,
    fleet_pb2,
    frontier_pb2,
    gpu_pb2,
    horizon_pb2,
    market_answers_pb2,
    market_pb2,
    offer_pb2,
    one_more_pb2,
    options_pb2,
    outcome_pb2,
    plan_pb2,
    policy_pb2,
    portfolio_pb2,
    proof_pb2,
    replan_pb2,
    risk_pb2,
    series_pb2,
    server_status_pb2,
    simulation_pb2,
    site_pb2,
    stochastic_value_pb2,
    sweep_pb2,
    uncertainty_pb2,
    value_path_pb2,
)
from optimizer.domain.base import Value

MODULES: Final = (
    alternatives_pb2, break_evens_pb2, comparison_pb2, curves_pb2, decisions_pb2, diagnosis_pb2, evaluation_pb2,
    explanation_pb2, finance_pb2, fleet_pb2, frontier_pb2, gpu_pb2, horizon_pb2, market_answers_pb2, market_pb2,
    offer_pb2, one_more_pb2, options_pb2, outcome_pb2, plan_pb2, policy_pb2, portfolio_pb2, proof_pb2, replan_pb2,
    risk_pb2, series_pb2, server_status_pb2, simulation_pb2, site_pb2, stochastic_value_pb2, sweep_pb2,
    uncertainty_pb2, value_path_pb2,
)  # fmt: skip
"""Generated modules whose messages mirror domain classes; resources and requests are elsewhere."""

RENAMED: Final[Mapping[str, str]] = MappingProxyType({"Portfolio": "PortfolioSpec", "Plan": "PlanResult"})
"""Domain class to message, where the resource of the service took the name."""

GROUPED: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"Offer": {"minimum_critical_mw": "critical_mw_range", "maximum_critical_mw": "critical_mw_range"}}
)
"""Domain fields, by class, that share one arm of a oneof: the message field that holds them."""

MESSAGES: Final[Mapping[str, type[Message]]] = MappingProxyType(
    {name: getattr(module, name) for module in MODULES for name in module.DESCRIPTOR.message_types_by_name}
)
"""Message classes by name."""


class Kind(Enum):
    """What is done to an item on its way."""

    SCALAR = auto()
    ENUM = auto()
    MONTH = auto()
    HOUR = auto()
    VALUE = auto()


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field on both sides."""

    name: str
    """The same on both sides."""
    kind: Kind
    many: bool
    """Whether there can be several."""
    group: str | None
    """Message field that holds it, where it is not a field of the message itself."""
    wrapped: bool
    """Whether the several are wrapped in a message with one field of the same name, as a oneof needs."""
    value_class: type[Value] | None
    number_of: Mapping[str, int]
    """Domain value of an enum to its number."""
    name_of: Mapping[int, str]
    """The inverse."""


def message_class(kind: type[Value]) -> type[Message]:
    """The message that stands for a domain class."""
    return MESSAGES[RENAMED.get(kind.__name__, kind.__name__)]


@cache
def pairs_of(kind: type[Value]) -> tuple[FieldPair, ...]:
    """All fields of a domain class, paired."""
    return tuple(_pair(kind, name, field.annotation) for name, field in kind.model_fields.items())


def _pair(kind: type[Value], name: str, annotation: Any) -> FieldPair:
    group = GROUPED.get(kind.__name__, {}).get(name)
    holder: Any = message_class(kind).DESCRIPTOR
    if group is not None:
        holder = holder.fields_by_name[group].message_type
    field = holder.fields_by_name[name]
    item, many = item_type(annotation)
    wrapped = many and not field.is_repeated
    is_value = isinstance(item, type) and issubclass(item, Value)
    numbers = enum_numbers(item, field.enum_type) if field.enum_type is not None else {}
    return FieldPair(
        name=name,
        kind=_kind(item, field),
        many=many,
        group=group,
        wrapped=wrapped,
        value_class=item if is_value else None,
        number_of=numbers,
        name_of={number: value for value, number in numbers.items()},
    )


def _kind(item: Any, field: Any) -> Kind:
    if field.enum_type is not None:
        return Kind.ENUM
    if isinstance(item, type) and issubclass(item, Value):
        return Kind.VALUE
    return {dt.date: Kind.MONTH, dt.datetime: Kind.HOUR}.get(item, Kind.SCALAR)


def item_type(annotation: Any) -> tuple[Any, bool]:
    """The type under ``X | None``, ``Annotated`` and ``tuple[X, ...]``, and whether there was a tuple."""
    many = False
    while True:
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            annotation = arguments[0]
        elif origin in (Union, types.UnionType):
            (annotation,) = (argument for argument in arguments if argument is not type(None))
        elif origin is tuple:
            many, annotation = True, arguments[0]
        else:
            return annotation, many


def enum_numbers(item: Any, descriptor: Any) -> dict[str, int]:
    """Number of each value of a string enum, or of a literal: the value's name is that of the member, prefixed."""
    if get_origin(item) is Literal:
        names = {value: str(value).upper() for value in get_args(item)}
    else:
        assert issubclass(item, StrEnum)
        names = {member.value: member.name for member in item}
    prefix = enum_prefix(descriptor)
    return {value: descriptor.values_by_name[prefix + name].number for value, name in names.items()}


def enum_prefix(descriptor: Any) -> str:
    """``POWER_PAYER_`` for ``PowerPayer``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", descriptor.name).upper() + "_"
