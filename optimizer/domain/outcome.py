"""What follows from the decisions of a plan: MW, cash, earnings, NPV and its distribution, all in expectation."""

from __future__ import annotations

import math
from typing import Final

from optimizer.domain.base import Month, Name, Real, Value
from optimizer.errors import InvalidInputError

NORMAL_95: Final = 1.959964
"""Standard errors to either side of an estimate that make its interval of 95 % confidence."""


class ContractOutcome(Value):
    """What a signed contract means."""

    offer: Name
    """Offer."""
    tenant: Name
    """Tenant."""
    site: Name
    """Site."""
    critical_mw: Real
    """MW of critical IT."""
    grid_mw: Real
    """Grid MW reserved once all phases are live."""
    sign_month: Month
    """Signing."""
    build_start_month: Month
    """Start of building."""
    energize_month: Month
    """First energization."""
    full_energize_month: Month
    """Energization of the last phase."""
    end_month: Month
    """First month after the term."""
    owner_capex_usd: Real
    """Capex that the owner pays."""
    debt_usd: Real
    """Project debt."""
    first_year_rent_usd: Real
    """Contract rent of the first twelve months at full MW."""
    npv_usd: Real
    """Expected NPV of the contract on the hosting line, tail and re-lease included, before what the site would earn
    otherwise."""
    reconverted_mw: Real = 0.0
    """MW of critical IT whose halls are converted back at the end of the term."""
    re_leased_mw: Real = 0.0
    """MW of critical IT that are let again at the end of the term."""

    @property
    def told_at_end(self) -> str:
        """What to do at the end of the term, in words; nothing where nothing is."""
        parts = [f"let {self.re_leased_mw:,.1f} MW of critical IT again"] if self.re_leased_mw else []
        if self.reconverted_mw:
            parts.append(f"convert the halls of {self.reconverted_mw:,.1f} MW back")
        return f"When {self.offer} at {self.site} ends, {' and '.join(parts)}" if parts else ""


class CapacityRow(Value):
    """Use of one site in one month, in MW at the meter."""

    site: Name
    """Site."""
    month: Month
    """Month."""
    grid_mw: Real
    """Import limit."""
    mining_mw: Real
    """Mining."""
    hosting_mw: Real
    """Reserved for contracts."""
    gpu_mw: Real
    """Reserved for own GPUs."""
    idle_mw: Real
    """Unused."""
    hashrate_eh_s: Real
    """Hashrate of the running machines at their ceiling mode."""
    sold_mw: Real = 0.0
    """Sold back to the market."""


class MiningRow(Value):
    """Expected production of one site in one month in which machines run."""

    site: Name
    """Site."""
    month: Month
    """Month."""
    hashrate_eh_s: Real
    """Hashrate of the running machines at their ceiling mode."""
    energy_mwh: Real
    """Energy at the meter; hours in which power is worth more than hash are not in it."""
    mined_btc: Real
    """Bitcoin earned, after the pool's fee."""
    revenue_usd: Real
    """What they are worth when they are earned."""
    power_usd: Real
    """Cost of the energy, adders included; over ``energy_mwh`` it is the realised power price."""


