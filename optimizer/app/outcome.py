"""What follows from the decisions of a plan, and what reproduces it, as the fields of the plan."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from optimizer.audit import Recalculation, Tail, stress_outcomes
from optimizer.audit.changes import hurdle_of
from optimizer.curves.futures import Futures
from optimizer.domain.decisions import Decisions
from optimizer.domain.liquidity import LiquidityRisk
from optimizer.domain.options import SolveOptions
from optimizer.domain.outcome import CvarOutcome
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Manifest, Version
from optimizer.io.portfolios import fingerprint
from optimizer.risk import (
    distribution_of,
    fresh_npv_usd,
    liquidity_of,
    scenario_cash_usd,
    scenario_npv_usd,
    tail_drivers,
    tail_of,
)

COMPONENTS = ("capacity-optimizer", "numpy")
MOST_CASH_SCENARIOS = 10_000
"""Cash by scenario and period is in memory at once; a probability is then good to half a per cent."""


def tail_scenarios(portfolio: Portfolio, futures: Futures, decisions: Decisions) -> Tail:
    """The scenarios over which the CVaR of decisions is the mean, where it counts; else none."""
    if not portfolio.risk.counts_tail:
        return ()
    return tail_of(futures, scenario_npv_usd(portfolio, futures, decisions, 0.0), portfolio.risk.tail_probability)


def outcome_fields(portfolio: Portfolio, futures: Futures, found: Recalculation, cut_count: int = 0) -> dict[str, Any]:
    """Fields of a plan that follow from its decisions; ``cut_count`` tails were stated to find them."""
    risk, tail_probability = portfolio.risk, portfolio.risk.tail_probability
    npv = scenario_npv_usd(portfolio, futures, found.decisions, found.npv_usd)
    fresh = fresh_npv_usd(portfolio, futures, found.decisions, npv)
    return {
        "decisions": found.decisions,
        "contracts": found.contracts,
        "capacity": found.capacity,
        "mining": found.mining,
        "cash_flow": found.cash_flow,
        "earnings": found.earnings,
        "npv": found.npv,
        "npv_after_horizon": found.npv_after_horizon,
        "enterprise": found.enterprise,
        "cvar": None
        if found.cvar_usd is None
        else CvarOutcome(
            cvar_usd=found.cvar_usd,
            cvar_weight_frac=risk.cvar_weight_frac,
            minimum_cvar_usd=risk.minimum_cvar_usd,
            cut_count=cut_count,
        ),
        "hurdle": hurdle_of(found.book),
        "carbon": found.carbon,
        "tax": found.tax,
        "stresses": stress_outcomes(found),
        "enterprise_value_usd": found.enterprise_value_usd,
        "distribution": distribution_of(npv, tail_probability),
        "tail_drivers": tail_drivers(portfolio, futures, found.decisions, npv),
        "liquidity": _liquidity(portfolio, futures, found),
        "out_of_sample": None if fresh is None else distribution_of(fresh, tail_probability),
    }


def _liquidity(portfolio: Portfolio, futures: Futures, found: Recalculation) -> LiquidityRisk:
    few = replace(futures, scenario_count=min(futures.scenario_count, MOST_CASH_SCENARIOS))
    last = [period.last for period in portfolio.horizon.periods]
    cash = scenario_cash_usd(portfolio, few, found.decisions, found.cash_usd[last])
    months = [portfolio.horizon.month_at(month) for month in last]
    return liquidity_of(cash, portfolio.finance.minimum_liquidity_usd, months, portfolio.risk.tail_probability)


def manifest_of(portfolio: Portfolio, options: SolveOptions, packages: Sequence[str] = (), **more: Any) -> Manifest:
    """What reproduces a plan; ``packages`` took part beside our own."""
    versions = [Version(component="python", version=platform.python_version())]
    versions += [Version(component=name, version=version(name)) for name in (*COMPONENTS, *packages)]
    return Manifest(
        portfolio_name=portfolio.name,
        portfolio_sha256=fingerprint(portfolio),
        options=options,
        versions=tuple(versions),
        **more,
    )
