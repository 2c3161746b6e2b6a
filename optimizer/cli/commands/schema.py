"""``optimizer schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.output import JSON_OPTION, print_json


def schema(
    out: Annotated[Path | None, typer.Option(help="Write it here instead of printing it.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: ARG001 - it is JSON anyway
) -> None:
    """Print the JSON Schema of portfolio files, for editors and other programs.

    Examples:

      optimizer schema --out portfolio.schema.json
    """
    import json

    from optimizer.io import portfolio_schema, write_text

    text = json.dumps(portfolio_schema(), indent=1, ensure_ascii=False)
    if out is None:
        print_json(text)
    else:
        write_text(out, text + "\n")
