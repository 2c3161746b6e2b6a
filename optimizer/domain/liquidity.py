"""How likely cash runs short, when and how deep; evaluated by :mod:`optimizer.risk`."""

from __future__ import annotations

from optimizer.domain.base import Month, Real, Value


class LiquidityRow(Value):
    """Cash at the end of a period over the scenarios, where nothing is decided otherwise when it runs short."""

    month: Month
    """Last month of the period."""
    low_usd: Real
    """A twentieth of the scenarios have less."""
    median_usd: Real
    """Half of them have less."""
    high_usd: Real
    """A twentieth have more."""
    below_floor_frac: Real
    """Share of the scenarios below the liquidity floor."""
    shortfall_usd: Real | None = None
    """What these are below it, on average; absent if none is."""
    cvar_usd: Real | None = None
    """Mean over the tail: CVaR of cash at that date; absent in plans of earlier versions."""
    least_usd: Real | None = None
    """What the worst scenario has; absent in plans of earlier versions."""


class LiquidityRisk(Value):
    """How likely cash runs short."""

    scenario_count: int
    """Scenarios evaluated: all, or the first ten thousand."""
    below_floor_frac: Real
    """Share of the scenarios in which cash ends some period below the liquidity floor."""
    shortfall_usd: Real | None = None
    """The most that each of these is below it at any time, on average; absent if none is."""
    worst_month: Month | None = None
    """Last month of the period in which most scenarios are below it; absent if none is in any."""
    tail_probability: Real | None = None
    """Mass of the lower tail; absent in plans of earlier versions."""
    periods: tuple[LiquidityRow, ...] = ()
    """Period by period."""
