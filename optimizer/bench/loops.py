"""Loops that Numba compiles and that plain Python can run too: the competitors, and the machine's limits.

They take arrays or, uncompiled, lists; results go to ``out``.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numpy as np

HAS_NUMBA = importlib.util.find_spec("numba") is not None
HAS_NUMEXPR = importlib.util.find_spec("numexpr") is not None
prange: Any = importlib.import_module("numba").prange if HAS_NUMBA else range
"""Numba's parallel range, which uncompiled is a plain one."""


@cache
def compiled(loop: Callable[..., None], *, parallel: bool = True) -> Callable[..., None]:
    """``loop`` compiled by Numba, kept on disk: reordered sums, fused multiply-adds, threads where it says so."""
    numba: Any = importlib.import_module("numba")
    return cast(Callable[..., None], numba.njit(parallel=parallel, fastmath=True, cache=True)(loop))


def use_numba_threads(count: int) -> None:
    """Threads of the parallel loops from here on, at most those that Numba was started with."""
    numba: Any = importlib.import_module("numba")
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))


def margin_by_hours(
    price: Any, calendar_month: Any, hashprice: Any, level: Any, slope: float, adder: Any, out: Any
) -> None:
    """Sum over scenarios of ``level * sum over hours of max(0, z - price)``, hour by hour; ``price`` is ``[12, H]``."""
    for t in prange(len(hashprice)):
        hours = price[calendar_month[t] - 1]
        total = 0.0
        for w in range(len(hashprice[t])):
            z = (slope * hashprice[t][w] - adder[t]) / level[t][w]
            surplus = 0.0
            for h in range(len(hours)):
                surplus += max(0.0, z - hours[h])
            total += level[t][w] * surplus
        out[t] = total


def margin_by_search(
    price: Any, prefix: Any, calendar_month: Any, hashprice: Any, level: Any, slope: float, adder: Any, out: Any
) -> None:
    """As :func:`margin_by_hours`, by binary search in ascending prices and their prefix sums ``[12, H + 1]``."""
    for t in prange(len(hashprice)):
        m = calendar_month[t] - 1
        total = 0.0
        for w in range(len(hashprice[t])):
            z = (slope * hashprice[t][w] - adder[t]) / level[t][w]
            low, count = 0, len(price[m])
            while count > 0:
                half = count // 2
                if price[m][low + half] < z:
                    low += half + 1
                    count -= half + 1
                else:
                    count = half
            total += level[t][w] * (low * z - prefix[m][low])
        out[t] = total


BUCKET_SHIFT = 45
"""Bits dropped from a double to number its bucket: exponent and 7 bits of the mantissa stay."""


def margin_by_bits(
    price: Any,
    prefix: Any,
    bucket_start: Any,
    origin: Any,
    calendar_month: Any,
    hashprice: Any,
    level: Any,
    slope: float,
    adder: Any,
    out: Any,
) -> None:
    """As :func:`margin_by_search`, the search started by a table over the leading bits of ``z - origin >= 1``.

    ``bucket_start[12, B]`` holds the prices before each bucket; ``origin[12]`` is the lowest price less one.
    """
    first_key = np.float64(1.0).view(np.int64) >> BUCKET_SHIFT
    for t in prange(len(hashprice)):
        m = calendar_month[t] - 1
        hours, starts = price[m], bucket_start[m]
        total = 0.0
        for w in range(len(hashprice[t])):
            z = (slope * hashprice[t][w] - adder[t]) / level[t][w]
            key = (np.float64(max(z - origin[m], 1.0)).view(np.int64) >> BUCKET_SHIFT) - first_key
            low = starts[min(key, len(starts) - 1)]
            while low < len(hours) and hours[low] < z:
                low += 1
            total += level[t][w] * (low * z - prefix[m][low])
        out[t] = total


def margin_by_sweep(
    price: Any, prefix: Any, calendar_month: Any, hashprice: Any, level: Any, slope: float, adder: Any, out: Any
) -> None:
    """As :func:`margin_by_search` where hashprices ascend and a month has one level: both walk up together."""
    for t in prange(len(hashprice)):
        m = calendar_month[t] - 1
        hours, month_level = price[m], level[t][0]
        total, below = 0.0, 0
        for w in range(len(hashprice[t])):
            z = (slope * hashprice[t][w] - adder[t]) / month_level
            while below < len(hours) and hours[below] < z:
                below += 1
            total += below * z - prefix[m][below]
        out[t] = month_level * total


def gpu_margin(
    rental: Any, power_price: Any, gpu_hours: Any, full_mwh: Any, throughput: Any, power: Any, out: Any
) -> None:
    """Sum over scenarios of the margin of a GPU block at its best cap, or off. ``throughput``, ``power`` by cap."""
    for t in prange(len(rental)):
        total = 0.0
        for w in range(len(rental[t])):
            revenue, cost, best = gpu_hours[t] * rental[t][w], full_mwh[t] * power_price[t][w], 0.0
            for c in range(len(throughput)):
                best = max(best, revenue * throughput[c] - cost * power[c])
            total += best
        out[t] = total


def market_paths(
    decay: Any,
    step_deviation: Any,
    half_variance: Any,
    lower: Any,
    base: Any,
    elasticity: float,
    lag_months: int,
    multipliers: Any,
    out: Any,
) -> None:
    """Fill factor multipliers ``[F, T, W]`` and hashprices ``[T, W]`` with Numba's own normals; ``base[t]`` at par."""
    factors, months = half_variance.shape
    for w in prange(out.shape[1]):
        deviation, shock = np.zeros(factors), np.empty(factors)
        for t in range(months):
            for f in range(factors):
                shock[f] = np.random.standard_normal()  # noqa: NPY002 (what Numba compiles)
            for f in range(factors):
                correlated = 0.0
                for g in range(f + 1):
                    correlated += lower[f, g] * shock[g]
                deviation[f] = decay[f] * deviation[f] + step_deviation[f] * correlated
                multipliers[f, t, w] = math.exp(deviation[f] - half_variance[f, t])
            network = multipliers[1, t, w]
            if t >= lag_months:
                network *= multipliers[0, t - lag_months, w] ** elasticity
            out[t, w] = base[t] * multipliers[0, t, w] / network


BLOCK = 256
"""Elements that :func:`multiply_adds` keeps in the first cache."""


def multiply_adds(x: Any, passes: int, out: Any) -> None:
    """Limit of arithmetic: 8 multiply-adds an element and pass, in whole blocks that stay in the first cache."""
    for b in range(x.size // BLOCK):
        given, kept = x[b * BLOCK : (b + 1) * BLOCK], out[b * BLOCK : (b + 1) * BLOCK]
        for i in range(BLOCK):
            kept[i] = given[i]
        for _ in range(passes):
            for i in range(BLOCK):
                a = given[i]
                y = kept[i] * a + 0.1
                y = ((((((y * a + 0.2) * a + 0.3) * a + 0.4) * a + 0.5) * a + 0.6) * a + 0.7) * a + 0.8
                kept[i] = y


def look_ups(index: Any, bucket: Any, knot: Any, share: Any, part: Any, out: Any) -> None:
    """Limit of look-ups: bucket, knot and two prefix sums of each index, with nothing to wait for but the loads."""
    total = 0.0
    for i in range(index.size):
        k = index[i]
        total += bucket[k] + knot[k] + share[k] + part[k]
    out[0] = total
