"""``optimizer simulate`` and ``optimizer backtest``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TimeRemainingColumn

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO
from optimizer.cli.curve_options import PLOT
from optimizer.cli.curve_output import Output
from optimizer.cli.output import JSON_OPTION, ExitCode, error_console
from optimizer.cli.risk_options import Scenarios, Tail, with_risk
from optimizer.cli.simulation_output import backtest_answer, simulation_answer
from optimizer.domain.backtest import Backtest, BacktestSpec
from optimizer.domain.base import validated
from optimizer.domain.simulation import Simulation, SimulationSpec
from optimizer.domain.uncertainty import Factor, FactorFile
from optimizer.errors import InvalidInputError

FIRST_PLAN = typer.Option("--plan", help="Plan file to begin with; searched for if left out.")
EVERY = typer.Option("--every", metavar="MONTHS", help="Months between dates at which it is planned again.")
TIME_LIMIT = typer.Option(help="Wall seconds for the first plan, and at each date.")
GAP = typer.Option(help="Relative gap to prove for the first plan, and at each date.")
TABLE = typer.Option(help="Write the table here as CSV.")
SERVER = typer.Option(metavar="HOST:PORT", help="Ask a service.")


def simulate(
    portfolio: Annotated[str, PORTFOLIO],
    plan: Annotated[Path | None, FIRST_PLAN] = None,
    paths: Annotated[int, typer.Option(help="Paths of the market to simulate.")] = 100,
    every: Annotated[int, EVERY] = 3,
    wait: Annotated[
        int, typer.Option(metavar="MONTHS", help="Also: sign and order nothing in so many first months.")
    ] = 0,
    scenarios: Scenarios = None,
    tail: Tail = None,
    workers: Annotated[int, typer.Option(help="Processes of this machine; more than one need Dask.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler, as tcp://host:8786, instead.")
    ] = None,
    time_limit: Annotated[float, TIME_LIMIT] = DEFAULTS.time_limit_s,
    gap: Annotated[float, GAP] = DEFAULTS.gap_frac,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, TABLE] = None,
    server: Annotated[str | None, SERVER] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """What waiting is worth: a plan on simulated paths, held as it is, and planned again as the market moves.

    The same paths give the same answer for any number of processes.

    Examples:

      optimizer simulate tiny --paths 20 --every 12

      optimizer simulate us-miner --plan plan.json --paths 200 --wait 12 --workers 2 --plot simulated.png

      optimizer simulate us-miner --paths 2000 --scheduler tcp://10.0.0.5:8786
    """
    stated = _stated(portfolio, plan, every, time_limit, gap, (scenarios, tail))
    stated |= {"path_count": paths, "wait_months": wait}
    spec, output = validated(SimulationSpec, stated, "simulation"), Output(as_json, plot, out)
    with _paths_shown(paths, quiet=quiet or server is not None) as on_path:
        answer = _simulated(spec, (workers, scheduler), on_path, server)
    output.show(simulation_answer(spec.portfolio.name, answer))
    if not answer.strategies:
        raise typer.Exit(int(ExitCode.NO_PLAN))


def backtest(
    portfolio: Annotated[str, PORTFOLIO],
    history: Annotated[Path, typer.Argument(help="CSV or Parquet with a column of months and one for each factor.")],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FACTOR=COLUMN", help="Column of a factor; its own name if left out. May be repeated."),
    ] = None,
    month_column: Annotated[str, typer.Option(help="Column of months or days; days are averaged by month.")] = "month",
    default: Annotated[
        list[str] | None, typer.Option(metavar="TENANT=MONTH", help="A tenant that failed, and when.")
    ] = None,
    plan: Annotated[Path | None, FIRST_PLAN] = None,
    every: Annotated[int, EVERY] = 3,
    scenarios: Scenarios = None,
    time_limit: Annotated[float, TIME_LIMIT] = DEFAULTS.time_limit_s,
    gap: Annotated[float, GAP] = DEFAULTS.gap_frac,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, TABLE] = None,
    server: Annotated[str | None, SERVER] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """What a plan, planning again and mining on would have earned in a past that is known by now.

    The portfolio begins in the past; its market is what was believed then. History gives bitcoin's price in USD, the
    network's hashrate in EH/s, the level of power prices and rents to let again, in the units of the base paths.

    Examples:

      optimizer backtest portfolio-2020.yaml history.csv

      optimizer backtest portfolio-2020.yaml prices.csv --column btc_price=Close --month-column Date
    """
    from optimizer.io.factor_files import read_levels

    stated = _stated(portfolio, plan, every, time_limit, gap, (scenarios, None))
    columns = [{"factor": factor, "column": name} for factor, name in _columns(history, column or []).items()]
    file = validated(FactorFile, {"path": str(history), "columns": columns, "month_column": month_column}, "history")
    levels = read_levels(history, file, "history", stated["portfolio"].horizon.start_month)
    stated["history"] = [{"factor": factor, "values": values} for factor, values in levels.items()]
    pairs = [_pair(item, "default", "TENANT=MONTH") for item in default or []]
    stated["defaults"] = [{"tenant": tenant, "default_month": month} for tenant, month in pairs]
    spec, output = validated(BacktestSpec, stated, "backtest"), Output(as_json, plot, out)
    answer = _tested(spec, server)
    output.show(backtest_answer(spec.portfolio.name, answer))
    if not answer.outcomes:
        raise typer.Exit(int(ExitCode.NO_PLAN))


def _stated(
    portfolio: str, plan: Path | None, every: int, time_limit: float, gap: float, risk: tuple[int | None, float | None]
) -> dict[str, Any]:
    """What both commands ask."""
    from optimizer.io import load_decisions, load_portfolio

    return {
        "portfolio": with_risk(load_portfolio(portfolio), *risk),
        "decisions": None if plan is None else load_decisions(plan),
        "every_months": every,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }


def _columns(history: Path, stated: list[str]) -> dict[str, str]:
    """Column by factor: those that were given, and those of the file that are named as a factor."""
    from optimizer.io.table_files import read_table

    given = dict(_pair(item, "column", "FACTOR=COLUMN") for item in stated)
    own = {factor.value for factor in Factor} & set(read_table(history, "history"))
    found = {**{name: name for name in sorted(own)}, **given}
    if not found:
        names = ", ".join(factor.value for factor in Factor)
        told, fix = f"{history.name} has no column that is named as a factor", "say which, as --column btc_price=Close"
        raise InvalidInputError.single("history", f"{told} ({names})", fix, "backtest")
    return found


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name or not value:
        raise InvalidInputError.single(f"--{option}", f"is {text!r}", f"write it as {form}", "backtest")
    return name, value


@contextmanager
def _paths_shown(count: int, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """A bar of the paths that are done, on a terminal."""
    console = error_console()
    if quiet or not console.is_terminal:
        yield None
        return
    with Progress(*Progress.get_default_columns()[:-1], TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("paths", total=count)
        yield lambda done: bar.update(task, completed=done)


def _simulated(
    spec: SimulationSpec, workers: tuple[int, str | None], on_path: Callable[[int], None] | None, server: str | None
) -> Simulation:
    if server is None:
        from optimizer.app.scale_out import Workers
        from optimizer.app.simulation import simulate as simulated_here

        return simulated_here(spec, Workers(*workers), on_path)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.simulate(spec)


def _tested(spec: BacktestSpec, server: str | None) -> Backtest:
    if server is None:
        from optimizer.app.backtest import backtest as tested_here

        return tested_here(spec)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.backtest(spec)
