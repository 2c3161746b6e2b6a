"""The distribution behind the expectation: a plan's NPV and cash in every scenario, and measures of them."""

from optimizer.risk.drivers import tail_drivers
from optimizer.risk.measures import (
    cvar_standard_error_usd,
    cvar_usd,
    distribution_of,
    liquidity_of,
    tail_of,
    tail_shares,
)
from optimizer.risk.outcomes import fresh_npv_usd, of_another_seed, scenario_cash_usd, scenario_npv_usd

__all__ = [
    "cvar_standard_error_usd",
    "cvar_usd",
    "distribution_of",
    "fresh_npv_usd",
    "liquidity_of",
    "of_another_seed",
    "scenario_cash_usd",
    "scenario_npv_usd",
    "tail_drivers",
    "tail_of",
    "tail_shares",
]
