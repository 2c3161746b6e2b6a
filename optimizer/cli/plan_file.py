"""Where ``--out`` writes a plan: JSON, or a workbook that shows it beside its portfolio."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from optimizer.domain.plan import Plan
from optimizer.domain.portfolio import Portfolio


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook by its name."""
    from optimizer.io.portfolios import WORKBOOK_SUFFIX

    return path.suffix.lower() == WORKBOOK_SUFFIX


def plan_writer(portfolio: Portfolio, source: str, out: Path | None) -> Callable[[Plan], None]:
    """What writes a plan of a portfolio to ``out``; made, and refused, before the long work.

    Raises:
        InvalidInputError: for a file that cannot be written.
    """
    from optimizer.io import check_writable, portfolio_book, save_plan

    if out is None:
        return lambda _: None
    check_writable(out)
    if not is_workbook(out):
        return lambda plan: save_plan(plan, out)
    book = portfolio_book(portfolio, source)  # as it is now: its author may go on working in it

    def write(plan: Plan) -> None:
        from optimizer.io.workbook import save_book
        from optimizer.report.workbook import add_plan

        add_plan(book, plan, portfolio)
        save_book(book, out)

    return write
