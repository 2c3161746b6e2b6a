"""``optimizer export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import PORTFOLIO
from optimizer.cli.output import JSON_OPTION, console, print_json


def export(
    portfolio: Annotated[str, PORTFOLIO],
    out: Annotated[Path, typer.Option(help="Write the program here; .mps or .lp.")],
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Write the mixed-integer program of a portfolio as an MPS or LP file, with readable names.

    It maximises expected NPV in million USD; power is in MW, machines are in thousands.

    Examples:

      optimizer export tiny --out tiny.mps

      optimizer export portfolio.yaml --out portfolio.lp
    """
    from optimizer.app.export import export as export_program
    from optimizer.io import check_writable, load_portfolio

    check_writable(out)
    size = export_program(load_portfolio(portfolio), out)
    if as_json:
        print_json({"file": str(out), **size.model_dump()})
        return
    console().print(
        f"{out}: {size.rows:,} rows, {size.columns:,} columns ({size.integers:,} integer), {size.nonzeros:,} nonzeros",
        markup=False,
    )
