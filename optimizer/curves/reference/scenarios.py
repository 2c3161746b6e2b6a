"""Twins of the scenario kernels; the normals come from SciPy's inverse distribution function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves.reference.hashing import hashprice_usd_per_ph_day
from optimizer.curves.scenarios import FACTORS, NEVER
from optimizer.units import MONTHS_PER_YEAR

Uint64Array = NDArray[np.uint64]


def philox4x32(counter: Sequence[Uint64Array | int], key: Sequence[int]) -> list[Uint64Array]:
    """Philox4x32-10: four 32-bit words from four counter words (arrays that broadcast) and two key words."""
    mask = np.uint64(0xFFFFFFFF)
    a, b, c, d = (np.asarray(word, dtype=np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(10):
        left, right = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b, c, d = (
            (right >> np.uint64(32)) ^ b ^ np.uint64(k0),
            right & mask,
            (left >> np.uint64(32)) ^ d ^ np.uint64(k1),
            left & mask,
        )
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return [a, b, c, d]


def uniform_pair(seed: int, scenario: Uint64Array, month: int, stream: int, block: int) -> list[Float64Array]:
    """Two uniforms per scenario: the upper 52 bits of two 64-bit words, centred, so within (0, 1)."""
    words = philox4x32([scenario, month, stream, block], [seed & 0xFFFFFFFF, seed >> 32])
    pairs = [(words[i] << np.uint64(32)) | words[i + 1] for i in (0, 2)]
    return [((pair >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52 for pair in pairs]


def factor_multipliers(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    month_count: int,
    volatility_per_year: Float64Array,
    mean_reversion_per_year: Float64Array,
    correlation: Float64Array,
) -> Float64Array:
    """``[5, T, W]``; needs a positive definite correlation."""
    scenario = np.arange(first_scenario, first_scenario + scenario_count, dtype=np.uint64)
    lower = np.linalg.cholesky(correlation)
    deviation = np.zeros((len(FACTORS), scenario_count))
    variance = np.zeros((len(FACTORS), 1))
    decay = np.exp(-mean_reversion_per_year / MONTHS_PER_YEAR)[:, None]
    with np.errstate(invalid="ignore"):
        step = (1.0 - decay[:, 0] ** 2) / (2.0 * mean_reversion_per_year)
    step = volatility_per_year**2 * np.where(mean_reversion_per_year > 0.0, step, 1.0 / MONTHS_PER_YEAR)
    paths = []
    for month in range(month_count):
        pairs = [uniform_pair(seed, scenario, month, 0, block) for block in range(3)]
        shocks = ndtri(np.concatenate(pairs)[: len(FACTORS)])
        deviation = decay * deviation + np.sqrt(step)[:, None] * (lower @ shocks)
        variance = decay**2 * variance + step[:, None]
        paths.append(np.exp(deviation - variance / 2.0))
    return np.stack(paths, axis=1)


def default_months(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    default_hazard_per_year_frac: Float64Array,
    streams: Int64Array,
    hazard_multiplier: Float64Array | None = None,
) -> NDArray[np.int32]:
    """``[K, W]``: the first month in which survival falls to the tenant's uniform or below."""
    scenario = np.arange(first_scenario, first_scenario + scenario_count, dtype=np.uint64)
    out = np.full((streams.size, scenario_count), NEVER, dtype=np.int32)
    plain = np.ones((1, scenario_count)) if hazard_multiplier is None else hazard_multiplier
    for k, (hazard, stream) in enumerate(zip(default_hazard_per_year_frac, streams, strict=True)):
        uniform = uniform_pair(seed, scenario, 0, int(stream), 1 << 16)[0]
        if hazard > 0.0:
            with np.errstate(divide="ignore", invalid="ignore"):
                log_survival = np.log((1.0 - hazard) ** (1.0 / MONTHS_PER_YEAR))
                after = np.cumsum(log_survival * plain, axis=0)
                later = len(plain) + np.floor((np.log(uniform) - after[-1]) / log_survival)
            fell = after < np.log(uniform)
            out[k] = np.where(fell.any(axis=0), fell.argmax(axis=0), np.minimum(later, NEVER)).astype(np.int32)
    return out


