"""``optimizer report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.cli.plan_file import is_workbook
from optimizer.errors import InvalidInputError

if TYPE_CHECKING:
    from optimizer.domain.plan import Plan
    from optimizer.io.answers import Answers


def report(
    plan: Annotated[Path, typer.Argument(help="Plan file written by optimizer plan --out.")],
    answers: Annotated[
        list[Path] | None,
        typer.Option(help="What --json of why, break-evens, one-more, alternatives or sweep printed; repeatable."),
    ] = None,
    portfolio: Annotated[str | None, typer.Option(help="The portfolio of the plan, for a workbook.")] = None,
    out: Annotated[Path, typer.Option(help="Write the page here, or a workbook (.xlsx).")] = Path("report.html"),
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Write a plan, and what was asked about it, as one self-contained HTML page or as a workbook.

    Examples:

      optimizer report plan.json --out report.html

      optimizer report plan.json --answers break-evens.json --answers sweep.json --out report.html

      optimizer report plan.json --portfolio tiny --answers sweep.json --out plan.xlsx
    """
    from optimizer.io import load_plan
    from optimizer.io.answers import load_answers

    asked = load_answers(answers) if answers else None
    if is_workbook(out):
        _write_workbook(load_plan(plan), portfolio, asked, out)
    else:
        from optimizer.report import write_report

        write_report(load_plan(plan), out, asked)
    if as_json:
        print_json({"report": str(out), "bytes": out.stat().st_size})
    else:
        console().print(f"report written to {out} ({out.stat().st_size / 1e6:.1f} MB)", markup=False)


def _write_workbook(plan: Plan, portfolio: str | None, answers: Answers | None, out: Path) -> None:
    from optimizer.io import load_portfolio
    from optimizer.report.workbook import write_plan_workbook

    if portfolio is None:
        told, fix = f"{out.name} is a workbook, which shows a plan beside its portfolio", "name the portfolio, too"
        raise InvalidInputError.single("--portfolio", told, fix, "report")
    write_plan_workbook(plan, load_portfolio(portfolio), out, portfolio, answers)
