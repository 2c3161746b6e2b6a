"""Question and answer about plans under other assumptions, point by point; see :mod:`optimizer.app.sweep`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Name, Quantity, Real, Value, problem
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import TerminationReason

MOST_POINTS = 1_000


class SweptAssumption(Value):
    """A number, or a path over time, that is multiplied."""

    path: Name
    """Its path in the portfolio, as what-ifs take it: ``market.btc_usd``."""
    least_factor: Annotated[float, Quantity("1", 0.0, 1e3)]
    """First factor."""
    most_factor: Annotated[float, Quantity("1", 0.0, 1e3)]
    """Last factor."""
    point_count: Annotated[int, Quantity("points", 2, 100)] = 5
    """Factors from the first to the last, equally far apart."""

    @model_validator(mode="after")
    def _upwards(self) -> SweptAssumption:
        if self.least_factor >= self.most_factor:
            raise problem("factors", "the last factor is not above the first", "state least_factor < most_factor")
        return self

    @property
    def factors(self) -> list[float]:
        """All of them."""
        step = (self.most_factor - self.least_factor) / (self.point_count - 1)
        return [self.least_factor + step * index for index in range(self.point_count)]


class SweepSpec(Value):
    """Which assumptions, and how far they are off."""

    portfolio: Portfolio
    """The portfolio."""
    assumptions: tuple[SweptAssumption, ...] = Field(min_length=1, max_length=100)
    """What varies: one, or two in all combinations, or any number one at a time."""
    one_at_a_time: bool = False
    """Whether each varies alone, the others as stated."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for the plan as stated; every other point gets a tenth of its time."""

    @model_validator(mode="after")
    def _answerable(self) -> SweepSpec:
        if self.options.solver != "highs" or self.options.paranoid:
            raise problem("options", "a sweep is searched by HiGHS, once a point", "leave solver and paranoid out")
        if self.portfolio.risk.counts_tail:
            raise problem("portfolio", "a sweep is in expectation, without CVaR", "leave CVaR out of the objective")
        if len(self.assumptions) > 2 and not self.one_at_a_time:
            raise problem("assumptions", "more than two do not vary together", "set one_at_a_time, or state two")
        paths = [item.path for item in self.assumptions]
        if len(set(paths)) != len(paths):
            raise problem("assumptions", "a path is stated twice", "one entry a path")
        if len(self.points) > MOST_POINTS:
            told = f"{len(self.points):,} points are more than {MOST_POINTS:,}"
            raise problem("assumptions", told, "state fewer points")
        return self

    @property
    def points(self) -> list[dict[str, float]]:
        """Factor by path of every point, neighbours one after the other."""
        if self.one_at_a_time or len(self.assumptions) == 1:
            return [{item.path: factor} for item in self.assumptions for factor in item.factors]
        first, second = self.assumptions
        return [
            {first.path: factor, second.path: other}
            for index, factor in enumerate(first.factors)
            for other in (second.factors if index % 2 == 0 else second.factors[::-1])
        ]


class SweptFactor(Value):
    """What one assumption is multiplied with."""

    path: Name
    """Path of the assumption."""
    factor: Real
    """Factor."""


class SweepPoint(Value):
    """The plan under one combination of factors."""

    factors: tuple[SweptFactor, ...]
    """What is multiplied; all else is as stated."""
    reason: TerminationReason
    """What is known about the plan."""
    npv_usd: Real | None = None
    """Expected NPV; absent without a plan."""
    objective_usd: Real | None = None
    """What was maximised."""
    bound_usd: Real | None = None
    """No plan is worth more there."""
    gap_frac: Real | None = None
    """(bound - objective) / |objective|: what is signed is what was found, within it."""
    signed: tuple[str, ...] = ()
    """Offers that the plan signs."""
    audit_passed: bool | None = None
    """Whether the plan kept every limit in its audit; absent without a plan."""


class Sweep(Value):
    """Plans under other assumptions."""

    base_npv_usd: Real | None = None
    """Expected NPV with everything as stated; absent without a plan."""
    base_signed: tuple[str, ...] = ()
    """Offers that it signs then."""
    points: tuple[SweepPoint, ...] = ()
    """Neighbours one after the other: of two assumptions the second varies first, to and fro."""
    stopped: bool = False
    """Whether it was stopped before all points were searched."""