class CashFlowRow(Value):
    """Expected cash of one month in USD; costs are negative."""

    month: Month
    """Month."""
    mining_margin_usd: Real
    """Mining revenue less energy and operating cost, with demand-response income."""
    machine_purchases_usd: Real
    """Machines bought, with duty."""
    machine_sales_usd: Real
    """Machines sold."""
    machine_moves_usd: Real
    """Moves, with duty."""
    hall_capex_usd: Real = 0.0
    """Mining halls added, or converted back."""
    hosting_noi_usd: Real
    """Rents, re-lease and recoveries less landlord's opex and energy."""
    hosting_prepayments_usd: Real
    """Prepayments received, less credits."""
    hosting_capex_usd: Real
    """The owner's capex of contracts, refits for re-lease included."""
    building_capex_usd: Real = 0.0
    """Data-centre buildings."""
    gpu_margin_usd: Real
    """Rental of own GPUs less energy and opex."""
    gpu_capex_usd: Real
    """GPU blocks, less residual values received."""
    site_costs_usd: Real
    """Fixed opex of sites."""
    opening_capex_usd: Real
    """Site openings."""
    interconnect_capex_usd: Real = 0.0
    """Grid steps brought forward."""
    overhead_usd: Real
    """Corporate overhead."""
    debt_draws_usd: Real
    """Debt drawn."""
    debt_service_usd: Real
    """Fees, interest and principal."""
    power_sales_usd: Real = 0.0
    """Power sold back, less its own price and fee."""
    carbon_usd: Real = 0.0
    """Price of carbon."""
    corporate_tax_usd: Real = 0.0
    """Corporate tax."""
    net_cash_usd: Real
    """Sum of all of them."""
    cash_usd: Real
    """Cash at the end of the month."""
    debt_usd: Real
    """Debt outstanding at the end of the month."""


class CarbonRow(Value):
    """Expected carbon of one calendar year."""

    year: int
    """Calendar year."""
    caused_t: Real
    """Carbon of the energy that the owner pays for and uses."""
    maximum_t: Real | None = None
    """The most that is allowed."""
    cost_usd: Real
    """What it costs, positive."""


class CvarOutcome(Value):
    """CVaR, where the plan was chosen with an eye on it."""

    cvar_usd: Real
    """Mean NPV over the tail."""
    cvar_weight_frac: Real
    """Its weight in the objective."""
    minimum_cvar_usd: Real | None = None
    """Its floor."""
    cut_count: int = 0
    """Tails that were stated to the solver."""


class ObjectiveOutcome(Value):
    """An enterprise value that was the objective: what it is made of, in USD at the end of its year."""

    year: int
    """Calendar year of the earnings."""
    multiple_value_usd: Real
    """Expected earnings of the year times the multiples."""
    cash_usd: Real
    """Cash at the end of the year."""
    debt_usd: Real
    """Debt outstanding at the end of the year."""
    value_usd: Real
    """Multiple value plus cash less debt."""
    discounted_usd: Real
    """The same discounted to the start."""


class TaxRow(Value):
    """Corporate tax of one calendar year in USD, on expected income."""

    year: int
    """Calendar year."""
    income_usd: Real
    """Income of its months in the horizon before what is written off."""
    written_off_usd: Real
    """Capex written off, positive."""
    losses_used_usd: Real
    """Losses carried forward that offset income."""
    losses_left_usd: Real
    """Losses carried forward at the end of the year."""
    tax_usd: Real
    """Tax, positive."""


class StressOutcome(Value):
    """The least cash, and the NPV, of the plan in one stress."""

    stress: Name
    """Name of the stress."""
    minimum_liquidity_usd: Real
    """Least cash that was asked for at the end of every period."""
    least_cash_usd: Real
    """Least cash at the end of a month."""
    least_cash_month: Month
    """That month."""
    npv_usd: Real | None = None
    """NPV in the stress; absent in plans of earlier versions."""


class EarningsRow(Value):
    """Expected earnings of one calendar year in USD, before capex, debt and discounting."""

    year: int
    """Calendar year."""
    month_count: int
    """Months of it inside the horizon."""
    mining_usd: Real
    """Mining margin, and power sold back."""
    hosting_usd: Real
    """Hosting net operating income."""
    gpu_usd: Real
    """Margin of own GPUs."""
    cost_usd: Real
    """Fixed site costs, overhead and carbon, negative."""


class NpvBreakdown(Value):
    """Expected NPV by business line in USD, terminal values included."""

    mining_usd: Real
    """Mining."""
    hosting_usd: Real
    """Hosting."""
    gpu_usd: Real
    """Own GPUs."""
    corporate_usd: Real
    """Fixed costs, openings, interconnects, overhead."""
    debt_usd: Real
    """Debt: its fees."""
    total_usd: Real
    """All together."""


