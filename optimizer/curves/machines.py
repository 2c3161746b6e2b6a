"""One mining machine and its operating modes: where each stops paying, and the modes between measured points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.curves.hashing import breakeven_hashprice_usd_per_ph_day, breakeven_power_usd_per_mwh
from optimizer.curves.site_fleet import envelope

POWER_FIT: Final = (0.199, 0.303, 0.500)
"""Power over rated power by hashrate over rated hashrate ``h``: constant, linear and quadratic coefficient.

Least squares on seven operating points of one S19j Pro on LuxOS, 28.1 to 105.8 TH/s, measured live; largest error 0.5 %
of the rated power. About a fifth of the power is drawn at any hashrate, the rest grows with frequency and voltage.
"""
MEASURED_HASHRATE_FRAC: Final = check.Range(0.27, 1.0, "of the rated hashrate, where the fit was measured")
BEST_HASHRATE_FRAC: Final = math.sqrt(POWER_FIT[0] / POWER_FIT[2])
"""Where the fit has the fewest J/TH, 0.63: modes below it never run, off and this mode in turns earn more."""
_HASH_FACTOR: Final = check.Range(1e-3, 10.0, "as a multiple of the hashrate")


@dataclass(frozen=True, slots=True, eq=False)
class Breakevens:
    """Prices at which each operating mode of a machine earns nothing, each ``[J]`` in the order of the modes given.

    *Average* sets a mode against off; *marginal* sets it against the next lower mode that ever runs, and is NaN for a
    mode that never does. A machine runs the highest mode whose marginal break-even power price is above the price.
    """

    average_power_usd_per_mwh: Float64Array
    """Power price at which the mode earns as much as off."""
    marginal_power_usd_per_mwh: Float64Array
    """Power price at which the mode earns as much as the mode below it."""
    average_hashprice_usd_per_ph_day: Float64Array
    """Hashprice at which the mode earns as much as off."""
    marginal_hashprice_usd_per_ph_day: Float64Array
    """Hashprice at which the mode earns as much as the mode below it."""
    dominated: NDArray[np.bool_]
    """True for a mode off the envelope, which never runs: see :func:`~optimizer.curves.power.envelope`."""


def machine_breakevens(
    *,
    hashrate_th_s: ArrayLike,
    power_w: ArrayLike,
    hashprice_usd_per_ph_day: float,
    power_usd_per_mwh: float,
    pue: float = 1.0,
    pool_fee_frac: float = 0.0,
    hash_factor: float = 1.0,
) -> Breakevens:
    """Break-even power prices at a hashprice, and hashprices at a power price, of modes ``[J]`` in any order.

    The break-even of a mode is that of its J/TH, and a marginal one that of the J/TH between two modes (see
    :func:`~optimizer.curves.hashing.breakeven_power_usd_per_mwh`). ``hash_factor`` multiplies the hashrate of every
    mode, not its power. ``power_usd_per_mwh`` is all-in, with wires and taxes.

    >>> even = machine_breakevens(hashrate_th_s=[62.1, 105.8], power_w=[1714.0, 3126.0],
    ...                           hashprice_usd_per_ph_day=40.0, power_usd_per_mwh=45.0)
    >>> even.average_power_usd_per_mwh.round(1).tolist(), even.marginal_power_usd_per_mwh.round(1).tolist()
    ([60.4, 56.4], [60.4, 51.6])
    """
    kept = envelope(hashrate_th_s, power_w)
    factor = check.scalar("hash_factor", hash_factor, _HASH_FACTOR)
    hashrate, power = (np.asarray(array, dtype=np.float64) for array in (hashrate_th_s, power_w))
    average_j_per_th = power / (hashrate * factor)
    marginal_j_per_th = np.diff(power[kept], prepend=0.0) / (np.diff(hashrate[kept], prepend=0.0) * factor)

    def at_power_prices(efficiency_j_per_th: Float64Array) -> Float64Array:
        return breakeven_power_usd_per_mwh(
            hashprice_usd_per_ph_day=hashprice_usd_per_ph_day,
            efficiency_j_per_th=efficiency_j_per_th,
            pue=pue,
            pool_fee_frac=pool_fee_frac,
        )

    def at_hashprices(efficiency_j_per_th: Float64Array) -> Float64Array:
        return breakeven_hashprice_usd_per_ph_day(
            power_usd_per_mwh=power_usd_per_mwh,
            efficiency_j_per_th=efficiency_j_per_th,
            pue=pue,
            pool_fee_frac=pool_fee_frac,
        )

    def on_envelope(values: Float64Array) -> Float64Array:
        by_mode = np.full(hashrate.size, np.nan)
        by_mode[kept] = values
        return by_mode

    return Breakevens(
        average_power_usd_per_mwh=at_power_prices(average_j_per_th),
        marginal_power_usd_per_mwh=on_envelope(at_power_prices(marginal_j_per_th)),
        average_hashprice_usd_per_ph_day=at_hashprices(average_j_per_th),
        marginal_hashprice_usd_per_ph_day=on_envelope(at_hashprices(marginal_j_per_th)),
        dominated=~np.isin(np.arange(hashrate.size), kept),
    )


def efficiency_modes(
    *, rated_hashrate_th_s: float, rated_power_w: float, hashrate_frac: ArrayLike
) -> tuple[Float64Array, Float64Array]:
    """Hashrate, TH/s, and power, W, of operating modes at fractions of the rated hashrate, shape of ``hashrate_frac``.

    ``power = rated * (0.199 + 0.303 h + 0.500 h**2)``, see :data:`POWER_FIT`: the curve of one machine, unmeasured for
    any other, and 0.2 % above the rated power at ``h = 1``. A fraction outside the measured 0.27 to 1 is refused.
    Modes below :data:`BEST_HASHRATE_FRAC` are off the envelope.

    >>> hashrate, power = efficiency_modes(rated_hashrate_th_s=200.0, rated_power_w=3500.0, hashrate_frac=[0.65, 0.9])
    >>> hashrate.round().tolist(), power.round().tolist()
    ([130.0, 180.0], [2125.0, 3068.0])
    """
    fraction = check.floats("hashrate_frac", hashrate_frac, MEASURED_HASHRATE_FRAC)
    hashrate = check.scalar("rated_hashrate_th_s", rated_hashrate_th_s, check.Range(1e-3, 1e5, "TH/s"))
    power = check.scalar("rated_power_w", rated_power_w, check.Range(1.0, 1e6, "W"))
    constant, linear, quadratic = POWER_FIT
    return (hashrate * fraction)[()], (power * (constant + linear * fraction + quadratic * fraction**2))[()]
