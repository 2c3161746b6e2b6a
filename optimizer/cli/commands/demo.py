"""``optimizer demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import exit_code_of_plan
from optimizer.cli.output import console, error_console
from optimizer.cli.own_server import own_server
from optimizer.cli.progress import shown_progress
from optimizer.cli.summary import print_plan
from optimizer.domain.options import SolveOptions


def demo(
    portfolio: Annotated[str, typer.Option(help="Example or file to plan.")] = "us-miner",
    out: Annotated[Path, typer.Option(help="Folder for plan.json and report.html.")] = Path("out"),
    gap: Annotated[float, typer.Option(help="Relative gap to prove.")] = 0.01,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for building and solving.")] = 150.0,
) -> None:
    """Start a server, submit an example through the client, watch it solve, and write plan and report.

    Examples:

      optimizer demo --out out
    """
    from optimizer.client import OptimizerClient
    from optimizer.io import load_portfolio, save_plan
    from optimizer.report import write_report

    out.mkdir(parents=True, exist_ok=True)
    options = SolveOptions(gap_frac=gap, time_limit_s=time_limit)
    with own_server() as address:
        typer.echo(f"server up at {address}")
        with OptimizerClient(address) as client, shown_progress(error_console(), quiet=False) as display:
            answer = client.plan(load_portfolio(portfolio), options, progress=display or False)
    save_plan(answer, out / "plan.json")
    write_report(answer, out / "report.html")
    print_plan(answer, console())
    typer.echo(f"plan in {out / 'plan.json'}, report in {out / 'report.html'}")
    raise typer.Exit(int(exit_code_of_plan(answer)))
