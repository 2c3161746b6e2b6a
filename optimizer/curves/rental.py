"""Rental price paths of GPU generations: they fall with age, and may rise again."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.errors import InvalidInputError
from optimizer.units import MONTHS_PER_YEAR

_MONTH: Final = check.Range(-1200.0, 1200.0, "months")
_PRICE: Final = check.Range(1e-3, 1e4, "USD per GPU-hour")
_CHANGE: Final = check.Range(-0.99, 10.0, "as a fraction a year")


def rental_path(
    month: ArrayLike,
    *,
    quote_month: ArrayLike,
    quote_usd_per_gpu_hour: ArrayLike,
    change_per_year_frac: float = 0.0,
) -> Float64Array:
    """Rental price of one GPU generation, USD per GPU-hour, in each of ``month`` ``[T]``.

    ``month`` and ``quote_month`` ``[Q]`` count months from any one date; the quotes ascend in time and may fall and
    rise. Between two of them the price changes by the same share every month. Before the first it is held; after the
    last it changes by ``change_per_year_frac``, as -0.16 for 16 % a year down; 0 holds it.

    >>> rental_path([0, 6, 12, 24], quote_month=[0, 12], quote_usd_per_gpu_hour=[4.0, 1.0], change_per_year_frac=-0.1)
    array([4. , 2. , 1. , 0.9])
    """
    wanted = check.vector("month", month, _MONTH)
    quoted = check.vector("quote_month", quote_month, _MONTH)
    price = check.floats("quote_usd_per_gpu_hour", quote_usd_per_gpu_hour, _PRICE, quoted.shape)
    change = check.scalar("change_per_year_frac", change_per_year_frac, _CHANGE)
    falls = np.diff(quoted) <= 0.0
    if falls.any():
        at = int(np.argmax(falls)) + 1
        raise InvalidInputError.single(
            f"quote_month[{at}]", f"is {quoted[at]:g}, not after the one before", "list quotes in order of time"
        )
    years_after = np.maximum(wanted - quoted[-1], 0.0) / MONTHS_PER_YEAR
    path: Float64Array = np.exp(np.interp(wanted, quoted, np.log(price)) + years_after * np.log1p(change))
    return path


def yearly_change_between(
    *, first_usd_per_gpu_hour: float, last_usd_per_gpu_hour: float, months_between: float
) -> float:
    """Yearly change that leads from one price to another: ``(last / first) ** (12 / months) - 1``.

    The H100 from October 2024 to March 2026:

    >>> round(yearly_change_between(first_usd_per_gpu_hour=2.99, last_usd_per_gpu_hour=2.35, months_between=17), 3)
    -0.156
    """
    first = check.scalar("first_usd_per_gpu_hour", first_usd_per_gpu_hour, _PRICE)
    last = check.scalar("last_usd_per_gpu_hour", last_usd_per_gpu_hour, _PRICE)
    months = check.scalar("months_between", months_between, check.Range(0.1, 1200.0, "months"))
    return math.pow(last / first, MONTHS_PER_YEAR / months) - 1.0
