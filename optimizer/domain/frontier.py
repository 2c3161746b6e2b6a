"""The efficient frontier: how much of the mean the worst futures cost; found by :mod:`optimizer.app.frontier`."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from optimizer.domain.base import Quantity, Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.finance import Objective
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Limit


class FrontierSpec(Value):
    """Which frontier."""

    portfolio: Portfolio
    """The portfolio; its own weight of CVaR does not matter, a floor of CVaR holds for all points."""
    point_count: Annotated[int, Quantity("points", 2, 50)] = 8
    """Weights of CVaR, from none to nothing else."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for all points together; HiGHS, once a point."""

    @model_validator(mode="after")
    def _by_one_search(self) -> FrontierSpec:
        if self.options.solver != "highs" or self.options.paranoid:
            raise problem("options", "a frontier is searched by HiGHS, once a point", "leave solver and paranoid out")
        if self.portfolio.market.own_hashrate_feedback:
            told = "the market answers to each plan otherwise, so plans share no frontier"
            raise problem("portfolio", told, "switch market.own_hashrate_feedback off")
        return self


class FrontierPoint(Value):
    """The best plan under one weight of CVaR."""

    cvar_weight_frac: Real
    """Weight of CVaR beside the objective without it."""
    npv_usd: Real
    """Expected NPV."""
    cvar_usd: Real
    """Mean NPV over the tail."""
    objective_usd: Real
    """What was maximised: objective plus weighted CVaR."""
    bound_usd: Real | None = None
    """No plan is worth more."""
    gap_frac: Real | None = None
    """(bound - objective) / |objective|."""
    searched: bool = True
    """Whether a search was made under this weight; else its neighbours prove the bound."""
    differs: tuple[str, ...] = ()
    """What is signed, ordered, opened or built other than at the point before, in words."""
    decisions: Decisions
    """What to do."""
    audit_passed: bool
    """Whether the plan kept every limit in its audit."""


class Frontier(Value):
    """Plans for ever more weight on the worst futures."""

    objective: Objective
    """What CVaR is weighed against."""
    scenario_count: int
    """Scenarios."""
    tail_probability: Real
    """Mass of the tail."""
    points: tuple[FrontierPoint, ...]
    """From no weight on; empty if there is no plan."""
    limit: Limit = Limit.NONE
    """What ended it before all gaps were proven."""
    detail: str = ""
    """Why there is no plan, in words."""
