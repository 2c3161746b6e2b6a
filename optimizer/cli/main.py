"""Entry point of the ``optimizer`` command: commands, exit codes, and errors in words instead of tracebacks.

Exit codes: 0 good, 1 unexpected, 2 bad input, 3 audit failed, 4 no plan found, 5 the service failed or cannot be
reached.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from optimizer.cli.commands import (
    alternatives,
    bench,
    break_evens,
    compare,
    curve,
    demo,
    diagnose,
    doctor,
    evaluate,
    export,
    frontier,
    import_files,
    kept,
    library,
    market,
    one_more,
    plan,
    replan,
    report,
    schema,
    serve,
    show,
    simulate,
    status,
    stochastic_value,
    sweep,
    template,
    token,
    validate,
    why,
)
from optimizer.cli.output import fail
from optimizer.errors import OptimizerError
from optimizer.extras import naming_extras

app = typer.Typer(
    name="optimizer",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Plan which of a miner's megawatts mine, host AI or wait: per site, per contract, per month.",
    epilog="Exit codes: 0 good, 1 unexpected, 2 bad input, 3 audit failed, 4 no plan found, 5 service failed. "
    "Start with: optimizer plan tiny",
)
app.command("plan")(plan.plan)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("diagnose")(diagnose.diagnose)
app.command("why")(why.why)
app.command("frontier")(frontier.frontier)
app.command("alternatives")(alternatives.alternatives)
app.command("replan")(replan.replan)
app.command("break-evens")(break_evens.break_evens)
app.command("one-more")(one_more.one_more)
app.command("simulate")(simulate.simulate)
app.command("backtest")(simulate.backtest)
app.command("stochastic-value")(stochastic_value.stochastic_value)
app.command("sweep")(sweep.sweep)
app.command("validate")(validate.validate)
app.command("export")(export.export)
app.command("show")(show.show)
app.command("template")(template.template)
app.command("report")(report.report)
app.command("serve")(serve.serve)
app.command("status")(status.status)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("schema")(schema.schema)
app.add_typer(library.app, name="library")
app.add_typer(curve.app, name="curve")
app.add_typer(market.app, name="market")
app.add_typer(import_files.app, name="import")
app.add_typer(bench.app, name="bench")
app.add_typer(token.app, name="token")
app.add_typer(kept.plans, name="plans")
app.add_typer(kept.portfolios, name="portfolios")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"optimizer {installed('capacity-optimizer')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; errors of this package end it with their message and exit code."""
    try:
        with naming_extras():
            app()
    except OptimizerError as error:
        fail(error, as_json="--json" in sys.argv)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
