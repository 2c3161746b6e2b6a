"""A place with a grid connection."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import (
    Frac,
    GrowthPerYear,
    Month,
    Months,
    Mw,
    Name,
    Pue,
    Quantity,
    Usd,
    UsdPerMonth,
    UsdPerMwh,
    UsdPerMwMonth,
    Value,
    problem,
)
from optimizer.domain.construction import MOST_PROBABILITY, ConstructionOutcome
from optimizer.units import KW_PER_MW, MONTHS_PER_YEAR


class AdvanceTerms(Value):
    """Terms on which a grid step can be brought forward."""

    maximum_months: Annotated[int, Quantity("months", 1, 120)]
    """Most months earlier."""
    usd_per_month: Usd
    """Price of every month that the step comes earlier."""
    fixed_usd: Usd = 0.0
    """Price of bringing it forward at all."""
    notice_months: Months = 0
    """Months from the decision, in which both are paid, to the new month of the step."""


class GridStep(Value):
    """One step of an interconnect ramp."""

    from_month: Month
    """First month at which this import limit holds."""
    grid_mw: Mw
    """Import limit from then on, in MW at the meter."""
    advance: AdvanceTerms | None = None
    """Terms of bringing the step forward; absent if it comes when it comes."""


class SellBack(Value):
    """Terms on which a site with a flat price sells what it does not use back to the market."""

    hourly_series: Name
    """Name of the hourly series of the market's price in USD/MWh."""
    maximum_mw: Mw
    """Most MW that can be sold, at the meter."""
    fee_usd_per_mwh: Annotated[float, Quantity("USD/MWh", 0.0, 10_000.0)] = 0.0
    """What is lost of every MWh that is sold."""
    from_month: Month | None = None
    """First month in which it can be sold; the start if absent."""
    until_month: Month | None = None
    """First month in which it no longer can; open-ended if absent."""

    @model_validator(mode="after")
    def _window(self) -> SellBack:
        if self.from_month is not None and self.until_month is not None and self.until_month <= self.from_month:
            raise problem("window", "power can be sold back until before it can be", "swap the months")
        return self

    def maximum_mw_at(self, month: dt.date) -> float:
        """Most MW that can be sold in a month."""
        begun = self.from_month is None or self.from_month <= month
        return self.maximum_mw if begun and _lasts(self.until_month, month) else 0.0


class PowerSupply(Value):
    """What energy costs at a site: an hourly series or a flat price, plus adders, escalated."""

    hourly_series: Name | None = None
    """Name of an hourly price series in USD/MWh; give this or ``flat_usd_per_mwh``."""
    flat_usd_per_mwh: UsdPerMwh | None = None
    """Contract price of energy in USD/MWh, the same in every hour."""
    adder_usd_per_mwh: UsdPerMwh = 0.0
    """Delivery, losses, taxes and other charges on top of every MWh, in USD/MWh."""
    escalation_per_year_frac: GrowthPerYear = 0.0
    """Growth of energy price and adders a year, applied monthly."""
    market_exposure_frac: Frac | None = None
    """Share of the energy price that follows the market's power level; 1 for an hourly series, 0 for a flat price."""

    sell_back: SellBack | None = None
    """Terms of selling power back; only beside a flat price."""

    @model_validator(mode="after")
    def _one_price(self) -> PowerSupply:
        if (self.hourly_series is None) == (self.flat_usd_per_mwh is None):
            raise problem(
                "power_price",
                "give exactly one of hourly_series and flat_usd_per_mwh",
                "name a series, or state a flat price",
            )
        if self.sell_back is not None and self.flat_usd_per_mwh is None:
            raise problem(
                "sell_back",
                "power that is bought at the market's price is not sold back to it",
                "state a flat price, or drop sell_back",
            )
        return self

    @property
    def exposure_frac(self) -> float:
        """The exposure in force, stated or by default."""
        if self.market_exposure_frac is not None:
            return self.market_exposure_frac
        return 1.0 if self.hourly_series is not None else 0.0


