"""A portfolio as a workbook: units and meanings beside the fields, ranges and drop-downs from the domain."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from optimizer.domain.base import Month
from optimizer.errors import InvalidInputError
from optimizer.io.text import check_writable
from optimizer.io.workbook.layout import (
    CONTENTS,
    OF,
    OWN_PREFIX,
    PLAN_PREFIX,
    POINTS,
    POINTS_SHEET,
    Column,
    Form,
    Sheet,
    sheets,
)
from optimizer.io.workbook.read import FIRST_ROW, HEADER_ROW

LAST_CHECKED_ROW = 2_000
"""Rows down to which cells have drop-downs and ranges."""
DIGITS = 16
"""Digits of a number that a cell keeps; longer ones are written as text, which is read as the number."""
LONGEST_LIST = 250
"""Letters of a drop-down that is written into the cell's own rule."""
FIELD_HEADS = ("field", "value", "unit", "least", "most", "if empty", "meaning")
FIELD_WIDTHS = (44, 24, 14, 12, 14, 14, 110)
FACE = "Calibri"
"""Typeface of everything."""
DARK, PALE, EMPTY = "1F3A5F", "E8EEF5", "BFBFBF"
REQUIRED, OPTIONAL = PatternFill("solid", fgColor=DARK), PatternFill("solid", fgColor="6B87A8")
WHITE = Font(name=FACE, bold=True, color="FFFFFF")
NOTE_SIZE = {"width": 360, "height": 150}
"""Pixels of the notes on the heads of columns."""


def write_workbook(data: Mapping[str, Any], path: Path) -> None:
    """Write plain data of a portfolio, as files have it.

    Raises:
        InvalidInputError: naming the file and why it cannot be written.
    """
    check_writable(path)
    save_book(new_book(data), path)


def new_book(data: Mapping[str, Any]) -> Workbook:
    """A workbook of a portfolio."""
    book = Workbook()
    contents = book.active
    assert isinstance(contents, Worksheet)
    contents.title = CONTENTS
    rows = _Rows(data)
    used = [(sheet, rows.of(sheet)) for sheet in sheets()]
    used.sort(key=lambda item: not item[1] and item[0].is_list)
    for sheet, items in used:
        page = book.create_sheet(sheet.title)
        _write_sheet(page, sheet, items)
        page.sheet_properties.tabColor = DARK if items else EMPTY
    _write_contents(contents, used)
    return book


def changed_book(source: Path, stated: Mapping[str, Any], data: Mapping[str, Any]) -> Workbook:
    """The workbook in which a portfolio is ``stated``, as its author left it but for the sheets that ``data`` changes.

    What shows an earlier plan is taken out. The workbook has been read as a portfolio before, so it is one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # what programs store beside the cells, and is not kept
        book = load_workbook(source)
    for title in [title for title in book.sheetnames if title.startswith(PLAN_PREFIX)]:
        del book[title]
    before, after = _Rows(stated), _Rows(data)
    for sheet in sheets():
        rows = after.of(sheet)
        if rows != before.of(sheet):
            position = book.sheetnames.index(sheet.title) if sheet.title in book.sheetnames else len(book.sheetnames)
            if sheet.title in book.sheetnames:
                del book[sheet.title]
            _write_sheet(book.create_sheet(sheet.title, position), sheet, rows)
        elif sheet.title in book.sheetnames:
            for cell in book[sheet.title][HEADER_ROW]:
                if cell.comment is not None:
                    cell.comment.width, cell.comment.height = NOTE_SIZE["width"], NOTE_SIZE["height"]
    return book


def save_book(book: Workbook, path: Path) -> None:
    """Write a workbook.

    Raises:
        InvalidInputError: naming the file and why it cannot be written.
    """
    try:
        book.save(path)
    except OSError as error:
        raise InvalidInputError.single(str(path), f"cannot be written: {error.strerror}", "", "output") from None


class _Rows:
    """The rows of every sheet: cells by the name of their column."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.points: list[dict[str, Any]] = []

    def of(self, sheet: Sheet) -> list[dict[str, Any]]:
        """Rows of one sheet; those of the points are complete when all others have been asked for."""
        if sheet is POINTS_SHEET:
            return self.points
        rows = []
        for label, item in self._things(sheet):
            row = {OF: label.rpartition(" / ")[0]} if sheet.parent is not None else {}
            for column in sheet.columns:
                row[column.name] = _found(item, column)
                if column.is_path:
                    address = f"{sheet.title}[{label}]" if sheet.is_list else sheet.title
                    self._add_points(f"{address}.{column.name}", item, column)
            rows.append(row)
        return rows

    def _things(self, sheet: Sheet) -> Iterator[tuple[str, Any]]:
        """Things with the labels by which others refer to them."""
        parents = [("", self.data)] if sheet.parent is None else self._things(sheet.parent)
        for above, parent in parents:
            held = _below(parent, sheet.within)
            if not sheet.is_list:
                yield "", held or {}
                continue
            seen: set[str] = set()
            for number, item in enumerate(held or (), start=1):
                own = str(item.get(sheet.label) or number) if sheet.label else str(number)
                own = str(number) if own in seen else own
                seen.add(own)
                yield (f"{above} / {own}" if sheet.parent is not None else own), item

    def _add_points(self, address: str, item: Any, column: Column) -> None:
        path = _below(item, column.location[:-1])
        if isinstance(path, Mapping):
            for point in path.get("points", ()):
                self.points.append({OF: address, **point})


