"""``optimizer compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO
from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.cli.summary import million, titled_table
from optimizer.domain.base import validated
from optimizer.domain.comparison import Baseline, Comparison, ComparisonSpec
from optimizer.units import USD_PER_MUSD


def compare(
    portfolio: Annotated[str, PORTFOLIO],
    plan: Annotated[Path, typer.Argument(help="A plan file, or decisions (.yaml, .json).")],
    other: Annotated[Path | None, typer.Argument(help="The plan to compare it with; mining on if left out.")] = None,
    baseline: Annotated[Baseline | None, typer.Option(help="Compare with this instead of another plan.")] = None,
    other_portfolio: Annotated[
        str | None, typer.Option(help="The portfolio that the other plan was made for, if it is another.")
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Wall seconds for finding the baseline.")] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap of the baseline, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Compare on a service, not here.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the comparison here as one HTML page.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Compare two plans: what differs, what each difference is worth, and on which assumptions they differ.

    The worth of the differences, each on top of those before it, sums to the difference of the two plans.

    Examples:

      optimizer compare tiny plan.json

      optimizer compare portfolio.yaml plan.json board-paper.yaml --out compare.html

      optimizer compare portfolio.yaml plan.json --baseline sign-everything-now

      optimizer compare now.yaml now.json last.json --other-portfolio last.yaml
    """
    from optimizer.io import check_writable, load_decisions, load_portfolio, npv_bound_usd

    if out is not None:
        check_writable(out)
    stated = {
        "portfolio": load_portfolio(portfolio),
        "decisions": load_decisions(plan),
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    if other is not None:
        stated |= {
            "other": load_decisions(other),
            "bound_usd": npv_bound_usd(plan),
            "other_bound_usd": npv_bound_usd(other),
        }
    if other_portfolio is not None:
        stated["other_portfolio"] = load_portfolio(other_portfolio)
    if baseline is not None or other is None:
        stated["baseline"] = baseline or Baseline.MINE_ON
    answer = _compared(validated(ComparisonSpec, stated, "comparison"), server)
    if out is not None:
        from optimizer.report.comparison_page import write_comparison

        write_comparison(answer, out)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        _print(answer)
        if out is not None:
            console().print(f"comparison written to {out} ({out.stat().st_size / 1e6:.1f} MB)", markup=False)


def _compared(spec: ComparisonSpec, server: str | None) -> Comparison:
    if server is None:
        from optimizer.app.comparison import compare as compare_here

        return compare_here(spec)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.compare(spec)


def _print(answer: Comparison) -> None:
    from optimizer.report.comparison_page import comparison_figures

    target = console()
    target.print(Text(answer.told, style="bold"), soft_wrap=True)
    figures = titled_table("Key figures, M USD", "figure", "plan", "other", "difference")
    sides = comparison_figures(answer.plan.plan), comparison_figures(answer.other.plan)
    for name, value in sides[0].items():
        figures.add_row(
            name, *[f"{usd / USD_PER_MUSD:,.1f}" for usd in (value, sides[1][name], value - sides[1][name])]
        )
    target.print(figures)
    if answer.changes:
        changes = titled_table("From the other plan to this one", "change", "NPV")
        for item in answer.changes:
            changes.add_row(Text(item.told), million(item.npv_usd))
        target.print(changes)
    else:
        target.print("The two decide the same.")
    if answer.assumptions:
        assumptions = titled_table("Assumptions that differ", "statement", "plan", "other")
        for row in answer.assumptions:
            assumptions.add_row(Text(row.path), Text(row.value), Text(row.other_value))
        target.print(assumptions)
