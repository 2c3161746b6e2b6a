"""Question and answer about plans under other assumptions, point by point; see :mod:`optimizer.app.sweep`."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Name, Quantity, Real, Value, problem
from optimizer.domain.options import SolveOptions
from optimizer.domain.policy import Placement
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import TerminationReason, WorthDifference

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
    """What varies: in all combinations, or one at a time."""
    one_at_a_time: bool = False
    """Whether each varies alone, the others as stated."""
    switching_tolerance: Annotated[float, Quantity("1", 1e-6, 1.0)] | None = None
    """Between which factors of an assumption that varies alone the contracts change is bisected until they are no
    further apart than this; not searched for if absent."""
    point_time_limit_s: Annotated[float, Quantity("s", 0.1, 86_400.0)] | None = None
    """Wall seconds of each point; a tenth of what the plan as stated took if absent."""
    sweep_time_limit_s: Annotated[float, Quantity("s", 1.0, 604_800.0)] | None = None
    """Wall seconds of all points together: what is not reached by then is told; no limit if absent."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for the plan as stated; its gap and threads are those of every point."""

    @model_validator(mode="after")
    def _answerable(self) -> SweepSpec:
        if self.options.solver != "highs" or self.options.paranoid:
            raise problem("options", "a sweep is searched by HiGHS, once a point", "leave solver and paranoid out")
        if self.portfolio.risk.counts_tail:
            raise problem("portfolio", "a sweep is in expectation, without CVaR", "leave CVaR out of the objective")
        paths = [item.path for item in self.assumptions]
        if len(set(paths)) != len(paths):
            raise problem("assumptions", "a path is stated twice", "one entry a path")
        if self.point_count > MOST_POINTS:
            told = f"{self.point_count:,} points are more than {MOST_POINTS:,}"
            raise problem("assumptions", told, "state fewer points")
        if self.switching_tolerance is not None and not self.vary_alone:
            told = "contracts of assumptions that vary together change along lines, not at points"
            raise problem("switching_tolerance", told, "state one assumption or one_at_a_time, or leave it out")
        return self

    @property
    def vary_alone(self) -> bool:
        """Whether no two assumptions are off at once."""
        return self.one_at_a_time or len(self.assumptions) == 1

    @property
    def point_count(self) -> int:
        """How many points there are, those between them aside."""
        counts = [item.point_count for item in self.assumptions]
        return sum(counts) if self.vary_alone else prod(counts)

    @property
    def patience_s(self) -> float:
        """How long to wait for an answer: no point takes longer than the plan as stated may."""
        each = self.point_time_limit_s or self.options.time_limit_s
        return self.options.time_limit_s + (self.sweep_time_limit_s or self.point_count * each)

    @property
    def chains(self) -> list[list[dict[str, float]]]:
        """Factors by path of every point, in lines along which only the last path of a point varies."""
        if self.vary_alone:
            return [[{item.path: factor} for factor in item.factors] for item in self.assumptions]
        *others, last = self.assumptions
        return [
            [
                {**dict(zip([item.path for item in others], held, strict=True)), last.path: factor}
                for factor in last.factors
            ]
            for held in product(*(item.factors for item in others))
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
    signed: tuple[Name, ...] = ()
    """Offers that the plan signs."""
    placements: tuple[Placement, ...] = ()
    """Where and when."""
    proven_signed: tuple[Name, ...] = ()
    """Those without which no plan is worth as much (proven): every best plan signs them."""
    proven_unsigned: tuple[Name, ...] = ()
    """Offers with which no plan is worth as much (proven): no best plan signs them."""
    audit_passed: bool | None = None
    """Whether the plan kept every limit in its audit; absent without a plan."""
    search_s: Real = 0.0
    """Wall seconds that it took."""

    def knows(self, offer: str) -> bool:
        """Whether it is proven what every best plan does with an offer."""
        return offer in self.proven_signed or offer in self.proven_unsigned


class SwitchingPoint(Value):
    """Between which factors of an assumption a contract comes into the plan or goes, all else as stated."""

    path: Name
    """Path of the assumption."""
    offer: Name
    """Name of the offer."""
    signed_above: bool
    """Whether the plan signs it above, and not below; else the other way round."""
    low_factor: Real
    """Largest factor tried at which the plan is still that of below."""
    high_factor: Real
    """Least factor tried, next to it, at which the plan is already that of above."""
    proven_low_factor: Real | None = None
    """Nearest factor below at which every best plan does what is done below (proven); absent if none was tried."""
    proven_high_factor: Real | None = None
    """Nearest factor above at which every best plan does what is done above (proven); absent if none was tried."""
    told: str
    """The answer, in words."""


class TornadoBar(Value):
    """What an assumption alone does to the worth of the best plan, from its first factor to its last."""

    path: Name
    """Path of the assumption."""
    least_factor: Real
    """First factor."""
    most_factor: Real
    """Last factor."""
    npv_at_least_usd: Real
    """Expected NPV at the first."""
    npv_at_most_usd: Real
    """Expected NPV at the last."""
    difference: WorthDifference
    """What the best plan at the last is worth more than the best at the first, as far as it is proven."""


class SweepPlace(Value):
    """A combination of factors."""

    factors: tuple[SweptFactor, ...]
    """What is multiplied; all else is as stated."""


class Sweep(Value):
    """Plans under other assumptions."""

    base_npv_usd: Real | None = None
    """Expected NPV with everything as stated; absent without a plan."""
    base_signed: tuple[Name, ...] = ()
    """Offers that it signs then."""
    points: tuple[SweepPoint, ...] = ()
    """In the order of the factors: of assumptions that vary together the last varies first."""
    between: tuple[SweepPoint, ...] = ()
    """Points tried between those, to find where contracts change; in the order of the factors."""
    switching_points: tuple[SwitchingPoint, ...] = ()
    """Where contracts change, in the order of assumptions and factors."""
    tornado: tuple[TornadoBar, ...] = ()
    """Assumptions that vary alone, what moves the worth most first."""
    unreached: tuple[SweepPlace, ...] = ()
    """Points that time or a stop left out."""
    stopped: bool = False
    """Whether it was stopped before all points were searched."""
