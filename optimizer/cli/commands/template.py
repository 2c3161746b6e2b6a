"""``optimizer template``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import PORTFOLIO
from optimizer.cli.output import JSON_OPTION, console, print_json


def template(
    portfolio: Annotated[str, PORTFOLIO],
    out: Annotated[Path, typer.Option(help="Write it here: .xlsx, .yaml or .json.")] = Path("portfolio.xlsx"),
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Write a portfolio as a file to begin with: a workbook with units, ranges, drop-downs and notes, YAML or JSON.

    Examples:

      optimizer template us-miner --out portfolio.xlsx
    """
    from optimizer.io import load_portfolio, save_portfolio

    save_portfolio(load_portfolio(portfolio), out)
    if as_json:
        print_json({"portfolio": str(out), "bytes": out.stat().st_size})
    else:
        console().print(f"portfolio written to {out}; next: optimizer plan {out}", markup=False, soft_wrap=True)
