"""``optimizer replan``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO, interrupts
from optimizer.cli.output import JSON_OPTION, ExitCode, console, error_console, print_json
from optimizer.cli.plan_file import plan_writer
from optimizer.cli.progress import shown_progress
from optimizer.cli.summary import audit_line, million, proof_line, titled_table
from optimizer.domain.base import validated
from optimizer.domain.plan import Progress
from optimizer.domain.replan import Replan, ReplanSpec


def replan(
    portfolio: Annotated[str, PORTFOLIO],
    current: Annotated[Path, typer.Option("--from", help="The current plan's file, or its decisions.")],
    freeze_until: Annotated[
        str | None, typer.Option(help="What it decides before this month stays, as 2027-03; nothing if left out.")
    ] = None,
    most_changes: Annotated[int | None, typer.Option(help="Most changes of contracts and orders.")] = None,
    change_cost: Annotated[float, typer.Option(metavar="USD", help="What each of them must bring.")] = 0.0,
    time_limit: Annotated[float, typer.Option(help="Wall seconds.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap to prove, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    out: Annotated[Path | None, typer.Option(help="Write the new plan here, JSON or workbook.")] = None,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Plan on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Plan again from a plan that is being carried out: what is decided stays, and each change must be worth it.

    Examples:

      optimizer replan now.yaml --from plan.json --freeze-until 2027-03 --most-changes 2 --out next.json

      optimizer replan now.yaml --from plan.json --freeze-until 2027-03 --change-cost 5e6
    """
    from optimizer.io import load_decisions, load_portfolio

    stated: dict[str, Any] = {
        "portfolio": load_portfolio(portfolio),
        "decisions": load_decisions(current),
        "freeze_until_month": freeze_until,
        "most_changes": most_changes,
        "cost_usd_per_change": change_cost,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    spec = validated(ReplanSpec, stated, "re-plan")
    write = plan_writer(spec.portfolio, portfolio, out)
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, server)
    write(answer.plan)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)
    if answer.comparison is None:
        raise typer.Exit(int(ExitCode.NO_PLAN))
    raise typer.Exit(int(ExitCode.AUDIT_FAILED if answer.plan.audit_failed else ExitCode.GOOD))


def _found(spec: ReplanSpec, display: Callable[[Progress], None] | None, server: str | None) -> Replan:
    if server is None:
        from optimizer.app.replan import replan as found_here

        with interrupts() as interrupted:
            return found_here(spec, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.replan(spec)


def _print(answer: Replan) -> None:
    target, plan = console(), answer.plan
    target.print(Text(answer.told, style="bold"), soft_wrap=True)
    target.print(proof_line(plan.termination, plan.objective_told), soft_wrap=True)
    for told in answer.given_up:
        target.print(Text(f"not known any more: {told}"), soft_wrap=True)
    if answer.comparison is None:
        return
    changes = titled_table("From the current plan to this one", "change", "NPV")
    for item in answer.comparison.changes:
        changes.add_row(Text(item.told), million(item.npv_usd))
    changes.add_row("all together", million(answer.comparison.difference_usd))
    target.print(changes)
    target.print(Text(audit_line(plan), style="bold red" if plan.audit_failed else "green"))
