"""``optimizer frontier``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO, interrupts
from optimizer.cli.curve_options import PLOT
from optimizer.cli.curve_output import Output
from optimizer.cli.frontier_output import frontier_answer
from optimizer.cli.output import JSON_OPTION, ExitCode, error_console
from optimizer.cli.progress import shown_progress
from optimizer.cli.risk_options import Scenarios, Tail, with_risk
from optimizer.domain.base import validated
from optimizer.domain.frontier import Frontier, FrontierSpec
from optimizer.domain.plan import Progress


def frontier(
    portfolio: Annotated[str, PORTFOLIO],
    points: Annotated[int, typer.Option(help="Weights of CVaR, from none to nothing else.")] = 8,
    scenarios: Scenarios = None,
    tail: Tail = None,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for all points together.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap to prove for each, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table here as CSV.")] = None,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Search on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """How much of the mean the worst futures cost: the best plan for ever more weight on CVaR.

    Each point is audited and bounded; where its neighbours prove it, nothing is searched for.

    Examples:

      optimizer frontier tiny

      optimizer frontier us-miner --scenarios 10000 --time-limit 900 --gap 0.005 --plot frontier.png
    """
    from optimizer.io import load_portfolio

    stated = {
        "portfolio": with_risk(load_portfolio(portfolio), scenarios, tail),
        "point_count": points,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    spec, output = validated(FrontierSpec, stated, "frontier"), Output(as_json, plot, out)
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, server)
    output.show(frontier_answer(spec.portfolio.name, answer))
    if not answer.points:
        raise typer.Exit(int(ExitCode.NO_PLAN))
    passed = all(item.audit_passed for item in answer.points)
    raise typer.Exit(int(ExitCode.GOOD if passed else ExitCode.AUDIT_FAILED))


def _found(spec: FrontierSpec, display: Callable[[Progress], None] | None, server: str | None) -> Frontier:
    if server is None:
        from optimizer.app.frontier import frontier as found_here

        with interrupts() as interrupted:
            return found_here(spec, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.frontier(spec)
