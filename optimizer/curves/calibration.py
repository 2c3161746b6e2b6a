"""The process of :func:`~optimizer.curves.factor_multipliers` fitted to monthly history, and fans of paths by month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.curves.scenarios import FACTORS
from optimizer.errors import InvalidInputError
from optimizer.units import MONTHS_PER_YEAR

FEWEST_MONTHS: Final = 24
"""Shortest history that is calibrated."""
DICKEY_FULLER_CRITICAL_T: Final = -3.41
"""5 % critical value of the Dickey-Fuller t statistic with constant and trend, in long series (Fuller 1976)."""

_VALUE: Final = check.Range(1e-300, 1e300, "in any unit")
_PATH: Final = check.Range(-1e300, 1e300, "in any unit")
_MOST_REVERSION_PER_YEAR: Final = 50.0
_STILL: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What :func:`calibrate` found; arrays follow ``factors``."""

    factors: tuple[str, ...]
    """Factors of the history, in the order of :data:`~optimizer.curves.FACTORS`."""
    month_count: int
    """Months of history, one more than changes."""
    log_growth_per_year: Float64Array
    """Mean yearly change of the logarithm, ``[F]``; ``exp(.) - 1`` is growth per year."""
    log_growth_standard_error: Float64Array
    """Its standard error, ``[F]``."""
    volatility_per_year: Float64Array
    """Volatility of the process, ``[F]``."""
    volatility_standard_error: Float64Array
    """Its standard error, ``[F]``."""
    mean_reversion_per_year: Float64Array
    """Mean reversion to use, ``[F]``: the estimate where the test finds reversion, else 0."""
    estimated_reversion_per_year: Float64Array
    """Mean reversion by least squares, ``[F]``, found or not; negative where the level ran away."""
    reversion_standard_error: Float64Array
    """Standard error of that estimate, ``[F]``."""
    dickey_fuller_t: Float64Array
    """t statistic of the test, ``[F]``; reversion is found below :data:`DICKEY_FULLER_CRITICAL_T`."""
    correlation: Float64Array
    """Correlation of the monthly shocks, ``[F, F]``."""


class _Fit(NamedTuple):
    growth: tuple[float, float]
    volatility: tuple[float, float]
    used_reversion: float
    reversion: tuple[float, float]
    dickey_fuller_t: float
    shocks: Float64Array


def calibrate(*, history: Mapping[str, ArrayLike]) -> Calibration:
    """Fit volatility, mean reversion and correlations to monthly values of some :data:`~optimizer.curves.FACTORS`.

    ``history`` holds values above 0 of the same consecutive months for each factor, at least :data:`FEWEST_MONTHS`;
    hashprice is none of them, as it follows from price and network. With ``y`` the logarithm:

    * *Mean reversion* by least squares of ``y[t] - y[t-1] = a + b t + c y[t-1] + shock``, an AR(1) around a trend:
      ``-12 log(1 + c)`` per year. In a random walk ``c`` comes out below 0 too, so reversion is only used where the t
      statistic of ``c`` passes the Dickey-Fuller test at 5 %, which has a trend as the regression does: a random walk
      is taken for reverting once in twenty times, and slow reversion in a short history for a random walk.
    * *Volatility* without reversion: standard deviation of monthly changes times the root of 12. With reversion
      ``k``: that of the shocks, times ``sqrt(2 k / (1 - exp(-2 k / 12)))``, which undoes a month of reversion. The
      standard error allows for fat tails, by the fourth moment. Means of a month vary less than single days: those of
      a random walk show sqrt(2/3) of its volatility (Working 1960).
    * *Correlation* of the shocks: of the residuals with reversion, of the changes without.

    Raises:
        InvalidInputError: an unknown factor, values that are not above 0, unequal or short histories, or one that does
            not vary.
    """
    if not history:
        raise InvalidInputError.single("history", "is empty", f"pass monthly values of some of {FACTORS}")
    for name in history:
        if name not in FACTORS:
            raise InvalidInputError.single(f"history[{name!r}]", "is no market factor", f"pass names of {FACTORS}")
    names = tuple(name for name in FACTORS if name in history)
    months = np.size(history[names[0]])
    fits = [_fit(name, history[name], months) for name in names]
    growth, volatility, reversion = (np.array([fit[field] for fit in fits]).T for field in (0, 1, 3))
    return Calibration(
        factors=names,
        month_count=months,
        log_growth_per_year=growth[0],
        log_growth_standard_error=growth[1],
        volatility_per_year=volatility[0],
        volatility_standard_error=volatility[1],
        mean_reversion_per_year=np.array([fit.used_reversion for fit in fits]),
        estimated_reversion_per_year=reversion[0],
        reversion_standard_error=reversion[1],
        dickey_fuller_t=np.array([fit.dickey_fuller_t for fit in fits]),
        correlation=np.atleast_2d(np.corrcoef([fit.shocks for fit in fits])),
    )


