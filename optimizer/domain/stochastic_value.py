"""What planning for the scenarios is worth beside planning for their mean; :mod:`optimizer.app.stochastic_value`."""

from __future__ import annotations

from pydantic import model_validator

from optimizer.domain.base import Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.finance import Objective
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Limit


class StochasticValueSpec(Value):
    """Of which portfolio."""

    portfolio: Portfolio
    """The portfolio with its scenarios; CVaR counts as it says."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for both plans together; HiGHS, once a plan."""

    @model_validator(mode="after")
    def _by_one_search(self) -> StochasticValueSpec:
        if self.options.solver != "highs" or self.options.paranoid:
            raise problem("options", "both plans are searched by HiGHS, once each", "leave solver and paranoid out")
        if self.portfolio.market.own_hashrate_feedback:
            told = "hashprice answers to each plan otherwise, so they have no scenarios in common"
            raise problem("portfolio", told, "switch market.own_hashrate_feedback off")
        return self


class PlanOverScenarios(Value):
    """A plan, and what it is worth over the scenarios."""

    objective_usd: Real
    """What was maximised: NPV or enterprise value, with the weighted CVaR."""
    npv_usd: Real
    """Expected NPV."""
    cvar_usd: Real
    """Mean NPV over the tail."""
    decisions: Decisions
    """What to do."""
    audit_passed: bool
    """Whether the plan kept every limit in its audit."""


class StochasticValue(Value):
    """The plan for the scenarios beside the plan for the mean market, both valued over the scenarios."""

    objective: Objective
    """What the plans are chosen for."""
    scenario_count: int
    """Scenarios."""
    tail_probability: Real
    """Mass of the tail."""
    promised_usd: Real | None = None
    """What the plan for the mean market is worth in it; absent if none was found."""
    mean_plan: PlanOverScenarios | None = None
    """What is signed, ordered, opened and built for the mean market, and the rest at its best over the scenarios;
    absent if that breaks a limit over them."""
    plan: PlanOverScenarios | None = None
    """The plan for the scenarios; absent if none was found."""
    bound_usd: Real | None = None
    """No plan is worth more over the scenarios."""
    gap_frac: Real | None = None
    """(bound - objective) / |objective|."""
    value_usd: Real | None = None
    """Value of the stochastic solution as found: objective of the plan less that of the plan for the mean market."""
    most_value_usd: Real | None = None
    """It is no more than this, however good the best plan is: bound less objective of the plan for the mean market."""
    npv_difference_usd: Real | None = None
    """What the plan's expected NPV is more."""
    npv_difference_standard_error_usd: Real | None = None
    """Sampling error of that difference; both are valued in the same futures."""
    fresh_npv_difference_usd: Real | None = None
    """The same over as many scenarios that neither was chosen for; absent if nothing is drawn that matters."""
    differs: tuple[str, ...] = ()
    """What the plan signs, orders, opens or builds other than the plan for the mean market, in words."""
    limit: Limit = Limit.NONE
    """What ended it before the gap was proven."""
    told: str
    """The answer, in words."""
