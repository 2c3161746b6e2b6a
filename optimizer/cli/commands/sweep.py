"""``optimizer sweep``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import DEFAULTS, PORTFOLIO, interrupts
from optimizer.cli.curve_output import Answer, Column, Output, Record, number
from optimizer.cli.output import JSON_OPTION, ExitCode, error_console
from optimizer.cli.progress import shown_progress
from optimizer.domain.base import validated
from optimizer.domain.plan import Progress
from optimizer.domain.sweep import Sweep, SweepSpec
from optimizer.errors import InvalidInputError
from optimizer.units import USD_PER_MUSD


def sweep(
    portfolio: Annotated[str, PORTFOLIO],
    scale: Annotated[list[str], typer.Option(metavar="PATH=FROM:TO:POINTS", help="What varies; repeatable.")],
    one_at_a_time: Annotated[bool, typer.Option("--one-at-a-time", help="Each alone, the others as stated.")] = False,
    time_limit: Annotated[
        float, typer.Option(help="Wall seconds of the plan as stated; each point gets a tenth of what it took.")
    ] = DEFAULTS.time_limit_s,
    gap: Annotated[float, typer.Option(help="Relative gap to prove for each, 0.01 is 1 %.")] = DEFAULTS.gap_frac,
    out: Annotated[Path | None, typer.Option(help="Write the table here as CSV.")] = None,
    server: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Search on a service, not here.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Plan under other assumptions: one or two that vary together, or many one at a time.

    Examples:

      optimizer sweep tiny --scale market.btc_usd=0.6:1.4:9

      optimizer sweep us-miner --scale market.btc_usd=0.6:1.4:9 --scale "offers[*].price_usd_per_kw_month=0.8:1.2:9"
    """
    from optimizer.io import load_portfolio

    stated = {
        "portfolio": load_portfolio(portfolio),
        "assumptions": [_assumption(item) for item in scale],
        "one_at_a_time": one_at_a_time,
        "options": {"time_limit_s": time_limit, "gap_frac": gap},
    }
    spec, output = validated(SweepSpec, stated, "sweep"), Output(as_json, None, out)
    with shown_progress(error_console(), quiet=quiet) as display:
        answer = _found(spec, display, server)
    output.show(_told(spec, answer))
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


def _found(spec: SweepSpec, display: Callable[[Progress], None] | None, server: str | None) -> Sweep:
    if server is None:
        from optimizer.app.sweep import sweep as found_here

        with interrupts() as interrupted:
            return found_here(spec, on_progress=display, should_stop=interrupted.is_set)
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        return client.sweep(spec)


def _told(spec: SweepSpec, answer: Sweep) -> Answer:
    paths = [item.path for item in spec.assumptions]
    records = []
    for point in answer.points:
        by_path = {item.path: item.factor for item in point.factors}
        figures = {name: getattr(point, name) for name in ("npv_usd", "objective_usd", "bound_usd", "gap_frac")}
        factors = {path: by_path.get(path, 1.0) for path in paths}
        records.append({**factors, "reason": point.reason.value, **figures, "signed": "; ".join(point.signed)})
    columns: tuple[Column, ...] = (
        *((path, number(path, 3)) for path in paths),
        ("NPV\nM USD", number("npv_usd", 1, 1.0 / USD_PER_MUSD)),
        ("gap\n%", number("gap_frac", 2, 100.0)),
        ("signed", _signed),
    )
    base = "no plan" if answer.base_npv_usd is None else f"NPV {answer.base_npv_usd / USD_PER_MUSD:,.1f} M USD"
    notes = ["what is signed is what was found, within the gap of each point"]
    notes += ["it was stopped before all points were searched"] if answer.stopped else []
    title = f"{spec.portfolio.name}: plans under other assumptions"
    return Answer(title, f"as stated: {base}", answer.model_dump(mode="json"), records, columns, notes)


def _signed(record: Record) -> str:
    """What is signed, or why there is no plan."""
    if record["npv_usd"] is None:
        return f"no plan: {str(record['reason']).replace('_', ' ')}"
    return str(record["signed"] or "nothing")
