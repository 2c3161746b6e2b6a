"""Why a plan can be trusted: how the search ended, the audit, what was filled in, and what reproduces it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from optimizer.domain.base import Name, Real, Value
from optimizer.domain.options import SolveOptions


class TerminationReason(StrEnum):
    """What is known about the answer."""

    OPTIMAL = "optimal"
    """A plan, proven to be within the gap asked for."""
    FEASIBLE = "feasible"
    """A plan; a limit was reached before the gap."""
    INFEASIBLE = "infeasible"
    """Proven: no plan satisfies all statements."""
    UNBOUNDED = "unbounded"
    """The statements allow unlimited profit; something is missing from them."""
    NO_PLAN_FOUND = "no-plan-found"
    """A limit was reached before any plan was found; there may be one."""
    STATED = "stated"
    """A plan that somebody else wrote; nothing was searched for."""


class Limit(StrEnum):
    """What stopped the search, if anything did."""

    NONE = "none"
    TIME = "time"
    INTERRUPTED = "interrupted"


class Termination(Value):
    """How the search ended."""

    reason: TerminationReason
    """What is known about the answer."""
    limit: Limit = Limit.NONE
    """What stopped the search."""
    detail: str = ""
    """More, in words."""
    objective_usd: Real | None = None
    """What the plan is worth: its expected NPV, or what else the objective is."""
    bound_usd: Real | None = None
    """No plan can be worth more than this."""
    gap_frac: Real | None = None
    """(bound - objective) / |objective|."""
    node_count: int = 0
    """Branch-and-bound nodes."""

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan."""
        return self.reason in (TerminationReason.OPTIMAL, TerminationReason.FEASIBLE, TerminationReason.STATED)


class AuditCheck(Value):
    """One comparison of the independent re-calculation with a limit or with what the model claims."""

    name: Name
    """What was checked."""
    unit: Literal["USD", "MW", "machines", "1", "months", "EH/s", "t"]
    """Unit of the deviation."""
    largest_deviation: Real
    """Largest violation or difference found."""
    tolerance: Real
    """Largest that is accepted."""
    where: str = ""
    """Where the largest was found."""

    @property
    def passed(self) -> bool:
        """Whether the deviation is within tolerance."""
        return self.largest_deviation <= self.tolerance


class AuditReport(Value):
    """The independent re-calculation of a plan."""

    checks: tuple[AuditCheck, ...]
    """All checks."""
    not_audited: tuple[Name, ...] = ()
    """What the plan was held to and the audit knows nothing of: the user's own constraints."""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[AuditCheck, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)


class FilledIn(Value):
    """A default that was used because the portfolio did not say."""

    path: str
    """Path of the field."""
    value: str
    """The value used."""


class ModelSize(Value):
    """Size of the mixed-integer program."""

    rows: int
    """Constraints."""
    columns: int
    """Variables."""
    integers: int
    """Integer variables."""
    nonzeros: int
    """Nonzero coefficients."""


class OwnConstraint(Value):
    """A constraint that the user added to the program."""

    name: Name
    """Name of its function."""
    row_count: int
    """Constraints that it came to."""


class Seconds(Value):
    """Wall time of a stage."""

    stage: Name
    """Name of the stage."""
    seconds: Real
    """Wall seconds."""


class Version(Value):
    """A component that took part."""

    component: Name
    """Name."""
    version: Name
    """Version."""


class Manifest(Value):
    """What is needed to reproduce the plan."""

    portfolio_name: Name
    """Name of the portfolio."""
    portfolio_sha256: str
    """Hash of the canonical portfolio, series included."""
    options: SolveOptions
    """Options in force."""
    versions: tuple[Version, ...]
    """Versions of what took part."""
    model_size: ModelSize | None = None
    """Size of the program."""
    timings: tuple[Seconds, ...] = ()
    """Wall time by stage."""
    own_constraints: tuple[OwnConstraint, ...] = ()
    """What the user added to the program; the plan cannot be reproduced without it."""
