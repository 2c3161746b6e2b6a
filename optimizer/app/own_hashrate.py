"""What a plan does to the hashprice that it lives on: its own machines leave or join the network."""

from __future__ import annotations

import numpy as np

from optimizer.app.outcome import tail_scenarios
from optimizer.audit import Recalculation, recalculate
from optimizer.curves.futures import Floats, Futures
from optimizer.domain.decisions import Decisions
from optimizer.domain.outcome import OwnHashrate, OwnHashrateRow
from optimizer.domain.portfolio import Portfolio
from optimizer.units import TH_PER_EH


def planned_hashrate_eh_s(portfolio: Portfolio, decisions: Decisions) -> Floats:
    """Hashrate of the running machines at their ceiling modes, with condition, by month, ``[T]``."""
    horizon, models = portfolio.horizon, portfolio.asic_models_by_name
    periods = {horizon.month_at(period.first): period for period in horizon.periods}
    hashrate = np.zeros(horizon.month_count)
    for decision in decisions.machines:
        period, modes = periods[decision.month], models[decision.asic_model].modes
        rate = sum(ran.machine_count * modes[ran.mode].hashrate_th_s for ran in decision.running)
        hashrate[period.first : period.last + 1] += rate * decision.condition_frac / TH_PER_EH
    return hashrate


def deviation_frac(assumed: Futures, made: Futures) -> float:
    """Largest relative difference of hashprice between two answers of the market."""
    return float(np.abs(made.own_hashprice_multiplier / assumed.own_hashprice_multiplier - 1.0).max())


def made(futures: Futures, decisions: Decisions) -> Recalculation:
    """Decisions under the hashprice that they make."""
    answered = futures.answering(planned_hashrate_eh_s(futures.portfolio, decisions))
    return recalculate(futures.portfolio, answered, decisions, tail_scenarios(futures.portfolio, answered, decisions))


def own_hashrate(futures: Futures, decisions: Decisions, npv_usd: float) -> OwnHashrate:
    """What to tell of it: hashrate and hashprice by month, and what the answer of the market is worth to the plan."""
    portfolio = futures.portfolio
    planned = planned_hashrate_eh_s(portfolio, decisions)
    answered = futures.answering(planned)
    unmoved = recalculate(portfolio, Futures.of(portfolio), decisions).npv_usd
    return OwnHashrate(
        initial_eh_s=portfolio.initial_hashrate_eh_s,
        npv_effect_usd=npv_usd - unmoved,
        deviation_frac=deviation_frac(futures, answered),
        months=tuple(
            OwnHashrateRow(month=month, hashrate_eh_s=float(rate), hashprice_multiplier=float(multiplier))
            for month, rate, multiplier in zip(
                portfolio.horizon.months, planned, answered.own_hashprice_multiplier, strict=True
            )
        ),
    )
