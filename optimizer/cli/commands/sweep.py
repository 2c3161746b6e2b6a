"""``optimizer sweep``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO, interrupts
from optimizer.cli.curve_output import Answer, Column, Output, Record, number
from optimizer.cli.output import JSON_OPTION, ExitCode, error_console
from optimizer.cli.progress import shown_progress
from optimizer.domain.base import validated
from optimizer.domain.plan import Progress
from optimizer.domain.sweep import Sweep, SweepPoint, SweepSpec
from optimizer.errors import InvalidInputError
from optimizer.units import USD_PER_MUSD


def sweep(
    portfolio: Annotated[str, PORTFOLIO],
    scale: Annotated[list[str], typer.Option(metavar="PATH=FROM:TO:POINTS", help="What varies; repeatable.")],
    one_at_a_time: Annotated[bool, typer.Option("--one-at-a-time", help="Each alone, the others as stated.")] = False,
    tolerance: Annotated[
        float | None, typer.Option(help="Bisect where contracts change to this width; of what varies alone.")
    ] = None,
    time_limit: Annotated[float, typer.Option(help="Wall seconds of the plan as stated.")] = DEFAULTS.time_limit_s,
    point_time: Annotated[
        float | None, typer.Option(help="Wall seconds of each point; a tenth of what the plan as stated took.")
    ] = None,
    sweep_time: Annotated[
        float | None, typer.Option(help="Wall seconds of all points together; no limit if left out.")
    ] = None,
    gap: Annotated[float, typer.Option(help="Relative gap to prove for each, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    workers: Annotated[int, typer.Option(min=1, help="Processes of this machine.")] = 1,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Search on this Dask cluster.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table here as CSV.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write charts and table here as one HTML page.")] = None,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Search on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Plan under other assumptions: any number that vary together, or one at a time.

    Examples:

      optimizer sweep tiny --scale market.btc_usd=0.6:1.4:9

      optimizer sweep tiny --scale "offers[chip-lab].price_usd_per_kw_month=0.5:1:3" --tolerance 0.01

      optimizer sweep us-miner --workers 2 --scale market.btc_usd=0.6:1.4:9 --scale market.power_level=0.8:1.2:9
    """
    from optimizer.io import check_writable, load_portfolio

    if page is not None:
        check_writable(page)
    stated = {
        "portfolio": load_portfolio(portfolio),
        "assumptions": [_assumption(item) for item in scale],
        "one_at_a_time": one_at_a_time,
        "switching_tolerance": tolerance,
        "point_time_limit_s": point_time,
        "sweep_time_limit_s": sweep_time,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    spec, output = validated(SweepSpec, stated, "sweep"), Output(as_json, None, out)
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, (workers, scheduler), server)
    told = _told(spec, answer)
    if page is not None:
        from optimizer.report.sweep_page import write_sweep

        write_sweep(spec.portfolio.name, answer, page)
        told = replace(told, notes=[*told.notes, f"page written to {page} ({page.stat().st_size / 1e6:.1f} MB)"])
    output.show(told)
    if all(item.audit_passed is None for item in answer.points):
        raise typer.Exit(int(ExitCode.NO_PLAN))
    failed = any(item.audit_passed is False for item in answer.points)
    raise typer.Exit(int(ExitCode.AUDIT_FAILED if failed else ExitCode.GOOD))


def _assumption(word: str) -> dict[str, object]:
    path, _, words = word.rpartition("=")
    try:
        least, most, count = words.split(":")
        return {"path": path, "least_factor": float(least), "most_factor": float(most), "point_count": int(count)}
    except ValueError:
        fix = "write PATH=FROM:TO:POINTS, as market.btc_usd=0.6:1.4:9"
        raise InvalidInputError.single("--scale", f"{word!r} is no range", fix, "sweep") from None


def _found(
    spec: SweepSpec,
    display: Callable[[Progress], None] | None,
    workers: tuple[int, str | None],
    server: str | None,
) -> Sweep:
    if server is None:
        from optimizer.app.scale_out import Workers
        from optimizer.app.sweep import sweep as found_here

        with interrupts() as interrupted:
            return found_here(spec, display, interrupted.is_set, workers=Workers(*workers))
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.sweep(spec)


def _told(spec: SweepSpec, answer: Sweep) -> Answer:
    paths = [item.path for item in spec.assumptions]
    records = [_record(paths, point) for point in answer.points]
    columns: tuple[Column, ...] = (
        *((path, number(path, 3)) for path in paths),
        ("NPV\nM USD", number("npv_usd", 1, 1.0 / USD_PER_MUSD)),
        ("gap\n%", number("gap_frac", 2, 100.0)),
        ("signed", _signed),
    )
    base = "no plan" if answer.base_npv_usd is None else f"NPV {answer.base_npv_usd / USD_PER_MUSD:,.1f} M USD"
    title = f"{spec.portfolio.name}: plans under other assumptions"
    return Answer(title, f"as stated: {base}", answer.model_dump(mode="json"), records, columns, _notes(answer))


def _record(paths: list[str], point: SweepPoint) -> Record:
    by_path = {item.path: item.factor for item in point.factors}
    figures = {name: getattr(point, name) for name in ("npv_usd", "objective_usd", "bound_usd", "gap_frac", "search_s")}
    words = {name: "; ".join(getattr(point, name)) for name in ("signed", "proven_signed", "proven_unsigned")}
    return {**{path: by_path.get(path, 1.0) for path in paths}, "reason": point.reason.value, **figures, **words}


def _notes(answer: Sweep) -> list[str]:
    notes = ["* is signed by every best plan there (proven), the rest is what was found, within the gap of each point"]
    notes += [
        f"{bar.path} from {bar.least_factor:g} to {bar.most_factor:g} moves the worth by {bar.difference.told}"
        for bar in answer.tornado
    ]
    notes += [item.told for item in answer.switching_points]
    if answer.unreached:
        notes.append(f"{len(answer.unreached)} points were not reached: give more time, or state fewer")
    return notes


def _signed(record: Record) -> str:
    """What is signed, or why there is no plan."""
    if record["npv_usd"] is None:
        return f"no plan: {str(record['reason']).replace('_', ' ')}"
    surely = str(record["proven_signed"]).split("; ")
    names = [f"{name}*" if name in surely else name for name in str(record["signed"]).split("; ")]
    return "; ".join(names) if record["signed"] else "nothing"
