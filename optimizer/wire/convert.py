"""Domain object to message and back, for every class at once.

Out: only fields that were set are written, so that a default stays a default on the other side; an empty list and a
``None`` count as not set. In: a message becomes plain data, and the domain constructor judges it: the problems and
their paths are the same as for a file. What has no plain form (a month 13, an enum number nobody knows, a message
where an oneof is open) is handed on as something that the constructor refuses by its path.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.type.date_pb2 import Date
from google.type.datetime_pb2 import DateTime

from optimizer.domain.base import Value, validated
from optimizer.wire.schema import FieldPair, Kind, message_class, pairs_of

ValueT = TypeVar("ValueT", bound=Value)


def to_message(value: Value) -> Any:
    """The message that stands for ``value``; of the class :func:`~optimizer.wire.schema.message_class` says."""
    message = message_class(type(value))()
    write(value, message)
    return message


def parse(kind: type[ValueT], message: Message, what: str) -> ValueT:
    """The domain object that ``message`` stands for.

    Raises:
        InvalidInputError: with every problem found, as the domain constructor words it.
    """
    return validated(kind, to_data(kind, message), what)


def to_bytes(value: Value) -> bytes:
    """``value`` as serialised message."""
    return bytes(to_message(value).SerializeToString())


def from_bytes(kind: type[ValueT], data: bytes) -> ValueT:
    """The inverse of :func:`to_bytes`."""
    return parse(kind, message_class(kind).FromString(data), kind.__name__)


# ------------------------------------------------------------------------------------------------------------------ out


def write(value: Value, message: Any) -> None:
    """Fill ``message`` with what was set in ``value``."""
    message.SetInParent()
    for pair in pairs_of(type(value)):
        item = getattr(value, pair.name)
        if pair.name not in value.model_fields_set or item is None or (pair.many and not item):
            continue
        holder = message if pair.group is None else getattr(message, pair.group)
        if pair.wrapped:
            holder = getattr(holder, pair.name)
        _write_field(pair, item, holder)


def _write_field(pair: FieldPair, item: Any, holder: Any) -> None:
    if pair.kind in (Kind.SCALAR, Kind.ENUM):
        plain = _number(pair, item) if pair.kind is Kind.ENUM else item
        if pair.many:
            getattr(holder, pair.name).extend(plain)
        else:
            setattr(holder, pair.name, plain)
        return
    target = getattr(holder, pair.name)
    for one in item if pair.many else (item,):
        _FILL[pair.kind](one, target.add() if pair.many else target)


def _number(pair: FieldPair, item: Any) -> Any:
    return [pair.number_of[one] for one in item] if pair.many else pair.number_of[item]


def _fill_month(month: dt.date, message: Any) -> None:
    message.year, message.month, message.day = month.year, month.month, 1


def _fill_hour(hour: dt.datetime, message: Any) -> None:
    message.year, message.month, message.day, message.hours = hour.year, hour.month, hour.day, hour.hour


_FILL: Mapping[Kind, Any] = {Kind.MONTH: _fill_month, Kind.HOUR: _fill_hour, Kind.VALUE: write}

# ------------------------------------------------------------------------------------------------------------------- in


def to_data(kind: type[Value], message: Message) -> dict[str, Any]:
    """What is set in ``message``, as plain data for the constructor of ``kind``."""
    data: dict[str, Any] = {}
    for pair in pairs_of(kind):
        holder: Any = message
        for step in (pair.group, pair.name if pair.wrapped else None):
            if step is not None and holder is not None:
                holder = getattr(holder, step) if holder.HasField(step) else None
        if holder is None:
            continue
        if pair.many:
            items = [_read(pair, item) for item in getattr(holder, pair.name)]
            if items:
                data[pair.name] = items
        elif holder.HasField(pair.name):
            data[pair.name] = _read(pair, getattr(holder, pair.name))
    return data


def _read(pair: FieldPair, item: Any) -> Any:
    match pair.kind:
        case Kind.SCALAR:
            return item
        case Kind.ENUM:
            return pair.name_of.get(item, "unspecified" if item == 0 else f"number {item}")
        case Kind.MONTH:
            return _read_month(item)
        case Kind.HOUR:
            return _read_hour(item)
        case Kind.VALUE:
            assert pair.value_class is not None
            return to_data(pair.value_class, item)


def _read_month(message: Date) -> object:
    try:
        if message.day in (0, 1):
            return dt.date(message.year, message.month, 1)
    except ValueError:
        pass
    return f"{message.year:04d}-{message.month:02d}-{message.day:02d}"


def _read_hour(message: DateTime) -> object:
    where = dt.UTC if message.WhichOneof("time_offset") else None  # refused: local time has no offset
    try:
        return dt.datetime(
            message.year, message.month, message.day, message.hours, message.minutes, message.seconds,
            message.nanos // 1000, where,
        )  # fmt: skip
    except ValueError:
        day = f"{message.year:04d}-{message.month:02d}-{message.day:02d}"
        return f"{day}T{message.hours:02d}:{message.minutes:02d}:{message.seconds:02d}"
