"""What every value object shares: quantities with units and plausible ranges, months, paths over time, problems.

A value object is frozen and validated once, in its constructor; readers, the CLI and the service all get the same
checks.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from optimizer.domain.described import attribute_docs
from optimizer.errors import InvalidInputError, Problem
from optimizer.units import MONTHS_PER_YEAR


class Value(BaseModel):
    """Base of all value objects: frozen, no unknown keys, finite numbers, attribute docstrings as descriptions."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=False,
        ser_json_inf_nan="constants",
        defer_build=True,  # a validator is made when it is first needed: an import needs few of them
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; what was worked out from fields is worked out anew where some of them are others."""
        copied = super().model_copy(update=update, deep=deep)
        if update:
            for name in vars(copied).keys() - type(self).model_fields.keys():
                del vars(copied)[name]
        return copied

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema, with what the docstrings of the attributes say."""
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, text in attribute_docs(cls).items():
            if name in properties:
                properties[name]["description"] = text
        return made


# ---------------------------------------------------------------------------------------------------------------- units


@dataclass(frozen=True, slots=True)
class Quantity:
    """Annotation of a number: its unit, its plausible range and what a value outside it probably means."""

    unit: str
    low: float
    high: float
    hint: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Number first (no text, no booleans), range second."""
        number = core_schema.int_schema(strict=True) if source is int else core_schema.float_schema(strict=True)
        return core_schema.no_info_after_validator_function(self._check, number)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Publish unit and range, so that editors show them."""
        return {**handler(schema), "minimum": self.low, "maximum": self.high, "x-unit": self.unit}

    def _check(self, value: float) -> float:
        if self.low <= value <= self.high:
            return value
        limits = f"give a value between {self.low:,.10g} and {self.high:,.10g} {self.unit}"
        raise PydanticCustomError(
            "quantity_range",
            "{value}{unit} is outside {low}..{high}{unit}",
            {
                "value": f"{value:,.10g}",
                "unit": "" if self.unit == "1" else f" {self.unit}",
                "low": f"{self.low:,.10g}",
                "high": f"{self.high:,.10g}",
                "fix": self.hint or limits.removesuffix(" 1"),
            },
        )


@dataclass(frozen=True, slots=True)
class Quantities:
    """Annotation of a ``tuple[Number, ...]`` of one quantity: judged as a whole, so that thousands cost one call."""

    each: Quantity

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Numbers first, their range second."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Publish unit and range of the items."""
        each = self.each
        array = handler(schema)
        return {**array, "items": {**array["items"], "minimum": each.low, "maximum": each.high, "x-unit": each.unit}}

    def _check(self, values: tuple[float, ...]) -> tuple[float, ...]:
        if not values or (self.each.low <= min(values) and max(values) <= self.each.high):
            return values
        wrong: list[InitErrorDetails] = []
        for index, value in enumerate(values):
            try:
                self.each._check(value)
            except PydanticCustomError as error:
                wrong.append(InitErrorDetails(type=error, loc=(index,), input=value))
        raise ValidationError.from_exception_data("tuple", wrong)


Number = Annotated[float, Field(strict=True)]
"""A number, no text and no boolean."""
Real = Annotated[float, Field(allow_inf_nan=False)]
"""Any finite number."""
Frac = Annotated[float, Quantity("fraction", 0.0, 1.0, "a fraction, not a percentage: 5 % is 0.05")]
GrowthPerYear = Annotated[float, Quantity("1/year", -0.95, 5.0, "a fraction a year, not a percentage: 3 % is 0.03")]
RatePerYear = Annotated[float, Quantity("1/year", 0.0, 1.0, "a fraction a year, not a percentage: 8 % is 0.08")]
Usd = Annotated[float, Quantity("USD", 0.0, 1e13)]
UsdPerMonth = Annotated[float, Quantity("USD/month", 0.0, 1e10)]
UsdPerMwh = Annotated[float, Quantity("USD/MWh", -500.0, 10_000.0, "4 US cents a kWh are 40 USD/MWh")]
UsdPerMwMonth = Annotated[float, Quantity("USD/MW-month", 0.0, 1e6)]
UsdPerKwMonth = Annotated[
    float,
    Quantity("USD/kW-month", 0.0, 2_000.0, "per kW of critical IT and month: 150,000 USD/MW-month is 150 USD/kW-month"),
]
UsdPerCriticalMw = Annotated[
    float, Quantity("USD/MW", 0.0, 2e8, "in dollars, not millions: 11.5 million USD per critical MW is 11500000")
]
Mw = Annotated[float, Quantity("MW", 0.0, 100_000.0, "in MW: 500 kW is 0.5")]
Months = Annotated[int, Quantity("months", 0, 600)]
Count = Annotated[int, Quantity("1", 0, 100_000_000)]
Pue = Annotated[float, Quantity("MW/MW", 1.0, 3.0, "grid draw over IT power, at least 1")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]

