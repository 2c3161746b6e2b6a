"""``optimizer why``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO
from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.cli.summary import million, titled_table
from optimizer.domain.base import validated
from optimizer.domain.explanation import Explanation, ExplanationSpec


def why(
    portfolio: Annotated[str, PORTFOLIO],
    plan: Annotated[Path, typer.Argument(help="The plan file.")],
    offer: Annotated[str, typer.Argument(help="Name of an offer.")],
    site: Annotated[str | None, typer.Option(help="A site; any of the offer's if left out.")] = None,
    month: Annotated[str | None, typer.Option(help="Month of signing, as 2027-04; any if left out.")] = None,
    relaxed: Annotated[bool, typer.Option("--relaxed", help="By linear programs only: soon, but wider.")] = False,
    time_limit: Annotated[float, typer.Option(help="Wall seconds.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap of the plan that is searched for.")] = DEFAULTS.gap_frac,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Ask a service.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Tell why an offer is signed in a plan, or why not: what the other way loses, and which limits price it.

    Examples:

      optimizer why tiny plan.json cheap-lease

      optimizer why tiny plan.json chip-lab --site Pecos --month 2027-10

      optimizer why us-miner plan.json neocloud-c-40 --relaxed
    """
    from optimizer.io import load_plan, load_portfolio

    answered = load_plan(plan)
    stated: dict[str, Any] = {
        "portfolio": load_portfolio(portfolio),
        "decisions": answered.decisions,
        "bound_usd": answered.termination.bound_usd,
        "placement": {"offer": offer, "site": site, "sign_month": month},
        "relaxed_only": relaxed,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    answer = _explained(validated(ExplanationSpec, stated, "question"), server)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)


def _explained(spec: ExplanationSpec, server: str | None) -> Explanation:
    if server is None:
        from optimizer.app.explanation import explain

        return explain(spec)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.explain(spec)


def _print(answer: Explanation) -> None:
    target, placed = console(), answer.explained
    target.print(Text(answer.told, style="bold"), soft_wrap=True)
    for rule in answer.blocked:
        target.print(Text(f"beside the plan's other decisions it breaks: {rule}"), soft_wrap=True)
    if answer.margin_usd is None:
        target.print("There is no room for any of it beside the plan's other decisions.")
        return
    title = f"{placed.offer} at {placed.site} in {placed.sign_month:%Y-%m}, at the margin"
    reasons = titled_table(title, "what", "worth")
    for part in answer.reasons:
        reasons.add_row(Text(part.told), million(part.worth_usd))
    reasons.add_row("all together", million(answer.margin_usd))
    target.print(reasons)
