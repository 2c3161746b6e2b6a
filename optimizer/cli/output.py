"""What commands print: errors with exit codes, JSON, and consoles that know whether somebody is looking."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from typing import Any, NoReturn

import typer
from rich.console import Console

from optimizer.errors import (
    InvalidInputError,
    JobCancelledError,
    NotFoundError,
    OptimizerError,
    ServiceError,
)


class ExitCode(IntEnum):
    """Exit codes of all commands."""

    GOOD = 0
    UNEXPECTED = 1
    BAD_INPUT = 2
    AUDIT_FAILED = 3
    NO_PLAN = 4
    SERVICE = 5


EXIT_CODES: dict[type[OptimizerError], ExitCode] = {
    InvalidInputError: ExitCode.BAD_INPUT,
    NotFoundError: ExitCode.BAD_INPUT,
    ServiceError: ExitCode.SERVICE,
    JobCancelledError: ExitCode.NO_PLAN,
}
"""Exit code by error; what is not listed is unexpected."""

PIPED_WIDTH = 140
"""Columns of tables that nobody is looking at."""
JSON_OPTION = typer.Option("--json", help="Print JSON instead of text.")


def console() -> Console:
    """Standard output; plain when piped."""
    return Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


def error_console() -> Console:
    """Standard error; plain when piped."""
    return Console(stderr=True, highlight=False, emoji=False)


def print_json(data: Any) -> None:
    """Data as JSON on standard output."""
    sys.stdout.write((data if isinstance(data, str) else json.dumps(data, indent=2, ensure_ascii=False)) + "\n")


def exit_code_of(error: OptimizerError) -> ExitCode:
    """The exit code of an error, by its class or the nearest base class."""
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return ExitCode.UNEXPECTED


def fail(error: OptimizerError, *, as_json: bool) -> NoReturn:
    """Tell an error on standard error and exit with its code."""
    code = exit_code_of(error)
    if as_json:
        problems = error.problems if isinstance(error, InvalidInputError) else ()
        told = {
            "error": type(error).__name__,
            "message": str(error),
            "problems": [{"path": item.path, "message": item.message, "fix": item.fix} for item in problems],
        }
        sys.stderr.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    else:
        target = error_console()
        target.print("error:", style="bold red", end=" ")
        target.print(str(error), markup=False, soft_wrap=True)
    sys.exit(int(code))