class Quantile(Value):
    """One quantile of the NPV."""

    probability: Real
    """Probability of at most this NPV."""
    npv_usd: Real
    """NPV."""


class NpvDistribution(Value):
    """NPV of the plan over the scenarios."""

    scenario_count: int
    """Number of scenarios."""
    mean_usd: Real
    """Mean."""
    standard_error_usd: Real
    """Sampling error of the mean."""
    standard_deviation_usd: Real
    """Standard deviation."""
    quantiles: tuple[Quantile, ...]
    """Quantiles in ascending order."""
    tail_probability: Real
    """Mass of the lower tail."""
    var_usd: Real
    """NPV at the edge of the tail."""
    cvar_usd: Real
    """Mean NPV over the tail."""
    cvar_standard_error_usd: Real | None = None
    """Sampling error of the CVaR; absent if the tail holds fewer than two scenarios."""

    @property
    def mean_interval_usd(self) -> tuple[float, float]:
        """Interval of 95 % confidence of the mean."""
        return _interval_usd(self.mean_usd, self.standard_error_usd)

    @property
    def cvar_interval_usd(self) -> tuple[float, float] | None:
        """Interval of 95 % confidence of the CVaR; None if the tail holds fewer than two scenarios."""
        error = self.cvar_standard_error_usd
        return None if error is None else _interval_usd(self.cvar_usd, error)

    def mean_scenarios_needed(self, error_usd: float) -> int:
        """Scenarios for which the interval of the mean reaches no further than ``error_usd`` to either side.

        Raises:
            InvalidInputError: for an error that is not above 0.
        """
        return _scenarios_needed(self.scenario_count, self.standard_error_usd, error_usd)

    def cvar_scenarios_needed(self, error_usd: float) -> int | None:
        """The same for the CVaR; None if the tail holds fewer than two scenarios.

        Raises:
            InvalidInputError: for an error that is not above 0.
        """
        error = self.cvar_standard_error_usd
        return None if error is None else _scenarios_needed(self.scenario_count, error, error_usd)


def _interval_usd(estimate_usd: float, standard_error_usd: float) -> tuple[float, float]:
    return estimate_usd - NORMAL_95 * standard_error_usd, estimate_usd + NORMAL_95 * standard_error_usd


def _scenarios_needed(scenario_count: int, standard_error_usd: float, error_usd: float) -> int:
    """A standard error falls with the root of the number of scenarios."""
    if not 0.0 < error_usd < math.inf:
        raise InvalidInputError.single("error_usd", f"is {error_usd!r}", "state an error above 0", "statistics")
    return max(math.ceil(scenario_count * (NORMAL_95 * standard_error_usd / error_usd) ** 2), 1)


class OwnHashrateRow(Value):
    """The plan's hashrate in one month, and how hashprice answers."""

    month: Month
    """Month."""
    hashrate_eh_s: Real
    """Hashrate of the running machines at their ceiling mode."""
    hashprice_multiplier: Real
    """Hashprice over what it would be if the fleets of the start ran on."""


class OwnHashrate(Value):
    """What the plan's own machines, leaving or joining, do to the hashprice of those that stay."""

    initial_eh_s: Real
    """Hashrate of the fleets at the start, which is in the market's network path."""
    npv_effect_usd: Real
    """What the answer of hashprice is worth to the plan."""
    deviation_frac: Real
    """Largest relative difference between the hashprice that the plan was made under and the one that it makes."""
    months: tuple[OwnHashrateRow, ...]
    """By month."""


class BusinessAsUsual(Value):
    """The twin that mines on: no contracts, GPUs or openings; machines still run, are sold and move at their best."""

    feasible: bool | None = None
    """Whether it satisfies liquidity and all policies; absent if the search was stopped before that was known."""
    npv_usd: Real | None = None
    """Its expected NPV."""
    difference_usd: Real | None = None
    """What the plan's NPV is more."""
    discounted_value_usd: Real | None = None
    """Its discounted enterprise value, where that is the objective: the twin is then the best for it."""
    detail: str = ""
    """Why it is not feasible."""
