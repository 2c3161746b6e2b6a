"""Why a plan can be trusted: how the search ended, the audit, what was filled in, and what reproduces it."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from optimizer.domain.base import Name, Real, Value
from optimizer.domain.options import SolveOptions
from optimizer.units import USD_PER_MUSD


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


class Certainty(StrEnum):
    """What of a difference between two best plans stands, whatever their gaps hide."""

    PROVEN = "proven"
    """Its sign, and that its size is between two ends."""
    WITHIN_GAP = "within-gap"
    """That it is not of the other sign; it may be nothing."""
    EITHER_SIGN = "either-sign"
    """No sign: it may be an artefact of the gap, and be of the other."""


class WorthDifference(Value):
    """What one best plan is worth more than another, and how much of that could be an artefact of the gap."""

    found_usd: Real
    """Between the plans that were found."""
    least_usd: Real | None = None
    """It is no less (proven); absent where nothing bounds it."""
    most_usd: Real | None = None
    """It is no more (proven); absent where nothing bounds it."""
    certainty: Certainty
    """What stands."""
    told: str
    """The same in words."""


def worth_difference(
    found_usd: float,
    bound_usd: float | None,
    other_found_usd: float,
    other_bound_usd: float | None,
    *,
    other_is_narrower: bool = False,
) -> WorthDifference:
    """The best plan of a program less that of another, of each of which a plan is known and maybe a bound.

    Of a program that allows all that the other does, ``other_is_narrower``, the best is worth no less, whatever was
    found.

    >>> worth_difference(10e6, 12e6, 4e6, 5e6).told
    '6.00 million USD, between 5.00 and 8.00 (proven)'
    >>> worth_difference(10e6, 12e6, 9e6, 13e6).told
    '1.00 million USD as found, between -3.00 and 3.00 (proven): only within the gap, it could be of the other sign'
    """
    if other_is_narrower:
        found_usd = max(found_usd, other_found_usd)
    found = found_usd - other_found_usd
    least = None if other_bound_usd is None else min(found_usd - other_bound_usd, found)
    most = None if bound_usd is None else max(bound_usd - other_found_usd, found)
    if other_is_narrower:
        least = max(least or 0.0, 0.0)
    certainty = _certainty(found, least, most)
    told = _difference_in_words(found, least, most, certainty)
    return WorthDifference(found_usd=found, least_usd=least, most_usd=most, certainty=certainty, told=told)


def _certainty(found: float, least: float | None, most: float | None) -> Certainty:
    behind = (least if found > 0.0 else None if most is None else -most) if found else None
    if found == 0.0:
        return Certainty.PROVEN if least == most == 0.0 else Certainty.WITHIN_GAP
    if behind is None or behind < 0.0:
        return Certainty.EITHER_SIGN
    return Certainty.PROVEN if behind > 0.0 else Certainty.WITHIN_GAP


def _difference_in_words(found: float, least: float | None, most: float | None, certainty: Certainty) -> str:
    ends = [f"{word} {musd_text(end)}" for word, end in (("at least", least), ("at most", most)) if end is not None]
    held = f"{' and '.join(ends)} (proven)" if ends else "not bounded on either side"
    if least is not None and most is not None:
        held = f"between {musd_text(least)} and {musd_text(most)} (proven)"
    said = f"{musd_text(found)} million USD"
    if certainty is Certainty.PROVEN:
        exact = least is not None and most is not None and musd_text(least) == musd_text(most)
        return f"{said} (proven)" if exact else f"{said}, {held}"
    nothing = "may be nothing" if found else "need not be nothing"
    may = "could be of the other sign" if certainty is Certainty.EITHER_SIGN else nothing
    return f"{said} as found, {held}: only within the gap, it {may}"


def musd_text(usd: float) -> str:
    """Million dollars in the words of an answer."""
    return f"{round(usd / USD_PER_MUSD, 2) + 0.0:,.2f}"


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
    reused_from: str = ""
    """Name of the plan of a service that answered the same question before, of which this is the answer."""
