"""Value of an own GPU cluster over its size in MW, in few straight pieces.

A cluster of ``n`` GPUs earns ``V(n) = n phi(e(n))``: ``e`` is its effective GPUs per GPU, ``phi`` the margin of one GPU
of so much throughput, at the best cap of each month and scenario. ``phi`` is a mean of maxima of lines in ``e``, so it
is convex and does not fall. Hence, with ``E(n) = n e(n)``, which is concave:

- kept caps: at the caps best for one size the margin is ``a E(n) - b n``: at most ``V``, and equal at that size;
- chords of ``phi``: between two sizes ``V`` is at most ``A n + B E(n)``, and equal at both; ``B`` is the chord's slope.

The two hold ``V`` between samples, whether or not it is concave. It is, but for sizes at which the cap switches in much
of the months and scenarios; there the pieces are those of its concave envelope, and the error bound says how far off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.curves.breakpoints import Breakpoints, fewest_pieces, refined_samples
from optimizer.curves.caps import CapCurve, concave_indices
from optimizer.curves.clusters import ClusterTerms, cluster_throughput, largest_useful_gpu_count
from optimizer.curves.throughput import gpu_block_values
from optimizer.errors import InvalidInputError
from optimizer.units import KW_PER_MW

_MW: Final = check.Range(1e-6, 1e6, "MW")
_WEIGHT: Final = check.Range(0.0, 1e6, "as a discount factor")
_SAMPLING_SHARE: Final = 0.05
"""Of the error allowed, what is left to the values between samples."""


def cluster_value_breakpoints(
    *,
    largest_mw: float,
    cluster: ClusterTerms,
    power_kw_per_gpu: float,
    rental_usd_per_gpu_hour: ArrayLike,
    utilisation_frac: float,
    pue: ArrayLike,
    power_usd_per_mwh: ArrayLike,
    hours_in_month: ArrayLike,
    cap_curve: CapCurve,
    weight: ArrayLike | None = None,
    relative_error: float = 1e-3,
) -> Breakpoints:
    """Expected margin of a cluster over its critical IT MW without caps, from 0 to ``largest_mw``, in straight pieces.

    Terms and paths as in :func:`~optimizer.curves.gpu_block_values`, sold by effective GPU (``cluster_throughput``);
    months are summed with ``weight`` ``[T]``, as discount factors, by default 1. The pieces are concave and their knots
    lie on the function; ``error_bound_usd`` holds both ways, at any size. It is at most ``relative_error`` of the
    largest value unless the function itself is less concave than that. A ``largest_mw`` beyond the largest useful size
    is refused.
    """
    kw = check.scalar("power_kw_per_gpu", power_kw_per_gpu, check.Range(1e-3, 1e3, "kW"))
    useful_mw = largest_useful_gpu_count(cluster) * kw / KW_PER_MW
    largest = check.scalar("largest_mw", largest_mw, _MW)
    if largest > useful_mw:
        raise InvalidInputError.single(
            "largest_mw", f"is {largest:g}; beyond {useful_mw:g} MW one more GPU takes away more than it adds",
            f"pass at most {useful_mw:g}",
        )  # fmt: skip
    months = check.vector("hours_in_month", hours_in_month, check.HOURS_IN_MONTH).shape
    weights = np.ones(months) if weight is None else check.floats("weight", weight, _WEIGHT, months)

    terms = {
        "power_kw_per_gpu": kw,
        "rental_usd_per_gpu_hour": rental_usd_per_gpu_hour,
        "utilisation_frac": utilisation_frac,
        "pue": pue,
        "power_usd_per_mwh": power_usd_per_mwh,
        "hours_in_month": hours_in_month,
        "cap_curve": cap_curve,
    }
    error = check.scalar("relative_error", relative_error, check.Range(1e-6, 0.5, "of the largest value"))
    mw, rows, gap = refined_samples(
        lambda mw: _sample(mw * KW_PER_MW / kw, cluster, weights, terms),
        lambda _, rows: _gaps(rows),
        low_mw=0.0,
        high_mw=largest,
        relative_gap=_SAMPLING_SHARE * error,
    )
    return _pieces(mw, rows[0], (1.0 - _SAMPLING_SHARE) * error, float(gap.max()))


def _sample(gpus: Float64Array, cluster: ClusterTerms, weights: Float64Array, terms: Mapping[str, Any]) -> Float64Array:
    """Rows of :func:`_gaps` at some sizes, each at the caps best for it."""
    size = cluster_throughput(gpus, cluster)
    per_gpu = size.scaling_efficiency_frac * size.goodput_frac
    usd = np.empty((2, gpus.size))
    for i, frac in enumerate(per_gpu):
        one = gpu_block_values(gpu_count=1, goodput_frac=frac, **terms)
        usd[:, i] = (weights * one.revenue_usd).sum() / frac, (weights * one.power_cost_usd).sum()
    value = usd[0] * size.effective_gpu_count - usd[1] * gpus
    return np.stack([value, gpus, size.effective_gpu_count, size.marginal_effective_gpu_frac, per_gpu, *usd])


def _pieces(mw: Float64Array, value: Float64Array, relative_error: float, gap: float) -> Breakpoints:
    """Fewest pieces on the concave envelope of the samples; the function is within ``gap`` of their polygon."""
    steepest = np.abs(np.diff(value) / np.diff(mw)).max()
    kept = concave_indices(mw, value + 2.0 * steepest * mw)  # a line added makes it rise, and leaves the envelope
    above = float((np.interp(mw, mw[kept], value[kept]) - value).max())
    pieces = fewest_pieces(mw[kept], value[kept], relative_error * float(np.abs(value).max()))
    return Breakpoints(pieces.mw, pieces.value_usd, max(pieces.error_bound_usd, above) + gap)


def _gaps(rows: Float64Array) -> Float64Array:
    """Farthest that the value can be from the chord of each interval, USD: above it or below it.

    Above: the slope of ``phi`` times what ``E`` lies above its chord; its tangents at both ends, of slopes ``m0`` and
    ``m1``, meet at ``h (m0 - s) (s - m1) / (m0 - m1)`` above the chord of slope ``s`` and ``h`` GPUs. Below: what the
    caps of one end lose at the other.
    """
    value, gpus, effective, marginal, per_gpu, revenue_usd, cost_usd = rows
    width = np.diff(gpus)
    slope = np.diff(effective) / width
    falls, both = np.maximum([marginal[:-1] - slope, slope - marginal[1:]], 0.0), -np.diff(marginal)
    height = width * np.divide(falls[0] * falls[1], both, out=np.zeros_like(both), where=both > 0.0)
    margin_per_gpu = revenue_usd * per_gpu - cost_usd
    step = -np.diff(per_gpu)
    # Without a fall in throughput per GPU the slope of phi plays no part: E is straight there.
    above = height * np.divide(-np.diff(margin_per_gpu), step, out=np.zeros_like(step), where=step > 0.0)
    kept_left = revenue_usd[:-1] * effective[1:] - cost_usd[:-1] * gpus[1:]
    kept_right = revenue_usd[1:] * effective[:-1] - cost_usd[1:] * gpus[:-1]
    below = np.minimum(value[1:] - kept_left, value[:-1] - kept_right)
    largest: Float64Array = np.maximum(above, below)
    return largest
