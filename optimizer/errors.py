"""The exception tree. Nothing here knows about gRPC, Pyomo or files.

::

    OptimizerError
    ├── InvalidInputError        a portfolio, option or argument is wrong; carries every problem with its path
    │   └── SeriesError          a named series is missing, malformed or has gaps nobody agreed to fill
    ├── NotFoundError            a named thing does not exist; carries what does
    ├── ModelAssemblyError       a constraint family lacks what it needs or adds what it did not declare
    ├── SolverError              the solver failed, or refused an option
    ├── ServiceError             the service answered with an error that is nobody's input
    └── JobCancelledError        the job was cancelled before it had a plan

Infeasible, unbounded and time-limit are results (``Plan.termination``), never exceptions.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input."""

    path: str
    """Where, as ``offers[3].sites[0].capex_usd_per_critical_mw``."""
    message: str
    """What is wrong, with the value."""
    fix: str = ""
    """What to do about it."""

    def __str__(self) -> str:
        """One line: path, message, fix."""
        text = f"{self.path}: {self.message}" if self.path else self.message
        return f"{text}; {self.fix}" if self.fix else text


class OptimizerError(Exception):
    """Base of every error that this package raises on purpose."""


class InvalidInputError(OptimizerError):
    """One or more problems with an input, all collected before raising."""

    def __init__(self, problems: Sequence[Problem], what: str = "input") -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.what = what
        count = len(self.problems)
        head = f"{what} has {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n  ".join([head + ":", *map(str, self.problems)]))

    @classmethod
    def single(cls, path: str, message: str, fix: str = "", what: str = "input") -> InvalidInputError:
        """An error of one problem."""
        return cls([Problem(path, message, fix)], what)


class SeriesError(InvalidInputError):
    """A named series cannot be used."""


class NotFoundError(OptimizerError):
    """A named thing does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"no {kind} named {name!r}{did_you_mean(name, self.known)}")


class ModelAssemblyError(OptimizerError):
    """A constraint family lacks a component it needs, or added other components than it declared."""


class SolverError(OptimizerError):
    """The solver failed, or refused an option."""


class ServiceError(OptimizerError):
    """The service failed; ``code`` is the status name and ``reason`` the service's own word for it."""

    def __init__(self, message: str, code: str = "UNKNOWN", reason: str = "") -> None:
        self.code, self.reason = code, reason
        super().__init__(message)


class JobCancelledError(OptimizerError):
    """The job was cancelled before it had a plan."""


def did_you_mean(name: str, known: Iterable[str], limit: int = 12) -> str:
    """``; did you mean 'x'?`` or the list of what there is, for the end of a message."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    if not known:
        return ""
    more = f" and {len(known) - limit} more" if len(known) > limit else ""
    return "; there is " + ", ".join(repr(k) for k in known[:limit]) + more
