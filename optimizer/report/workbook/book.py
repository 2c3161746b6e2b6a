"""The sheets of a plan before those of its portfolio, the summary first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from optimizer.domain.outcome import NpvDistribution, Quantile
from optimizer.domain.plan import Plan
from optimizer.domain.portfolio import Portfolio
from optimizer.io.answers import Answers
from optimizer.io.portfolios import portfolio_book
from optimizer.io.text import check_writable
from optimizer.io.workbook.write import FACE, save_book
from optimizer.report.sections import key_figures, manifest_facts
from optimizer.report.words import audit_alarm, headline, recommendation
from optimizer.report.workbook import charts
from optimizer.report.workbook.answers import add_answers
from optimizer.report.workbook.cells import (
    BAD,
    CENTS,
    DIFFERS,
    GOOD,
    TIES,
    WITHIN,
    Formula,
    Head,
    Pages,
    heads_of,
    letters_of,
    mark,
    place,
    place_all,
    put,
)
from optimizer.report.workbook.money import add_money
from optimizer.report.workbook.operations import add_operations

SUMMARY_WIDTHS = (58, 20, 14, 60)
LETTERS_A_LINE = 150
"""About as many letters stand beside each other across the summary."""


def write_plan_workbook(
    plan: Plan, portfolio: Portfolio, path: str | Path, source: str | Path = "", answers: Answers | None = None
) -> None:
    """Write a plan as a workbook: its own sheets, and those of its portfolio, as they are in ``source`` if it is one.

    ``answers`` that were asked about the plan have a sheet.

    Raises:
        InvalidInputError: naming the file and why it cannot be written.
    """
    check_writable(Path(path))
    book = portfolio_book(portfolio, source)
    add_plan(book, plan, portfolio, answers)
    save_book(book, Path(path))


def add_plan(book: Workbook, plan: Plan, portfolio: Portfolio, answers: Answers | None = None) -> None:
    """Add the sheets of a plan, and of answers about it, to the workbook of its portfolio."""
    pages = Pages(book, plan, portfolio)
    summary = pages.add("summary", headline(plan))
    if plan.termination.has_plan:
        add_operations(pages)
        add_money(pages)
        _risk(pages)
    add_answers(pages, answers)
    _proof(pages)
    _summary(pages, summary)
    summary.page_setup.orientation, summary.page_setup.fitToHeight = "portrait", 1
    for letter, width in zip("ABCD", SUMMARY_WIDTHS, strict=True):
        summary.column_dimensions[letter].width = width
    for page in book.worksheets:
        page.sheet_view.tabSelected = page is summary
    book.active = book.sheetnames.index(summary.title)
    book.calculation.fullCalcOnLoad = True


def _summary(pages: Pages, page: Worksheet) -> None:
    """The answer in words, whether everything adds up, key figures, and where the rest is."""
    plan, row = pages.plan, 2
    alarm = audit_alarm(plan)
    if alarm is not None:
        row = _paragraph(page, row, ". ".join(alarm), Font(name=FACE, bold=True, color="A31818"))
    row = _paragraph(page, row, recommendation(plan), Font(name=FACE, size=11)) + 2
    if pages.checks:
        row = _checks(pages, page, row)
    if plan.termination.has_plan:
        figures = [[name, value, None, remark] for name, value, remark in key_figures(plan)]
        row = place(page, row, (Head("key figure"), Head("value"), Head(""), Head("remark")), figures).last + 2
    for chart in pages.charts:
        page.add_chart(chart, f"A{row}")
        row += charts.ROWS + 1
    others = [[title, told, None, None] for title, told in pages.told.items() if title != page.title]
    placed = place(page, row, (Head("sheet"), Head("what it shows"), Head(""), Head("")), others)
    for number in range(placed.first, placed.last + 1):
        link = page.cell(number, 1)
        link.hyperlink, link.font = f"#'{link.value}'!A1", Font(name=FACE, underline="single", color="0563C1")


def _paragraph(page: Worksheet, row: int, text: str, font: Font) -> int:
    """Text across the sheet; the row after it."""
    cell = page.cell(row, 1)
    put(cell, text)
    cell.font, cell.alignment = font, Alignment(wrap_text=True, vertical="top")
    page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(SUMMARY_WIDTHS))
    page.row_dimensions[row].height = 15.5 * (len(text) // LETTERS_A_LINE + 1)
    return row + 1


def _checks(pages: Pages, page: Worksheet, row: int) -> int:
    """The check row: whether all that is compared ties; then every comparison."""
    first = row + 2
    last = first + len(pages.checks) - 1
    good = "+".join(f'COUNTIF(B{first}:B{last},"{word}")' for word in (TIES, WITHIN))
    worst = f'IF({good}={len(pages.checks)},"{TIES}","{DIFFERS}")'  # so that an error in a cell does not tie
    rows: list[list[Any]] = [["Everything below", Formula(worst), None, "Formulas: change a number and see"]]
    for number, check in enumerate(pages.checks, start=first):
        rounding = f'IF(C{number}<={check.accepted!r},"{WITHIN}","{DIFFERS}")'
        verdict = Formula(f'IF(C{number}=0,"{TIES}",{rounding})')
        rows.append([check.told, verdict, Formula(f"SUMPRODUCT(ABS({check.cells}))"), check.unit])
    heads = (Head("check"), Head("result"), Head("difference", cell_format=CENTS), Head("unit"))
    placed = place(page, row, heads, rows, strong=(0,))
    mark(page, f"B{row + 1}:B{placed.last}", {TIES: GOOD, WITHIN: GOOD, DIFFERS: BAD})
    return placed.last + 2


def _risk(pages: Pages) -> None:
    plan, page = pages.plan, pages.add("risk", "NPV over the scenarios, mining on, and stresses")
    below, spread, fresh = 4, plan.distribution, plan.out_of_sample
    if spread is not None:
        rows = [
            [head.name, getattr(spread, head.name), getattr(fresh, head.name) if fresh is not None else None]
            for head in heads_of(NpvDistribution)
        ]
        heads = (Head("measure"), Head("value"), Head("over as many fresh scenarios"))
        placed = place(page, below, heads, rows, f"NPV over {spread.scenario_count:,} scenarios")
        for number, row in enumerate(rows, start=below + 1):
            for column in (2, 3):
                page.cell(number, column).number_format = Head(str(row[0])).number_format
        points = [[item.probability, item.npv_usd] for item in spread.quantiles]
        placed = place(page, placed.last + 3, heads_of(Quantile), points, "Quantiles")
        charts.add_quantiles(placed, f"E{below}")
        below = placed.last + 3
    twin = [plan.business_as_usual] if plan.business_as_usual is not None else []
    below = place_all(page, below, twin, "Mining on: no contract, GPU or opening")
    below = place_all(page, below, plan.stresses, "Least cash in every stress")
    if plan.liquidity is not None:
        below = place_all(page, below, [plan.liquidity], "How likely cash runs short")
        place_all(page, below, plan.liquidity.periods, "How likely cash runs short, by period")


def _proof(pages: Pages) -> None:
    plan, told = pages.plan, "How the search ended, the audit, defaults, and what reproduces it"
    page = pages.add("proof", told)
    below = place_all(page, 4, [plan.termination], "How the search ended")
    if plan.audit is not None:
        first = below
        heads = [*heads_of(type(plan.audit.checks[0])), Head("result")]
        words = {True: "passed", False: "FAILED"}
        rows = [
            [*(getattr(item, head.name) for head in heads[:-1]), words[item.passed]]
            for item in sorted(plan.audit.checks, key=lambda item: item.passed)
        ]
        placed = place(page, first, heads, rows, "The independent re-calculation")
        letter = letters_of(heads)["result"]
        mark(page, f"{letter}{placed.first}:{letter}{placed.last}", {words[True]: GOOD, words[False]: BAD})
        below = placed.last + 3
    below = place_all(page, below, plan.filled_in, "Defaults that the portfolio did not state")
    place(page, below, (Head("what"), Head("value")), manifest_facts(plan), "How this was made")