def _below(item: Any, location: tuple[str, ...]) -> Any:
    for name in location:
        item = item.get(name) if isinstance(item, Mapping) else None
    return item


def _found(item: Any, column: Column) -> Any:
    """The value of a column; of a flat path the number itself."""
    if not column.location:
        return item
    if column.is_path:
        path = _below(item, column.location[:-1])
        return path.get("value") if isinstance(path, Mapping) else path
    return _below(item, column.location)


def _write_sheet(page: Worksheet, sheet: Sheet, rows: list[dict[str, Any]]) -> None:
    page["A1"] = sheet.told
    page["A1"].font = Font(name=FACE, bold=True, size=13, color=DARK)
    if sheet.is_list:
        _write_list(page, sheet, rows)
    else:
        _write_fields(page, sheet, rows[0])


def _write_fields(page: Worksheet, sheet: Sheet, values: dict[str, Any]) -> None:
    """One field a row, with its unit, its range and its meaning."""
    for position, (head, width) in enumerate(zip(FIELD_HEADS, FIELD_WIDTHS, strict=True), start=1):
        cell = page.cell(HEADER_ROW, position, head)
        cell.font, cell.fill = WHITE, REQUIRED
        page.column_dimensions[get_column_letter(position)].width = width
    for number, column in enumerate(sheet.columns, start=HEADER_ROW + 1):
        page.cell(number, 1, column.name).font = Font(name=FACE, bold=column.required)
        _set(page.cell(number, 2), values.get(column.name), column)
        page.cell(number, 2).fill = PatternFill("solid", fgColor=PALE)
        for position, told in enumerate((column.unit, column.low, column.high, column.default, column.told), start=3):
            page.cell(number, position, told)
        _add_rule(page, column, f"B{number}")
    page.freeze_panes = f"B{HEADER_ROW + 1}"


def _write_list(page: Worksheet, sheet: Sheet, rows: list[dict[str, Any]]) -> None:
    """One thing a row; notes on the heads of the columns."""
    columns = list(sheet.columns)
    if sheet.parent is not None:
        told = f"The row of {sheet.parent.title} that this belongs to."
        refers_to = sheet.parent.title if sheet.parent.parent is None and sheet.parent.label else ""
        columns.insert(0, Column((OF,), OF, Form.TEXT, required=True, told=told, refers_to=refers_to))
    for position, column in enumerate(columns, start=1):
        letter = get_column_letter(position)
        head = page.cell(HEADER_ROW, position, column.name)
        head.font, head.fill = WHITE, REQUIRED if column.required else OPTIONAL
        head.comment = _note(column)
        page.cell(HEADER_ROW + 1, position, column.unit or column.form.value).font = Font(
            name=FACE, italic=True, color="7F7F7F"
        )
        for number, row in enumerate(rows, start=FIRST_ROW):
            _set(page.cell(number, position), row.get(column.name), column)
        longest = max([len(column.name), *(len(str(row.get(column.name) or "")) for row in rows[:200])])
        page.column_dimensions[letter].width = min(max(longest + 3, 12), 60)
        _add_rule(page, column, f"{letter}{FIRST_ROW}:{letter}{max(LAST_CHECKED_ROW, FIRST_ROW + len(rows))}")
    page.freeze_panes = f"B{FIRST_ROW}"


