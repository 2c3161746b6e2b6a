"""``optimizer show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import exit_code_of_plan
from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.cli.summary import print_plan


def show(
    plan: Annotated[Path, typer.Argument(help="Plan file written by optimizer plan --out.")],
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Print the summary of a plan file.

    Examples:

      optimizer show plan.json
    """
    from optimizer.io import load_plan

    loaded = load_plan(plan)
    if as_json:
        print_json(loaded.model_dump_json(indent=2))
    else:
        print_plan(loaded, console())
    raise typer.Exit(int(exit_code_of_plan(loaded)))
