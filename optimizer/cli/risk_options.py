"""Options that count the tail otherwise than the portfolio says."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer.domain.portfolio import Portfolio

Scenarios = Annotated[int | None, typer.Option(help="Scenarios, instead of the portfolio's.")]
Tail = Annotated[float | None, typer.Option(help="Mass of the lower tail, 0.05 is the worst 5 %.")]
CvarWeight = Annotated[float | None, typer.Option(help="Weight of CVaR in the objective.")]
MinimumCvar = Annotated[float | None, typer.Option("--minimum-cvar", metavar="USD", help="Least CVaR of the plan.")]


def with_risk(
    portfolio: Portfolio,
    scenarios: int | None,
    tail: float | None,
    cvar_weight: float | None = None,
    minimum_cvar: float | None = None,
) -> Portfolio:
    """The portfolio with what was given.

    Raises:
        InvalidInputError: for what the domain refuses.
    """
    from optimizer.app.changes import changed

    given = {
        "risk.scenario_count": scenarios,
        "risk.tail_probability": tail,
        "risk.cvar_weight_frac": cvar_weight,
        "risk.minimum_cvar_usd": minimum_cvar,
    }
    return changed(portfolio, {}, {path: value for path, value in given.items() if value is not None})
