"""Concave functions of MW as few straight pieces with a guaranteed error.

The pieces are chords: their knots lie on the function, so by concavity they never overstate it. Of all such
approximations within the error, the longest-piece rule takes the fewest. On a sub-interval a chord lies on or above the
chord of the whole interval, so the error of a piece never grows when it is cut from either side. Take any approximation
within the error; by induction its k-th knot is not beyond the k-th of the rule: from its (k-1)-th knot, which is not
beyond the rule's, its next piece cut at the rule's knot is within the error, so the rule reaches at least as far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.errors import InvalidInputError

_MW: Final = check.Range(0.0, 1e6, "MW")
_VALUE: Final = check.Range(-1e15, 1e15, "USD")
_RELATIVE_ERROR: Final = check.Range(1e-9, 0.5, "of the largest value")
_ROUNDING: Final = 1e-12
"""Of the largest value: dents so small count as concave."""
_SAMPLING_SHARE: Final = 0.001
"""Of the error allowed, what is left to the values between the samples of a function."""
_START_INTERVALS: Final = 32
_NARROWEST: Final = 1e-30
"""Of the range, intervals that are not halved."""


@dataclass(frozen=True, slots=True, eq=False)
class Breakpoints:
    """A concave function of MW in straight pieces between ``K`` knots that lie on it."""

    mw: Float64Array
    """Ascending, ``[K]``."""
    value_usd: Float64Array
    """Of the function at ``mw``, ``[K]``."""
    error_bound_usd: float
    """The function is nowhere more above the pieces; it is nowhere below them."""

    def at(self, mw: ArrayLike) -> Float64Array:
        """Value of the pieces, USD; inside the range of the knots."""
        inside = check.Range(float(self.mw[0]), float(self.mw[-1]), "MW, the range of the knots")
        return np.interp(check.floats("mw", mw, inside), self.mw, self.value_usd)


def piecewise_breakpoints(mw: ArrayLike, value_usd: ArrayLike, *, relative_error: float = 1e-3) -> Breakpoints:
    """Fewest of the samples ``mw`` ``[N]``, ascending, that keep ``value_usd`` ``[N]`` within the error.

    The function is the polygon through the samples; its distance from a piece is largest at a sample, so the bound is
    exact. ``relative_error`` is of the largest absolute value. Samples that are not concave are refused by index.

    >>> piecewise_breakpoints([0, 1, 2, 3], [0.0, 5.0, 10.0, 12.0]).mw
    array([0., 2., 3.])
    """
    knots, values = _samples(mw, value_usd)
    allowed = check.scalar("relative_error", relative_error, _RELATIVE_ERROR) * float(np.abs(values).max())
    return fewest_pieces(knots, values, allowed)


def function_breakpoints(
    value_usd: Callable[[Float64Array], Float64Array],
    *,
    low_mw: float,
    high_mw: float,
    relative_error: float = 1e-3,
) -> Breakpoints:
    """Breakpoints of a concave function from ``low_mw`` to ``high_mw``, within the error between samples too.

    ``value_usd`` takes and returns arrays. The function is sampled ever finer until, between any two samples, the
    neighbouring chords, extended, leave it no more than a thousandth of the error above the chord: by concavity it
    cannot pass them. The rest of the error goes to the fewest pieces between samples, as :func:`piecewise_breakpoints`
    finds them. ``relative_error`` is of the largest absolute value.
    """
    low = check.scalar("low_mw", low_mw, _MW)
    high = check.scalar("high_mw", high_mw, check.Range(low + 1e-9, _MW.high, "MW, above low_mw"))
    error = check.scalar("relative_error", relative_error, _RELATIVE_ERROR)
    mw, (value,), gap = refined_samples(
        lambda mw: check.floats("value_usd", value_usd(mw), _VALUE, mw.shape)[None],
        lambda mw, rows: _largest_gaps(mw, rows[0]),
        low_mw=low,
        high_mw=high,
        relative_gap=_SAMPLING_SHARE * error,
    )
    _require_concave(mw, value)
    pieces = fewest_pieces(mw, value, (1.0 - _SAMPLING_SHARE) * error * float(np.abs(value).max()))
    return Breakpoints(pieces.mw, pieces.value_usd, pieces.error_bound_usd + float(gap.max()))


def refined_samples(
    sample: Callable[[Float64Array], Float64Array],
    gaps: Callable[[Float64Array, Float64Array], Float64Array],
    *,
    low_mw: float,
    high_mw: float,
    relative_gap: float,
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Sample a function until it is known between the samples: their MW ``[N]``, rows ``[F, N]`` and gaps ``[N - 1]``.

    ``sample`` gives the rows at some MW, the value first; ``gaps`` how far the value may be from the chord of each
    interval. Intervals are halved until no gap is above ``relative_gap`` of the largest absolute value.
    """
    mw = np.linspace(low_mw, high_mw, _START_INTERVALS + 1)
    rows = sample(mw)
    while True:
        gap = gaps(mw, rows)
        coarse = np.flatnonzero(gap > relative_gap * np.abs(rows[0]).max())
        if not coarse.size:
            return mw, rows, gap
        width = mw[coarse + 1] - mw[coarse]
        if (width < np.maximum(_NARROWEST * (high_mw - low_mw), 4.0 * np.spacing(mw[coarse + 1]))).any():
            raise InvalidInputError.single(
                "value_usd", f"is too steep at {mw[coarse[0]]:g} MW for the error", "raise low_mw or relative_error"
            )
        between = 0.5 * (mw[coarse] + mw[coarse + 1])
        mw, rows = np.insert(mw, coarse + 1, between), np.insert(rows, coarse + 1, sample(between), axis=1)


