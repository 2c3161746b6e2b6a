"""What a plan would have earned in a past that is known by now; by :mod:`optimizer.app.backtest`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Month, Quantity, Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.simulation import FIRST_SEARCHES, PathOutcome, check_replannable
from optimizer.domain.stress import StressDefault
from optimizer.domain.uncertainty import Factor


class FactorLevels(Value):
    """What one factor was, month by month."""

    factor: Factor
    """Factor."""
    values: tuple[Annotated[float, Quantity("as its base path", 1e-9, 1e12)], ...] = Field(min_length=1)
    """One value a month from the first of the horizon, in the unit of the base path; the last one is held."""


class BacktestSpec(Value):
    """What to test on which past."""

    portfolio: Portfolio
    """The portfolio as it stood in the first month: its market is what was believed then."""
    history: tuple[FactorLevels, ...] = Field(min_length=1)
    """What happened; factors that are absent kept to their base paths."""
    defaults: tuple[StressDefault, ...] = ()
    """Tenants that failed; the others did not."""
    decisions: Decisions | None = None
    """The plan to test; searched for if absent."""
    every_months: Annotated[int, Quantity("months", 1, 120)] = 3
    """Months between dates at which it is planned again, as far as periods begin there."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for the plan, and at each date."""

    @model_validator(mode="after")
    def _can_be_tested(self) -> BacktestSpec:
        check_replannable(self.portfolio, self.options)
        stated = [item.factor for item in self.history]
        if len(stated) != len(set(stated)):
            raise problem("history", "a factor is listed twice", "one entry a factor")
        if Factor.GPU_RENTAL in stated:
            told = "GPU rental differs by option, so it has no one level"
            raise problem("history", told, "leave it out")
        parties = set(self.portfolio.default_hazards)
        unknown = sorted({item.tenant for item in self.defaults if item.tenant is not None} - parties)
        if unknown:
            raise problem("defaults", f"no tenant is named {unknown[0]!r}", f"there are {', '.join(sorted(parties))}")
        return self

    @property
    def patience_s(self) -> float:
        """How long to wait for an answer: all limits are for one search."""
        return self.options.time_limit_s * (FIRST_SEARCHES + 1)

    @property
    def month_count(self) -> int:
        """Months that every factor has a value for, at most those of the horizon."""
        return min(self.portfolio.horizon.month_count, *(len(item.values) for item in self.history))


class BacktestDate(Value):
    """A date at which it was planned again."""

    month: Month
    """When."""
    hashprice_usd_per_ph_day: Real
    """Mean hashprice of the month before."""
    changed: tuple[str, ...] = ()
    """What was then signed, ordered, opened or built otherwise than planned so far, in words."""


class BacktestYear(Value):
    """One calendar year."""

    year: int
    """Which."""
    hashprice_usd_per_ph_day: Real
    """Mean hashprice."""
    btc_usd: Real
    """Mean price of a bitcoin."""
    cash_usd: tuple[Real, ...]
    """Cash at its end, by strategy as in the outcomes."""


class Backtest(Value):
    """A plan in a known past."""

    outcomes: tuple[PathOutcome, ...] = ()
    """What each strategy came to; empty if there is no plan to begin with."""
    dates: tuple[BacktestDate, ...] = ()
    """When it was planned again."""
    years: tuple[BacktestYear, ...] = ()
    """Year by year."""
    known_month_count: int
    """Months of the horizon that history has; later ones hold its last values."""
    told: str
    """The answer, in words."""
