"""Which sheets and columns a portfolio has: walked out of the classes of the domain, with units, ranges and docstrings.

A field that is one object is flattened into columns (``power.flat_usd_per_mwh``); a list is a sheet of its own whose
first column says what its rows belong to. Fields directly below the portfolio that are objects are sheets of one field
a row. The points of all paths share one sheet.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import MinLen
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from optimizer.domain.base import PathOf, Quantities, Quantity, Value, ValuePath
from optimizer.domain.described import described_fields
from optimizer.domain.portfolio import Portfolio

Location = tuple[str, ...]
LONGEST_TITLE = 31
"""Letters of the name of a sheet: what spreadsheet programs allow."""
ROOT = "portfolio"
"""Sheet of the fields of the portfolio that are neither objects nor lists."""
CONTENTS = "contents"
"""Sheet that tells what the others are; it is not read."""
POINTS = "points"
"""Sheet of the points of all paths."""
OF = "of"
"""Column that says what a row belongs to."""
OWN_PREFIX = "_"
"""Beginning of the names of sheets for notes, which are not read."""
PLAN_PREFIX = "plan."
"""Beginning of the names of sheets that show a plan, which are not read and stand only until the next plan."""


class Form(StrEnum):
    """What a cell holds."""

    NUMBER = "number"
    WHOLE = "whole number"
    TEXT = "text"
    MONTH = "month"
    MOMENT = "date and time"
    YES_NO = "TRUE or FALSE"
    CHOICE = "one of a list"
    JSON = "JSON"


@dataclass(frozen=True)
class Column:
    """One field of an object, or of an object in it."""

    location: Location
    """Fields from the object that a row is; empty for a row that is itself a number or a name."""
    name: str
    """Head of the column."""
    form: Form
    unit: str = ""
    low: float | None = None
    high: float | None = None
    hint: str = ""
    choices: tuple[str, ...] = ()
    refers_to: str = ""
    """Sheet whose names it may hold."""
    required: bool = False
    default: str = ""
    """What counts where the cell is empty, in words."""
    told: str = ""
    """What it means."""
    is_path: bool = False
    """Whether it is the value of a path that may have points instead."""


@dataclass(frozen=True)
class Sheet:
    """One kind of thing."""

    title: str
    location: Location
    """Fields from the portfolio, lists and objects alike."""
    parent: Sheet | None
    """Sheet of the things that its rows belong to; none for what belongs to the portfolio."""
    is_list: bool
    """Whether a row is a thing; otherwise a row is a field."""
    columns: tuple[Column, ...]
    told: str
    """What a row is, or what the fields are about."""
    label: str = ""
    """Column by which rows of other sheets say that they belong to a row of this; numbers count if there is none."""
    may_be_empty: bool = False
    """Whether a list that has to be stated may have no rows."""

    @property
    def within(self) -> Location:
        """Fields from the thing that the rows belong to."""
        return self.location[len(self.parent.location) if self.parent is not None else 0 :]


POINTS_SHEET = Sheet(
    title=POINTS,
    location=(POINTS,),
    parent=None,
    is_list=True,
    columns=(
        Column((OF,), OF, Form.TEXT, required=True, told="Path, as market.btc_usd or asic_models[x].price_usd_per_th."),
        Column(("from_month",), "from_month", Form.MONTH, required=True, told="First month at which the value holds."),
        Column(("value",), "value", Form.NUMBER, required=True, told="Value from then on, in the unit of the path."),
    ),
    told="Steps of paths over time; a path has either a value in its own cell or rows here.",
)


@dataclass
class _Walk:
    """Columns and lists found below one object."""

    columns: list[Column] = field(default_factory=list)
    lists: list[tuple[Location, FieldInfo, Any]] = field(default_factory=list)


@cache
def sheets(kind: type[Value] = Portfolio) -> tuple[Sheet, ...]:
    """All sheets, what rows belong to before the rows."""
    found = _Walk()
    root_columns: list[Column] = []
    made: list[Sheet] = []
    for name, info in described_fields(kind).items():
        core, _ = _core(info)
        if _is_value(core):
            _object(core, (), found_in := _Walk())
            made.append(Sheet(name, (name,), None, False, tuple(found_in.columns), _first_line(core)))
            found.lists += [((name, *at), inner, item) for at, inner, item in found_in.lists]
        elif get_origin(core) is tuple:
            found.lists.append(((name,), info, core))
        else:
            root_columns.append(_column((name,), info, required=info.is_required()))
    root = Sheet(ROOT, (), None, False, tuple(root_columns), _first_line(kind))
    tables = [item for at, info, core in found.lists for item in _tables(at, info, core, None)]
    ordered = [root, *made, *tables]
    titles = _titles([item.location for item in ordered])
    by_location: dict[Location, Sheet] = {}
    for item in ordered:
        parent = by_location[item.parent.location] if item.parent is not None else None
        title = item.title or titles[item.location]
        by_location[item.location] = replace(item, title=title, parent=parent)
    return (*by_location.values(), POINTS_SHEET)


def _tables(location: Location, info: FieldInfo, core: Any, parent: Sheet | None) -> Iterator[Sheet]:
    """The sheet of a list, and those of the lists in it."""
    item, metadata = _unwrapped(get_args(core)[0], [])
    told = info.description or ""
    if not _is_value(item):
        metadata = [entry.each for entry in info.metadata if isinstance(entry, Quantities)] or metadata
        column = _described((), location[-1], item, metadata, told=told, required=True)
        yield Sheet("", location, parent, True, (column,), told)
        return
    _object(item, (), found := _Walk())
    first = found.columns[0] if found.columns else None
    label = first.name if first is not None and first.required and first.form in (Form.TEXT, Form.CHOICE) else ""
    empty = info.is_required() and not any(isinstance(entry, MinLen) for entry in info.metadata)
    sheet = Sheet("", location, parent, True, tuple(found.columns), _first_line(item), label, empty)
    yield sheet
    for at, inner, inner_core in found.lists:
        yield from _tables((*location, *at), inner, inner_core, sheet)


def _object(kind: type[Value], location: Location, found: _Walk, *, required: bool = True) -> None:
    """Columns and lists of an object; fields of objects in it by their dotted names."""
    for name, info in described_fields(kind).items():
        at = (*location, name)
        core, metadata = _core(info)
        needed = required and info.is_required()
        if core is ValuePath:
            found.columns += _path_columns(at, info, metadata, needed)
        elif _is_value(core):
            _object(core, at, found, required=needed)
        elif get_origin(core) is tuple:
            found.lists.append((at, info, core))
        else:
            found.columns.append(_column(at, info, required=needed))


def _path_columns(at: Location, info: FieldInfo, metadata: list[Any], needed: bool) -> Iterator[Column]:
    told = f"{info.description or ''} A number here, or points on the sheet {POINTS}."
    default = _default(info)
    path = _described((*at, "value"), ".".join(at), float, metadata, told=told, required=needed, default=default)
    growth = described_fields(ValuePath)["growth_per_year_frac"]
    yield Column(**{**vars(path), "is_path": True})
    yield _column((*at, "growth_per_year_frac"), growth, required=False)


def _column(at: Location, info: FieldInfo, *, required: bool) -> Column:
    core, metadata = _core(info)
    told = info.description or ""
    return _described(at, ".".join(at), core, metadata, told=told, required=required, default=_default(info))


def _described(
    at: Location, name: str, core: Any, metadata: list[Any], *, told: str, required: bool, default: str = ""
) -> Column:
    """A column by its type and by the annotations of the domain."""
    terms: dict[str, Any] = {"told": " ".join(told.split()), "required": required, "default": default}
    form = _form(core)
    for entry in metadata:
        if isinstance(entry, Quantity | PathOf):
            unit = "" if entry.unit == "1" else entry.unit
            terms |= {"unit": unit, "low": entry.low, "high": entry.high, "hint": entry.hint}
    if form is Form.CHOICE:
        terms["choices"] = tuple(
            str(item.value if isinstance(item, Enum) else item)
            for item in (get_args(core) if get_origin(core) is Literal else core)
        )
        if get_origin(core) is Literal and all(isinstance(item, int) for item in get_args(core)):
            form = Form.WHOLE
    if form is Form.TEXT:
        terms["refers_to"] = _referred(name)
    return Column(at, name, form, **terms)


def _form(core: Any) -> Form:
    if get_origin(core) is Literal or (isinstance(core, type) and issubclass(core, StrEnum)):
        return Form.CHOICE
    forms: dict[Any, Form] = {
        bool: Form.YES_NO,
        int: Form.WHOLE,
        float: Form.NUMBER,
        str: Form.TEXT,
        dt.date: Form.MONTH,
        dt.datetime: Form.MOMENT,
    }
    return forms.get(core, Form.JSON)


def _referred(name: str) -> str:
    """The list of the portfolio whose names a field holds: ``site`` and ``sites`` those of ``sites``."""
    last = name.split(".")[-1]
    lists = [key for key, info in Portfolio.model_fields.items() if get_origin(_core(info)[0]) is tuple]
    return next((key for key in lists if last in (key, key.removesuffix("s")) or last.endswith(f"_{key}")), "")


def _core(info: FieldInfo) -> tuple[Any, list[Any]]:
    return _unwrapped(info.annotation, list(info.metadata))


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """The type behind ``Annotated`` and ``| None``, and all annotations on the way."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _unwrapped(inner, [*metadata, *more])
    if get_origin(annotation) in (Union, types.UnionType):
        inner_types = [item for item in get_args(annotation) if item is not type(None)]
        if len(inner_types) == 1:
            return _unwrapped(inner_types[0], metadata)
    return annotation, metadata


def _is_value(core: Any) -> bool:
    return isinstance(core, type) and issubclass(core, Value)


def _default(info: FieldInfo) -> str:
    value = info.default
    if value is PydanticUndefined or value is None or value == "":
        return ""
    if isinstance(value, ValuePath):
        value = value.value
    return str(value.value if isinstance(value, Enum) else value)


def _first_line(kind: type[Value]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _titles(locations: list[Location]) -> dict[Location, str]:
    """A name of its own for each sheet: the list and what it is in, more or less where that is needed."""
    titles: dict[Location, str] = {}
    for location in locations:
        if len(location) > 1:
            sizes = [*range(2, len(location) + 1), 1]
            others = [item for item in locations if item != location]
            titles[location] = next(
                ".".join(location[-size:])
                for size in sizes
                if len(".".join(location[-size:])) <= LONGEST_TITLE
                and all(item[-size:] != location[-size:] for item in others)
            )
        else:
            titles[location] = ".".join(location)
    return titles
