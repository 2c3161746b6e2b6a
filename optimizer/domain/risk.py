"""Which futures a plan is chosen for, and how much the worst of them count."""

from __future__ import annotations

from typing import Annotated, Final

from optimizer.domain.base import Quantity, Value

SEED_COUNT: Final = 2**63


class RiskSpec(Value):
    """Scenarios of the market and of the tenants' survival; all are equally likely."""

    scenario_count: Annotated[int, Quantity("scenarios", 1, 10_000_000)] = 1000
    """Number of scenarios that the expectation is taken over."""
    seed: Annotated[int, Quantity("1", 0, SEED_COUNT - 1)] = 20_261_122
    """Seed; scenario i is the same for any count, thread or machine."""
    tail_probability: Annotated[float, Quantity("1", 1e-6, 1.0, "0.05 is the worst 5 % of scenarios")] = 0.05
    """Mass of the lower tail over which CVaR is taken."""
    cvar_weight_frac: Annotated[float, Quantity("1", 0.0, 100.0, "0.5 counts a dollar of CVaR half")] = 0.0
    """Weight of CVaR in the objective, beside expected NPV or enterprise value."""
    minimum_cvar_usd: Annotated[float, Quantity("USD", -1e13, 1e13)] | None = None
    """Least CVaR that a plan may have; absent: any."""

    @property
    def counts_tail(self) -> bool:
        """Whether the plan is chosen with an eye on the tail."""
        return self.cvar_weight_frac > 0.0 or self.minimum_cvar_usd is not None
