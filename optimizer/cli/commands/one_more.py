"""``optimizer one-more``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO, interrupts
from optimizer.cli.output import JSON_OPTION, console, error_console, print_json
from optimizer.cli.progress import shown_progress
from optimizer.cli.summary import titled_table
from optimizer.domain.base import validated
from optimizer.domain.one_more import OneMore, OneMoreSpec, OneMoreValue, Scarce
from optimizer.domain.plan import Progress
from optimizer.domain.proof import Limit

NOT_KNOWN = "-"


def one_more(
    portfolio: Annotated[str, PORTFOLIO],
    plan: Annotated[Path, typer.Argument(help="The plan file.")],
    of: Annotated[list[Scarce] | None, typer.Option(help="Of what; repeatable, all if left out.")] = None,
    site: Annotated[list[str] | None, typer.Option(help="Name of a site; repeatable, all if left out.")] = None,
    year: Annotated[list[int] | None, typer.Option(help="Calendar year; repeatable, all if left out.")] = None,
    step: Annotated[float, typer.Option(help="How much more: MW, months, million USD or machines.")] = 1.0,
    prices: Annotated[bool, typer.Option("--prices", help="With the decisions at hand only; nothing anew.")] = False,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for all together.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap of the plans that are searched for.")] = DEFAULTS.gap_frac,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Search on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Tell what one more MW, month, dollar or machine is worth: at the margin, and planned anew.

    Examples:

      optimizer one-more tiny plan.json

      optimizer one-more us-miner plan.json --of grid --site Navarro --step 10
    """
    from optimizer.io import load_plan, load_portfolio

    at_hand = load_plan(plan)
    stated: dict[str, Any] = {
        "portfolio": load_portfolio(portfolio),
        "decisions": at_hand.decisions,
        "bound_usd": at_hand.termination.bound_usd,
        "of": of or [],
        "sites": site or [],
        "years": year or [],
        "step": step,
        "prices_only": prices,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    spec = validated(OneMoreSpec, stated, "one more")
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, server)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)


def _found(spec: OneMoreSpec, display: Callable[[Progress], None] | None, server: str | None) -> OneMore:
    if server is None:
        from optimizer.app.one_more import one_more as found_here

        with interrupts() as interrupted:
            return found_here(spec, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.one_more(spec)


def _print(answer: OneMore) -> None:
    title = f"Worth of {answer.step:,.10g} more, in USD"
    table = titled_table(title, "of", "unit", "a unit", "holds for", "decisions kept", "anew, least", "most", "found")
    worthless = [item for item in answer.values if item.holds_until is None and not (item.most_usd or 0.0) > 1.0]
    for item in answer.values:
        if item not in worthless:
            table.add_row(Text(item.what), item.unit, *_numbers(item))
    console().print(table)
    if worthless:
        told = "with all planned anew" if worthless[0].most_usd is not None else "with the decisions at hand"
        what = "; ".join(item.what for item in worthless)
        console().print(Text(f"Worth nothing, {told}: {what}."), soft_wrap=True)
    if answer.limit is not Limit.NONE:
        console().print(Text("The time was over before all was searched for."), soft_wrap=True)


def _numbers(item: OneMoreValue) -> list[str]:
    holds = "any" if item.holds_until is None else f"{item.holds_until:,.10g}" if item.holds_until else NOT_KNOWN
    worths = (item.kept_usd, item.least_usd, item.most_usd, item.found_usd)
    return [_usd(item.price_usd), holds, *map(_usd, worths)]


def _usd(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{round(value) + 0:,.0f}"
