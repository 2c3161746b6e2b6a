"""Answers about the market alone: what history says of its factors, and where its paths may go."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from optimizer.domain.base import Month, Real, Value
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.uncertainty import Factor, FactorCorrelation, FactorHistory, FactorUncertainty


class MarketCalibrationSpec(Value):
    """What to calibrate."""

    history: tuple[FactorHistory, ...] = Field(min_length=1)
    """Monthly values of common, consecutive months, at least 24."""


class CalibratedFactor(Value):
    """One factor fitted to monthly history."""

    factor: Factor
    """Factor."""
    growth_per_year_frac: Real
    """Growth a year over the history; no forecast."""
    volatility_per_year_frac: Real
    """Volatility of the fitted process."""
    volatility_standard_error_frac: Real
    """Its standard error, fat tails allowed for."""
    mean_reversion_per_year: Real
    """Reversion to use: the estimate where the test finds one, else 0."""
    estimated_reversion_per_year: Real
    """Reversion by least squares, found or not."""
    dickey_fuller_t: Real
    """Statistic of the test; reversion is found below -3.41 (5 %, constant and trend)."""


class MarketCalibration(Value):
    """A market's uncertainty as its history has it."""

    month_count: int
    """Months of history."""
    factors: tuple[CalibratedFactor, ...]
    """Factors."""
    uncertainty: tuple[FactorUncertainty, ...]
    """To be stated in a portfolio under ``market.uncertainty``."""
    correlations: tuple[FactorCorrelation, ...] = ()
    """To be stated under ``market.correlations``."""


class MarketQuantity(StrEnum):
    """What a fan can be drawn of."""

    HASHPRICE = "hashprice"
    BTC_PRICE = "btc-price"
    NETWORK_HASHRATE = "network-hashrate"
    POWER_LEVEL = "power-level"
    GPU_RENTAL = "gpu-rental"
    RE_LEASE_RENT = "re-lease-rent"


class MarketFanSpec(Value):
    """What to draw a fan of."""

    portfolio: Portfolio
    """The portfolio whose market and scenarios are meant."""
    quantity: MarketQuantity = MarketQuantity.HASHPRICE
    """Quantity."""


class FanRow(Value):
    """Where a path may be in one month."""

    month: Month
    """Month."""
    mean: Real
    """Mean of the scenarios."""
    quantiles: tuple[Real, ...]
    """Quantiles, by the probabilities of the fan."""


class MarketFan(Value):
    """Quantiles of one quantity by month."""

    quantity: MarketQuantity
    """Quantity."""
    unit: str
    """Unit of all values."""
    scenario_count: int
    """Scenarios."""
    probabilities: tuple[Real, ...]
    """Probability of being below each quantile."""
    months: tuple[FanRow, ...]
    """By month."""
