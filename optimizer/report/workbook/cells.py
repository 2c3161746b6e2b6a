"""Tables of the sheets: names, units and notes from the classes of the plan, formulas where a reader may check."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Union, get_args, get_origin

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from optimizer.domain.base import Value
from optimizer.domain.described import described_fields
from optimizer.domain.plan import Plan
from optimizer.domain.portfolio import Portfolio
from optimizer.io.workbook.layout import PLAN_PREFIX
from optimizer.io.workbook.write import DARK, FACE, NOTE_SIZE, REQUIRED, WHITE

USD: Final = "#,##0"
CENTS: Final = "#,##0.00"
MONTH: Final = "yyyy-mm"
FORMATS: Final[Mapping[str, str]] = {
    "_usd": USD,
    "_mw": "#,##0.0",
    "_mwh": "#,##0",
    "_btc": "#,##0.0",
    "_t": "#,##0",
    "_eh_s": "#,##0.000",
    "_count": "#,##0",
    "_frac": "0.00%",
    "deviation": "0.0E+00",
    "tolerance": "0.0E+00",
    "probability": "0.0%",
    "month": MONTH,
    "year": "0",
}
"""Formats of columns by the ends of their names, which are units."""
TITLE, STRONG = Font(name=FACE, bold=True, size=13, color=DARK), Font(name=FACE, bold=True)
SUM_LINE = Border(top=Side(style="thin", color=DARK))
GOOD, BAD = PatternFill("solid", bgColor="C6E7D4"), PatternFill("solid", bgColor="F7C9C5")
TIES, WITHIN, DIFFERS = "ties", "within tolerance", "DIFFERS"
NARROW, WIDE, WIDEST = 12, 16, 70
"""Widths of columns."""


@dataclass(frozen=True)
class Formula:
    """What a cell calculates; everything else that begins like a formula is text."""

    text: str


@dataclass(frozen=True)
class Head:
    """Head of a column."""

    name: str
    note: str = ""
    cell_format: str = ""
    """Format of its cells, where the name does not say."""

    @property
    def number_format(self) -> str:
        """Format of its cells."""
        return self.cell_format or next((form for end, form in FORMATS.items() if self.name.endswith(end)), "General")


@dataclass(frozen=True)
class Placed:
    """Where a table stands."""

    page: Worksheet
    columns: Mapping[str, int]
    first: int
    last: int

    def range(self, name: str) -> str:
        """The cells of a column, for formulas on any sheet."""
        letter = get_column_letter(self.columns[name])
        return f"{quote_sheetname(self.page.title)}!${letter}${self.first}:${letter}${self.last}"

    def cell(self, name: str, row: int) -> str:
        """One cell, for formulas on any sheet."""
        return f"{quote_sheetname(self.page.title)}!${get_column_letter(self.columns[name])}${row}"


@dataclass(frozen=True)
class Check:
    """Cells that are 0 if what they compare is equal."""

    told: str
    unit: str
    cells: str
    accepted: float = 0.0
    """Largest difference that is only rounding."""


@dataclass
class Pages:
    """The sheets of a plan while they are written."""

    book: Workbook
    plan: Plan
    portfolio: Portfolio
    checks: list[Check] = field(default_factory=list)
    charts: list[Any] = field(default_factory=list)
    """Those of the summary."""
    told: dict[str, str] = field(default_factory=dict)
    """What each sheet shows, by title."""

    def add(self, name: str, told: str) -> Worksheet:
        """A sheet after those of the plan that are there, printed across one page."""
        page: Worksheet = self.book.create_sheet(PLAN_PREFIX + name, len(self.told))
        self.told[page.title] = told
        page["A1"] = told
        page["A1"].font = TITLE
        page.sheet_properties.tabColor = "0FA37F"
        page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        page.page_setup.orientation, page.page_setup.paperSize = "landscape", page.PAPERSIZE_A4
        page.page_setup.fitToHeight, page.print_title_rows = 0, "1:1"
        page.sheet_view.showGridLines = False
        return page


def heads_of(kind: type[Value]) -> list[Head]:
    """Columns for the numbers and names of a class."""
    return [
        Head(name, " ".join((info.description or "").split()))
        for name, info in described_fields(kind).items()
        if _is_plain(info.annotation)
    ]


def letters_of(heads: Sequence[Head]) -> dict[str, str]:
    """Letters of columns that begin at the left, by name."""
    return {head.name: get_column_letter(number) for number, head in enumerate(heads, start=1)}


def _is_plain(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return all(_is_plain(item) for item in get_args(annotation))
    return get_origin(annotation) is not tuple and not (isinstance(annotation, type) and issubclass(annotation, Value))


def place(
    page: Worksheet,
    row: int,
    heads: Sequence[Head],
    rows: Sequence[Sequence[Any]],
    told: str = "",
    strong: Collection[int] = (),
) -> Placed:
    """Write a table with its heads in ``row``, ``told`` above it; rows whose places are ``strong`` are sums."""
    if told:
        page.cell(row - 1, 1, told).font = STRONG
    for position, head in enumerate(heads, start=1):
        cell = page.cell(row, position, head.name)
        cell.font, cell.fill = WHITE, REQUIRED
        is_text, indent = head.number_format == "General", int(position > 1)
        cell.alignment = Alignment(horizontal="left", indent=indent) if is_text else Alignment(horizontal="right")
        if head.note:
            cell.comment = Comment(head.note, "optimizer", **NOTE_SIZE)
        values = [line[position - 1] for line in rows]
        for number, value in enumerate(values, start=row + 1):
            held = page.cell(number, position)
            put(held, value, head.number_format)
            if is_text:
                held.alignment = Alignment(
                    horizontal="left", indent=indent, wrap_text=len(str(value)) > WIDEST, vertical="top"
                )
            if number - row - 1 in strong:
                held.font, held.border = STRONG, SUM_LINE
        _widen(page, position, head, values)
    return Placed(page, {head.name: at for at, head in enumerate(heads, start=1)}, row + 1, row + len(rows))


def place_all(page: Worksheet, row: int, values: Sequence[Value], told: str = "") -> int:
    """Write objects of one class, if there are any, a row each; the row in which the next table may begin."""
    if not values:
        return row
    heads = heads_of(type(values[0]))
    placed = place(page, row, heads, [[getattr(item, head.name) for head in heads] for item in values], told)
    return placed.last + 3


def _widen(page: Worksheet, position: int, head: Head, values: Sequence[Any]) -> None:
    texts = [len(value) for value in values if isinstance(value, str)]
    least = WIDE if head.number_format in (USD, CENTS) else NARROW
    wanted = min(max([least, len(head.name) * 1.2 + 1.0, *(size + 2.0 for size in texts)]), WIDEST)
    held = page.column_dimensions[get_column_letter(position)]
    held.width = max(wanted, held.width if held.customWidth else 0)


def put(cell: Cell | MergedCell, value: Any, number_format: str = "General") -> None:
    """Write a value; text stays text whatever it looks like."""
    match value:
        case None:
            return
        case bool():
            cell.value = "yes" if value else "no"
        case Formula():
            cell.value = f"={value.text}"
        case str():
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
            cell.data_type, number_format = "s", "@"
        case dt.date():
            cell.value, number_format = value, MONTH
        case _:
            cell.value = value
    cell.number_format = number_format


def mark(page: Worksheet, cells: str, words: Mapping[str, PatternFill]) -> None:
    """Colour cells by their words."""
    for word, fill in words.items():
        rule = CellIsRule(operator="equal", formula=[f'"{word}"'], fill=fill)  # type: ignore[no-untyped-call]
        page.conditional_formatting.add(cells, rule)
