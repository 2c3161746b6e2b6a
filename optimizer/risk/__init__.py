"""The distribution behind the expectation: a plan's NPV in every scenario, and measures of it."""

from optimizer.risk.measures import cvar_standard_error_usd, cvar_usd, distribution_of, tail_of
from optimizer.risk.outcomes import fresh_npv_usd, scenario_npv_usd

__all__ = ["cvar_standard_error_usd", "cvar_usd", "distribution_of", "fresh_npv_usd", "scenario_npv_usd", "tail_of"]
