"""The market by itself: calibrated from history, and drawn as a fan."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Final

import numpy as np

from optimizer.curves.calibration import calibrate, fan
from optimizer.curves.futures import Floats, Futures
from optimizer.domain.base import validated
from optimizer.domain.market_answers import (
    CalibratedFactor,
    FanRow,
    MarketCalibration,
    MarketCalibrationSpec,
    MarketFan,
    MarketFanSpec,
    MarketQuantity,
)
from optimizer.domain.uncertainty import Factor, FactorCorrelation, FactorUncertainty

PROBABILITIES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_SCENARIOS: Final = 20_000
"""Scenarios of a fan: its quantiles need them all at once, and more do not move them."""
_DIGITS: Final = 4
"""Of what is to be pasted into a portfolio; the standard errors are far above."""

_PATHS: Final[Mapping[MarketQuantity, tuple[str, Callable[[Futures], Floats]]]] = {
    MarketQuantity.HASHPRICE: ("USD per PH/s and day", lambda futures: futures.hashprice_usd_per_ph_day),
    MarketQuantity.BTC_PRICE: ("USD", lambda futures: futures.btc_usd),
    MarketQuantity.NETWORK_HASHRATE: ("EH/s", lambda futures: futures.network_eh_s),
    MarketQuantity.POWER_LEVEL: ("times the hourly series", lambda futures: futures.market_power_level),
    MarketQuantity.GPU_RENTAL: ("times the base path", lambda futures: futures.gpu_rental_multiplier),
    MarketQuantity.RE_LEASE_RENT: ("USD per kW and month", lambda futures: futures.re_lease_rent_usd_per_kw_month),
}
"""Unit and path of each quantity, ``[T or more, W]``."""


def calibrate_market(spec: MarketCalibrationSpec) -> MarketCalibration:
    """Fit the uncertainty of some factors to monthly values (method: ``optimizer.curves.calibration``).

    Raises:
        InvalidInputError: histories that are short, unequal or do not vary.
    """
    found = calibrate(history={item.factor.value: item.values for item in spec.history})
    factors, correlation = tuple(Factor(name) for name in found.factors), _rounded(found.correlation)
    return MarketCalibration(
        month_count=found.month_count,
        factors=tuple(
            CalibratedFactor(
                factor=factor,
                growth_per_year_frac=math.expm1(found.log_growth_per_year[i]),
                volatility_per_year_frac=float(found.volatility_per_year[i]),
                volatility_standard_error_frac=float(found.volatility_standard_error[i]),
                mean_reversion_per_year=float(found.mean_reversion_per_year[i]),
                estimated_reversion_per_year=float(found.estimated_reversion_per_year[i]),
                dickey_fuller_t=float(found.dickey_fuller_t[i]),
            )
            for i, factor in enumerate(factors)
        ),
        uncertainty=tuple(
            validated(
                FactorUncertainty,
                {
                    "factor": factor,
                    "volatility_per_year_frac": round(float(found.volatility_per_year[i]), _DIGITS),
                    "mean_reversion_per_year": round(float(found.mean_reversion_per_year[i]), _DIGITS),
                },
                f"what history says of {factor}",
            )
            for i, factor in enumerate(factors)
        ),
        correlations=tuple(
            FactorCorrelation(first=factors[i], second=factors[j], correlation_frac=correlation[i, j])
            for i, j in combinations(range(len(factors)), 2)
        ),
    )


def _rounded(correlation: Floats) -> Floats:
    """A correlation matrix in few digits that is still positive semidefinite: moved towards none as far as it takes."""
    moved = 0.0
    while True:
        rounded = np.round((1.0 - moved) * correlation + moved * np.eye(len(correlation)), _DIGITS)
        if np.linalg.eigvalsh(rounded)[0] >= 0.0:
            return np.asarray(rounded)
        moved = max(2.0 * moved, 10.0**-_DIGITS)


def market_fan(spec: MarketFanSpec) -> MarketFan:
    """Quantiles by month of one quantity over a portfolio's scenarios, at most :data:`MOST_SCENARIOS` of them."""
    portfolio, (unit, path_of) = spec.portfolio, _PATHS[spec.quantity]
    months = portfolio.horizon.months
    futures = Futures.of(portfolio, scenario_count=min(portfolio.risk.scenario_count, MOST_SCENARIOS))
    paths = np.concatenate([path_of(shard)[: len(months)] for shard in futures.shards()], axis=1)
    quantiles, means = fan(paths, PROBABILITIES), paths.mean(axis=1)
    return MarketFan(
        quantity=spec.quantity,
        unit=unit,
        scenario_count=paths.shape[1],
        probabilities=PROBABILITIES,
        months=tuple(
            FanRow(month=month, mean=float(means[t]), quantiles=tuple(quantiles[:, t].tolist()))
            for t, month in enumerate(months)
        ),
    )
