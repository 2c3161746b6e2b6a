"""The distribution behind the expectation: a plan's NPV in every scenario, and measures of it."""

from optimizer.risk.measures import cvar_usd, distribution_of
from optimizer.risk.outcomes import scenario_npv_usd

__all__ = ["cvar_usd", "distribution_of", "scenario_npv_usd"]
