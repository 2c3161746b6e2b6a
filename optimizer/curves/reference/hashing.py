"""Twins of the hashprice kernels."""

from __future__ import annotations

from optimizer.curves._checks import Float64Array
from optimizer.units import BLOCKS_PER_DAY, PH_PER_EH


def hashprice_usd_per_ph_day(
    *, btc_usd: Float64Array, network_eh_s: Float64Array, subsidy_btc: Float64Array, fee_share_frac: Float64Array
) -> Float64Array:
    """``[T, W]`` from price and network ``[T, W]``, subsidy and fee share ``[T]``."""
    reward_btc_per_day = BLOCKS_PER_DAY * subsidy_btc / (1.0 - fee_share_frac)
    return btc_usd * reward_btc_per_day[:, None] / (network_eh_s * PH_PER_EH)
