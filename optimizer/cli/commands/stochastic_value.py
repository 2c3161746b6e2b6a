"""``optimizer stochastic-value``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer
from rich.text import Text

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO, interrupts
from optimizer.cli.output import JSON_OPTION, ExitCode, console, error_console, print_json
from optimizer.cli.progress import shown_progress
from optimizer.cli.risk_options import CvarWeight, MinimumCvar, Scenarios, Tail, with_risk
from optimizer.cli.summary import titled_table
from optimizer.domain.base import validated
from optimizer.domain.plan import Progress
from optimizer.domain.stochastic_value import StochasticValue, StochasticValueSpec
from optimizer.units import USD_PER_MUSD


def stochastic_value(
    portfolio: Annotated[str, PORTFOLIO],
    scenarios: Scenarios = None,
    tail: Tail = None,
    cvar_weight: CvarWeight = None,
    minimum_cvar: MinimumCvar = None,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for both plans together.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap to prove for each, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Search on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Find what planning for the scenarios is worth beside planning for the mean market, where nobody fails.

    Both plans are audited and valued over the same scenarios. Exits with 4 if there is none.

    Examples:

      optimizer stochastic-value tiny --cvar-weight 2

      optimizer stochastic-value us-miner --scenarios 10000 --gap 0.005 --time-limit 900
    """
    from optimizer.io import load_portfolio

    stated = {
        "portfolio": with_risk(load_portfolio(portfolio), scenarios, tail, cvar_weight, minimum_cvar),
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    spec = validated(StochasticValueSpec, stated, "stochastic value")
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, server)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)
    if answer.plan is None:
        raise typer.Exit(int(ExitCode.NO_PLAN))
    passed = all(plan.audit_passed for plan in (answer.plan, answer.mean_plan) if plan is not None)
    raise typer.Exit(int(ExitCode.GOOD if passed else ExitCode.AUDIT_FAILED))


def _found(
    spec: StochasticValueSpec, display: Callable[[Progress], None] | None, server: str | None
) -> StochasticValue:
    if server is None:
        from optimizer.app.stochastic_value import stochastic_value as found_here

        with interrupts() as interrupted:
            return found_here(spec, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.stochastic_value(spec)


def _print(answer: StochasticValue) -> None:
    table = titled_table(f"Over {answer.scenario_count:,} futures, M USD", "plan for", "objective", "NPV", "CVaR")
    for name, plan in (("the scenarios", answer.plan), ("the mean market", answer.mean_plan)):
        if plan is not None:
            table.add_row(name, *map(_millions, (plan.objective_usd, plan.npv_usd, plan.cvar_usd)))
    console().print(table)
    for line in _notes(answer):
        console().print(Text(line), soft_wrap=True)


def _notes(answer: StochasticValue) -> list[str]:
    """What there is to say below the table."""
    notes = [answer.told]
    if answer.promised_usd is not None:
        notes.append(f"the mean market promised {_millions(answer.promised_usd)}")
    error, fresh = answer.npv_difference_standard_error_usd, answer.fresh_npv_difference_usd
    if answer.npv_difference_usd and error is not None:
        told = f"in NPV {_millions(answer.npv_difference_usd)} more, with a standard error of {_millions(error)}"
        notes.append(told if fresh is None else f"{told}; in fresh futures {_millions(fresh)}")
    return [*notes, *(f"otherwise: {line}" for line in answer.differs)]


def _millions(usd: float) -> str:
    return f"{usd / USD_PER_MUSD:,.1f}"
