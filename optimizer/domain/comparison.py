"""Question and answer about two plans; the arithmetic is in :mod:`optimizer.app.comparison`."""

from __future__ import annotations

from enum import StrEnum

from pydantic import model_validator

from optimizer.domain.base import Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.evaluation import Evaluation
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import WorthDifference


class Baseline(StrEnum):
    """What a plan can always be compared with."""

    MINE_ON = "mine-on"
    """Nothing is signed, ordered, opened or built; machines run, move and are traded at their best."""
    SIGN_EVERYTHING_NOW = "sign-everything-now"
    """As many MW-months of contracts in the horizon as the limits allow, at whatever loss; the rest at its best."""


class ComparisonSpec(Value):
    """What to compare."""

    portfolio: Portfolio
    """The portfolio that the plan was made for."""
    decisions: Decisions
    """All that the plan decides."""
    other: Decisions | None = None
    """All that the other plan decides; give this or ``baseline``."""
    other_portfolio: Portfolio | None = None
    """The portfolio that the other plan was made for; the same if absent."""
    baseline: Baseline | None = None
    """What to compare with where there is no other plan."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for the baseline."""
    bound_usd: Real | None = None
    """No plan of the portfolio is worth more in expected NPV: the bound of the plan's termination, where its objective
    is that."""
    other_bound_usd: Real | None = None
    """The same of the other plan."""

    @model_validator(mode="after")
    def _one_other_side(self) -> ComparisonSpec:
        if (self.other is None) == (self.baseline is None):
            raise problem("other_side", "needs either another plan or a baseline", "state one of other and baseline")
        if self.baseline is not None and self.other_portfolio is not None:
            told = "a baseline is of the plan's own portfolio"
            raise problem("other_portfolio", told, "leave other_portfolio out, or state the other plan")
        return self


class PlanChange(Value):
    """Something that the plan does and the other one does not, or the other way round."""

    told: str
    """What it is, in words."""
    npv_usd: Real
    """What it adds to the expected NPV, on top of all changes before it."""


class AssumptionDifference(Value):
    """A statement of the portfolio that the two plans were not made under alike."""

    path: str
    """Path of the statement, as what-ifs take it."""
    value: str
    """What the plan was made under."""
    other_value: str
    """What the other was."""


class Comparison(Value):
    """How a plan differs from another one, and what that is worth."""

    plan: Evaluation
    """The plan."""
    other: Evaluation
    """The other one."""
    difference_usd: Real
    """What the plan's expected NPV is more."""
    best_difference: WorthDifference | None = None
    """What the best plan of the portfolio is worth more than the best of the other portfolio, by the bounds that were
    stated of both; absent without, and where there is one portfolio."""
    changes: tuple[PlanChange, ...] = ()
    """From the other plan to this one, in order: their worth sums to the difference."""
    assumptions: tuple[AssumptionDifference, ...] = ()
    """Statements of the two portfolios that differ."""
    told: str
    """What is proven, in words."""