def _note(column: Column) -> Comment:
    parts = [column.told]
    if column.low is not None and column.high is not None:
        parts.append(f"From {column.low:,.10g} to {column.high:,.10g} {column.unit}".strip() + ".")
    if column.hint:
        parts.append(f"Hint: {column.hint}.")
    parts.append("Required." if column.required else f"If empty: {column.default or 'none'}.")
    return Comment("\n".join(parts), "optimizer", **NOTE_SIZE)


def _set(cell: Cell | MergedCell, value: Any, column: Column) -> None:
    """Write a value so that it stays what it is: text that looks like a formula or a number remains text."""
    if value is None:
        cell.number_format = {Form.MONTH: "yyyy-mm", Form.TEXT: "@"}.get(column.form, "General")
        return
    match column.form:
        case Form.MONTH:
            cell.value, cell.number_format = _month(value), "yyyy-mm"
        case Form.JSON:
            cell.value = json.dumps(value)
        case Form.TEXT | Form.CHOICE | Form.MOMENT:
            cell.value = str(value)
            cell.data_type, cell.number_format = "s", "@"
        case Form.NUMBER | Form.WHOLE if value != type(value)(float(f"{value:.{DIGITS}g}")):
            cell.value = repr(value)
            cell.data_type = "s"
        case _:
            cell.value = value
            if isinstance(value, int | float) and abs(value) >= 1e4 and value == int(value) and column.unit:
                cell.number_format = "#,##0"
    cell.alignment = Alignment(vertical="top")


def _month(value: str) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Month).validate_python(value)


def _add_rule(page: Worksheet, column: Column, cells: str) -> None:
    """What a spreadsheet program accepts in cells, and what it says otherwise."""
    rule: DataValidation | None = None
    if column.choices and len(",".join(column.choices)) <= LONGEST_LIST:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"')
    elif column.form is Form.YES_NO:
        rule = DataValidation(type="list", formula1='"TRUE,FALSE"')
    elif column.refers_to:
        rule = DataValidation(type="list", formula1=f"'{column.refers_to}'!$A${FIRST_ROW}:$A${LAST_CHECKED_ROW}")
    elif column.low is not None and column.high is not None:
        rule = DataValidation(
            type="whole" if column.form is Form.WHOLE else "decimal",
            operator="between",
            formula1=repr(column.low),
            formula2=repr(column.high),
        )
    if rule is None:
        return
    rule.allow_blank, rule.showErrorMessage = True, True
    rule.errorTitle = column.name[:32]
    told = "choose from the list"
    if column.low is not None:
        told = column.hint or f"{column.low:,.10g} to {column.high:,.10g} {column.unit}"
    rule.error = told[:LONGEST_LIST]
    rule.add(cells)
    page.add_data_validation(rule)


def _write_contents(page: Worksheet, used: list[tuple[Sheet, list[dict[str, Any]]]]) -> None:
    page["A1"] = "A portfolio for optimizer"
    page["A1"].font = Font(name=FACE, bold=True, size=15, color=DARK)
    lines = (
        "Plan it: optimizer plan portfolio.xlsx. Dark heads are required fields, pale ones optional.",
        f"An empty cell takes the default. A path is a number in its own cell, or rows on the sheet {POINTS}.",
        f"The column {OF} says which row of another sheet a row belongs to.",
        f"Write values, no formulas. Sheets of your own begin with {OWN_PREFIX}.",
    )
    for number, line in enumerate(lines, start=2):
        page.cell(number, 1, line)
    for position, head in enumerate(("sheet", "rows", "what it holds"), start=1):
        cell = page.cell(7, position, head)
        cell.font, cell.fill = WHITE, REQUIRED
    for number, (sheet, rows) in enumerate(used, start=8):
        link = page.cell(number, 1, sheet.title)
        link.hyperlink = f"#'{sheet.title}'!A1"
        link.font = Font(name=FACE, underline="single", color="0563C1" if rows else "7F7F7F")
        page.cell(number, 2, len(rows) if sheet.is_list else "fields")
        page.cell(number, 3, sheet.told)
    for letter, width in (("A", 34), ("B", 10), ("C", 110)):
        page.column_dimensions[letter].width = width