# --------------------------------------------------------------------------------------------------------------- months

_MONTH = re.compile(r"^(\d{4})-(\d{2})(?:-01)?$")


def _parse_month(value: object) -> object:
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        if value.day == 1:
            return value
    elif isinstance(value, str) and (match := _MONTH.match(value.strip())):
        year, month = int(match[1]), int(match[2])
        if 1 <= month <= MONTHS_PER_YEAR and year >= 1:
            return dt.date(year, month, 1)
    raise PydanticCustomError(
        "month", "{value} is not a month", {"value": repr(value), "fix": "write year and month, as 2027-04"}
    )


Month = Annotated[
    dt.date,
    BeforeValidator(_parse_month),
    PlainSerializer(lambda month: f"{month:%Y-%m}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}(-01)?$", "description": "month, as 2027-04"}),
]
"""The first day of a month; read from and written as ``2027-04``."""


def add_months(month: dt.date, count: int) -> dt.date:
    """``count`` months after (before, if negative) ``month``."""
    total = month.year * MONTHS_PER_YEAR + month.month - 1 + count
    return dt.date(total // MONTHS_PER_YEAR, total % MONTHS_PER_YEAR + 1, 1)


def months_between(start: dt.date, end: dt.date) -> int:
    """Whole months from ``start`` to ``end``; negative when ``end`` is earlier."""
    return (end.year - start.year) * MONTHS_PER_YEAR + end.month - start.month


# ---------------------------------------------------------------------------------------------------------------- paths


class PathPoint(Value):
    """One step of a path."""

    from_month: Month
    """First month at which the value holds."""
    value: float = Field(strict=True)
    """The value from then on, in the unit of the path's own name."""


class ValuePath(Value):
    """A number over time: one value that may grow, or steps. Its unit is in the name of the field that holds it.

    A bare number in a file is a flat path.
    """

    value: float | None = Field(default=None, strict=True)
    """Value in the first month of the horizon; give this or ``points``."""
    growth_per_year_frac: GrowthPerYear = 0.0
    """Compound growth a year, applied monthly, from the first month of the horizon."""
    points: tuple[PathPoint, ...] = ()
    """Steps in ascending order; the first one also holds before its month."""

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, data: object) -> object:
        return {"value": data} if isinstance(data, int | float) and not isinstance(data, bool) else data

    @model_validator(mode="after")
    def _one_form(self) -> ValuePath:
        if (self.value is None) == (not self.points):
            raise problem("path_form", "a path needs either a value or points", "give a number, or a list of points")
        months = [point.from_month for point in self.points]
        if months != sorted(set(months)):
            raise problem("path_order", "points are not in ascending order of month", "sort them, one point a month")
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
        """A bare number for a flat path; of a longer one what was stated, or what matters."""
        stated = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if stated == {"value"} or (not info.exclude_unset and self.value is not None and not self.growth_per_year_frac):
            return self.value
        return {key: item for key, item in handler(self).items() if item is not None and item != [] and item != ()}

    @property
    def extremes(self) -> tuple[float, float]:
        """Smallest and largest stated value."""
        values = [point.value for point in self.points] if self.value is None else [self.value]
        return min(values), max(values)

    def at(self, start_month: dt.date, month: dt.date) -> float:
        """The value in ``month`` for a horizon that starts in ``start_month``."""
        growth = float((1.0 + self.growth_per_year_frac) ** (months_between(start_month, month) / MONTHS_PER_YEAR))
        if self.value is not None:
            return self.value * growth
        held = [point.value for point in self.points if point.from_month <= month]
        return (held[-1] if held else self.points[0].value) * growth


@dataclass(frozen=True, slots=True)
class PathOf:
    """Annotation of a :class:`ValuePath`: unit and plausible range of every value on it."""

    unit: str
    low: float
    high: float
    hint: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The path first, then the range of its values."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A number or a path, with its unit."""
        return {
            "anyOf": [{"type": "number", "minimum": self.low, "maximum": self.high}, handler(schema)],
            "x-unit": self.unit,
        }

    def _check(self, path: ValuePath) -> ValuePath:
        for value in path.extremes:
            Quantity(self.unit, self.low, self.high, self.hint)._check(value)
        return path


