"""Value objects: what a planner states (:class:`Portfolio`) and what comes back (:class:`Plan`)."""

from optimizer.domain.base import Value, ValuePath, add_months, months_between, validated
from optimizer.domain.construction import ConstructionOutcome
from optimizer.domain.decisions import (
    BuildingOrder,
    ContractDecision,
    Decisions,
    GpuOrder,
    GridAdvance,
    HallOrder,
    MachineDecision,
    ModeCount,
    PowerSale,
    SiteOpening,
)
from optimizer.domain.finance import (
    CapexBudget,
    CorporateTax,
    DiscountRates,
    Finance,
    Multiples,
    Objective,
    ProjectDebt,
    TerminalValue,
)
from optimizer.domain.fleet import AsicModel, Fleet, OperatingMode
from optimizer.domain.gpu import CapCurve, GpuOption, GpuRefresh, ScaleTranche
from optimizer.domain.horizon import Horizon, Period, Segment
from optimizer.domain.market import DifficultyRule, Market
from optimizer.domain.offer import (
    Credit,
    Offer,
    OfferSite,
    Phase,
    PowerPayer,
    Prepayment,
    Reconversion,
    ReLease,
    Renewal,
)
from optimizer.domain.options import SolveOptions
from optimizer.domain.outcome import BusinessAsUsual, NpvDistribution
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.policy import Placement, Policy
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import AuditCheck, AuditReport, Limit, Termination, TerminationReason
from optimizer.domain.risk import RiskSpec
from optimizer.domain.series import HourlyPrices, HourlySeries, MarketOperator, MissingHours, SeriesFile
from optimizer.domain.site import (
    AdvanceTerms,
    Building,
    DemandResponse,
    GridStep,
    HallExpansion,
    Opening,
    PowerSupply,
    SellBack,
    Site,
    TransmissionCredit,
)
from optimizer.domain.stress import Shock, Stress, StressConstruction, StressDefault
from optimizer.domain.uncertainty import Bootstrap, Factor, FactorCorrelation, FactorUncertainty, Overlay, ScenarioTable

__all__ = [
    "AdvanceTerms", "AsicModel", "AuditCheck", "AuditReport", "Bootstrap", "Building", "BuildingOrder",
    "BusinessAsUsual", "CapCurve", "CapexBudget", "ConstructionOutcome", "ContractDecision", "CorporateTax",
    "Credit", "Decisions", "DemandResponse", "DifficultyRule", "DiscountRates", "Factor", "FactorCorrelation",
    "FactorUncertainty", "Finance", "Fleet", "GpuOption", "GpuOrder", "GpuRefresh", "GridAdvance", "GridStep",
    "HallExpansion", "HallOrder", "Horizon", "HourlyPrices", "HourlySeries", "Limit", "MachineDecision", "Market",
    "MarketOperator", "MissingHours", "ModeCount", "Multiples", "NpvDistribution", "Objective", "Offer", "OfferSite",
    "Opening", "OperatingMode", "Overlay", "Period", "Phase", "Placement", "Plan", "Policy", "Portfolio", "PowerPayer",
    "PowerSale", "PowerSupply", "Prepayment", "Progress", "ProjectDebt", "ReLease", "Reconversion", "Renewal",
    "RiskSpec", "ScaleTranche", "ScenarioTable", "Segment", "SellBack", "SeriesFile", "Shock", "Site",
    "SiteOpening", "SolveOptions", "Stress", "StressConstruction", "StressDefault", "TerminalValue", "Termination",
    "TerminationReason", "TransmissionCredit", "Value", "ValuePath", "add_months", "months_between", "validated",
]  # fmt: skip
