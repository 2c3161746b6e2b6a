"""Command line: thin commands over use cases and the client."""

from __future__ import annotations

import sys

from optimizer.errors import InvalidInputError
from optimizer.extras import naming_extras


def main() -> None:
    """Run the command line; an installation without it says what to install."""
    try:
        with naming_extras():
            from optimizer.cli.main import main as run
    except InvalidInputError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    run()
