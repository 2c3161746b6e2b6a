"""``optimizer bench solve``: how long solvers take to a plan, and to its proof, on a public family of instances."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from optimizer.cli.machine import print_machine
from optimizer.cli.output import JSON_OPTION, ExitCode, console, error_console, print_json
from optimizer.errors import InvalidInputError
from optimizer.units import USD_PER_MUSD

if TYPE_CHECKING:
    from optimizer.bench.solves import InstanceResult, Mean, SolveReport

SUITE = typer.Option(help="small, medium, large or huge: 5-20, 50, 100, 1000 sites.")
SOLVER = typer.Option(
    "--solver",
    help="Solver to measure, repeatable; all that are installed by default: optimizer, highs, scip, cbc, naive.",
)
QUICK = typer.Option("--quick", help="One instance of two sites and 10 s a solve: seconds in all.")
EXPORT = typer.Option(metavar="DIR", help="Write the instances as portfolio and MPS files, with metadata; solve none.")
OUT = typer.Option(help="Write the report here: .json, or .csv with the columns of the Open Energy Benchmark.")


def solve(
    suite: Annotated[str, SUITE] = "small",
    seeds: Annotated[int, typer.Option(min=1, help="Instances of each size, with the seeds from 1 on.")] = 3,
    solver: Annotated[list[str] | None, SOLVER] = None,
    time_limit: Annotated[float, typer.Option(min=0.1, help="Wall seconds a solve.")] = 300.0,
    gap: Annotated[float, typer.Option(min=0.0, max=1.0, help="Relative gap to prove, 0.01 is 1 %.")] = 1e-4,
    quick: Annotated[bool, QUICK] = False,
    export: Annotated[Path | None, EXPORT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Time solvers on seeded planning problems: optimizer plan, plain HiGHS, SCIP, CBC, and a naive formulation.

    All solvers take an instance in turn, each in a process of its own, on one thread. Gaps are told against a
    solver's own bound, and against the best plan that anybody knows. Ctrl-C ends the run and keeps the instances
    that all solvers have finished. Ends with 1 when a solver fails, a plan fails its audit, or a bound is
    contradicted.

    Examples:

      optimizer bench solve --quick

      optimizer bench solve --suite small --seeds 5 --time-limit 600 --out bench.json

      optimizer bench solve --suite medium --solver optimizer --solver highs

      optimizer bench solve --suite small --export instances
    """
    from optimizer.bench.interchange import export_instances, results_csv
    from optimizer.bench.solves import run, sizes_of
    from optimizer.io import check_writable, write_text

    errors = error_console()
    if quick:
        suite, seeds, time_limit = "quick", 1, min(time_limit, 10.0)
    if export is not None:
        check_writable(export / "metadata.yaml" if export.is_dir() else export)
        export_instances(sizes_of(suite), seeds, export, lambda name: errors.print(f"writing {name}", markup=False))
        return
    if out is not None:
        if out.suffix not in (".json", ".csv"):
            raise InvalidInputError.single("--out", f"{out} has extension {out.suffix!r}", "use .json or .csv")
        check_writable(out)
    report = run(
        suite,
        seeds=seeds,
        solvers=solver or (),
        time_limit_s=time_limit,
        gap_frac=gap,
        command=" ".join(["optimizer", *sys.argv[1:]]),
        on_solve=lambda instance, name: errors.print(f"solving {instance} with {name}", markup=False),
    )
    told = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    if out is not None:
        write_text(out, results_csv(report) if out.suffix == ".csv" else told + "\n")
    if as_json:
        print_json(told)
    else:
        _print_report(report, console())
    _end(report, errors)


def _end(report: SolveReport, errors: Console) -> NoReturn:
    """Tell what is wrong, and exit accordingly."""
    for instance, name, what in report.wrong:
        errors.print(f"wrong: {instance}, {name}: {what}", markup=False)
    raise typer.Exit(int(ExitCode.UNEXPECTED if report.wrong else ExitCode.GOOD))


def _print_report(report: SolveReport, target: Console) -> None:
    print_machine(report.machine, target)
    limits = f"{report.time_limit_s:g} s a solve, gap {report.gap_frac:g}, {report.seconds:.0f} s in all"
    target.print(f"suite {report.suite}, {len(report.seeds)} seeds, {limits}", markup=False)
    if report.interrupted:
        target.print("interrupted", markup=False)
    if report.not_installed:
        target.print(f"not installed: {', '.join(report.not_installed)}", markup=False)
    for item in report.instances:
        size = item.model_size
        target.print()
        target.print(
            f"{item.name}: {size.rows:,} rows, {size.columns:,} columns, {size.integers:,} integers, "
            f"{size.nonzeros:,} nonzeros",
            style="bold",
            markup=False,
        )
        target.print(_instance_table(item))
    target.print()
    target.print("Shifted geometric means over the suite, s (reached on so many instances)", style="bold", markup=False)
    target.print(_means_table(report.means))


def _instance_table(item: InstanceResult) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("solver", overflow="fold")
    headings = ("first plan s", "1 % s", "0.1 % s", "0.01 % s", "plan M$", "root M$", "bound M$", "gap", "to best")
    for heading in (*headings, "nodes", "s", "MiB", "audit"):
        table.add_column(heading, justify="right", overflow="fold")
    for solve in item.solves:
        outcome = solve.outcome
        audit = {True: "passed", False: "FAILED", None: ""}[outcome.audit_passed]
        table.add_row(
            f"{outcome.solver} {outcome.version}",
            _seconds(solve.first_plan_s),
            *[_seconds(value) for value in solve.seconds_to_gap.values()],
            *[_musd(value) for value in (outcome.objective_usd, solve.root_bound_usd, outcome.bound_usd)],
            *[_share(value) for value in (solve.gap_frac, solve.primal_gap_frac)],
            f"{outcome.node_count:,}",
            _seconds(outcome.seconds),
            f"{outcome.peak_mib:,.0f}",
            "error" if outcome.ended == "error" else audit,
        )
    return table


def _means_table(means: tuple[Mean, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("solver", overflow="fold")
    columns = list(dict.fromkeys((item.measure, item.target_frac) for item in means))
    for measure, target in columns:
        table.add_column(measure if target is None else f"{measure} {target:.2%}", justify="right", overflow="fold")
    for name in dict.fromkeys(item.solver for item in means):
        row = {(item.measure, item.target_frac): item for item in means if item.solver == name}
        cells = [f"{item.shifted_geometric_mean_s:.1f} ({item.reached})" for item in map(row.__getitem__, columns)]
        table.add_row(name, *cells)
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _musd(value: float | None) -> str:
    return "" if value is None else f"{value / USD_PER_MUSD:,.1f}"


def _share(value: float | None) -> str:
    """A gap; what a plan exceeds a bound by within tolerance is none."""
    return "" if value is None else f"{max(value, 0.0):.2%}"
