"""NumPy twins of the compiled kernels: the readable definition of what they compute. No checks; not for speed.

Each twin takes the arguments of the function of the same name, where a price shape is the hourly prices by calendar
month (``prices_by_month[0]`` is January). They are independent in method where there is a choice:
the margin is the loop over hours and modes, the normals come from SciPy's inverse distribution function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves.power import MiningValues
from optimizer.curves.scenarios import FACTORS, NEVER
from optimizer.curves.throughput import CapCurve, GpuValues
from optimizer.units import BLOCKS_PER_DAY, HOURS_PER_DAY, KW_PER_MW, MONTHS_PER_YEAR, PH_PER_EH, TH_PER_PH, W_PER_MW

Uint64Array = NDArray[np.uint64]


def hashprice_usd_per_ph_day(
    *, btc_usd: Float64Array, network_eh_s: Float64Array, subsidy_btc: Float64Array, fee_share_frac: Float64Array
) -> Float64Array:
    """``[T, W]`` from price and network ``[T, W]``, subsidy and fee share ``[T]``."""
    reward_btc_per_day = BLOCKS_PER_DAY * subsidy_btc / (1.0 - fee_share_frac)
    return btc_usd * reward_btc_per_day[:, None] / (network_eh_s * PH_PER_EH)


def positive_part_mean(price_usd_per_mwh: Float64Array, z_usd_per_mwh: Float64Array) -> Float64Array:
    """Mean over the hours ``[H]`` of ``max(0, z - price)``, for each ``z``."""
    return np.asarray(np.maximum(z_usd_per_mwh[..., None] - price_usd_per_mwh, 0.0).mean(axis=-1))


def share_of_hours_below(price_usd_per_mwh: Float64Array, z_usd_per_mwh: Float64Array) -> Float64Array:
    """Share of the hours ``[H]`` with a price below ``z``, for each ``z``."""
    return np.asarray((price_usd_per_mwh < z_usd_per_mwh[..., None]).mean(axis=-1))


def scenario_mining_values(
    prices_by_month: Sequence[Float64Array],
    *,
    calendar_month: Int64Array,
    hours_in_month: Float64Array,
    hashprice_usd_per_ph_day: Float64Array,
    level: Float64Array,
    adder_usd_per_mwh: Float64Array,
    hashrate_th_s: Float64Array,
    power_w: Float64Array,
    pue: float,
    uptime_frac: float,
    pool_fee_frac: float,
    hash_factor: float = 1.0,
) -> MiningValues:
    """Do the hour loop of :func:`mining_month_values`, before the mean over scenarios: fields ``[J, T, W]``."""
    ceilings, (months, scenarios) = hashrate_th_s.size, level.shape
    hash_ph_s = np.append(0.0, hashrate_th_s) / TH_PER_PH * hash_factor  # mode 0 is off
    power_mw = np.append(0.0, power_w) / W_PER_MW * pue
    revenue, cost, energy, hashed = np.zeros((4, ceilings, months, scenarios))
    for t in range(months):
        price = level[t] * prices_by_month[calendar_month[t] - 1][:, None] + adder_usd_per_mwh[t]  # [H, W]
        income = hashprice_usd_per_ph_day[t] / HOURS_PER_DAY * (1.0 - pool_fee_frac)  # [W] USD per PH/s-hour
        margin = hash_ph_s[:, None, None] * income - power_mw[:, None, None] * price  # [J + 1, H, W]
        for j in range(ceilings):
            mode = margin[: j + 2].argmax(axis=0)  # [H, W]; a tie goes to the mode of less power
            machine_hours = hours_in_month[t] * uptime_frac
            revenue[j, t] = (hash_ph_s[mode] * income).mean(axis=0) * machine_hours
            cost[j, t] = (power_mw[mode] * price).mean(axis=0) * machine_hours
            energy[j, t] = power_mw[mode].mean(axis=0) * machine_hours
            hashed[j, t] = hash_ph_s[mode].mean(axis=0) * machine_hours / HOURS_PER_DAY
    return MiningValues(revenue - cost, revenue, cost, energy, hashed)


def mining_month_values(prices_by_month: Sequence[Float64Array], **arguments: Any) -> MiningValues:
    """Mean over scenarios of :func:`scenario_mining_values`, ``[J, T]``."""
    values = scenario_mining_values(prices_by_month, **arguments)
    return MiningValues(*(getattr(values, field.name).mean(axis=2) for field in fields(values)))


def accumulate_scenario_margin_usd(
    out: Float64Array, prices_by_month: Sequence[Float64Array], *, weight: Float64Array, **arguments: Any
) -> None:
    """Add the weighted margins of all ceilings and months to ``out[W]``."""
    out += np.einsum("jt,jtw->w", weight, scenario_mining_values(prices_by_month, **arguments).margin_usd)


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
) -> NDArray[np.int32]:
    """``[K, W]``: the first month in which survival falls to the tenant's uniform or below."""
    scenario = np.arange(first_scenario, first_scenario + scenario_count, dtype=np.uint64)
    out = np.full((streams.size, scenario_count), NEVER, dtype=np.int32)
    for k, (hazard, stream) in enumerate(zip(default_hazard_per_year_frac, streams, strict=True)):
        uniform = uniform_pair(seed, scenario, 0, int(stream), 1 << 16)[0]
        if hazard > 0.0:
            with np.errstate(divide="ignore"):
                months = np.floor(np.log(uniform) / np.log((1.0 - hazard) ** (1.0 / MONTHS_PER_YEAR)))
            out[k] = np.minimum(months, NEVER).astype(np.int32)
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


def scenario_gpu_values(
    *,
    gpu_count: int,
    power_kw_per_gpu: float,
    rental_usd_per_gpu_hour: Float64Array,
    utilisation_frac: float,
    goodput_frac: float,
    pue: Float64Array,
    power_usd_per_mwh: Float64Array,
    hours_in_month: Float64Array,
    cap_curve: CapCurve,
) -> GpuValues:
    """Do :func:`gpu_block_values` before the mean over scenarios: fields ``[T, W]``."""
    throughput = np.append(0.0, cap_curve.throughput_frac)[:, None, None]  # cap 0 is off
    power = np.append(0.0, cap_curve.power_frac)[:, None, None]
    gpu_hours = gpu_count * hours_in_month[:, None]
    revenue = gpu_hours * rental_usd_per_gpu_hour * utilisation_frac * goodput_frac * throughput
    energy = gpu_hours * power_kw_per_gpu / KW_PER_MW * power * pue[:, None] * np.ones_like(rental_usd_per_gpu_hour)
    best = (revenue - energy * power_usd_per_mwh).argmax(axis=0)[None]
    revenue, energy = (np.take_along_axis(a, best, axis=0)[0] for a in (revenue, energy))
    cost = energy * power_usd_per_mwh
    return GpuValues(revenue - cost, revenue, cost, energy)


def gpu_block_values(**arguments: Any) -> GpuValues:
    """Mean over scenarios of :func:`scenario_gpu_values`, ``[T]``."""
    values = scenario_gpu_values(**arguments)
    return GpuValues(*(getattr(values, field.name).mean(axis=1) for field in fields(values)))


def accumulate_scenario_gpu_usd(out: Float64Array, *, weight: Float64Array, **arguments: Any) -> None:
    """Add the weighted margins of all months to ``out[W]``."""
    out += weight @ scenario_gpu_values(**arguments).margin_usd
