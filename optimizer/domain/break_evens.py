"""Question and answer about prices at which offers enter a plan or leave it; see :mod:`optimizer.app.break_evens`."""

from __future__ import annotations

from pydantic import model_validator

from optimizer.domain.base import Name, Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.in_expectation import check_in_expectation
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Limit


class BreakEvensSpec(Value):
    """Of which offers."""

    portfolio: Portfolio
    """The portfolio that the plan was made for."""
    decisions: Decisions
    """The plan: of it the whole decisions count, the rest is done at its best."""
    bound_usd: Real | None = None
    """No plan is worth more than this: the bound of the plan's termination; searched for if absent."""
    offers: tuple[Name, ...] = ()
    """Names of offers; all if empty."""
    relaxed_only: bool = False
    """Whether linear programs are enough: intervals are as proven, but wider, and found soon."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for all offers together; HiGHS, once a plan."""

    @model_validator(mode="after")
    def _answerable(self) -> BreakEvensSpec:
        check_in_expectation("break-evens", self.portfolio, self.options)
        if len(set(self.offers)) != len(self.offers):
            raise problem("offers", "an offer is named twice", "name each once")
        unknown = [name for name in self.offers if name not in self.portfolio.offers_by_name]
        if unknown:
            there = ", ".join(self.portfolio.offers_by_name) or "none"
            raise problem("offers", f"no offer is named {unknown[0]!r}", f"there is {there}")
        return self


class PriceBreakEven(Value):
    """The price at which the best plan with an offer is worth the best without it, the rest being as stated."""

    offer: Name
    """Name of the offer."""
    signed: bool
    """Whether the plan at hand signs it."""
    price_usd_per_kw_month: Real
    """What it pays as stated."""
    out_usd_per_kw_month: Real | None = None
    """At this price and below no plan that signs it is better than one that does not (proven); absent if not known."""
    in_usd_per_kw_month: Real | None = None
    """At this price and above a plan that signs it is as good as any that does not (proven); absent if not known."""
    told: str
    """The answer, in words."""


class BreakEvens(Value):
    """Prices at which offers enter a plan or leave it."""

    objective_usd: Real
    """What the plan at hand is worth."""
    bound_usd: Real | None = None
    """No plan is worth more."""
    prices: tuple[PriceBreakEven, ...] = ()
    """In the order of the offers."""
    limit: Limit = Limit.NONE
    """What ended it before all intervals were as narrow as they can be."""
