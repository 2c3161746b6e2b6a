"""Joint market paths and tenant survival, counter-based: scenario ``i`` is the same in whatever batch it is drawn.

Random bits: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), key = the
64-bit seed, counter = (scenario, month, stream, block). Two words make one uniform ``(k + 1/2) / 2**52``, never 0 or 1;
normals by the inverse distribution function AS241 (Wichura 1988, PPND16).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.curves import _checks as check
from optimizer.curves import _scenarios
from optimizer.curves._checks import Float64Array
from optimizer.errors import InvalidInputError
from optimizer.units import MONTHS_PER_YEAR

FACTORS: Final = ("btc_price", "network_hashrate", "power_price", "gpu_rental", "re_lease_rent")
"""The market factors, in the order of every ``[5]`` axis."""
NEVER: Final = 2**31 - 1
"""Default month of a tenant that does not default."""

_SEED: Final = check.Range(0, 2**64 - 1, "as a 64-bit seed")
_SCENARIO: Final = check.Range(0, 2**32 - 1, "as a 32-bit index")
_MULTIPLIER: Final = check.Range(1e-12, 1e12, "as a multiple of the base path")
_PSD_TOLERANCE: Final = 1e-10
_ZERO_PIVOT: Final = 1e-14


def factor_multipliers(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    month_count: int,
    volatility_per_year: ArrayLike,
    mean_reversion_per_year: ArrayLike,
    correlation: ArrayLike,
) -> Float64Array:
    """Multipliers of the base paths, ``[5, T, W]`` in the order of :data:`FACTORS`, each with mean 1.

    The log-deviation of a factor is an Ornstein-Uhlenbeck process from 0, sampled exactly by month (``dt = 1/12``)::

        x[t] = exp(-kappa dt) x[t-1] + vol sqrt((1 - exp(-2 kappa dt)) / (2 kappa)) e[t]    (kappa 0: vol sqrt(dt) e[t])
        multiplier[t] = exp(x[t] - var(t) / 2),    var(t) = vol**2 (1 - exp(-2 kappa (t+1) dt)) / (2 kappa)

    Month 0 has made one step. ``volatility_per_year[5]`` and ``mean_reversion_per_year[5]`` (kappa) are per year;
    ``correlation[5, 5]`` is that of the monthly shocks ``e``: symmetric, unit diagonal, positive semidefinite (singular
    allowed). Anything else raises :class:`~optimizer.errors.InvalidInputError`.
    """
    first, count = _scenario_range(first_scenario, scenario_count)
    months = check.integer("month_count", month_count, check.Range(1, 12_000, "months"))
    factors = (len(FACTORS),)
    volatility = check.floats("volatility_per_year", volatility_per_year, check.Range(0.0, 10.0, "per year"), factors)
    reversion = check.floats(
        "mean_reversion_per_year", mean_reversion_per_year, check.Range(0.0, 1e3, "per year"), factors
    )
    return _scenarios.factor_multipliers(
        check.integer("seed", seed, _SEED),
        first,
        count,
        np.exp(-reversion / MONTHS_PER_YEAR),
        np.sqrt(_ou_variance(volatility, reversion, np.array([1]))[:, 0]),
        0.5 * _ou_variance(volatility, reversion, np.arange(1, months + 1)),
        _semidefinite_cholesky(_checked_correlation(correlation)),
    )


def default_months(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    default_hazard_per_year_frac: ArrayLike,
    streams: ArrayLike,
) -> NDArray[np.int32]:
    """Month from the start of the horizon (0-based) in which each tenant defaults, ``[K, W]`` int32.

    Geometric with monthly probability ``1 - (1 - h)**(1/12)``, where ``h`` is ``default_hazard_per_year_frac[K]``, and
    not cut at any horizon; :data:`NEVER` at hazard 0. ``streams[K]`` are distinct 32-bit ids that the caller keeps for
    a tenant, so that adding one leaves the others' months as they are.
    """
    first, count = _scenario_range(first_scenario, scenario_count)
    hazard = check.floats("default_hazard_per_year_frac", default_hazard_per_year_frac, check.FRACTION)
    if hazard.ndim != 1:
        raise InvalidInputError.single(
            "default_hazard_per_year_frac", f"has shape {hazard.shape}", "pass one entry per tenant"
        )
    ids = check.integers("streams", streams, check.Range(0, 2**32 - 1, "as a 32-bit id"), hazard.shape)
    distinct, uses = np.unique(ids, return_counts=True)
    if (uses > 1).any():
        raise InvalidInputError.single(
            "streams", f"{int(distinct[uses > 1][0])} is given to two tenants", "pass distinct ids"
        )
    with np.errstate(divide="ignore"):
        log_survival_per_month = np.log1p(-hazard) / MONTHS_PER_YEAR
    return _scenarios.default_months(check.integer("seed", seed, _SEED), first, count, log_survival_per_month, ids)


def hashprice_paths(
    *,
    base_btc_usd: ArrayLike,
    base_network_eh_s: ArrayLike,
    subsidy_btc: ArrayLike,
    fee_share_frac: ArrayLike,
    multipliers: ArrayLike,
    network_price_elasticity: float,
    network_lag_months: int,
) -> Float64Array:
    """Hashprice of each month and scenario, ``[T, W]`` USD per PH/s per day.

    ::

        btc[t] = base_btc[t] * m_btc[t]
        network[t] = base_network[t] * m_network[t] * m_btc[t - lag] ** elasticity       (m_btc = 1 before month 0)
        hashprice = btc * 144 * subsidy / (1 - fee share) / network

    ``base_btc_usd``, ``base_network_eh_s``, ``subsidy_btc`` (BTC per block) and ``fee_share_frac`` (of the whole
    reward) are ``[T]``; ``multipliers`` is the ``[5, T, W]`` of :func:`factor_multipliers`.
    """
    factors = check.floats("multipliers", multipliers, _MULTIPLIER)
    if factors.ndim != 3 or factors.shape[0] != len(FACTORS) or not factors.size:
        raise InvalidInputError.single("multipliers", f"has shape {factors.shape}", "pass [5, months, scenarios]")
    months = factors.shape[1:2]
    fee = check.floats("fee_share_frac", fee_share_frac, check.FEE, months)
    return _scenarios.hashprice_paths(
        check.floats("base_btc_usd", base_btc_usd, check.BTC_PRICE, months),
        check.floats("base_network_eh_s", base_network_eh_s, check.NETWORK, months),
        check.floats("subsidy_btc", subsidy_btc, check.SUBSIDY, months) / (1.0 - fee),
        factors[FACTORS.index("btc_price")],
        factors[FACTORS.index("network_hashrate")],
        check.scalar("network_price_elasticity", network_price_elasticity, check.Range(0.0, 10.0, "as an elasticity")),
        check.integer("network_lag_months", network_lag_months, check.Range(0, 12_000, "months")),
    )


def _scenario_range(first_scenario: int, scenario_count: int) -> tuple[int, int]:
    first = check.integer("first_scenario", first_scenario, _SCENARIO)
    last = check.Range(1, _SCENARIO.high - first + 1, "scenarios, with indices below 2**32")
    return first, check.integer("scenario_count", scenario_count, last)


def _ou_variance(volatility: Float64Array, reversion: Float64Array, steps: NDArray[np.int64]) -> Float64Array:
    """Variance ``[F, steps]`` of the log-deviation after so many monthly steps."""
    years = steps / MONTHS_PER_YEAR
    decay = 2.0 * reversion[:, None] * years
    # -expm1(-d) / d tends to 1 as d tends to 0: the random walk.
    shrink = np.divide(-np.expm1(-decay), decay, out=np.ones_like(decay), where=decay > 0.0)
    return np.asarray(volatility[:, None] ** 2 * years * shrink)


def _checked_correlation(correlation: ArrayLike) -> Float64Array:
    matrix = check.floats("correlation", correlation, check.Range(-1.0, 1.0, "as a correlation"), (len(FACTORS),) * 2)
    for name, wrong, fix in (
        ("is not 1 on the diagonal", np.abs(matrix - 1.0) * np.eye(len(FACTORS)), "set the diagonal to 1"),
        ("is not symmetric", np.abs(matrix - matrix.T), "use (C + C.T) / 2"),
    ):
        if wrong.max() > 1e-12:
            i, j = (int(k) for k in np.unravel_index(np.argmax(wrong), wrong.shape))
            raise InvalidInputError.single(f"correlation[{i}, {j}]", f"{name}: {matrix[i, j]}", fix)
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -_PSD_TOLERANCE:
        raise InvalidInputError.single(
            "correlation",
            f"is not positive semidefinite: smallest eigenvalue {smallest:.3g}",
            "move the off-diagonal entries towards 0",
        )
    return matrix


def _semidefinite_cholesky(matrix: Float64Array) -> Float64Array:
    """Lower ``L`` with ``L @ L.T = matrix``; a column without a pivot stays zero, which a library Cholesky refuses."""
    lower = np.zeros_like(matrix)
    for j in range(matrix.shape[0]):
        rest = matrix[j:, j] - lower[j:, :j] @ lower[j, :j]
        if rest[0] > _ZERO_PIVOT:
            lower[j:, j] = rest / np.sqrt(rest[0])
    return lower
