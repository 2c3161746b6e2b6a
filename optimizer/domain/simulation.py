"""What a plan earns on simulated paths, held as it is or planned again; by :mod:`optimizer.app.simulation`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import model_validator

from optimizer.domain.base import Month, Name, Quantity, Real, Value, problem
from optimizer.domain.decisions import Decisions
from optimizer.domain.finance import Objective
from optimizer.domain.options import SolveOptions
from optimizer.domain.outcome import NORMAL_95, NpvDistribution
from optimizer.domain.portfolio import Portfolio
from optimizer.units import USD_PER_MUSD

FIRST_SEARCHES: Final = 3
"""Before the paths: for the plan, for mining on, and for waiting."""


class Strategy(StrEnum):
    """What is done as the market moves."""

    HELD = "held"
    REPLANNED = "replanned"
    WAITING = "waiting"
    MINING = "mining"

    @property
    def told(self) -> str:
        """In words."""
        return _TOLD[self]


_TOLD = {
    Strategy.HELD: "the plan, held as it is",
    Strategy.REPLANNED: "the plan, planned again",
    Strategy.WAITING: "waiting first, then planned again",
    Strategy.MINING: "mining on, signing nothing",
}


class SimulationSpec(Value):
    """What to simulate."""

    portfolio: Portfolio
    """The portfolio; its scenarios are what is believed at every date, its paths are drawn apart from them."""
    decisions: Decisions | None = None
    """The plan to begin with; searched for if absent. Of it the whole decisions and what they sign count."""
    path_count: Annotated[int, Quantity("paths", 1, 1_000_000)] = 100
    """Paths to simulate."""
    first_path: Annotated[int, Quantity("1", 0, 2**62)] = 0
    """The first of them; path i is the same whatever is simulated beside it."""
    every_months: Annotated[int, Quantity("months", 1, 120)] = 3
    """Months between dates at which it is planned again, as far as periods begin there."""
    wait_months: Annotated[int, Quantity("months", 0, 120)] = 0
    """With this, what it costs or earns to sign and order nothing in so many first months is simulated as well."""
    options: SolveOptions = SolveOptions()
    """How hard and how long to search for the first plans, and at each date."""

    @model_validator(mode="after")
    def _can_be_planned_again(self) -> SimulationSpec:
        check_replannable(self.portfolio, self.options)
        return self

    @property
    def patience_s(self) -> float:
        """How long to wait for an answer: all limits are for one search."""
        return self.options.time_limit_s * (FIRST_SEARCHES + self.path_count)


def check_replannable(portfolio: Portfolio, options: SolveOptions) -> None:
    """Refuse what cannot be planned again as the market moves."""
    if options.solver != "highs" or options.paranoid:
        raise problem("options", "plans are made again by HiGHS, once a date", "leave solver and paranoid out")
    market, risk = portfolio.market, portfolio.risk
    if risk.counts_tail:
        told = "planning again is in expectation, without CVaR"
        raise problem("portfolio", told, "drop risk.cvar_weight_frac and risk.minimum_cvar_usd")
    if portfolio.finance.objective is not Objective.NPV:
        raise problem("portfolio", "what paths are worth is NPV", "set finance.objective to npv")
    if market.own_hashrate_feedback:
        told = "hashprice would answer to every plan otherwise"
        raise problem("portfolio", told, "switch market.own_hashrate_feedback off")
    if market.scenario_table is not None:
        told = "a table of scenarios does not say what is known when"
        raise problem("portfolio", told, "state market.uncertainty or a bootstrap instead of market.scenario_table")


class SignedOffer(Value):
    """An offer that was signed on a path."""

    offer: Name
    """Offer."""
    site: Name
    """Where."""
    sign_month: Month
    """When."""


class PathOutcome(Value):
    """What a strategy came to on a path."""

    strategy: Strategy
    """Which."""
    npv_usd: Real
    """NPV."""
    least_cash_usd: Real
    """Least cash at the end of any month."""
    below_floor: bool
    """Whether that is below the liquidity floor."""
    signed: tuple[SignedOffer, ...] = ()
    """What was signed."""


class SimulatedPath(Value):
    """One path."""

    path: int
    """Which."""
    outcomes: tuple[PathOutcome, ...]
    """By strategy, in order."""
    lowered_count: int = 0
    """Dates at which what had happened left no plan within the limits, so that they were lowered to what could be."""
    cut_short_count: int = 0
    """Dates at which the time limit ended the search."""


class StrategyOutcome(Value):
    """What a strategy comes to over all paths."""

    strategy: Strategy
    """Which."""
    distribution: NpvDistribution
    """NPV over the paths."""
    below_floor_frac: Real
    """Share of paths on which cash falls below the liquidity floor in some month."""


class StrategyDifference(Value):
    """How much more a strategy earns than another on the same paths."""

    strategy: Strategy
    """Which."""
    other: Strategy
    """Than which."""
    mean_usd: Real
    """Mean difference of NPV."""
    standard_error_usd: Real
    """Its sampling error."""
    better_frac: Real
    """Share of paths on which it earns more."""

    @property
    def told(self) -> str:
        """In words."""
        mean, error = self.mean_usd / USD_PER_MUSD, NORMAL_95 * self.standard_error_usd / USD_PER_MUSD
        who, sure = self.strategy.told, "" if abs(mean) > error else ", which these paths cannot tell from nothing"
        return (
            f"{who[0].upper()}{who[1:]}, earns {abs(mean):,.1f} ± {error:,.1f} million USD "
            f"{'more' if mean >= 0.0 else 'less'} than {self.other.told}{sure}; "
            f"on {self.better_frac:.0%} of the paths it earns more."
        )


class OfferTiming(Value):
    """When an offer is signed."""

    offer: Name
    """Offer."""
    held_month: Month | None = None
    """When the plan signs it; absent if it does not."""
    replanned_frac: Real
    """Share of paths on which it is signed when it is planned again."""
    same_month_frac: Real
    """Share of paths on which it is signed in the month of the plan."""


class Simulation(Value):
    """A plan on many paths."""

    dates: tuple[Month, ...] = ()
    """When it is planned again."""
    strategies: tuple[StrategyOutcome, ...] = ()
    """Over all paths; empty if there is no plan to begin with."""
    differences: tuple[StrategyDifference, ...] = ()
    """Between strategies: what flexibility, waiting and signing at all are worth."""
    offers: tuple[OfferTiming, ...] = ()
    """Offers that are signed somewhere."""
    paths: tuple[SimulatedPath, ...] = ()
    """One by one."""
    told: tuple[str, ...]
    """The answer, in words."""
