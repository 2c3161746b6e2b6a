"""Question and answer about what one more of something scarce is worth; see :mod:`optimizer.app.one_more`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, model_validator

from optimizer.domain.base import Name, Quantity, Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.in_expectation import check_in_expectation
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Limit


class Scarce(StrEnum):
    """What there could be more of."""

    GRID = "grid"
    """MW of grid at a site, in every month of a calendar year."""
    EARLIER_GRID = "earlier_grid"
    """Months by which a step of an interconnect comes earlier."""
    HALLS = "halls"
    """MW of mining halls at a site, from the start."""
    BUDGET = "budget"
    """Million USD of a capex budget."""
    DEBT = "debt"
    """Million USD of the most project debt, at any time."""
    LIQUIDITY = "liquidity"
    """Million USD by which less cash has to be kept, at any time."""
    MACHINES = "machines"
    """Machines of a model that stand at a site when the plan starts."""


UNITS: Final = {
    Scarce.GRID: "MW",
    Scarce.EARLIER_GRID: "month",
    Scarce.HALLS: "MW",
    Scarce.BUDGET: "million USD",
    Scarce.DEBT: "million USD",
    Scarce.LIQUIDITY: "million USD",
    Scarce.MACHINES: "machine",
}
"""Of what, in what."""
WHOLE: Final = (Scarce.EARLIER_GRID, Scarce.MACHINES)
"""What is counted."""


class OneMoreSpec(Value):
    """More of what, and how much more."""

    portfolio: Portfolio
    """The portfolio that the plan was made for."""
    decisions: Decisions
    """The plan: of it the whole decisions count, the rest is done at its best."""
    bound_usd: Real | None = None
    """No plan is worth more than this: the bound of the plan's termination."""
    of: tuple[Scarce, ...] = ()
    """Of what; all kinds if empty."""
    sites: tuple[Name, ...] = ()
    """At which sites, of what is at one; all if empty."""
    years: Annotated[tuple[int, ...], Field(max_length=100)] = ()
    """In which calendar years, of what is in one; all if empty."""
    step: Annotated[float, Quantity("units", 1e-3, 1e6)] = 1.0
    """How much more, in MW, months, million USD or machines."""
    prices_only: bool = False
    """Whether it is enough to know what it is worth to the decisions at hand: nothing is planned anew then."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for all together; HiGHS, once a plan."""

    @model_validator(mode="after")
    def _answerable(self) -> OneMoreSpec:
        check_in_expectation("values of one more", self.portfolio, self.options)
        for field, known in (
            ("sites", [site.name for site in self.portfolio.sites]),
            ("years", sorted({month.year for month in self.portfolio.horizon.months})),
        ):
            unknown = [item for item in getattr(self, field) if item not in known]
            if unknown:
                told = f"no {field.removesuffix('s')} of the portfolio is {unknown[0]!r}"
                raise problem(field, told, f"there is {', '.join(map(str, known))}")
        counted = [item for item in self.of or tuple(Scarce) if item in WHOLE]
        if counted and self.step != round(self.step):
            told = f"{self.step:g} more of {counted[0].value} is no whole number"
            raise problem("step", told, f"give a whole number, or ask without {' and '.join(WHOLE)}")
        return self


class OneMoreValue(Value):
    """What more of one thing is worth: at the margin, by the decisions at hand, and with all planned anew."""

    of: Scarce
    """Of what."""
    what: str
    """The same in words, with its place and time."""
    site: Name | None = None
    """Where, of what is at a site."""
    year: int | None = None
    """Calendar year, of what is in one."""
    unit: str
    """In what it is counted."""
    price_usd: Real
    """Worth of a unit at the margin, the whole decisions of the plan being kept: the dual price of a linear program, or
    where prices are not unique what the first hundredth of the step earns (of months, the step)."""
    holds_until: Real | None = None
    """Units of more up to which that price is proven to hold; 0 if it is not known to hold for a hundredth of the step,
    absent if it holds however much more there is."""
    kept_usd: Real | None = None
    """What the step is worth with the whole decisions of the plan kept, the rest done at its best; absent if they are
    not possible with it."""
    found_usd: Real | None = None
    """What the best plan that was found with the step is worth more than the plan at hand."""
    least_usd: Real | None = None
    """What the step is worth at least with all planned anew (proven); absent if not known."""
    most_usd: Real | None = None
    """What it is worth at most (proven); absent if not known."""
    told: str
    """The answer, in words."""


class OneMore(Value):
    """What one more of something scarce is worth."""

    objective_usd: Real
    """What the plan at hand is worth."""
    bound_usd: Real | None = None
    """No plan is worth more."""
    step: Real
    """How much more was asked about."""
    values: tuple[OneMoreValue, ...] = ()
    """By kind, site and time."""
    limit: Limit = Limit.NONE
    """What ended it before all was searched for."""
