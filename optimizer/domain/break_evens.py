"""Question and answer about terms on which offers enter a plan or leave it; see :mod:`optimizer.app.break_evens`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import model_validator

from optimizer.domain.base import Name, Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.in_expectation import check_in_expectation
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Certainty, Limit


class ContractTerm(StrEnum):
    """A term of an offer on which it can depend whether it is signed."""

    PRICE = "price"
    """Rent in the first year, in USD/kW-month."""
    CAPEX = "capex"
    """Cost of building at all of its sites, in multiples of what is stated."""
    DELAY = "delay"
    """Months that building takes longer than is stated, at all of its sites; negative where it is faster."""
    HAZARD = "hazard"
    """Probability a year that the tenant defaults on this contract; on its others it is as stated."""


UNITS: Final = {
    ContractTerm.PRICE: "USD/kW-month",
    ContractTerm.CAPEX: "times its capex",
    ContractTerm.DELAY: "months late",
    ContractTerm.HAZARD: "defaults a year",
}
"""Of every term."""


class BreakEvensSpec(Value):
    """On which term, and of which offers."""

    portfolio: Portfolio
    """The portfolio that the plan was made for."""
    decisions: Decisions
    """The plan: of it the whole decisions count, the rest is done at its best."""
    bound_usd: Real | None = None
    """No plan is worth more than this: the bound of the plan's termination; searched for if absent."""
    of: ContractTerm = ContractTerm.PRICE
    """The term that varies, the rest being as stated."""
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
    certainty: Certainty
    """Whether what the plan does with it at the price as stated is proven to be best, or only found within the gap."""
    told: str
    """The answer, in words."""


class TermBreakEven(Value):
    """The other term than price on which the best plan with an offer is worth the best without it."""

    offer: Name
    """Name of the offer."""
    signed: bool
    """Whether the plan at hand signs it."""
    unit: str
    """In what the term is counted."""
    stated: Real
    """The term as stated."""
    in_until: Real | None = None
    """On this term a plan that signs it is as good as any that does not (proven), and on a lesser one too: of capex
    always, of delay and hazard as a rule; absent if not known."""
    out_from: Real | None = None
    """On this term no plan that signs it is better than one that does not (proven), and on a greater one neither: of
    capex always, of delay and hazard as a rule; absent if not known."""
    certainty: Certainty
    """Whether what the plan does with it on the term as stated is proven to be best, or only found within the gap."""
    told: str
    """The answer, in words."""


class BreakEvens(Value):
    """Terms on which offers enter a plan or leave it."""

    objective_usd: Real
    """What the plan at hand is worth."""
    bound_usd: Real | None = None
    """No plan is worth more."""
    prices: tuple[PriceBreakEven, ...] = ()
    """Where price was asked for, in the order of the offers."""
    terms: tuple[TermBreakEven, ...] = ()
    """Where another term was, in the order of the offers."""
    limit: Limit = Limit.NONE
    """What ended it before all intervals were as narrow as they can be."""
