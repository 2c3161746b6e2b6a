"""The result: decisions, money, and the proof that they are good and true."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from optimizer.domain.base import Month, Name, Value
from optimizer.domain.options import SolveOptions

Real = Annotated[float, Field(allow_inf_nan=False)]
PLAN_FORMAT = 1


class TerminationReason(StrEnum):
    """What is known about the answer."""

    OPTIMAL = "optimal"
    """A plan, proven to be within the gap asked for."""
    FEASIBLE = "feasible"
    """A plan; a limit was reached before the gap."""
    INFEASIBLE = "infeasible"
    """Proven: no plan satisfies all statements."""
    UNBOUNDED = "unbounded"
    """The statements allow unlimited profit; something is missing from them."""
    NO_PLAN_FOUND = "no-plan-found"
    """A limit was reached before any plan was found; there may be one."""


class Limit(StrEnum):
    """What stopped the search, if anything did."""

    NONE = "none"
    TIME = "time"
    INTERRUPTED = "interrupted"


class Termination(Value):
    """How the search ended."""

    reason: TerminationReason
    """What is known about the answer."""
    limit: Limit = Limit.NONE
    """What stopped the search."""
    detail: str = ""
    """More, in words."""
    objective_usd: Real | None = None
    """Expected NPV of the plan."""
    bound_usd: Real | None = None
    """No plan can be worth more than this."""
    gap_frac: Real | None = None
    """(bound - objective) / |objective|."""
    node_count: int = 0
    """Branch-and-bound nodes."""

    @property
    def has_plan(self) -> bool:
        """Whether there is a plan."""
        return self.reason in (TerminationReason.OPTIMAL, TerminationReason.FEASIBLE)


class ContractDecision(Value):
    """A contract to sign."""

    offer: Name
    """Name of the offer."""
    site: Name
    """Where."""
    sign_month: Month
    """When it is signed."""
    critical_mw: Real
    """MW of critical IT."""
    debt_usd: Real = 0.0
    """Project debt."""


class ModeCount(Value):
    """Machines running up to a mode."""

    mode: int
    """Index of the ceiling mode in the ASIC model's list."""
    machine_count: Real
    """How many."""


class MachineDecision(Value):
    """What happens to one class of machines at one site in one period; machines are not rounded to whole ones."""

    site: Name
    """Site."""
    asic_model: Name
    """ASIC model."""
    condition_frac: Real = 1.0
    """Condition of the class."""
    month: Month
    """First month of the period."""
    running: tuple[ModeCount, ...] = ()
    """Machines running, by ceiling mode."""
    stock_count: Real = 0.0
    """Machines at the site, running or stored."""
    bought_count: Real = 0.0
    """Machines ordered."""
    sold_count: Real = 0.0
    """Machines sold."""
    moved_out_count: Real = 0.0
    """Machines that leave for another site."""
    moved_in_count: Real = 0.0
    """Machines that arrive from another site."""


class GpuOrder(Value):
    """GPU blocks to order."""

    gpu_option: Name
    """Name of the GPU option."""
    site: Name
    """Where they will stand."""
    order_month: Month
    """When they are ordered."""
    block_count: int
    """How many."""


class SiteOpening(Value):
    """A site to open."""

    site: Name
    """Name of the site."""
    month: Month
    """When the decision is taken."""


class Decisions(Value):
    """Everything that is decided; the rest of a plan follows from it and the portfolio."""

    contracts: tuple[ContractDecision, ...] = ()
    """Contracts, in order of signing."""
    machines: tuple[MachineDecision, ...] = ()
    """Machines by site, class and period; absent means none."""
    gpu_orders: tuple[GpuOrder, ...] = ()
    """GPU blocks."""
    site_openings: tuple[SiteOpening, ...] = ()
    """Openings."""


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
    """Expected NPV of the contract on the hosting line, tail included, before what the site would earn otherwise."""


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
    hosting_noi_usd: Real
    """Rents, re-lease and recoveries less landlord's opex and energy."""
    hosting_prepayments_usd: Real
    """Prepayments received, less credits."""
    hosting_capex_usd: Real
    """The owner's capex of contracts."""
    gpu_margin_usd: Real
    """Rental of own GPUs less energy and opex."""
    gpu_capex_usd: Real
    """GPU blocks, less residual values received."""
    site_costs_usd: Real
    """Fixed opex of sites."""
    opening_capex_usd: Real
    """Site openings."""
    overhead_usd: Real
    """Corporate overhead."""
    debt_draws_usd: Real
    """Debt drawn."""
    debt_service_usd: Real
    """Fees, interest and principal."""
    net_cash_usd: Real
    """Sum of all of them."""
    cash_usd: Real
    """Cash at the end of the month."""
    debt_usd: Real
    """Debt outstanding at the end of the month."""


