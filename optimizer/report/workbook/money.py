"""Sheets of cash by month, and of earnings, cash and debt by year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from openpyxl.utils import get_column_letter

from optimizer.audit.company import EARNINGS, LINES
from optimizer.domain.outcome import CashFlowRow
from optimizer.report.workbook import charts
from optimizer.report.workbook.cells import (
    CENTS,
    Check,
    Formula,
    Head,
    Pages,
    Placed,
    heads_of,
    letters_of,
    place,
    place_all,
)
from optimizer.report.workbook.worth import NPV_FIRST, add_worth, factor_name
from optimizer.units import MONTHS_PER_YEAR

ENDS = ("net_cash_usd", "cash_usd", "debt_usd")
"""Columns of the cash flow that follow from the others."""


def add_money(pages: Pages) -> None:
    """The sheets of cash, years and worth."""
    if not pages.plan.cash_flow:
        return
    cash = _cash_flow(pages)
    _years(pages, cash)
    add_worth(pages, cash)


def _cash_flow(pages: Pages) -> Placed:
    """Months below each other; what is zero throughout is left out."""
    plan, page = pages.plan, pages.add("cash_flow", "Expected cash by month, USD; costs are negative")
    page["A2"], page["B2"] = "cash at the start, USD", pages.portfolio.finance.opening_cash_usd
    page["B2"].number_format = CENTS
    used = {name for row in plan.cash_flow for name in CashFlowRow.model_fields if getattr(row, name)}
    heads = [head for head in heads_of(CashFlowRow) if head.name in {*used, *ENDS}]
    lines = [head.name for head in heads if head.name not in ("month", *ENDS)]
    at = letters_of(heads)
    made = [
        Head("net_check_usd", "Sum of the lines less net_cash_usd: 0.", CENTS),
        Head("cash_check_usd", "Cash before plus net_cash_usd less cash_usd: 0.", CENTS),
        *(
            Head(factor_name(line), "Worth at the start of a dollar at the end of the month.", "0.000000")
            for line in LINES
        ),
    ]
    rows, first = [], 5
    for number, row in enumerate(plan.cash_flow, start=1):
        here = first + number - 1
        before = f"{at['cash_usd']}{here - 1}" if number > 1 else "$B$2"
        total = "+".join(f"{at[name]}{here}" for name in lines) or "0"
        checks = [
            Formula(f"ROUND({total}-{at['net_cash_usd']}{here},2)"),
            Formula(f"ROUND({before}+{at['net_cash_usd']}{here}-{at['cash_usd']}{here},2)"),
        ]
        factors = [
            Formula(f"(1+'plan.npv'!$B${NPV_FIRST + index})^(-{number}/{MONTHS_PER_YEAR})")
            for index in range(len(LINES))
        ]
        rows.append([*(getattr(row, head.name) for head in heads), *checks, *factors])
    placed = place(page, first - 1, [*heads, *made], rows)
    page.freeze_panes = f"B{first}"
    pages.checks += [
        Check("net cash is the sum of its lines, every month", "USD", placed.range("net_check_usd")),
        Check("cash is the cash before plus net cash, every month", "USD", placed.range("cash_check_usd")),
    ]
    pages.charts.append(charts.cash_and_debt(placed))
    return placed


@dataclass
class _Table:
    """Items below each other, years beside each other."""

    cash: Placed
    years: Sequence[int]
    first: int
    rows: list[list[Any]] = field(default_factory=list)

    @property
    def letters(self) -> list[str]:
        """Columns of the years."""
        return [get_column_letter(2 + index) for index in range(len(self.years))]

    def add(self, name: str, values: Sequence[Any]) -> int:
        """Add an item; its row."""
        self.rows.append([name, *values])
        return self.first + len(self.rows) - 1

    def add_sum(self, name: str, first: int, last: int) -> int:
        """Add the sum of the items in rows ``first`` to ``last``."""
        return self.add(name, [Formula(f"SUM({at}{first}:{at}{last})") for at in self.letters])

    def add_difference(self, name: str, row: int, lines: Sequence[str]) -> int:
        """Add what a row differs, to the cent, from what the months have in ``lines``."""
        made = zip(self.letters, self.of_months(lines), strict=True)
        return self.add(name, [Formula(f"ROUND({at}{row}-({other.text}),2)") for at, other in made])

    def of_months(self, lines: Sequence[str]) -> list[Formula]:
        """Sums of columns of the cash flow over the months of every year."""
        known, month = [name for name in lines if name in self.cash.columns], self.cash.range("month")
        return [
            Formula("+".join(f"SUMPRODUCT((YEAR({month})={year})*{self.cash.range(name)})" for name in known) or "0")
            for year in self.years
        ]

    def at_end(self, name: str) -> list[Formula]:
        """A column of the cash flow in the last month of every year."""
        month, values = self.cash.range("month"), self.cash.range(name)
        return [Formula(f"LOOKUP(DATE({year},12,31),{month},{values})") for year in self.years]


def _years(pages: Pages, cash: Placed) -> None:
    """Earnings, what becomes of them, and cash and debt at the end."""
    plan, page = pages.plan, pages.add("years", "Earnings, cash and debt by calendar year, USD")
    by_year = {row.year: row for row in plan.earnings}
    table = _Table(cash, sorted(by_year), 4)
    earning = [name for names in EARNINGS.values() for name in names]
    others = [name for names in LINES.values() for name in names if name in cash.columns and name not in earning]
    for line in EARNINGS:
        earned = table.add(f"{line}_usd", [getattr(by_year[year], f"{line}_usd") for year in table.years])
    total = table.add_sum("earnings", table.first, earned)
    for name in others:
        table.add(name, table.of_months([name]))
    net = table.add_sum("net_cash_usd", total, total + len(others))
    for name in ("cash_usd", "debt_usd"):
        table.add(f"{name}, end of year", table.at_end(name))
    checks = {
        "earnings of a year are those of its months": table.add_difference("earnings_check_usd", total, earning),
        "earnings and all other cash make net cash, every year": table.add_difference(
            "net_check_usd", net, ["net_cash_usd"]
        ),
    }
    strong = [row - table.first for row in (total, net)]
    heads = [Head("item"), *(Head(str(year), cell_format=CENTS) for year in table.years)]
    placed = place(page, table.first - 1, heads, table.rows, strong=strong)
    page.freeze_panes = f"B{table.first}"
    for told, row in checks.items():
        pages.checks.append(Check(told, "USD", f"'{page.title}'!$B${row}:${table.letters[-1]}${row}"))
    charts.add_earnings(placed, f"A{placed.last + 2}", ("mining", "hosting", "gpu", "corporate"))
    below = placed.last + charts.ROWS + 5
    below = place_all(page, below, plan.tax, "Corporate tax")
    place_all(page, below, plan.carbon, "Carbon")
