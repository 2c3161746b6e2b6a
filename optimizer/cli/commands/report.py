"""``optimizer report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.output import JSON_OPTION, console, print_json


def report(
    plan: Annotated[Path, typer.Argument(help="Plan file written by optimizer plan --out.")],
    out: Annotated[Path, typer.Option(help="Write the page here.")] = Path("report.html"),
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Write a plan as one self-contained HTML page.

    Examples:

      optimizer report plan.json --out report.html
    """
    from optimizer.io import load_plan
    from optimizer.report import write_report

    write_report(load_plan(plan), out)
    if as_json:
        print_json({"report": str(out), "bytes": out.stat().st_size})
    else:
        console().print(f"report written to {out} ({out.stat().st_size / 1e6:.1f} MB)", markup=False)
