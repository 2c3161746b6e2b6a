"""``optimizer break-evens``."""

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
from optimizer.domain.break_evens import BreakEvens, BreakEvensSpec, ContractTerm
from optimizer.domain.plan import Progress


def break_evens(
    portfolio: Annotated[str, PORTFOLIO],
    plan: Annotated[Path, typer.Argument(help="The plan file.")],
    offer: Annotated[list[str] | None, typer.Option(help="Name of an offer; repeatable, all if left out.")] = None,
    of: Annotated[ContractTerm, typer.Option(help="The term that varies.")] = ContractTerm.PRICE,
    relaxed: Annotated[bool, typer.Option("--relaxed", help="By linear programs only: soon, but wider.")] = False,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for all offers together.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap of the plans that are searched for.")] = DEFAULTS.gap_frac,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Search on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Find the price, or other term, at which each offer enters a plan, or leaves it, proven by solves on both sides.

    Examples:

      optimizer break-evens tiny plan.json

      optimizer break-evens tiny plan.json --of capex --offer chip-lab

      optimizer break-evens us-miner plan.json --relaxed --time-limit 60
    """
    from optimizer.io import load_plan, load_portfolio

    at_hand = load_plan(plan)
    stated: dict[str, Any] = {
        "portfolio": load_portfolio(portfolio),
        "decisions": at_hand.decisions,
        "bound_usd": at_hand.termination.bound_usd,
        "of": of,
        "offers": offer or [],
        "relaxed_only": relaxed,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    spec = validated(BreakEvensSpec, stated, "break-evens")
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, server)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)


def _found(spec: BreakEvensSpec, display: Callable[[Progress], None] | None, server: str | None) -> BreakEvens:
    if server is None:
        from optimizer.app.break_evens import break_evens as found_here

        with interrupts() as interrupted:
            return found_here(spec, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.break_evens(spec)


def _print(answer: BreakEvens) -> None:
    titles = ("Prices in USD/kW-month", "offer", "signed", "pays", "out up to", "in from")
    if answer.terms:
        titles = (f"In {answer.terms[0].unit}", "offer", "signed", "stated", "in until", "out from")
    table = titled_table(*titles)
    for price in answer.prices:
        known = (price.price_usd_per_kw_month, price.out_usd_per_kw_month, price.in_usd_per_kw_month)
        table.add_row(Text(price.offer), "yes" if price.signed else "no", *map(_price, known))
    for term in answer.terms:
        known = (term.stated, term.in_until, term.out_from)
        table.add_row(Text(term.offer), "yes" if term.signed else "no", *map(_term, known))
    console().print(table)
    for told in [*(price.told for price in answer.prices), *(term.told for term in answer.terms)]:
        console().print(Text(told), soft_wrap=True)


def _term(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"


def _price(usd_per_kw_month: float | None) -> str:
    return "" if usd_per_kw_month is None else f"{usd_per_kw_month:,.2f}"
