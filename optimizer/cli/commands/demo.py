"""``optimizer demo``."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import exit_code_of_plan
from optimizer.cli.output import console, error_console
from optimizer.cli.progress import shown_progress
from optimizer.cli.summary import print_plan
from optimizer.domain.options import SolveOptions
from optimizer.errors import ServiceError

STOP_S = 10.0
"""How long the server may take to stop before it is killed."""


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
    with _server() as address:
        typer.echo(f"server up at {address}")
        with OptimizerClient(address) as client, shown_progress(error_console(), quiet=False) as display:
            answer = client.plan(load_portfolio(portfolio), options, progress=display or False)
    save_plan(answer, out / "plan.json")
    write_report(answer, out / "report.html")
    print_plan(answer, console())
    typer.echo(f"plan in {out / 'plan.json'}, report in {out / 'report.html'}")
    raise typer.Exit(int(exit_code_of_plan(answer)))


@contextmanager
def _server() -> Iterator[str]:
    """A server in a process of its own on a free port; stopped at the end."""
    command = [sys.executable, "-m", "optimizer.cli.main", "serve", "--listen", "127.0.0.1:0"]
    command += ["--workers", "1", "--store", "temporary"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        ready = re.match(r"listening on (\S+:\d+)", line)
        if ready is None:
            raise ServiceError(f"the server did not start: {line.strip() or 'see above'}", "UNAVAILABLE")
        yield ready[1]
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
