"""Joint market paths and tenant survival, counter-based: scenario ``i`` is the same in whatever batch it is drawn.

Random bits: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), key = the
64-bit seed, counter = (scenario, month, stream, block). Two words make one uniform ``(k + 1/2) / 2**52``, never 0 or 1;
normals by the inverse distribution function AS241 (Wichura 1988, PPND16). Logarithms and exponentials are the kernels'
own, so the bits of a path do not depend on the C library or on the instruction set.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.curves import _checks as check
from optimizer.curves import _sampling as sampling
from optimizer.curves import _scenarios
from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves._sampling import NEVER
from optimizer.curves.threads import in_slices
from optimizer.errors import InvalidInputError
from optimizer.units import MONTHS_PER_YEAR

__all__ = ["FACTORS", "NEVER", "default_months", "factor_multipliers", "hashprice_paths"]

FACTORS: Final = ("btc_price", "network_hashrate", "power_price", "gpu_rental", "re_lease_rent")
"""The market factors, in the order of every ``[5]`` axis."""

DEFAULTS: Final = 1 << 16
"""What is drawn, in the counter of the random words: defaults."""
MULTIPLIER: Final = check.Range(1e-300, 1e300, "as a multiple of the base path")
"""Plausible multipliers of a path."""
HAZARD_MULTIPLIER: Final = check.Range(0.0, 1e6, "as a multiple of the hazard")
"""Plausible multipliers of a default hazard."""
_ELASTICITY: Final = check.Range(0.0, 10.0, "as an elasticity")
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
    factor_index: ArrayLike | None = None,
) -> Float64Array:
    """Multipliers of the base paths, ``[5, T, W]`` in the order of :data:`FACTORS`, each with mean 1.

    The log-deviation of a factor is an Ornstein-Uhlenbeck process from 0, sampled exactly by month (``dt = 1/12``)::

        x[t] = exp(-kappa dt) x[t-1] + vol sqrt((1 - exp(-2 kappa dt)) / (2 kappa)) e[t]    (kappa 0: vol sqrt(dt) e[t])
        multiplier[t] = exp(x[t] - var(t) / 2),    var(t) = vol**2 (1 - exp(-2 kappa (t+1) dt)) / (2 kappa)

    Month 0 has made one step. ``volatility_per_year[5]`` and ``mean_reversion_per_year[5]`` (kappa) are per year;
    ``correlation[5, 5]`` is that of the monthly shocks ``e``: symmetric, unit diagonal, positive semidefinite (singular
    allowed). Anything else raises :class:`~optimizer.errors.InvalidInputError`.

    ``factor_index[F]``, positions in :data:`FACTORS`, asks for some of them, ``[F, T, W]`` in that order: the same
    paths in less time and memory. A factor without volatility stays at 1 and costs nothing; the paths of the others do
    not change with its volatility.
    """
    key = sampling.checked_seed(seed)
    first, count = sampling.scenario_range(first_scenario, scenario_count)
    months = check.integer("month_count", month_count, sampling.MONTH_COUNT)
    each = (len(FACTORS),)
    volatility = check.floats("volatility_per_year", volatility_per_year, check.Range(0.0, 10.0, "per year"), each)
    reversion = check.floats(
        "mean_reversion_per_year", mean_reversion_per_year, check.Range(0.0, 1e3, "per year"), each
    )
    lower = _semidefinite_cholesky(_checked_correlation(correlation))
    step = np.sqrt(ou_variance(volatility, reversion, np.array([1])))
    half_variance = 0.5 * ou_variance(volatility, reversion, np.arange(1, months + 1))
    index = checked_factor_index(np.arange(len(FACTORS)) if factor_index is None else factor_index)
    row = np.full(len(FACTORS), -1)
    row[index] = np.where(volatility[index] > 0.0, np.arange(index.size), -1)
    out = np.empty((index.size, months, count))
    out[volatility[index] == 0.0] = 1.0
    decay, weight = np.exp(-reversion / MONTHS_PER_YEAR), step * lower

    def fill(start: int, stop: int) -> None:
        _scenarios.factor_multipliers(key, first, decay, half_variance, weight, row, out, start, stop)

    in_slices(fill, count, sampling.SLICE)
    return out


def checked_factor_index(factor_index: ArrayLike) -> Int64Array:
    """``factor_index`` as distinct positions in :data:`FACTORS`, at least one."""
    index = check.integers("factor_index", factor_index, check.Range(0, len(FACTORS) - 1, "as a position in FACTORS"))
    if index.ndim != 1 or not index.size or np.unique(index).size < index.size:
        raise InvalidInputError.single("factor_index", f"is {index.tolist()}", "name factors, each one once")
    return index


def default_months(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    default_hazard_per_year_frac: ArrayLike,
    streams: ArrayLike,
    hazard_multiplier: ArrayLike | None = None,
) -> NDArray[np.int32]:
    """Month from the start of the horizon (0-based) in which each tenant defaults, ``[K, W]`` int32.

    Geometric with monthly probability ``1 - (1 - h)**(1/12)``, where ``h`` is ``default_hazard_per_year_frac[K]``, and
    not cut at any horizon; :data:`NEVER` at hazard 0. ``streams[K]`` are distinct 32-bit ids that the caller keeps for
    a tenant, so that adding one leaves the others' months as they are.

    ``hazard_multiplier[T, W]`` makes the hazards proportional (Cox 1972): in month ``t`` the tenants of scenario ``w``
    survive with probability ``(1 - h)**(multiplier[t, w] / 12)``, and from month T on with a multiplier of 1::

        defaults in the first month t with   -log(1 - h) / 12 * sum over s <= t of multiplier[s, w]  >  -log(uniform)

    A multiplier of 1 throughout gives the same months as none.
    """
    key = sampling.checked_seed(seed)
    first, count = sampling.scenario_range(first_scenario, scenario_count)
    hazard = check.floats("default_hazard_per_year_frac", default_hazard_per_year_frac, check.FRACTION)
    if hazard.ndim != 1:
        raise InvalidInputError.single(
            "default_hazard_per_year_frac", f"has shape {hazard.shape}", "pass one entry per tenant"
        )
    ids = sampling.stream_ids(streams, hazard.shape, "tenant")
    multiplier = None
    if hazard_multiplier is not None:
        multiplier = check.month_scenario("hazard_multiplier", hazard_multiplier, HAZARD_MULTIPLIER)
        check.require_shape("hazard_multiplier", multiplier, (multiplier.shape[0], count))
    with np.errstate(divide="ignore"):
        log_survival_per_month = np.log1p(-hazard) / MONTHS_PER_YEAR
    months = np.full((hazard.size, count), NEVER, dtype=np.int32)

    def fill(start: int, stop: int) -> None:
        _scenarios.default_months(key, first, log_survival_per_month, ids, multiplier, months, start, stop)

    in_slices(fill, count, sampling.SLICE)
    return months


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
    reward) are ``[T]``; ``multipliers`` is the ``[5, T, W]`` of :func:`factor_multipliers`, or its first two factors
    alone, ``factor_index=[0, 1]``: drawn shard by shard, hashprice then needs little memory.
    """
    whole = np.asarray(multipliers)
    if whole.ndim != 3 or whole.shape[0] not in (2, len(FACTORS)) or not whole.size:
        told = f"has shape {whole.shape}"
        raise InvalidInputError.single("multipliers", told, "pass [5, months, scenarios], or the first two factors")
    # Price and network come first, and nothing else is read.
    btc, network = check.floats("multipliers", whole[:2], MULTIPLIER)
    months = btc.shape[:1]
    btc_usd = check.floats("base_btc_usd", base_btc_usd, check.BTC_PRICE, months)
    network_eh_s = check.floats("base_network_eh_s", base_network_eh_s, check.NETWORK, months)
    fee = check.floats("fee_share_frac", fee_share_frac, check.FEE, months)
    reward_btc = check.floats("subsidy_btc", subsidy_btc, check.SUBSIDY, months) / (1.0 - fee)
    elasticity = check.scalar("network_price_elasticity", network_price_elasticity, _ELASTICITY)
    lag = check.integer("network_lag_months", network_lag_months, check.Range(0, 12_000, "months"))
    paths = np.empty(btc.shape)

    def fill(start: int, stop: int) -> None:
        _scenarios.hashprice_paths(btc_usd, network_eh_s, reward_btc, btc, network, elasticity, lag, paths, start, stop)

    in_slices(fill, btc.shape[1], sampling.SLICE)
    return paths


def ou_variance(volatility: Float64Array, reversion: Float64Array, steps: NDArray[np.int64]) -> Float64Array:
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
