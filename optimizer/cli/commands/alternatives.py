"""``optimizer alternatives``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO, interrupts
from optimizer.cli.output import JSON_OPTION, ExitCode, console, error_console, print_json
from optimizer.cli.progress import shown_progress
from optimizer.cli.summary import million, titled_table
from optimizer.domain.alternatives import Alternative, Alternatives, AlternativesSpec, DistanceMeasure
from optimizer.domain.base import validated
from optimizer.domain.plan import Progress
from optimizer.errors import InvalidInputError


def alternatives(
    portfolio: Annotated[str, PORTFOLIO],
    plan: Annotated[Path | None, typer.Option(help="The best plan's file, where it is at hand.")] = None,
    count: Annotated[int, typer.Option(help="How many plans beside the best.")] = 5,
    within: Annotated[float, typer.Option(help="Share of its worth that they may cost, 0.02 is 2 %.")] = 0.02,
    measure: Annotated[DistanceMeasure, typer.Option(help="What a contract counts.")] = DistanceMeasure.CONTRACTS,
    min_distance: Annotated[float, typer.Option(help="Least distance of any two, in contracts or MW.")] = 1.0,
    other_month: Annotated[float, typer.Option(help="Share of it that another month at the same site counts.")] = 0.0,
    weight: Annotated[
        list[str] | None, typer.Option(metavar="OFFER=FACTOR", help="An offer that counts more or less; repeatable.")
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for all plans together.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap to prove for each, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Search on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Find other plans that are nearly as good: each the best that differs in contracts from all before it.

    Examples:

      optimizer alternatives tiny --within 0.3

      optimizer alternatives us-miner --plan plan.json --gap 0.005 --measure mw --min-distance 60
    """
    from optimizer.io import load_plan, load_portfolio

    stated: dict[str, Any] = {
        "portfolio": load_portfolio(portfolio),
        "count": count,
        "within_frac": within,
        "measure": measure,
        "minimum_distance": min_distance,
        "other_month_frac": other_month,
        "offer_weights": [_weight(item) for item in weight or []],
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    if plan is not None:
        at_hand = load_plan(plan)
        stated |= {"decisions": at_hand.decisions, "bound_usd": at_hand.termination.bound_usd}
    spec = validated(AlternativesSpec, stated, "alternatives")
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, server)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)
    if answer.best_decisions is None:
        raise typer.Exit(int(ExitCode.NO_PLAN))
    passed = answer.best_audit_passed and all(item.audit_passed for item in answer.plans)
    raise typer.Exit(int(ExitCode.GOOD if passed else ExitCode.AUDIT_FAILED))


def _weight(word: str) -> dict[str, object]:
    offer, _, factor = word.rpartition("=")
    try:
        return {"offer": offer, "weight_frac": float(factor)}
    except ValueError:
        fix = "write OFFER=FACTOR, as chip-lab=0.5"
        raise InvalidInputError.single("--weight", f"{word!r} has no factor", fix, "alternatives") from None


def _found(spec: AlternativesSpec, display: Callable[[Progress], None] | None, server: str | None) -> Alternatives:
    if server is None:
        from optimizer.app.alternatives import alternatives as found_here

        def told(found: Alternative) -> None:
            if display is not None:
                error_console().print(Text(f"found: {found.told}"), soft_wrap=True)

        with interrupts() as interrupted:
            return found_here(spec, told, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.alternatives(spec)


def _print(answer: Alternatives) -> None:
    target = console()
    target.print(Text(answer.told, style="bold"), soft_wrap=True)
    for number, item in enumerate(answer.plans, 1):
        changes = titled_table(f"{number}. {item.told}", "instead of the best plan", "NPV")
        for change in item.changes:
            changes.add_row(Text(change.told), million(change.npv_usd))
        changes.add_row("all together", million(sum(change.npv_usd for change in item.changes)))
        target.print(changes)
        if not item.audit_passed:
            target.print(Text("the audit of this plan FAILED", style="bold red"))
