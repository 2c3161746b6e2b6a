"""``optimizer bench``: how fast the kernels are, beside other ways to do the same and the limits of the machine.

Solves are measured in :mod:`optimizer.cli.commands.bench_solve`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from optimizer.cli.commands.bench_solve import solve
from optimizer.cli.machine import print_machine
from optimizer.cli.output import JSON_OPTION, ExitCode, console, error_console, print_json
from optimizer.errors import InvalidInputError

if TYPE_CHECKING:
    from optimizer.bench.curves import CaseResult, Report

app = typer.Typer(
    no_args_is_help=True, help="Measure kernels and solves on this machine, side by side with other ways."
)

CASE = typer.Option(
    "--case",
    help="Case to measure, repeatable; all by default: margin, margin-hours, margin-by-scenario, margin-batch, "
    "structure, paths, gpu, coefficients.",
)


@app.callback()
def _group() -> None:
    """Measure kernels and solves on this machine, side by side with other ways."""


app.command("solve")(solve)


@app.command("curves")
def curves(
    case: Annotated[list[str] | None, CASE] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes and 3 rounds: seconds in all.")] = False,
    full: Annotated[bool, typer.Option("--full", help="100,000 paths and 10,000 scenarios: minutes.")] = False,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds, each timing everybody once.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report here as JSON.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Time the curve kernels against Python, NumPy, numexpr and Numba, and compare the results.

    Everybody is timed in turn, round by round; times and ratios are medians over the rounds. The limits of the
    machine are timed doing only the copying, the arithmetic or the look-ups of the case. Ends with 1 when a result
    differs from ours by more than 1e-9. numexpr and Numba come with the extra named bench.

    Examples:

      optimizer bench curves --quick

      optimizer bench curves --case margin --case paths --rounds 15

      optimizer bench curves --full --out bench.json
    """
    from optimizer.bench.curves import Size, run
    from optimizer.io import check_writable, write_text

    if quick and full:
        raise InvalidInputError.single("--quick, --full", "were both given", "give one of them, or none")
    if out is not None:
        check_writable(out)
    errors = error_console()
    size = Size.QUICK if quick else Size.FULL if full else Size.STANDARD
    report = run(
        case or (),
        size=size,
        rounds=rounds,
        command=" ".join(["optimizer", *sys.argv[1:]]),
        on_case=lambda name: errors.print(f"measuring {name}", markup=False),
    )
    told = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    if out is not None:
        write_text(out, told + "\n")
    if as_json:
        print_json(told)
    else:
        _print_report(report, console())
    for name, row in report.mismatches:
        errors.print(f"mismatch: {name}, {row.name}: {row.max_relative_difference:.2g} from ours", markup=False)
    raise typer.Exit(int(ExitCode.UNEXPECTED if report.mismatches else ExitCode.GOOD))


def _print_report(report: Report, target: Console) -> None:
    print_machine(report.machine, target)
    target.print(f"{report.size} size, {report.rounds} rounds, {report.seconds:.0f} s", markup=False)
    for case in report.cases:
        target.print()
        target.print(f"{case.title}; ns per {case.evaluation}", style="bold", markup=False)
        target.print(_table(case))
        target.print(_conclusion(case), markup=False)


def _table(case: CaseResult) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(case.name, overflow="fold")
    for heading in ("threads", "ns", "from .. to", "M per s", "x ours", "x ours, all threads", "difference", "MiB"):
        table.add_column(heading, justify="right", overflow="fold")
    for row in case.rows:
        low, high = row.ns_per_evaluation_range
        difference = "" if row.max_relative_difference is None else f"{row.max_relative_difference:.1e}"
        table.add_row(
            row.name,
            str(row.threads),
            _number(row.ns_per_evaluation),
            f"{_number(low)} .. {_number(high)}",
            _number(row.evaluations_per_second / 1e6),
            _number(row.ratio_to_ours),
            _number(row.ratio_to_ours_all_threads),
            difference,
            f"{row.peak_mib:,.1f}",
            style="bold red" if not row.agrees else "dim" if row.limit else None,
        )
    return table


def _conclusion(case: CaseResult) -> str:
    ours = case.rows[0]
    parts = [f"{ours.evaluations:,} evaluations in {_number(ours.seconds_per_run)} s"]
    if ours.binding_limit and ours.share_of_limit_frac:
        parts.append(f"limit: {ours.binding_limit}, which alone takes {ours.share_of_limit_frac:.1%} of our time")
    if case.scaling is not None:
        parts.append(f"{case.rows[1].threads} threads: {case.scaling:.2f} times as fast as one")
    return "; ".join(parts)


def _number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"
