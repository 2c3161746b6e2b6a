"""A workbook as plain data, with the cell of every value: formulas and macros are never run."""

from __future__ import annotations

import datetime as dt
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from optimizer.domain.base import render_path
from optimizer.errors import InvalidInputError, Problem, did_you_mean
from optimizer.io.workbook.layout import (
    CONTENTS,
    OF,
    OWN_PREFIX,
    PLAN_PREFIX,
    POINTS_SHEET,
    Column,
    Form,
    Sheet,
    sheets,
)

HEADER_ROW, FIRST_ROW = 2, 4
"""Rows of the names of fields and of the first thing; the first row is a title, the third has units."""
MOST_BYTES = 64 * 1024 * 1024
"""Larger workbooks, unpacked, are refused unread."""
MOST_ROWS = 200_000
"""Rows of a sheet."""
START = "begin with: optimizer template tiny --out portfolio.xlsx"
_LITERALS = {"=TRUE()": True, "=FALSE()": False}
"""How LibreOffice writes constants."""
_PLAIN_NUMBER = re.compile(r"^-?\d+(\.\d+)?(e[-+]?\d+)?$")
"""How numbers stand that have more digits than a cell keeps."""
Cells = Sequence[Any]
Path_ = tuple[int | str, ...]


@dataclass
class WorkbookData:
    """What a workbook says."""

    data: dict[str, Any] = field(default_factory=dict)
    """Plain data of the portfolio."""
    cells: dict[str, str] = field(default_factory=dict)
    """Sheet and cell of each field by its path."""

    def located(self, error: InvalidInputError) -> InvalidInputError:
        """The same error with sheet and cell before every path."""
        return type(error)([self._located(item) for item in error.problems], error.what)

    def _located(self, found: Problem) -> Problem:
        path = found.path
        while path and path not in self.cells:
            path = re.sub(r"(^|\.)[^.\[]+$|\[\d+\]$", "", path)
        where = f"{self.cells[path]} ({found.path})" if path else found.path
        return Problem(where, found.message, found.fix)


@dataclass(frozen=True)
class _Thing:
    """A row that others may belong to: its data and where it is in the portfolio."""

    data: dict[str, Any]
    path: Path_


def read_workbook(path: Path, what: str) -> WorkbookData:
    """The data of a workbook.

    Raises:
        InvalidInputError: with every problem, its sheet, cell and fix.
    """
    _check_size(path, what)
    try:
        book = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise InvalidInputError.single(str(path), f"is not a workbook: {error}", START, what) from None
    known = {sheet.title: sheet for sheet in sheets()}
    reader = _Reader()
    try:
        if not set(book.sheetnames) & set(known):
            raise InvalidInputError.single(str(path), "has no sheet of a portfolio", START, what)
        for title in book.sheetnames:
            if title not in known and title != CONTENTS and not title.startswith((OWN_PREFIX, PLAN_PREFIX)):
                fix = did_you_mean(title, known).removeprefix("; ")
                told = f"is no sheet of a portfolio; {fix}"
                reader.problems.append(Problem(title, told, f"name sheets of your own {OWN_PREFIX}{title}"))
        for title, sheet in known.items():
            if title in book.sheetnames:
                rows = book[title].iter_rows(max_row=MOST_ROWS + 1)
                reader.read(sheet, [*_with_cells(rows)])
            reader.note(sheet)
    finally:
        book.close()
    if reader.problems:
        raise InvalidInputError(reader.problems, what)
    reader.collapse_paths()
    reader.add_empty_lists()
    return reader.result


