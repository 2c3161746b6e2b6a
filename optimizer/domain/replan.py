"""Question and answer about planning again from a plan that is being carried out; see :mod:`optimizer.app.replan`."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from optimizer.domain.base import Month, Quantity, Value, problem
from optimizer.domain.comparison import Comparison
from optimizer.domain.decisions import Decisions
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import WorthDifference


class ReplanSpec(Value):
    """New data, the current plan, and how far it may be left."""

    portfolio: Portfolio
    """The portfolio with what is known now; its horizon begins no later than what stays was decided."""
    decisions: Decisions
    """All that the current plan decides."""
    freeze_until_month: Month | None = None
    """What the current plan decides before this month stays, and nothing else is decided before it; nothing stays if
    absent."""
    most_changes: Annotated[int, Quantity("1", 0, 10_000)] | None = None
    """Most changes against the current plan: contracts, GPU blocks, their refreshes and openings."""
    cost_usd_per_change: Annotated[float, Quantity("USD", 0.0, 1e9)] = 0.0
    """What each of them must bring in the objective, without any cash."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search."""

    @model_validator(mode="after")
    def _one_previous_plan(self) -> ReplanSpec:
        if self.portfolio.policy.contract_changes is not None:
            told = "the portfolio states another previous plan"
            raise problem("portfolio", told, "leave policy.contract_changes out: the current plan is the previous one")
        return self


class Replan(Value):
    """The next plan, and what each change of the current one earns."""

    plan: Plan
    """The plan, or why there is none."""
    change_count: int | None = None
    """Changes against the current plan, as they are limited and priced; absent without a plan."""
    gain: WorthDifference | None = None
    """What the best next plan is worth more than the current one as it is, and how much of that could be an artefact of
    the gap; absent without a plan, where the current one breaks limits, and where the objective is more than NPV."""
    comparison: Comparison | None = None
    """The plan against the current one under what is known now, change by change; absent without a plan."""
    given_up: tuple[str, ...] = ()
    """What the current plan decides after the freeze and the portfolio does not know any more, in words."""
    told: str
    """What the changes bring and what is proven, in words."""