def fewest_pieces(mw: Float64Array, value: Float64Array, allowed: float) -> Breakpoints:
    """Longest piece after longest piece; as errors grow with the length, its end is found by doubling and halving."""
    knots, largest = [0], 0.0
    while knots[-1] < mw.size - 1:
        first, step = knots[-1], 1
        while first + 2 * step < mw.size and _chord_error(mw, value, first, first + 2 * step) <= allowed:
            step *= 2
        reached, beyond = first + step, min(first + 2 * step, mw.size)
        while beyond - reached > 1:
            middle = (reached + beyond) // 2
            if _chord_error(mw, value, first, middle) <= allowed:
                reached = middle
            else:
                beyond = middle
        largest = max(largest, _chord_error(mw, value, first, reached))
        knots.append(reached)
    return Breakpoints(mw[knots], value[knots], largest)


def _chord_error(mw: Float64Array, value: Float64Array, first: int, last: int) -> float:
    """Most that the samples between two of them lie above their chord."""
    slope = (value[last] - value[first]) / (mw[last] - mw[first])
    above = value[first : last + 1] - value[first] - slope * (mw[first : last + 1] - mw[first])
    return max(0.0, float(above.max()))


def _largest_gaps(mw: Float64Array, value: Float64Array) -> Float64Array:
    """Most that a concave function can lie above the chord of each interval, given its values at the samples.

    The extended neighbouring chords meet at ``h (s0 - s) (s - s1) / (s0 - s1)`` above it, with the width ``h``, the
    slopes ``s`` of its chord and ``s0``, ``s1`` of its neighbours. At the ends of the range there is but one neighbour:
    ``h`` times the difference of the slopes.
    """
    width = np.diff(mw)
    falls = np.maximum(-np.diff(np.diff(value) / width), 0.0)
    height = np.empty_like(width)
    height[0], height[-1] = falls[0], falls[-1]
    both = falls[:-1] + falls[1:]
    height[1:-1] = np.divide(falls[:-1] * falls[1:], both, out=np.zeros_like(both), where=both > 0.0)
    return width * height


def _samples(mw: ArrayLike, value_usd: ArrayLike) -> tuple[Float64Array, Float64Array]:
    """Check samples of a concave function."""
    knots = check.vector("mw", mw, _MW)
    if knots.size < 2:
        raise InvalidInputError.single("mw", "has one entry", "pass at least two samples")
    falls = np.diff(knots) <= 0.0
    if falls.any():
        at = int(np.argmax(falls)) + 1
        raise InvalidInputError.single(f"mw[{at}]", f"is {knots[at]:g}, not above the one before", "sort the samples")
    values = check.floats("value_usd", value_usd, _VALUE, knots.shape)
    _require_concave(knots, values)
    return knots, values


def _require_concave(mw: Float64Array, value: Float64Array) -> None:
    share = (mw[1:-1] - mw[:-2]) / (mw[2:] - mw[:-2])
    under = value[:-2] + share * (value[2:] - value[:-2]) - value[1:-1]
    if under.size and under.max() > _ROUNDING * np.abs(value).max():
        at = int(np.argmax(under)) + 1
        raise InvalidInputError.single(
            f"value_usd[{at}]", f"is {value[at]:g} at {mw[at]:g} MW, under the line between its neighbours",
            "pass a concave function",
        )  # fmt: skip