class DemandResponse(Value):
    """Income for being able to switch mining off: demand response and ancillary services."""

    usd_per_mw_month: UsdPerMwMonth
    """Payment per MW of mining load (at the meter) and month."""
    until_month: Month | None = None
    """First month in which it is no longer paid; open-ended if absent."""


class TransmissionCredit(Value):
    """Transmission charges saved by not drawing at the peaks of the system, as four coincident peaks (4CP) in ERCOT."""

    usd_per_kw_year: Annotated[float, Quantity("USD/kW-year", 0.0, 500.0, "per kW of mining load and year")]
    """Saving per kW of mining load (at the meter) and year, counted in equal parts by month."""
    until_month: Month | None = None
    """First month in which the rule no longer holds; open-ended if absent."""


class Opening(Value):
    """Terms on which a site that is not open yet can be opened."""

    earliest_month: Month
    """Earliest month in which the decision can be taken."""
    capex_usd: Usd
    """Cost of opening, paid in the month of the decision."""
    lead_months: Months = 0
    """Months from the decision until the site can be used."""


class HallExpansion(Value):
    """Terms on which mining halls can be added."""

    maximum_mw: Annotated[float, Quantity("MW", 1e-6, 100_000.0, "drop the expansion if none is possible")]
    """Most hall MW added, all orders together, in MW of machine power (before pue)."""
    capex_usd_per_mw: Annotated[float, Quantity("USD/MW", 0.0, 2e7, "in dollars, not millions")]
    """Price of a hall MW, paid in the month of the order."""
    lead_months: Months = 0
    """Months from the order until the halls can be used."""
    earliest_month: Month
    """Earliest month of an order."""


class Building(Value):
    """A data-centre building that can be built at a site, once."""

    name: Name
    """Name, unique at the site."""
    critical_mw: Annotated[float, Quantity("MW", 1e-6, 100_000.0, "in MW of critical IT: 500 kW is 0.5")]
    """Space, in MW of critical IT."""
    capex_usd: Usd
    """Cost of the building, spread evenly over the months of building."""
    build_months: Months
    """Months from the decision until it is finished; at 0 all of the cost is paid in the month of the decision."""
    earliest_month: Month
    """Earliest month in which the decision can be taken."""


