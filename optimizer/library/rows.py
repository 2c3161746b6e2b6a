"""CSV files of the library as rows of a dataclass, checked and typed by its fields."""

from __future__ import annotations

import csv
import dataclasses
import datetime
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Any, TypeVar, get_type_hints

from optimizer.errors import InvalidInputError

_Row = TypeVar("_Row")


def _word(text: str) -> str:
    return text


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def _or_none(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: parse(text) if text else None


_PARSERS: dict[Any, Callable[[str], Any]] = {
    str: _word,
    int: int,
    float: float,
    bool: _flag,
    datetime.date: datetime.date.fromisoformat,
    tuple[str, ...]: _words,
    int | None: _or_none(int),
    float | None: _or_none(float),
    datetime.date | None: _or_none(datetime.date.fromisoformat),
}


def parse_rows(cls: type[_Row], lines: Iterable[str], what: str) -> tuple[_Row, ...]:
    """Rows of ``cls`` from CSV lines whose header is the fields of ``cls``."""
    hints = get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    reader = csv.reader(lines)
    header = next(reader, [])
    if header != names:
        raise InvalidInputError.single("header", f"columns are {header}, expected {names}", what=what)
    rows: list[_Row] = []
    for number, cells in enumerate(reader, start=2):
        if len(cells) != len(names):
            raise InvalidInputError.single(f"line {number}", f"{len(cells)} cells for {len(names)} columns", what=what)
        values: dict[str, Any] = {}
        for name, cell in zip(names, cells, strict=True):
            try:
                values[name] = _PARSERS[hints[name]](cell)
            except (ValueError, KeyError) as error:
                raise InvalidInputError.single(f"line {number}.{name}", f"{cell!r}: {error}", what=what) from error
        rows.append(cls(**values))
    return tuple(rows)


def load_rows(cls: type[_Row], file: str) -> tuple[_Row, ...]:
    """Rows of one CSV file of the library; its columns are the fields of ``cls``, in their order."""
    path = resources.files("optimizer.library").joinpath("data", file)
    return parse_rows(cls, path.read_text(encoding="utf-8").splitlines(), f"library table {file}")
