"""Question and answer about a portfolio that has no plan; the search is in :mod:`optimizer.app.diagnosis`."""

from __future__ import annotations

from optimizer.domain.base import Real, Value
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio


class DiagnosisSpec(Value):
    """What to diagnose."""

    portfolio: Portfolio
    """A portfolio, probably one without a plan."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search, all in all."""


class Statement(Value):
    """Something that the user stated and could state otherwise."""

    path: str
    """Where it is stated."""
    told: str
    """What it says, in words."""


class Repair(Value):
    """Changes of statements with which there is a plan."""

    changes: tuple[Statement, ...]
    """What is stated instead, or no longer."""
    worth_usd: Real
    """What the best plan that was found with them is worth, in terms of the objective; it passed its audit."""
    bound_usd: Real | None = None
    """No plan with them is worth more."""


class Diagnosis(Value):
    """Why a portfolio has no plan, and what would give it one."""

    feasible: bool | None = None
    """Whether it has one; absent if the search was stopped before that was known."""
    conflict: tuple[Statement, ...] = ()
    """Statements that cannot all be kept."""
    irreducible: bool = False
    """Whether it is proven that without any of them the others can be kept."""
    repairs: tuple[Repair, ...] = ()
    """Proven by solving; those with the best plans first."""
    told: str
    """The answer, in words."""