def fan(paths: ArrayLike, probabilities: ArrayLike) -> Float64Array:
    """Quantiles by month ``[P, T]`` of paths ``[T, W]``, interpolated linearly between order statistics."""
    by_month = check.month_scenario("paths", paths, _PATH)
    return np.asarray(np.quantile(by_month, check.vector("probabilities", probabilities, check.FRACTION), axis=1))


def _fit(name: str, values: ArrayLike, months: int) -> _Fit:
    path = f"history[{name!r}]"
    level = np.log(check.vector(path, values, _VALUE))
    if level.size != months or months < FEWEST_MONTHS:
        told = f"has {level.size} months"
        raise InvalidInputError.single(path, told, f"pass the same months for all, at least {FEWEST_MONTHS}")
    change = np.diff(level)
    if change.std() < _STILL:
        raise InvalidInputError.single(path, "does not vary about its trend", "leave it out: its volatility is 0")
    growth = float(change.mean()) * MONTHS_PER_YEAR
    growth_error = float(change.std(ddof=1)) * MONTHS_PER_YEAR / np.sqrt(change.size)
    trend = np.linspace(-1.0, 1.0, change.size)
    coefficient, error, residual = _last_coefficient(np.stack([np.ones_like(trend), trend, level[:-1]], axis=1), change)
    # Months that repel one another have no continuous process: they revert within the month.
    kept = max(1.0 + coefficient, float(np.exp(-_MOST_REVERSION_PER_YEAR / MONTHS_PER_YEAR)))
    reversion = -float(np.log(kept)) * MONTHS_PER_YEAR
    found = coefficient / error < DICKEY_FULLER_CRITICAL_T
    shocks, parameters = (residual, 3) if found else (change - change.mean(), 1)
    deviation, deviation_error = _deviation(shocks, parameters)
    steps_per_year = 2.0 * reversion / (1.0 - kept**2) if found else float(MONTHS_PER_YEAR)
    scale = float(np.sqrt(steps_per_year))
    return _Fit(
        growth=(growth, growth_error),
        volatility=(deviation * scale, deviation_error * scale),
        used_reversion=reversion if found else 0.0,
        reversion=(reversion, MONTHS_PER_YEAR * error / kept),
        dickey_fuller_t=coefficient / error,
        shocks=shocks,
    )


def _last_coefficient(columns: Float64Array, target: Float64Array) -> tuple[float, float, Float64Array]:
    """Least squares: the last column's coefficient, its standard error, and the residuals."""
    coefficients = np.linalg.lstsq(columns, target, rcond=None)[0]
    residual = target - columns @ coefficients
    variance = residual @ residual / (target.size - columns.shape[1])
    inverse = np.linalg.inv(columns.T @ columns)
    return float(coefficients[-1]), float(np.sqrt(variance * inverse[-1, -1])), np.asarray(residual)


def _deviation(shocks: Float64Array, parameters: int) -> tuple[float, float]:
    """Standard deviation of shocks of mean 0 and its standard error, whatever their kurtosis."""
    variance = float(shocks @ shocks) / (shocks.size - parameters)
    fourth = float((shocks**4).mean())
    deviation = np.sqrt(variance)
    return float(deviation), float(np.sqrt(max(fourth - variance**2, 0.0) / shocks.size) / (2.0 * deviation))