def overlay_starts(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    streams: Int64Array,
    probability_frac: Float64Array,
    first_month: Int64Array,
    last_month: Int64Array,
) -> NDArray[np.int32]:
    """``[K, W]``: one uniform says whether, the other when."""
    scenario = np.arange(first_scenario, first_scenario + scenario_count, dtype=np.uint64)
    out = np.full((streams.size, scenario_count), NEVER, dtype=np.int32)
    for k, stream in enumerate(streams):
        whether, when = uniform_pair(seed, scenario, 0, int(stream), 2 << 16)
        months = np.arange(first_month[k], last_month[k] + 1)
        out[k] = np.where(whether < probability_frac[k], months[(when * months.size).astype(np.int64)], NEVER)
    return out


def drawn_outcomes(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    purpose: int,
    stream: int,
    probability_frac: Float64Array,
) -> Int64Array:
    """``[W]``: the outcome in whose share of the unit interval the scenario's uniform falls; -1 in what is left."""
    scenario = np.arange(first_scenario, first_scenario + scenario_count, dtype=np.uint64)
    uniform = uniform_pair(seed, scenario, 0, stream, purpose)[0]
    passed = sum((uniform >= bound).astype(np.int64) for bound in np.cumsum(probability_frac))
    return np.where(passed < len(probability_frac), passed, -1)


def apply_overlays(
    multipliers: Float64Array, starts: NDArray[np.int32], profiles: Sequence[Float64Array]
) -> Float64Array:
    """``[F, T, W]``: multiplied by every overlay that is on, as a new array."""
    out = multipliers.copy()
    months = out.shape[1]
    for k, scenario in np.argwhere(starts < months):
        begin = starts[k, scenario]
        on = profiles[k][:, : months - begin]
        out[:, begin : begin + on.shape[1], scenario] *= on
    return out


def bootstrap_multipliers(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    month_count: int,
    log_changes: Float64Array,
    factor_index: Int64Array,
    mean_block_months: float,
) -> Float64Array:
    """``[5, T, W]``; the expectation by powers of the transition matrix between months of history."""
    scenario = np.arange(first_scenario, first_scenario + scenario_count, dtype=np.uint64)
    history = log_changes.shape[1]
    jump = 1.0 / mean_block_months
    step = (1.0 - jump) * np.roll(np.eye(history), 1, axis=1) + jump / history
    out = np.ones((len(FACTORS), month_count, scenario_count))
    walked = np.zeros((log_changes.shape[0], scenario_count))
    reached = np.full((log_changes.shape[0], history), 1.0 / history)
    place = np.zeros(scenario_count, dtype=np.int64)
    for month in range(month_count):
        whether, where = uniform_pair(seed, scenario, month, 0, 3 << 16)
        new = (whether < jump) | (month == 0)
        place = np.where(new, (where * history).astype(np.int64), (place + 1) % history)
        walked = walked + log_changes[:, place]
        reached = (reached @ step if month else reached) * np.exp(log_changes)
        out[factor_index, month] = np.exp(walked) / reached.sum(axis=1)[:, None]
    return out


def hashprice_paths(
    *,
    base_btc_usd: Float64Array,
    base_network_eh_s: Float64Array,
    subsidy_btc: Float64Array,
    fee_share_frac: Float64Array,
    multipliers: Float64Array,
    network_price_elasticity: float,
    network_lag_months: int,
) -> Float64Array:
    """``[T, W]``: the network follows the price with a lag."""
    btc, network = multipliers[0], multipliers[1]
    months = btc.shape[0]
    lagged = np.vstack([np.ones((network_lag_months, btc.shape[1])), btc])[:months]
    return hashprice_usd_per_ph_day(
        btc_usd=base_btc_usd[:, None] * btc,
        network_eh_s=base_network_eh_s[:, None] * network * lagged**network_price_elasticity,
        subsidy_btc=subsidy_btc,
        fee_share_frac=fee_share_frac,
    )