def _check_size(path: Path, what: str) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(item.file_size for item in packed.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or "it is no .xlsx file"
        raise InvalidInputError.single(str(path), f"cannot be read: {reason}", START, what) from None
    if size > MOST_BYTES:
        told = f"has {size:,} bytes unpacked"
        raise InvalidInputError.single(str(path), told, f"{MOST_BYTES:,} at most", what)


def _with_cells(rows: Iterator[Cells]) -> Iterator[tuple[int, Cells]]:
    """Rows that are not empty, with their numbers."""
    for number, row in enumerate(rows, start=1):
        if any(cell.value not in (None, "") for cell in row):
            yield number, row


class _Reader:
    """Collects data, cells and problems sheet by sheet, what rows belong to before the rows."""

    def __init__(self) -> None:
        self.result = WorkbookData()
        self.problems: list[Problem] = []
        self.things: dict[tuple[str, ...], dict[str, _Thing]] = {}
        self.paths: dict[str, tuple[_Thing, Column]] = {}

    def read(self, sheet: Sheet, rows: list[tuple[int, Cells]]) -> None:
        """One sheet."""
        if rows and rows[-1][0] > MOST_ROWS:
            self.problems.append(
                Problem(sheet.title, f"has more than {MOST_ROWS:,} rows", "use a file for long series")
            )
        elif sheet.is_list:
            self._read_list(sheet, rows)
        else:
            self._read_fields(sheet, rows)

    def note(self, sheet: Sheet) -> None:
        """Remember which sheet a part of the portfolio is on, for parts that are missing."""
        parents = self._parents(sheet).values() if sheet.parent is not None else [_Thing(self.result.data, ())]
        for parent in parents:
            self.result.cells.setdefault(render_path((*parent.path, *sheet.within)), f"sheet {sheet.title}")

    def _read_fields(self, sheet: Sheet, rows: list[tuple[int, Cells]]) -> None:
        thing = _Thing(self.result.data, ())
        columns = {column.name: column for column in sheet.columns}
        for column in sheet.columns:
            self._keep_path(sheet, "", thing, column, sheet.location)
        for number, row in rows:
            name = str(row[0].value or "").strip()
            if number <= HEADER_ROW:
                continue
            if name not in columns:
                self._unknown(f"{sheet.title}!A{number}", name, columns)
            elif len(row) > 1:
                where = f"{sheet.title}!B{number}"
                self._take(thing, sheet.location, columns[name], row[1], where)

    def _read_list(self, sheet: Sheet, rows: list[tuple[int, Cells]]) -> None:
        columns = {column.name: column for column in sheet.columns}
        header = next((row for number, row in rows if number == HEADER_ROW), ())
        heads = [str(cell.value or "").strip() for cell in header]
        expected = [OF, *columns] if sheet.parent is not None else [*columns]
        for position, head in enumerate(heads):
            where = f"{sheet.title}!{get_column_letter(position + 1)}{HEADER_ROW}"
            if head and head not in expected:
                self._unknown(where, head, expected)
            elif head and heads.index(head) != position:
                self.problems.append(Problem(where, f"column {head!r} stands twice", "delete one of the two"))
        if not header:
            told = f"has no names of fields in row {HEADER_ROW}"
            self.problems.append(Problem(sheet.title, told, f"they are {', '.join(expected)}"))
            return
        for number, row in rows:
            if number >= FIRST_ROW:
                self._read_row(sheet, columns, heads, number, row)

    def _read_row(self, sheet: Sheet, columns: dict[str, Column], heads: list[str], number: int, row: Cells) -> None:
        parent = self._parent(sheet, heads, number, row)
        if parent is None:
            return
        held = parent.data
        for name in sheet.within[:-1]:
            held = held.setdefault(name, {})
        items = held.setdefault(sheet.within[-1], [])
        path = (*parent.path, *sheet.within, len(items))
        thing = _Thing({}, path)
        for position, cell in enumerate(row):
            head = heads[position] if position < len(heads) else ""
            where = f"{sheet.title}!{get_column_letter(position + 1)}{number}"
            self.result.cells.setdefault(render_path(path), where)
            if head in columns and not (sheet is POINTS_SHEET and head == OF):
                self._take(thing, (), columns[head], cell, where)
            elif not head and cell.value not in (None, ""):
                self.problems.append(Problem(where, "is in a column without a name", f"name it in row {HEADER_ROW}"))
        is_value = not sheet.columns[0].location if sheet.columns else False
        items.append(thing.data.get("") if is_value else thing.data)
        own = str(thing.data.get(sheet.label) or len(items)) if sheet.label else str(len(items))
        named = self.things.setdefault(sheet.location, {})
        above = f"{self._of(heads, row)} / " if sheet.parent is not None else ""
        label = above + own
        if label in named:
            label = f"{above}{len(items)}"
        named[label] = thing
        for column in sheet.columns:
            self._keep_path(sheet, label, thing, column, ())

    def _parent(self, sheet: Sheet, heads: list[str], number: int, row: Cells) -> _Thing | None:
        if sheet is not POINTS_SHEET and sheet.parent is None:
            return _Thing(self.result.data, ())
        of = self._of(heads, row)
        where = f"{sheet.title}!{get_column_letter(heads.index(OF) + 1) if OF in heads else 'A'}{number}"
        if sheet is POINTS_SHEET:
            found, column = self.paths.get(of, (None, None))
            if found is not None and column is not None:
                return self._path_owner(found, column)
            known, kind = [*self.paths], "path"
        else:
            things = self._parents(sheet)
            if of in things:
                return things[of]
            known, kind = [*things], f"row of {sheet.parent.title if sheet.parent else ''}"
        told = f"says that it belongs to {of!r}, but there is no such {kind}" if of else f"does not say which {kind}"
        self.problems.append(Problem(where, told, did_you_mean(of, known).removeprefix("; ") or "add it there first"))
        return None

    def _path_owner(self, thing: _Thing, column: Column) -> _Thing:
        held, names = thing.data, column.location[:-1]
        for name in names:
            held = held.setdefault(name, {})
        return _Thing(held, (*thing.path, *names))

    def _parents(self, sheet: Sheet) -> dict[str, _Thing]:
        return self.things.get(sheet.parent.location, {}) if sheet.parent is not None else {}

    def _of(self, heads: list[str], row: Cells) -> str:
        value = row[heads.index(OF)].value if OF in heads and heads.index(OF) < len(row) else None
        return "" if value is None else str(value).strip()

    def _keep_path(self, sheet: Sheet, label: str, thing: _Thing, column: Column, within: tuple[str, ...]) -> None:
        if column.is_path:
            address = f"{sheet.title}[{label}]" if label else sheet.title
            at = Column(**{**vars(column), "location": (*within, *column.location)})
            self.paths[f"{address}.{column.name}"] = (thing, at)

    def _take(self, thing: _Thing, within: tuple[str, ...], column: Column, cell: Any, where: str) -> None:
        """Put the value of a cell where it belongs, and remember the cell for every part of the way."""
        names = (*within, *column.location)
        for depth in range(1, len(names) + 1):
            self.result.cells.setdefault(render_path((*thing.path, *names[:depth])), where)
        if names:
            self.result.cells[render_path((*thing.path, *names))] = where
        if column.is_path:
            self.result.cells[render_path((*thing.path, *names[:-1]))] = where
        stated = _LITERALS.get(cell.value, cell.value) if cell.data_type == "f" else cell.value
        if cell.data_type == "e" or (cell.data_type == "f" and stated is cell.value):
            what = "a formula, which is not run" if cell.data_type == "f" else f"the error {cell.value}"
            self.problems.append(Problem(where, f"holds {what}", "write its value: copy, paste special, values"))
            return
        value = _plain(stated, column)
        if value is None:
            return
        held = thing.data
        for name in names[:-1]:
            held = held.setdefault(name, {})
        held[names[-1] if names else ""] = value

    def _unknown(self, where: str, name: str, known: Any) -> None:
        fix = did_you_mean(name, known).removeprefix("; ")
        self.problems.append(Problem(where, f"unknown field {name!r}", fix))

    def add_empty_lists(self) -> None:
        """Lists that have to be stated and have no rows, in the objects that are there."""
        for sheet in sheets():
            if sheet.may_be_empty:
                parents = self._parents(sheet).values() if sheet.parent is not None else [_Thing(self.result.data, ())]
                for parent in parents:
                    held: Any = parent.data
                    for name in sheet.within[:-1]:
                        held = held.get(name) if isinstance(held, dict) else None
                    if isinstance(held, dict):
                        held.setdefault(sheet.within[-1], [])

    def collapse_paths(self) -> None:
        """A path of which only the value is stated is that number, as in a file."""
        for thing, column in self.paths.values():
            held: Any = thing.data
            for name in column.location[:-2]:
                held = held.get(name, {})
            name = column.location[-2]
            if isinstance(held.get(name), dict) and set(held[name]) == {"value"}:
                held[name] = held[name]["value"]


def _plain(value: Any, column: Column) -> Any:
    """The value of a cell as a file would have it; what does not fit is left for the domain to refuse."""
    if isinstance(value, str) and not value.strip():
        return None
    match column.form:
        case Form.NUMBER if isinstance(value, str) and _PLAIN_NUMBER.match(value):
            return float(value)
        case Form.WHOLE if isinstance(value, str) and value.isdecimal():
            return int(value)
        case Form.MONTH if isinstance(value, dt.datetime) and value.day == 1:
            return f"{value:%Y-%m}"
        case Form.MONTH if isinstance(value, dt.datetime):
            return f"{value:%Y-%m-%d}"
        case Form.WHOLE if isinstance(value, float) and value.is_integer():
            return int(value)
        case Form.TEXT if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
            return str(int(value))
        case Form.JSON if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                return value
    return value
