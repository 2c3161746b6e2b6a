"""``optimizer doctor``."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.text import Text

from optimizer.cli.output import JSON_OPTION, ExitCode, console, print_json

_STYLES = {"good": "green", "note": "yellow", "failed": "bold red"}


def doctor(
    quick: Annotated[bool, typer.Option("--quick", help="Only look: plan nothing, start no server.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Check whether this machine can plan: Python, kernels, compiler, threads, space, HiGHS and a server's worker.

    Examples:

      optimizer doctor

      optimizer doctor --quick --json
    """
    from optimizer.cli.checks import CHECKS, State, found_by, solver, worker

    results, target = [], console()
    for check in CHECKS:
        if quick and check in (solver, worker):
            continue
        found = found_by(check)
        results.append(found)
        if not as_json:
            line = Text(f"{found.state.value:<7}", style=_STYLES[found.state.value])
            target.print(line.append(f"{found.name}: {found.told}", style="default"), soft_wrap=True)
            if found.fix:
                target.print(f"       fix: {found.fix}", markup=False, soft_wrap=True)
    if as_json:
        print_json([dataclasses.asdict(found) for found in results])
    failed = [found for found in results if found.state is State.FAILED]
    if not (failed or as_json):
        target.print("this machine can plan; next: optimizer plan tiny", markup=False)
    raise typer.Exit(int(ExitCode.UNEXPECTED if failed else ExitCode.GOOD))
