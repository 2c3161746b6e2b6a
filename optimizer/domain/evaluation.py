"""Question and answer about a plan that somebody else wrote; the arithmetic is in :mod:`optimizer.app.evaluation`."""

from __future__ import annotations

from optimizer.domain.base import Value
from optimizer.domain.decisions import Decisions
from optimizer.domain.plan import Plan
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import AuditCheck


class EvaluationSpec(Value):
    """What to evaluate."""

    portfolio: Portfolio
    """The portfolio that it is a plan for."""
    decisions: Decisions
    """All that is decided; what is absent is not done."""


class BrokenLimit(Value):
    """A limit that a plan does not keep, at its worst."""

    check: AuditCheck
    """The check that found it, with how far it is broken and where."""
    told: str
    """What is wrong, in words."""
    fix: str
    """What to do about it."""


class Evaluation(Value):
    """What somebody's plan is worth, and what is wrong with it."""

    feasible: bool
    """Whether it keeps every limit of the portfolio."""
    broken: tuple[BrokenLimit, ...] = ()
    """Limits that it does not keep."""
    plan: Plan
    """The plan with all that follows from it: money, MW, risk. Nothing was searched for, so there is no bound."""
