"""The result: decisions, money, and the proof that they are good and true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from optimizer.domain.base import Name, Real, Value
from optimizer.domain.decisions import ContractDecision, Decisions, Work
from optimizer.domain.finance import Objective
from optimizer.domain.frames import FRAMES, capacity_frame
from optimizer.domain.liquidity import LiquidityRisk
from optimizer.domain.outcome import (
    BusinessAsUsual,
    CapacityRow,
    CarbonRow,
    CashFlowRow,
    ContractOutcome,
    CvarOutcome,
    EarningsRow,
    MiningRow,
    NpvBreakdown,
    NpvDistribution,
    ObjectiveOutcome,
    OwnHashrate,
    StressOutcome,
    TaxRow,
)
from optimizer.domain.policy import ChangeHurdle
from optimizer.domain.proof import AuditReport, FilledIn, Manifest, Termination
from optimizer.domain.tail import TailDriver

if TYPE_CHECKING:
    import pandas as pd

PLAN_FORMAT = 1
NPV: Final = "NPV"
"""What a plan is chosen for as a rule, in words."""


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
    mining: tuple[MiningRow, ...] = ()
    """Energy, bitcoin and revenue of mining by site and month."""
    cash_flow: tuple[CashFlowRow, ...] = ()
    """Expected cash by month."""
    earnings: tuple[EarningsRow, ...] = ()
    """Expected earnings by year."""
    npv: NpvBreakdown | None = None
    """Expected NPV by line."""
    npv_after_horizon: NpvBreakdown | None = None
    """The part of it that counts after the horizon; the rest is the discounted cash flow."""
    distribution: NpvDistribution | None = None
    """NPV over the scenarios."""
    out_of_sample: NpvDistribution | None = None
    """NPV of the same decisions over as many scenarios of another seed; absent if nothing is drawn that matters."""
    business_as_usual: BusinessAsUsual | None = None
    """The twin that mines on."""
    objective: Objective = Objective.NPV
    """What the plan was chosen for: objective, bound and gap of the termination are in its terms."""
    enterprise: ObjectiveOutcome | None = None
    """The enterprise value, where it was the objective."""
    liquidity: LiquidityRisk | None = None
    """How likely cash runs short."""
    cvar: CvarOutcome | None = None
    """CVaR, where it counted."""
    hurdle: ChangeHurdle | None = None
    """What changes against a previous plan took off the objective, where they have a price."""
    tail_drivers: tuple[TailDriver, ...] = ()
    """What makes the tail worse than the mean, worst first; together CVaR less mean."""
    carbon: tuple[CarbonRow, ...] = ()
    """Carbon by year, where there is a rule on it."""
    tax: tuple[TaxRow, ...] = ()
    """Corporate tax by year."""
    stresses: tuple[StressOutcome, ...] = ()
    """Least cash in each stress."""
    own_hashrate: OwnHashrate | None = None
    """What the plan does to hashprice, where the market answers."""
    enterprise_value_usd: Real | None = None
    """Earnings of the stated year times the stated multiples."""
    audit: AuditReport | None = None
    """The independent re-calculation."""
    filled_in: tuple[FilledIn, ...] = ()
    """Defaults used."""
    manifest: Manifest
    """What is needed to reproduce it."""

    @property
    def works(self) -> tuple[Work, ...]:
        """Works at sites, and what is done at the ends of contracts, in words."""
        ends = [Work(item.site, item.end_month, item.told_at_end) for item in self.contracts if item.told_at_end]
        return (*self.decisions.works, *ends)

    @property
    def objective_told(self) -> str:
        """What the plan was chosen for, in words: what objective, bound and gap of the termination mean."""
        weight = self.cvar.cvar_weight_frac if self.cvar is not None else 0.0
        told = "discounted enterprise value" if self.objective is Objective.ENTERPRISE_VALUE else NPV
        price = " - price of changes" if self.hurdle is not None else ""
        return told + (f" + {weight:g} x CVaR" if weight else "") + price

    @property
    def audit_failed(self) -> bool:
        """Whether there is a plan and its audit found a deviation."""
        return self.audit is not None and not self.audit.passed

    @property
    def capacity_mw(self) -> pd.DataFrame:
        """Use of every site in every month, in MW at the meter; index ``month``."""
        return capacity_frame(self)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Every table of the plan by its name: dates as index, units in the names of columns."""
        return {name: frame_of(self) for name, frame_of in FRAMES.items()}

    def plot(self, chart: str = "use-company") -> Any:
        """A chart of the report as a Plotly figure: the use of all sites' power, or another one by its name.

        Raises:
            NotFoundError: for a chart that the report of this plan does not have; it names those it has.
        """
        from optimizer.report.notebook import plotted

        return plotted(self, chart)

    def _repr_html_(self) -> str:
        """The answer, its contracts and its audit, for notebooks."""
        from optimizer.report.notebook import summary_html

        return summary_html(self)


class SiteUse(Value):
    """What a site's power is used for in a year: the mean over its months in the horizon."""

    site: Name
    """Name of the site."""
    year: int
    """Calendar year."""
    mining_mw: Real
    """Mining."""
    hosting_mw: Real
    """Reserved for contracts; of a longer period the most in it."""
    gpu_mw: Real
    """Reserved for own GPUs; of a longer period the most in it."""


class Incumbent(Value):
    """The best plan so far, in short."""

    contracts: tuple[ContractDecision, ...] = ()
    """Contracts that it signs."""
    use: tuple[SiteUse, ...] = ()
    """Use of power by site and year, where there is any."""


class Progress(Value):
    """One moment of a running job."""

    stage: Literal["queued", "curves", "build", "solve", "twin", "audit", "done"]
    """What is being done."""
    elapsed_s: Real
    """Wall time since the start of the job."""
    incumbent_usd: Real | None = None
    """What the best plan so far is worth: its expected NPV, or what else the objective is."""
    bound_usd: Real | None = None
    """No plan can be worth more."""
    gap_frac: Real | None = None
    """Relative gap between the two."""
    node_count: int = 0
    """Branch-and-bound nodes."""
    incumbent: Incumbent | None = None
    """What that plan does, while it is searched for."""
