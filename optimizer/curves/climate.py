"""Grid power over IT power of a GPU site, by load and outside temperature."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.units import MONTHS_PER_YEAR

FIXED_OVERHEAD_FRAC: Final = 0.03
"""Overhead that runs at any load, over the rated IT power. Unsourced estimate."""
PROPORTIONAL_OVERHEAD_FRAC: Final = 0.06
"""Conversion losses, pumps and fans that follow the IT power. Unsourced estimate."""
FREE_COOLING_UNTIL_C: Final = 12.0
"""Outside temperature up to which no chiller runs. Unsourced estimate."""
COOLING_PER_DEGREE_FRAC: Final = 0.008
"""Chiller power over IT power for each degree above that. Unsourced estimate."""

_LOAD: Final = check.Range(0.05, 1.0, "of the rated IT power")
_OVERHEAD: Final = check.Range(0.0, 1.0, "as a fraction of IT power")
_TEMPERATURE: Final = check.Range(-60.0, 60.0, "degrees Celsius")
_NO_SPREAD_C: Final = 1e-3
_SPREAD: Final = check.Range(0.0, 30.0, "degrees Celsius")


def pue_at(
    *,
    load_frac: ArrayLike,
    dry_bulb_c: ArrayLike,
    within_month_sd_c: float = 0.0,
    fixed_overhead_frac: float = FIXED_OVERHEAD_FRAC,
    proportional_overhead_frac: float = PROPORTIONAL_OVERHEAD_FRAC,
    free_cooling_until_c: float = FREE_COOLING_UNTIL_C,
    cooling_per_degree_frac: float = COOLING_PER_DEGREE_FRAC,
) -> Float64Array:
    """Grid draw over IT power at a load and an outside temperature; the two broadcast.

    ::

        pue = 1 + fixed / load + proportional + per degree * (degrees above the free-cooling limit, or 0)

    So it rises as the load falls, as the fixed part does not, and with heat, but not with cold. ``load_frac`` is IT
    power over rated IT power. The temperature is the dry bulb in degrees Celsius; with evaporative cooling pass the wet
    bulb and its limit. For a mean over time give its standard deviation in ``within_month_sd_c``: the mean of the
    degrees above the limit is then that of a normal distribution, which is above 0 on both sides of the limit.

    The form is the simplest that behaves so. The defaults are unsourced estimates; at a load of 0.8 they give 1.10 in
    the cold and 1.24 at 30 degrees, where operators state 1.1 (IREN, Prince George) to 1.2-1.3 (Keel, Moses Lake).

    >>> pue_at(load_frac=[1.0, 0.5], dry_bulb_c=0.0).round(3)
    array([1.09, 1.12])
    """
    load = check.floats("load_frac", load_frac, _LOAD)
    degrees = check.floats("dry_bulb_c", dry_bulb_c, _TEMPERATURE) - check.scalar(
        "free_cooling_until_c", free_cooling_until_c, _TEMPERATURE
    )
    above = _mean_positive_part(degrees, check.scalar("within_month_sd_c", within_month_sd_c, _SPREAD))
    return (
        1.0
        + check.scalar("fixed_overhead_frac", fixed_overhead_frac, _OVERHEAD) / load
        + check.scalar("proportional_overhead_frac", proportional_overhead_frac, _OVERHEAD)
        + check.scalar("cooling_per_degree_frac", cooling_per_degree_frac, _OVERHEAD) * above
    )


def monthly_pue(*, mean_dry_bulb_c: ArrayLike, load_frac: ArrayLike, **overheads: float) -> Float64Array:
    """PUE of January to December, ``[12]``, of the mean temperatures ``[12]``; ``load_frac`` is one number or ``[12]``.

    ``overheads`` are the other arguments of :func:`pue_at`. The result is what a site's ``hosting_pue_by_month`` takes.
    """
    temperature = check.floats("mean_dry_bulb_c", mean_dry_bulb_c, _TEMPERATURE, (MONTHS_PER_YEAR,))
    load = np.asarray(load_frac)
    if load.ndim:
        load = check.floats("load_frac", load, _LOAD, (MONTHS_PER_YEAR,))
    return pue_at(load_frac=load, dry_bulb_c=temperature, **overheads)


def _mean_positive_part(mean: Float64Array, deviation: float) -> Float64Array:
    """Mean of ``max(0, x)`` of a normal ``x``: ``mean * Phi(z) + deviation * phi(z)`` with ``z = mean / deviation``."""
    if deviation < _NO_SPREAD_C:
        return np.maximum(mean, 0.0)
    z = mean / deviation
    below = np.array([math.erfc(-value / math.sqrt(2.0)) / 2.0 for value in z.ravel()]).reshape(z.shape)
    above: Float64Array = mean * below + deviation / math.sqrt(2.0 * math.pi) * np.exp(-0.5 * z**2)
    return above
