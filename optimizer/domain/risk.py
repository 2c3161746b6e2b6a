"""Which futures a plan is chosen for."""

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
    """Mass of the lower tail over which CVaR is reported."""
