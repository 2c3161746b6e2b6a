"""What a hash earns: subsidy, retarget, network hashrate, hashprice and the break-evens.

Source of the formulas: Hashrate Index (Luxor), definition of hashprice, and the Bitcoin consensus rules.
Arguments broadcast by month: a 1-D array is always ``[T]`` months, a 2-D array ``[T, W]`` months by scenarios.
Scalars give a NumPy float. Every function raises :class:`~optimizer.errors.InvalidInputError` on a value that is
not finite or not plausible, naming it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _hashing
from optimizer.curves._checks import Float64Array
from optimizer.errors import InvalidInputError
from optimizer.units import (
    BLOCK_SECONDS,
    BLOCKS_PER_DAY,
    FIRST_SUBSIDY_BTC,
    H_PER_EH,
    H_PER_PH,
    HALVING_BLOCKS,
    HASHES_PER_DIFFICULTY,
    HOURS_PER_DAY,
    KW_PER_MW,
    RETARGET_CLAMP,
    RETARGET_SECONDS,
    SECONDS_PER_DAY,
)

PAID_ERAS: Final = 33
"""Eras of 210,000 blocks that pay a subsidy: zero from height 6,930,000 on."""
_HEIGHT: Final = check.Range(0, 1e9, "blocks")


def subsidy_btc(height: ArrayLike) -> Float64Array:
    """Block subsidy ``50 / 2**(height // 210000)`` BTC, zero from height 6,930,000.

    The consensus rule also cuts to whole satoshis, which takes off less than 1e-8 BTC, from the tenth halving on.

    >>> float(subsidy_btc(840_000))
    3.125
    """
    era = check.integers("height", height, _HEIGHT) // HALVING_BLOCKS
    return np.where(era < PAID_ERAS, np.ldexp(FIRST_SUBSIDY_BTC, -np.minimum(era, PAID_ERAS)), 0.0)[()]


def monthly_subsidy_btc(*, block_height_at_start: int, days_in_month: ArrayLike) -> Float64Array:
    """Mean block subsidy of each month, BTC per block, ``[T]``.

    Blocks arrive at 144 a day from ``block_height_at_start`` and count as reals, so a month with a halving inside is
    the mean of both subsidies weighted by their blocks. ``days_in_month`` is an integer array ``[T]``.
    """
    start_height = check.integer("block_height_at_start", block_height_at_start, _HEIGHT)
    days = check.integers("days_in_month", days_in_month, check.Range(1, 366, "days"))
    if days.ndim != 1:
        raise InvalidInputError.single("days_in_month", f"has shape {days.shape}", "pass one entry per month")
    last = start_height + BLOCKS_PER_DAY * np.cumsum(days)
    first = last - BLOCKS_PER_DAY * days
    era = np.arange(PAID_ERAS)
    blocks = np.minimum(last[:, None], (era + 1) * HALVING_BLOCKS) - np.maximum(first[:, None], era * HALVING_BLOCKS)
    paid = np.maximum(blocks, 0.0) * np.ldexp(FIRST_SUBSIDY_BTC, -era)
    return np.asarray(paid.sum(axis=1) / (last - first))


def retarget_difficulty(difficulty: ArrayLike, actual_timespan_s: ArrayLike) -> Float64Array:
    """Difficulty after a retarget: times target over actual timespan of 2,016 blocks, at most a factor 4 either way."""
    before = check.floats("difficulty", difficulty, check.DIFFICULTY)
    timespan = check.floats("actual_timespan_s", actual_timespan_s, check.Range(0.0, 1e12, "seconds"))
    clamped = np.clip(timespan, RETARGET_SECONDS / RETARGET_CLAMP, RETARGET_SECONDS * RETARGET_CLAMP)
    return np.maximum(before * (RETARGET_SECONDS / clamped), 1.0)[()]


def network_hashrate_eh_s(difficulty: ArrayLike) -> Float64Array:
    """Network hashrate at ten minutes a block: ``difficulty * 2**32 / 600`` H/s, in EH/s.

    >>> round(float(network_hashrate_eh_s(82.0e12)), 2)
    586.98
    """
    checked = check.floats("difficulty", difficulty, check.DIFFICULTY)
    return (checked * (HASHES_PER_DIFFICULTY / BLOCK_SECONDS / H_PER_EH))[()]


def difficulty_of_hashrate(network_eh_s: ArrayLike) -> Float64Array:
    """Difficulty at which a network of ``network_eh_s`` finds a block in ten minutes."""
    checked = check.floats("network_eh_s", network_eh_s, check.NETWORK)
    return (checked * (H_PER_EH * BLOCK_SECONDS / HASHES_PER_DIFFICULTY))[()]


def hashprice_btc_per_ph_day(
    *,
    difficulty: ArrayLike,
    subsidy_btc: ArrayLike,
    fee_share_frac: ArrayLike | None = None,
    fee_btc_per_block: ArrayLike | None = None,
) -> Float64Array:
    """BTC that 1 PH/s is expected to earn in a day: ``86400 * 1e15 * reward / (difficulty * 2**32)``.

    Exactly one of the two fee arguments: ``fee_share_frac`` is the share of fees in the whole reward, so reward =
    subsidy / (1 - share); ``fee_btc_per_block`` is added to the subsidy. BTC per PH/s per day.
    """
    check.exactly_one(fee_share_frac=fee_share_frac, fee_btc_per_block=fee_btc_per_block)
    checked_difficulty = check.floats("difficulty", difficulty, check.DIFFICULTY)
    subsidy = check.floats("subsidy_btc", subsidy_btc, check.SUBSIDY)
    if fee_share_frac is not None:
        subsidy, fee = _by_month(subsidy, check.floats("fee_share_frac", fee_share_frac, check.FEE))
        reward = np.asarray(subsidy / (1.0 - fee))
    elif fee_btc_per_block is not None:
        subsidy, fee = _by_month(subsidy, check.floats("fee_btc_per_block", fee_btc_per_block, check.FEE_PER_BLOCK))
        reward = np.asarray(subsidy + fee)
    reward, checked_difficulty = _by_month(reward, checked_difficulty)
    return (SECONDS_PER_DAY * H_PER_PH * reward / (checked_difficulty * HASHES_PER_DIFFICULTY))[()]


def hashprice_usd_per_ph_day(
    *, btc_usd: ArrayLike, network_eh_s: ArrayLike, subsidy_btc: ArrayLike, fee_share_frac: ArrayLike
) -> Float64Array:
    """USD that 1 PH/s is expected to earn in a day: ``btc_usd * 144 * subsidy / (1 - fee share) / network``.

    ``btc_usd`` and ``network_eh_s`` are scalars, ``[T]`` or ``[T, W]``; ``subsidy_btc`` (BTC per block) and
    ``fee_share_frac`` (share of fees in the whole reward) are scalars or ``[T]``.
    """
    price, network, subsidy, fee = _by_month(
        check.floats("btc_usd", btc_usd, check.BTC_PRICE),
        check.floats("network_eh_s", network_eh_s, check.NETWORK),
        check.floats("subsidy_btc", subsidy_btc, check.SUBSIDY),
        check.floats("fee_share_frac", fee_share_frac, check.FEE),
    )
    reward = np.asarray(subsidy / (1.0 - fee))
    if reward.ndim == 2 and reward.shape[1] != 1:
        raise InvalidInputError.single(
            "subsidy_btc | fee_share_frac", f"vary by scenario (shape {reward.shape})", "pass scalars or one per month"
        )
    shape = np.broadcast_shapes(price.shape, network.shape, reward.shape)
    grid = (*shape, 1, 1)[:2]
    out = _hashing.hashprice_grid(_filled(price, grid), _filled(network, grid), _filled(reward, (grid[0], 1))[:, 0])
    return out.reshape(shape)[()]


def breakeven_power_usd_per_mwh(
    *,
    hashprice_usd_per_ph_day: ArrayLike,
    efficiency_j_per_th: ArrayLike,
    pue: ArrayLike = 1.0,
    pool_fee_frac: ArrayLike = 0.0,
) -> Float64Array:
    """Power price at which a machine earns nothing: ``hashprice * (1 - pool fee) / (0.024 * J/TH * PUE)`` USD/MWh.

    1 PH/s at 1 J/TH draws 1 kW, that is 0.024 MWh a day.

    >>> round(float(breakeven_power_usd_per_mwh(hashprice_usd_per_ph_day=39.53, efficiency_j_per_th=17.0)), 1)
    96.9
    """
    hashprice, drawn, kept = _by_month(
        check.floats("hashprice_usd_per_ph_day", hashprice_usd_per_ph_day, check.HASHPRICE),
        _mwh_per_ph_day(efficiency_j_per_th, pue),
        1.0 - check.floats("pool_fee_frac", pool_fee_frac, check.FEE),
    )
    return (hashprice * kept / drawn)[()]


def breakeven_hashprice_usd_per_ph_day(
    *,
    power_usd_per_mwh: ArrayLike,
    efficiency_j_per_th: ArrayLike,
    pue: ArrayLike = 1.0,
    pool_fee_frac: ArrayLike = 0.0,
) -> Float64Array:
    """Hashprice at which a machine earns nothing: ``power price * 0.024 * J/TH * PUE / (1 - pool fee)`` USD/PH/day."""
    price, drawn, kept = _by_month(
        check.floats("power_usd_per_mwh", power_usd_per_mwh, check.POWER_PRICE),
        _mwh_per_ph_day(efficiency_j_per_th, pue),
        1.0 - check.floats("pool_fee_frac", pool_fee_frac, check.FEE),
    )
    return (price * drawn / kept)[()]


def _mwh_per_ph_day(efficiency_j_per_th: ArrayLike, pue: ArrayLike) -> Float64Array:
    # 1 J/TH is 1 W per TH/s, hence 1 kW per PH/s.
    efficiency, overhead = _by_month(
        check.floats("efficiency_j_per_th", efficiency_j_per_th, check.EFFICIENCY),
        check.floats("pue", pue, check.PUE),
    )
    return np.asarray(efficiency * overhead * (HOURS_PER_DAY / KW_PER_MW))


def _by_month(*arrays: Float64Array) -> tuple[Float64Array, ...]:
    """Make the arrays ready to broadcast: beside a 2-D array, a 1-D one is a column of months."""
    columns = any(np.ndim(a) == 2 for a in arrays)
    shaped = tuple(np.asarray(a)[:, None] if columns and np.ndim(a) == 1 else np.asarray(a) for a in arrays)
    try:
        shape = np.broadcast_shapes(*(a.shape for a in shaped))
    except ValueError as error:
        shapes = ", ".join(str(np.shape(a)) for a in arrays)
        raise InvalidInputError.single("", f"shapes {shapes} do not fit", "pass scalars, [T] or [T, W]") from error
    if len(shape) > 2:
        raise InvalidInputError.single("", f"an array has {len(shape)} dimensions", "pass scalars, [T] or [T, W]")
    return shaped


def _filled(array: Float64Array, grid: tuple[int, int]) -> Float64Array:
    """``array`` of at most two dimensions, by month, repeated to a contiguous ``grid``."""
    return np.ascontiguousarray(np.broadcast_to(array if array.ndim == 2 else array.reshape(-1, 1), grid))
