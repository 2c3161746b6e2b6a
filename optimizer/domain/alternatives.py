"""Other plans that are nearly as good; found by :mod:`optimizer.app.alternatives`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import model_validator

from optimizer.domain.base import Frac, Name, Quantity, Real, Value, problem
from optimizer.domain.comparison import PlanChange
from optimizer.domain.decisions import Decisions
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Limit, WorthDifference


class DistanceMeasure(StrEnum):
    """What a contract that changes counts in the distance of two plans."""

    CONTRACTS = "contracts"
    """One."""
    MW = "mw"
    """The most critical MW of its offer."""


class OfferWeight(Value):
    """How much the contract of one offer counts, beside the measure."""

    offer: Name
    """Name of an offer."""
    weight_frac: Annotated[float, Quantity("1", 0.0, 1e6)]
    """Factor on what it counts; 0 lets it change without counting."""


class AlternativesSpec(Value):
    """Which plans.

    The distance of two plans is the sum over the offers of what their contract counts, where only one of the plans
    signs it or they sign it at other sites; at the same site in another month it is the ``other_month_frac`` of that.
    """

    portfolio: Portfolio
    """The portfolio."""
    decisions: Decisions | None = None
    """The best plan, where it is at hand: of it the whole decisions count; searched for if absent."""
    bound_usd: Real | None = None
    """No plan is worth more than this: the bound of the termination of the plan at hand."""
    count: Annotated[int, Quantity("plans", 1, 50)] = 5
    """How many plans beside the best."""
    within_frac: Frac = 0.02
    """How much of the best plan's worth an alternative may cost."""
    measure: DistanceMeasure = DistanceMeasure.CONTRACTS
    """What a contract counts."""
    minimum_distance: Annotated[float, Quantity("contracts or MW", 1e-3, 1e6)] = 1.0
    """Least distance of any two of the plans, the best among them, in contracts or MW."""
    other_month_frac: Frac = 0.0
    """Share of what a contract counts where it is signed at the same site in another month."""
    offer_weights: tuple[OfferWeight, ...] = ()
    """Offers that count more or less than others."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for all plans together; HiGHS, once a plan."""

    @model_validator(mode="after")
    def _by_one_search(self) -> AlternativesSpec:
        if self.options.solver != "highs" or self.options.paranoid:
            raise problem("options", "alternatives are searched by HiGHS, once each", "leave solver and paranoid out")
        if self.portfolio.risk.counts_tail or self.portfolio.market.own_hashrate_feedback:
            told = "alternatives are in expectation, under a hashprice that does not answer to the plan"
            raise problem("portfolio", told, "leave CVaR out of the objective and own_hashrate_feedback off")
        if self.bound_usd is not None and self.decisions is None:
            raise problem("bound_usd", "is the bound of a plan that is not stated", "state decisions, or leave it out")
        names = [item.offer for item in self.offer_weights]
        if len(set(names)) != len(names):
            raise problem("offer_weights", "an offer has two weights", "one entry an offer")
        unknown = [name for name in names if name not in self.portfolio.offers_by_name]
        if unknown:
            there = ", ".join(self.portfolio.offers_by_name) or "none"
            raise problem("offer_weights", f"no offer is named {unknown[0]!r}", f"there is {there}")
        return self

    def counts(self, offer: str) -> float:
        """What the contract of an offer counts."""
        weight = next((item.weight_frac for item in self.offer_weights if item.offer == offer), 1.0)
        return weight * (
            1.0 if self.measure is DistanceMeasure.CONTRACTS else self.portfolio.offers_by_name[offer].maximum_mw
        )


class Alternative(Value):
    """The best plan that keeps its distance from the best and from those before it."""

    objective_usd: Real
    """What it is worth: its expected NPV, or what else the objective is."""
    bound_usd: Real | None = None
    """No plan that keeps this distance is worth more."""
    npv_usd: Real
    """Expected NPV."""
    costs_usd: Real
    """What the best plan found is worth more; below nothing where the gap hid this one."""
    most_cost_usd: Real | None = None
    """What a best plan can be worth more at most, by its bound."""
    difference: WorthDifference
    """What a best plan is worth more, and how much of that could be an artefact of the gap."""
    distance: Real
    """From the nearest of the plans before it, in contracts or MW."""
    changes: tuple[PlanChange, ...] = ()
    """From the best plan to this one, in order: their worth sums to the difference of the expected NPVs."""
    decisions: Decisions
    """What to do."""
    audit_passed: bool
    """Whether the plan kept every limit in its audit."""
    told: str
    """What it costs and what is proven, in words."""


class Alternatives(Value):
    """Plans within a share of the best that differ in contracts."""

    best_objective_usd: Real | None = None
    """What the best plan is worth; absent if there is none."""
    best_bound_usd: Real | None = None
    """No plan is worth more."""
    best_decisions: Decisions | None = None
    """The best plan."""
    best_audit_passed: bool | None = None
    """Whether it kept every limit in its audit."""
    plans: tuple[Alternative, ...] = ()
    """As they were found, each the best at its distance."""
    no_more: bool = False
    """Whether it is proven that no further plan is within the share and keeps the distance."""
    limit: Limit = Limit.NONE
    """What ended the search before as many were found as asked for, or that was proven."""
    told: str
    """What was found and what is proven, in words."""