class Site(Value):
    """A place with a grid connection, its halls, its power and its costs."""

    name: Name
    """Unique name."""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """ISO 3166 code of two letters."""
    region: Name
    """Region for limits on parallel builds, as ``US-TX``."""
    grid_operator: Name | None = None
    """Grid operator or balancing authority, as ``ERCOT``."""
    grid: tuple[GridStep, ...] = Field(min_length=1)
    """Import limit over time in MW, steps in ascending order; 0 before the first one."""
    hall_mw: Mw
    """Mining hall capacity, in MW of machine power (before pue)."""
    hall_expansion: HallExpansion | None = None
    """Terms of adding mining halls; absent if none can be."""
    buildings: tuple[Building, ...] = ()
    """Data-centre buildings that can be built, for contracts that need one."""
    power: PowerSupply
    """Energy price."""
    demand_response: DemandResponse | None = None
    """Income for curtailable load."""
    transmission_credit: TransmissionCredit | None = None
    """Transmission charges saved by mining that is off at the peaks of the system."""
    mining_pue: Pue = 1.05
    """Grid draw over machine power of the mining halls."""
    hosting_pue: Pue = 1.25
    """Grid draw over critical IT power of hosting, yearly mean; an offer can state its own."""
    hosting_pue_by_month: tuple[Pue, ...] = ()
    """The same for January to December, where the climate matters; replaces ``hosting_pue``."""
    mining_uptime_frac: Frac = 0.97
    """Share of hours in which a machine that wants to run does."""
    mining_opex_usd_per_mw_month: UsdPerMwMonth = 0.0
    """Cost of operating mining, without energy, per MW of mining load (at the meter) and month."""
    fixed_opex_usd_per_month: UsdPerMonth = 0.0
    """Rent, staff, security: paid while the site is open, whatever runs."""
    import_duty_frac: Annotated[float, Quantity("fraction", 0.0, 2.0)] = 0.0
    """Customs and taxes on machines that arrive, as a share of their value."""
    carbon_t_per_mwh: Annotated[float, Quantity("t/MWh", 0.0, 2.0, "in t: 400 kg a MWh is 0.4")] | None = None
    """Carbon that a MWh at the meter causes; none is counted if absent."""
    lease_end_month: Month | None = None
    """First month in which the site can no longer be used."""
    opening: Opening | None = None
    """Terms of opening; absent for a site that is open."""
    construction_outcomes: tuple[ConstructionOutcome, ...] = ()
    """How the building of contracts here may turn out, other than as planned."""

    @model_validator(mode="after")
    def _ramp(self) -> Site:
        months = [step.from_month for step in self.grid]
        if months != sorted(set(months)):
            raise problem("grid", "steps of grid are not in ascending order of month", "sort them, one step a month")
        for step, added in zip(self.grid, self.added_grid_mw, strict=True):
            if step.advance is not None and added <= 0.0:
                raise problem(
                    "advance",
                    f"the step of {step.from_month:%Y-%m} adds {added:g} MW and can be brought forward",
                    "only a step that adds MW is worth a price; drop its advance",
                )
        names = [building.name for building in self.buildings]
        if len(names) != len(set(names)):
            raise problem("buildings", f"two buildings of {self.name} have one name", "give every one its own name")
        if len(self.hosting_pue_by_month) not in (0, MONTHS_PER_YEAR):
            raise problem(
                "hosting_pue_by_month",
                f"hosting_pue_by_month has {len(self.hosting_pue_by_month)} values",
                "give 12, January to December",
            )
        total = sum(outcome.probability_frac for outcome in self.construction_outcomes)
        if total > MOST_PROBABILITY:
            raise problem(
                "construction_outcomes",
                f"the outcomes of construction at {self.name} have a probability of {total:g} together",
                "they must sum to 1 or less; what is left is that all is built as planned",
            )
        return self

    @property
    def added_grid_mw(self) -> tuple[float, ...]:
        """What each grid step adds to the one before it, in MW; negative where the limit falls."""
        limits = [step.grid_mw for step in self.grid]
        return tuple(later - earlier for earlier, later in zip([0.0, *limits], limits, strict=False))

    @property
    def can_mine(self) -> bool:
        """Whether there are halls, or can be."""
        return self.hall_mw > 0.0 or self.hall_expansion is not None

    def grid_mw_at(self, month: dt.date) -> float:
        """Import limit in a month in MW as stated; 0 after the lease ends. Does not look at ``opening``."""
        if self.lease_end_month is not None and month >= self.lease_end_month:
            return 0.0
        return max([0.0, *[step.grid_mw for step in self.grid if step.from_month <= month][-1:]])

    def load_income_usd_per_mw(self, month: dt.date) -> float:
        """Demand response and transmission credits per MW of mining load in a month, while they last."""
        income = 0.0
        if self.demand_response is not None and _lasts(self.demand_response.until_month, month):
            income += self.demand_response.usd_per_mw_month
        if self.transmission_credit is not None and _lasts(self.transmission_credit.until_month, month):
            income += self.transmission_credit.usd_per_kw_year * KW_PER_MW / MONTHS_PER_YEAR
        return income

    def hosting_pue_at(self, month: dt.date) -> float:
        """Hosting pue in a month."""
        return self.hosting_pue_by_month[month.month - 1] if self.hosting_pue_by_month else self.hosting_pue


def _lasts(until_month: dt.date | None, month: dt.date) -> bool:
    return until_month is None or month < until_month
