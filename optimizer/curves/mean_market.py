"""What a planner with one forecast believes in: the mean of every market path, and nobody who fails or is late."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.domain.offer import Credit
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.risk import RiskSpec
from optimizer.domain.uncertainty import Factor, FactorPaths, ScenarioPath, ScenarioTable

_NETWORK = list(Factor).index(Factor.NETWORK_HASHRATE)


def mean_portfolio(futures: Futures) -> Portfolio:
    """The portfolio of ``futures`` with one scenario: the means of all; of it no tail is counted.

    The mean of the network's hashrate has its response to the bitcoin price in it. Tenants do not default, sites are
    built as planned and open; stresses stay what they are.
    """
    portfolio = futures.portfolio
    paths = tuple(
        FactorPaths(factor=factor, scenarios=(ScenarioPath(values=tuple(values)),))
        for factor, values in zip(Factor, _mean_multipliers(futures).tolist(), strict=True)
    )
    certain: dict[str, object] = {"scenario_table": ScenarioTable(paths=paths)}
    certain |= dict.fromkeys(("uncertainty", "correlations", "overlays", "country_risks"), ())
    certain |= dict.fromkeys(("bootstrap", "credit_factor"))
    return portfolio.model_copy(
        update={
            "market": portfolio.market.model_copy(update=certain),
            "offers": tuple(item.model_copy(update={"credit": _sound(item.credit)}) for item in portfolio.offers),
            "sites": tuple(item.model_copy(update={"construction_outcomes": ()}) for item in portfolio.sites),
            "risk": RiskSpec(scenario_count=1, seed=portfolio.risk.seed),
        }
    )


def _sound(credit: Credit) -> Credit:
    """Nobody fails; a backstopper that could still can in a stress."""
    backstop = None if credit.backstop_hazard_per_year_frac is None else 0.0
    none = {"default_hazard_per_year_frac": 0.0, "backstop_hazard_per_year_frac": backstop}
    return credit.model_copy(update=none)


def _mean_multipliers(futures: Futures) -> NDArray[np.float64]:
    """Means of the multipliers over all scenarios, ``[5, T_ext]``."""
    months, found = futures.month_count, np.zeros((len(Factor), futures.extended_month_count))
    network = np.zeros(months)
    for shard in futures.shards():
        found += shard.multipliers.sum(axis=2)
        network += shard.network_eh_s.sum(axis=1)
    found[_NETWORK, :months] = network / futures.path(futures.portfolio.market.network_eh_s, months)
    return found / futures.scenario_count
