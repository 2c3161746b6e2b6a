"""``optimizer plan``."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from optimizer.cli.output import JSON_OPTION, ExitCode, console, error_console, print_json
from optimizer.cli.plan_file import is_workbook, plan_writer
from optimizer.cli.progress import shown_progress
from optimizer.cli.risk_options import CvarWeight, MinimumCvar, Scenarios, Tail, with_risk
from optimizer.cli.summary import print_plan
from optimizer.domain.base import validated
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio

PORTFOLIO = typer.Argument(help="Portfolio file (.yaml, .json, .xlsx), or an example: tiny, us-miner, empire.")
DEFAULTS = SolveOptions()
_SOLVER = typer.Option(help="highs, scip, gurobi or cbc; others than highs must be installed.")
_METHOD = typer.Option(help="auto, stages (contracts, then machines and cash, by cuts) or whole; of highs.")
_NO_REUSE = typer.Option("--no-reuse", help="Let the service compute it, also if it has the answer already.")
_PRIORITY = typer.Option(min=0, max=9, help="Of plans that wait at the service, the highest begins first.")


def plan(
    portfolio: Annotated[str, PORTFOLIO],
    out: Annotated[Path | None, typer.Option(help="Write the plan here: .json, or .xlsx with its portfolio.")] = None,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for building and solving.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap to prove, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    threads: Annotated[int, typer.Option(help="Threads of the solver.")] = DEFAULTS.threads,
    seed: Annotated[int, typer.Option(help="Seed of the solver.")] = DEFAULTS.seed,
    solver: Annotated[str, _SOLVER] = DEFAULTS.solver,
    method: Annotated[str, _METHOD] = DEFAULTS.method,
    scenarios: Scenarios = None,
    tail: Tail = None,
    cvar_weight: CvarWeight = None,
    minimum_cvar: MinimumCvar = None,
    paranoid: Annotated[bool, typer.Option("--paranoid", help="Search twice; fail if the two disagree.")] = False,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Plan on a service, not here.")] = None,
    no_reuse: Annotated[bool, _NO_REUSE] = False,
    priority: Annotated[int, _PRIORITY] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Plan a portfolio: which contracts to sign when, what every megawatt does, and what it is worth.

    Ctrl-C ends the search and keeps the best plan found.

    Examples:

      optimizer plan tiny

      optimizer plan portfolio.yaml --gap 0.005 --time-limit 600 --out plan.json

      optimizer plan portfolio.xlsx --out plan.xlsx

      optimizer plan us-miner --server localhost:50051

      optimizer plan us-miner --scenarios 10000 --cvar-weight 0.5 --tail 0.05

      optimizer plan tiny --solver scip --paranoid
    """
    from optimizer.io import load_portfolio

    stated = {
        "time_limit_s": time_limit,
        "gap_frac": gap,
        "threads": threads,
        "seed": seed,
        "solver": solver,
        "method": method,
        "paranoid": paranoid,
    }
    options = validated(SolveOptions, stated, "options")
    loaded = with_risk(load_portfolio(portfolio), scenarios, tail, cvar_weight, minimum_cvar)
    write = plan_writer(loaded, portfolio, out)
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _planned(loaded, options, display, server, {"allow_reuse": not no_reuse, "priority": priority})
    write(answer)
    _shown(answer, out, as_json=as_json)
    raise typer.Exit(int(exit_code_of_plan(answer)))


def _shown(answer: Plan, out: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(answer.model_dump_json(indent=2))
        return
    print_plan(answer, console())
    if out is not None:
        then = "" if is_workbook(out) else f"; next: optimizer report {out} --out report.html"
        console().print(f"plan written to {out}{then}", markup=False)


def exit_code_of_plan(answer: Plan) -> ExitCode:
    """Good, audit failed, or no plan."""
    if not answer.termination.has_plan:
        return ExitCode.NO_PLAN
    return ExitCode.AUDIT_FAILED if answer.audit_failed else ExitCode.GOOD


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one ends the program as usual."""
    event = threading.Event()

    def note(*_: object) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def _planned(
    portfolio: Portfolio,
    options: SolveOptions,
    display: Callable[[Progress], None] | None,
    server: str | None,
    terms: dict[str, Any],
) -> Plan:
    if server is None:
        from optimizer.app import plan as plan_here

        with interrupts() as interrupted:
            return plan_here(portfolio, options, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.plan(portfolio, options, progress=display or False, **terms)
