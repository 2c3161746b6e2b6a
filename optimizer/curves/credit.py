"""Who fails when: tenants and those who back them, each by its own hazard, alone or with a common factor of credit.

The common factor is that of Vasicek (1987), a Gaussian copula of the default times (Li, 2000): party ``k`` has assets

    A[k, w] = sqrt(rho) F[w] + sqrt(1 - rho) e[k, w]

and defaults as if its uniform number, which decides alone without a factor, were ``Phi(-A[k, w])``: its hazard is what
it was, and weak assets fail early, in scenarios in which those of others are weak too. ``e`` is the deviate of the
party's own number, so that ``rho = 0`` gives the months of no factor, up to rounding. ``F`` can go with a factor of the
market: ``F = c M + sqrt(1 - c**2) z``, with ``M`` the mean log-deviation of the market factor over the months of the
horizon, in its standard deviations. The distribution function is that of the C library.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import _sampling as sampling
from optimizer.curves import _scenarios, overlays, scenarios
from optimizer.curves._checks import Float64Array
from optimizer.curves._sampling import NEVER, name_streams
from optimizer.curves.overlay_profiles import hazard_profile
from optimizer.curves.stress import stated_defaults
from optimizer.domain.uncertainty import CreditFactor, Factor
from optimizer.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from optimizer.curves.futures import Futures

FACTOR: Final = 5 << 16
"""What is drawn, in the counter of the random words: the common factor."""
_ORDER: Final = list(Factor)


def failure_months(futures: Futures) -> dict[str, NDArray[np.int32]]:
    """Month in which every tenant defaults, and every backstopper that can, by name, ``[W]``."""
    hazards = futures.portfolio.default_hazards
    if not hazards:
        return {}
    if futures.stress is not None:
        tenants = {offer.tenant for offer in futures.portfolio.offers}
        return stated_defaults(futures.stress, hazards, tenants, futures.portfolio.horizon)
    names = sorted(hazards)
    hazard, streams, multiplier = [hazards[name] for name in names], name_streams(names), _hazard_multiplier(futures)
    stated = futures.portfolio.market.credit_factor
    if stated is None or not stated.asset_correlation_frac:
        months = scenarios.default_months(
            seed=futures.portfolio.risk.seed,
            first_scenario=futures.first_scenario,
            scenario_count=futures.scenario_count,
            default_hazard_per_year_frac=hazard,
            streams=streams,
            hazard_multiplier=multiplier,
        )
    else:
        months = joint_default_months(
            uniform=_own_uniforms(futures, streams),
            default_hazard_per_year_frac=np.array(hazard),
            common_factor=common_factor(futures, stated),
            asset_correlation_frac=stated.asset_correlation_frac,
            hazard_multiplier=multiplier,
        )
    drawn = dict(zip(names, months, strict=True))
    return drawn if futures.known is None else futures.known.defaulted(drawn)


def joint_default_months(
    *,
    uniform: Float64Array,
    default_hazard_per_year_frac: Float64Array,
    common_factor: Float64Array,
    asset_correlation_frac: float,
    hazard_multiplier: Float64Array | None = None,
) -> NDArray[np.int32]:
    """Month in which each party defaults, ``[K, W]``, from its own numbers ``[K, W]`` and the factor ``[W]``.

    Hazard and ``hazard_multiplier`` mean what they do in :func:`~optimizer.curves.scenarios.default_months`.
    """
    own, common = math.sqrt(1.0 - asset_correlation_frac), math.sqrt(asset_correlation_frac)
    months = np.full(uniform.shape, NEVER, dtype=np.int32)
    passing = None if hazard_multiplier is None else np.cumsum(hazard_multiplier, axis=0)
    for k in np.flatnonzero(default_hazard_per_year_frac):
        weak = own * _scenarios.normal_quantile(np.ascontiguousarray(uniform[k])) - common * common_factor
        log_uniform = np.log([math.erfc(value) for value in (-weak / math.sqrt(2.0)).tolist()]) - math.log(2.0)
        life = log_uniform * MONTHS_PER_YEAR / math.log1p(-float(default_hazard_per_year_frac[k]))
        if passing is None:
            lived = np.floor(life)
        else:
            passed = np.count_nonzero(passing <= life, axis=0)
            lived = np.where(passed < len(passing), passed, len(passing) + np.floor(life - passing[-1]))
        months[k] = np.minimum(np.maximum(lived, 0.0), NEVER)
    return months


def common_factor(futures: Futures, stated: CreditFactor) -> Float64Array:
    """The common factor in every scenario, ``[W]``, standard normal; low where tenants fail early."""
    own = _scenarios.normal_quantile(np.ascontiguousarray(_uniforms(futures, 0, FACTOR)))
    if stated.market_factor is None:
        return own
    together = stated.market_correlation_frac
    return np.asarray(together * _market_score(futures, stated.market_factor) + math.sqrt(1.0 - together**2) * own)


def _market_score(futures: Futures, factor: Factor) -> Float64Array:
    """Mean log-deviation of a factor over the months that are not known yet, in its standard deviations, ``[W]``."""
    market, index = futures.portfolio.market, _ORDER.index(factor)
    known = futures.known.month if futures.known is not None else 0
    count = max(futures.month_count - known, 1)
    volatility, reversion = np.array(market.volatilities()), np.array(market.mean_reversions())
    multiplier = scenarios.factor_multipliers(
        seed=futures.portfolio.risk.seed,
        first_scenario=futures.first_scenario,
        scenario_count=futures.scenario_count,
        month_count=count,
        volatility_per_year=volatility,
        mean_reversion_per_year=reversion,
        correlation=market.correlation_matrix(),
        factor_index=[index],
    )[0]
    variance = scenarios.ou_variance(volatility, reversion, np.arange(1, count + 1))[index]
    month = np.arange(count)
    earlier, apart = np.minimum.outer(month, month), np.abs(np.subtract.outer(month, month))
    covariance = variance[earlier] * np.exp(-reversion[index] * apart / MONTHS_PER_YEAR)
    deviation = np.log(multiplier) + variance[:, None] / 2.0
    return np.asarray(deviation.mean(axis=0) / math.sqrt(covariance.mean()))


def _own_uniforms(futures: Futures, streams: list[int]) -> Float64Array:
    """What decides over each party alone, ``[K, W]``: the numbers of ``default_months``."""
    return np.stack([_uniforms(futures, stream, scenarios.DEFAULTS) for stream in streams])


def _uniforms(futures: Futures, stream: int, purpose: int) -> Float64Array:
    key = sampling.checked_seed(futures.portfolio.risk.seed)
    first, count = sampling.scenario_range(futures.first_scenario, futures.scenario_count)
    return np.asarray(_scenarios.uniforms(key, first, count, 0, stream, purpose)[0])


def _hazard_multiplier(futures: Futures) -> Float64Array | None:
    """What overlays make of every hazard, ``[T_ext, W]``; nothing for those who have come so far on a known path."""
    stated, months = futures.portfolio.market.overlays, futures.extended_month_count
    found = None
    if any(item.default_hazard for item in stated):
        profiles = [hazard_profile(item, months) for item in stated]
        found = overlays.overlay_hazard_multiplier(futures.overlay_starts, profiles, months)
    if futures.known is None:
        return found
    return futures.known.hazard_from_now(found, months, futures.scenario_count)
