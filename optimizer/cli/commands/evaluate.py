"""``optimizer evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import PORTFOLIO, exit_code_of_plan
from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.cli.plan_file import plan_writer
from optimizer.cli.risk_options import Scenarios, Tail, with_risk
from optimizer.cli.summary import print_plan
from optimizer.domain.evaluation import Evaluation, EvaluationSpec


def evaluate(
    portfolio: Annotated[str, PORTFOLIO],
    decisions: Annotated[Path, typer.Argument(help="Decisions (.yaml, .json), or a plan file.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the evaluated plan here: .json, or .xlsx with its portfolio.")
    ] = None,
    scenarios: Scenarios = None,
    tail: Tail = None,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Evaluate on a service, not here.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Evaluate a plan that somebody else wrote: every limit that it breaks, its money and its risk.

    Nothing is searched for and nothing chosen: what is not stated is not done. Exits with 3 if a limit is broken.

    Examples:

      optimizer evaluate tiny plan.json

      optimizer evaluate portfolio.yaml decisions.yaml --out evaluated.json

      optimizer evaluate us-miner plan.json --scenarios 100000
    """
    from optimizer.io import load_decisions, load_portfolio

    loaded = with_risk(load_portfolio(portfolio), scenarios, tail)
    spec = EvaluationSpec(portfolio=loaded, decisions=load_decisions(decisions))
    write = plan_writer(loaded, portfolio, out)
    answer = _evaluated(spec, server)
    write(answer.plan)
    if as_json:
        print_json(answer.model_dump_json(indent=2))
    else:
        print_plan(answer.plan, console())
        for item in answer.broken:
            console().print(f"{item.told}\n    {item.fix}", markup=False, soft_wrap=True)
    raise typer.Exit(int(exit_code_of_plan(answer.plan)))


def _evaluated(spec: EvaluationSpec, server: str | None) -> Evaluation:
    if server is None:
        from optimizer.app.evaluation import evaluate as evaluate_here

        return evaluate_here(spec)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.evaluate(spec)