UsdPerTh = Annotated[ValuePath, PathOf("USD per TH/s", 0.0, 500.0, "per TH/s, not per machine")]
RentPath = Annotated[ValuePath, PathOf("USD/kW-month", 0.0, 2_000.0, "per kW of critical IT and month")]
UsdPerGpuHour = Annotated[ValuePath, PathOf("USD/GPU-hour", 0.0, 200.0, "per GPU and hour, not per node")]

# ------------------------------------------------------------------------------------------------------------- problems


def problem(kind: str, message: str, fix: str = "") -> PydanticCustomError:
    """An error to raise inside a validator; becomes a :class:`~optimizer.errors.Problem` with this object's path."""
    return PydanticCustomError(kind, "{message}", {"message": message, "fix": fix})


def raise_problems(title: str, problems: Sequence[tuple[tuple[int | str, ...], str, str, object]]) -> None:
    """Raise all of ``(location, message, fix, value)`` at once from a validator of the root object."""
    if problems:
        raise ValidationError.from_exception_data(
            title,
            [
                InitErrorDetails(type=problem("reference", message, fix), loc=location, input=value)
                for location, message, fix, value in problems
            ],
        )


def render_path(location: Sequence[int | str]) -> str:
    """``('offers', 3, 'sites', 0)`` as ``offers[3].sites[0]``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


ValueT = TypeVar("ValueT", bound=Value)


def validated(kind: type[ValueT], data: Mapping[str, Any] | object, what: str) -> ValueT:
    """``data`` as a value object of ``kind``.

    Raises:
        InvalidInputError: with every problem found, its path, value and fix.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise InvalidInputError(problems_of(error, kind), what) from None


def problems_of(error: ValidationError, kind: type[BaseModel]) -> list[Problem]:
    """The problems behind a pydantic error, in our words."""
    found: list[dict[str, Any]] = [dict(item) for item in error.errors(include_url=False)]
    # A list all of whose items are wrong is told as its items, not also as too short.
    below = {tuple(item["loc"][:depth]) for item in found for depth in range(len(item["loc"]))}
    return [_problem_of(item, kind) for item in found if item["type"] != "too_short" or item["loc"] not in below]


def _problem_of(item: dict[str, Any], kind: type[BaseModel]) -> Problem:
    location, value = list(item["loc"]), item["input"]
    context = item.get("ctx") or {}
    path = render_path(location)
    match item["type"]:
        case "extra_forbidden":
            known = _field_names(kind, location[:-1])
            close = difflib.get_close_matches(str(location[-1]), known, n=1)
            fix = f"did you mean {close[0]!r}?" if close else f"known keys are {', '.join(sorted(known))}"
            return Problem(path, f"unknown key {location[-1]!r}", fix)
        case "missing":
            return Problem(path, "is missing", f"add {location[-1]!r}")
        case "float_type" | "int_type" | "int_from_float":
            whole = "a whole number" if item["type"] != "float_type" else "a number"
            return Problem(path, f"{value!r} is not {whole}", "write it without quotes or unit")
        case "model_type" if context.get("class_name") == ValuePath.__name__:
            return Problem(path, f"{_short(value)} is not a number or a path", "write a number, or a list of points")
        case "model_type" | "model_attributes_type" | "dict_type":
            return Problem(path, f"{_short(value)} is not a mapping", "write key: value lines below it")
        case "tuple_type":
            return Problem(path, f"{_short(value)} is not a list", "write one '- ' item a line below it")
        case "string_pattern_mismatch":
            return Problem(path, f"{_short(value)} does not match {context.get('pattern')}", "write it in that form")
        case "enum" | "literal_error":
            return Problem(path, f"{_short(value)} is not one of {context.get('expected')}", "choose one of these")
    message = str(item["msg"])
    return Problem(path, message, str(context.get("fix", "")))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _field_names(kind: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Field names of the object at ``location`` below ``kind``; empty when the path leaves the schema."""
    current: Any = kind
    for part in location:
        if isinstance(part, int):
            continue
        known = isinstance(current, type) and issubclass(current, BaseModel)
        field = current.model_fields.get(part) if known else None
        if field is None:
            return []
        current = _inner_model(field.annotation)
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner_model(argument)
        if inner is not None:
            return inner
    return None