class EarningsRow(Value):
    """Expected earnings of one calendar year in USD, before capex, debt and discounting."""

    year: int
    """Calendar year."""
    month_count: int
    """Months of it inside the horizon."""
    mining_usd: Real
    """Mining margin."""
    hosting_usd: Real
    """Hosting net operating income."""
    gpu_usd: Real
    """Margin of own GPUs."""
    cost_usd: Real
    """Fixed site costs and overhead, negative."""


class NpvBreakdown(Value):
    """Expected NPV by business line in USD, terminal values included."""

    mining_usd: Real
    """Mining."""
    hosting_usd: Real
    """Hosting."""
    gpu_usd: Real
    """Own GPUs."""
    corporate_usd: Real
    """Fixed costs, openings, overhead."""
    debt_usd: Real
    """Debt: its fees."""
    total_usd: Real
    """All together: the objective."""


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


class BusinessAsUsual(Value):
    """The twin that mines on: no contracts, GPUs or openings; machines still run, are sold and move at their best."""

    feasible: bool
    """Whether it satisfies liquidity and all policies."""
    npv_usd: Real | None = None
    """Its expected NPV."""
    difference_usd: Real | None = None
    """What the plan is worth more."""
    detail: str = ""
    """Why it is not feasible."""


class AuditCheck(Value):
    """One comparison of the independent re-calculation with a limit or with what the model claims."""

    name: Name
    """What was checked."""
    unit: Literal["USD", "MW", "machines", "1", "months", "EH/s"]
    """Unit of the deviation."""
    largest_deviation: Real
    """Largest violation or difference found."""
    tolerance: Real
    """Largest that is accepted."""
    where: str = ""
    """Where the largest was found."""

    @property
    def passed(self) -> bool:
        """Whether the deviation is within tolerance."""
        return self.largest_deviation <= self.tolerance


class AuditReport(Value):
    """The independent re-calculation of a plan."""

    checks: tuple[AuditCheck, ...]
    """All checks."""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[AuditCheck, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)


class FilledIn(Value):
    """A default that was used because the portfolio did not say."""

    path: str
    """Path of the field."""
    value: str
    """The value used."""


class ModelSize(Value):
    """Size of the mixed-integer program."""

    rows: int
    """Constraints."""
    columns: int
    """Variables."""
    integers: int
    """Integer variables."""
    nonzeros: int
    """Nonzero coefficients."""


class Seconds(Value):
    """Wall time of a stage."""

    stage: Name
    """Name of the stage."""
    seconds: Real
    """Wall seconds."""


class Version(Value):
    """A component that took part."""

    component: Name
    """Name."""
    version: Name
    """Version."""


class Manifest(Value):
    """What is needed to reproduce the plan."""

    portfolio_name: Name
    """Name of the portfolio."""
    portfolio_sha256: str
    """Hash of the canonical portfolio, series included."""
    options: SolveOptions
    """Options in force."""
    versions: tuple[Version, ...]
    """Versions of what took part."""
    model_size: ModelSize | None = None
    """Size of the program."""
    timings: tuple[Seconds, ...] = ()
    """Wall time by stage."""


class Plan(Value):
    """The answer to a portfolio."""

    format: int = PLAN_FORMAT
    """Version of this layout."""
    termination: Termination
    """How the search ended."""
    decisions: Decisions = Decisions()
    """What to do."""
    contracts: tuple[ContractOutcome, ...] = ()
    """Signed contracts with dates and worth."""
    capacity: tuple[CapacityRow, ...] = ()
    """MW by site, month and use."""
    cash_flow: tuple[CashFlowRow, ...] = ()
    """Expected cash by month."""
    earnings: tuple[EarningsRow, ...] = ()
    """Expected earnings by year."""
    npv: NpvBreakdown | None = None
    """Expected NPV by line."""
    distribution: NpvDistribution | None = None
    """NPV over the scenarios."""
    business_as_usual: BusinessAsUsual | None = None
    """The twin that mines on."""
    enterprise_value_usd: Real | None = None
    """Earnings of the stated year times the stated multiples."""
    audit: AuditReport | None = None
    """The independent re-calculation."""
    filled_in: tuple[FilledIn, ...] = ()
    """Defaults used."""
    manifest: Manifest
    """What is needed to reproduce it."""

    @property
    def audit_failed(self) -> bool:
        """Whether there is a plan and its audit found a deviation."""
        return self.audit is not None and not self.audit.passed


class Progress(Value):
    """One moment of a running job."""

    stage: Literal["queued", "curves", "build", "solve", "twin", "audit", "done"]
    """What is being done."""
    elapsed_s: Real
    """Wall time since the start of the job."""
    incumbent_usd: Real | None = None
    """Expected NPV of the best plan so far."""
    bound_usd: Real | None = None
    """No plan can be worth more."""
    gap_frac: Real | None = None
    """Relative gap between the two."""
    node_count: int = 0
    """Branch-and-bound nodes."""
