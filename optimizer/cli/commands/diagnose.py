"""``optimizer diagnose``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO
from optimizer.cli.output import JSON_OPTION, ExitCode, console, print_json
from optimizer.cli.summary import million, titled_table
from optimizer.domain.base import validated
from optimizer.domain.diagnosis import Diagnosis, DiagnosisSpec


def diagnose(
    portfolio: Annotated[str, PORTFOLIO],
    time_limit: Annotated[float, typer.Option(help="Wall seconds for everything.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap of the plans of the repairs.")] = DEFAULTS.gap_frac,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Ask a service, do not search here.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Find out why a portfolio has no plan: statements that conflict, and repairs that are proven by a plan.

    Exits with 4 if there is no plan.

    Examples:

      optimizer diagnose portfolio.yaml

      optimizer diagnose portfolio.yaml --time-limit 600 --json
    """
    from optimizer.io import load_portfolio

    stated = {"portfolio": load_portfolio(portfolio), "options": {"time_limit_s": time_limit, "gap_frac": gap}}
    answer = _diagnosed(validated(DiagnosisSpec, stated, "question"), server)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)
    raise typer.Exit(int(ExitCode.GOOD if answer.feasible else ExitCode.NO_PLAN))


def _diagnosed(spec: DiagnosisSpec, server: str | None) -> Diagnosis:
    if server is None:
        from optimizer.app.diagnosis import diagnose as diagnose_here

        return diagnose_here(spec)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.diagnose(spec)


def _print(answer: Diagnosis) -> None:
    target = console()
    target.print(Text(answer.told, style="bold"), soft_wrap=True)
    if answer.conflict:
        conflict = titled_table("What cannot all be kept", "statement", "where")
        for item in answer.conflict:
            conflict.add_row(Text(item.told), Text(item.path))
        target.print(conflict)
    if answer.repairs:
        repairs = titled_table("Repairs", "change", "best plan found", "no plan above")
        for repair in answer.repairs:
            changes = Text("; ".join(item.told for item in repair.changes))
            repairs.add_row(changes, million(repair.worth_usd), million(repair.bound_usd))
        target.print(repairs)
