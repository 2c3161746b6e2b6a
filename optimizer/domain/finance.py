"""Money: discounting, liquidity, budgets, debt, and what counts after the horizon."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, model_validator

from optimizer.domain.base import (
    Frac,
    GrowthPerYear,
    Month,
    Months,
    Name,
    Quantity,
    RatePerYear,
    Usd,
    UsdPerMonth,
    Value,
    problem,
)
from optimizer.domain.stress import Stress


class Objective(StrEnum):
    """What a plan is chosen for."""

    NPV = "npv"
    """Expected NPV."""
    ENTERPRISE_VALUE = "enterprise_value"
    """Multiples times the earnings of a stated year, plus cash less debt at its end, discounted to the start."""


NPV_WEIGHT_AMONG_EQUALS: Final = 1e-4
"""Weight of the NPV beside an enterprise value: of plans that are worth the same then, the better one is chosen."""


class DiscountRates(Value):
    """Discount rate of each business line, a year."""

    mining_per_year_frac: RatePerYear = 0.15
    """Mining margins, machines, site costs of mining."""
    hosting_per_year_frac: RatePerYear = 0.09
    """Contracted rents and their capex."""
    gpu_per_year_frac: RatePerYear = 0.14
    """Own GPU clusters."""
    corporate_per_year_frac: RatePerYear = 0.10
    """Overhead, fixed site costs, site openings."""


class CapexBudget(Value):
    """A ceiling on the owner's capital expenditure in a window of months."""

    name: Name
    """Unique name, as ``2027-Q3``."""
    from_month: Month
    """First month of the window."""
    until_month: Month
    """Last month of the window."""
    maximum_capex_usd: Usd
    """Most that may be spent in it: builds, machines, GPUs and openings, before debt, without the tenants' share."""

    @model_validator(mode="after")
    def _window(self) -> CapexBudget:
        if self.until_month < self.from_month:
            raise problem("window", f"budget {self.name} ends before it starts", "swap the months")
        return self


class ProjectDebt(Value):
    """Terms on which the building of a hosting contract can be financed."""

    loan_to_cost_frac: Frac
    """Most that can be borrowed, as a share of the owner's capex of the contract; capitalised interest counts on both
    sides."""
    interest_per_year_frac: RatePerYear
    """Interest a year, paid monthly on the balance at the start of the month."""
    origination_fee_frac: Frac = 0.01
    """Fee, paid with each draw, as a share of it."""
    amortization_months: Annotated[int, Quantity("months", 1, 480)]
    """Equal monthly instalments, from the month after full energization; the rest falls due when the term ends."""
    minimum_dscr: Annotated[float, Quantity("1", 0.0, 10.0)] = 1.3
    """Least contracted net operating income over debt service, in every month from full energization to the
    term's end."""
    maximum_debt_usd: Usd | None = None
    """Most debt outstanding at any time."""
    capitalise_interest: bool = False
    """Whether interest up to full energization is added to the balance instead of paid."""


class Multiples(Value):
    """Earnings multiples for the enterprise value of a stated year: reported, and optimised if it is the objective."""

    year: Annotated[int, Quantity("calendar year", 2009, 2200)]
    """Calendar year of the earnings."""
    hosting_multiple: Annotated[float, Quantity("1", 0.0, 100.0)] = 18.0
    """Enterprise value over yearly hosting earnings."""
    mining_multiple: Annotated[float, Quantity("1", 0.0, 100.0)] = 8.0
    """Enterprise value over yearly mining earnings."""
    gpu_multiple: Annotated[float, Quantity("1", 0.0, 100.0)] = 8.0
    """Enterprise value over yearly earnings of own GPUs."""
    discount_per_year_frac: RatePerYear = 0.12
    """Rate at which the value at the end of that year is discounted where it is the objective."""


WriteOffYears = Annotated[int, Quantity("years", 1, 50)]


class CorporateTax(Value):
    """Tax on the company's expected income, by calendar year."""

    rate_frac: Frac
    """Tax over taxable income."""
    hosting_write_off_years: WriteOffYears = 15
    """Years over which the owner's capex of contracts is written off, in equal parts from the month in which it is
    paid."""
    machine_write_off_years: WriteOffYears = 5
    """The same for machines that are bought."""
    gpu_write_off_years: WriteOffYears = 5
    """The same for own GPUs and their fit-out."""
    opening_write_off_years: WriteOffYears = 15
    """The same for openings of sites and works at them."""
    bonus_share_frac: Frac = 0.0
    """Share of all capex that is written off at once, in the month in which it is paid."""
    interest_deductible: bool = True
    """Whether interest and fees of project debt lower taxable income."""
    opening_losses_usd: Usd = 0.0
    """Losses carried forward from before the start."""
    loss_income_share_frac: Frac = 0.8
    """Most of a year's taxable income that losses carried forward may offset."""


class TerminalValue(Value):
    """What still counts after the last month of the horizon."""

    contract_tail_frac: Frac = 1.0
    """Share of the expected discounted margin of signed contracts after the horizon that is counted."""
    mining_tail_months: Months = 0
    """Months for which the mining margin of the last month is counted on, where the site's lease lasts."""
    machine_resale_frac: Frac = 1.0
    """Share of the resale value of the machines at the end that is counted."""


class Finance(Value):
    """The balance sheet that all sites share."""

    discount: DiscountRates = DiscountRates()
    """Discount rates."""
    opening_cash_usd: Usd
    """Cash at the start."""
    minimum_liquidity_usd: Usd = 0.0
    """Least cash at the end of every period."""
    stresses: tuple[Stress, ...] = ()
    """Futures without chance in which cash must stay above a floor of their own."""
    capex_budgets: tuple[CapexBudget, ...] = ()
    """Ceilings on capital expenditure, by quarter or cumulative."""
    project_debt: ProjectDebt | None = None
    """Project debt; none if absent."""
    overhead_usd_per_month: UsdPerMonth = 0.0
    """Corporate overhead."""
    overhead_growth_per_year_frac: GrowthPerYear = 0.0
    """Its growth a year, applied monthly."""
    multiples: Multiples | None = None
    """Multiples for the enterprise value."""
    objective: Objective = Objective.NPV
    """What the plan is chosen for."""
    tax: CorporateTax | None = None
    """Corporate tax; all figures are before tax if absent."""
    terminal: TerminalValue = Field(default_factory=TerminalValue)
    """What counts after the horizon."""

    @model_validator(mode="after")
    def _multiples_for_the_objective(self) -> Finance:
        if self.objective is Objective.ENTERPRISE_VALUE and self.multiples is None:
            told = "an enterprise value as the objective needs multiples"
            raise problem("multiples", told, "state their year and what they are")
        return self

    @model_validator(mode="after")
    def _losses_are_used_early(self) -> Finance:
        if self.tax is not None and self.discount.corporate_per_year_frac <= 0.0:
            told = "with a corporate discount rate of 0 it does not matter when losses are used"
            raise problem("tax", told, "state a corporate_per_year_frac above 0")
        return self
