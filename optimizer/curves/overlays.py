"""Overlays: jumps and regimes that begin in some scenarios and multiply what is there: a crypto winter, an AI bust.

An overlay moves the mean: nothing is recentred for it, so the expected path is the base path times what the overlay
does to it on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.curves import _checks as check
from optimizer.curves import _overlays
from optimizer.curves import _sampling as sampling
from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves.scenarios import FACTORS, HAZARD_MULTIPLIER
from optimizer.curves.threads import in_slices
from optimizer.errors import InvalidInputError

_MONTH: Final = check.Range(0, sampling.MONTH_COUNT.high, "months from the start of the horizon")
_START: Final = check.Range(0, sampling.NEVER, "as a month from the start of the horizon, or NEVER")
_PROFILE: Final = check.Range(1e-6, 1e6, "as a multiple of the path without the overlay")


def overlay_starts(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    streams: ArrayLike,
    probability_frac: ArrayLike,
    first_month: ArrayLike,
    last_month: ArrayLike,
) -> NDArray[np.int32]:
    """Month (0-based) in which each overlay begins, ``[K, W]`` int32; :data:`~optimizer.curves.NEVER` where none does.

    With ``probability_frac[K]`` an overlay begins in a scenario, in a month that is uniform over ``first_month[K]`` to
    ``last_month[K]``, both included. ``streams[K]`` are distinct 32-bit ids that the caller keeps for an overlay;
    overlays are independent of one another, of the factors and of the tenants' defaults.
    """
    key = sampling.checked_seed(seed)
    first, count = sampling.scenario_range(first_scenario, scenario_count)
    probability = check.floats("probability_frac", probability_frac, check.FRACTION)
    if probability.ndim != 1:
        raise InvalidInputError.single(
            "probability_frac", f"has shape {probability.shape}", "pass one entry per overlay"
        )
    ids = sampling.stream_ids(streams, probability.shape, "overlay")
    begin = check.integers("first_month", first_month, _MONTH, probability.shape)
    end = check.integers("last_month", last_month, _MONTH, probability.shape)
    if (end < begin).any():
        k = int(np.argmax(end < begin))
        told = f"is {end[k]}, before the first month {begin[k]}"
        raise InvalidInputError.single(f"last_month[{k}]", told, "swap the months")
    starts = np.empty((probability.size, count), dtype=np.int32)

    def fill(start: int, stop: int) -> None:
        _overlays.overlay_starts(key, first, ids, probability, begin, end - begin + 1, starts, start, stop)

    in_slices(fill, count, sampling.SLICE)
    return starts


def apply_overlays(multipliers: Float64Array, starts: ArrayLike, profiles: Sequence[ArrayLike]) -> None:
    """Multiply ``multipliers[5, T, W]`` in place by what each overlay does from the month in which it begins.

    Factor ``f`` of scenario ``w`` is multiplied by ``profiles[k][f, d]`` in month ``starts[k, w] + d``, for every ``d``
    of the profile ``[5, D_k]`` that falls into the horizon, and by nothing after it. Overlays that overlap multiply.
    The means of the multipliers move.
    """
    if not isinstance(multipliers, np.ndarray) or multipliers.dtype != np.float64:
        raise InvalidInputError.single("multipliers", "is not a float64 array", "pass that of factor_multipliers")
    if multipliers.ndim != 3 or multipliers.shape[0] != len(FACTORS):
        told = f"has shape {multipliers.shape}"
        raise InvalidInputError.single("multipliers", told, "pass [5, months, scenarios]")
    if not (multipliers.flags.c_contiguous and multipliers.flags.writeable):
        told = "is read-only or strided"
        raise InvalidInputError.single("multipliers", told, "pass a contiguous array that may be changed")
    checked = []
    for k, profile in enumerate(profiles):
        rows = check.floats(f"profiles[{k}]", profile, _PROFILE)
        if rows.ndim != 2 or rows.shape[0] != len(FACTORS):
            raise InvalidInputError.single(f"profiles[{k}]", f"has shape {rows.shape}", "pass [5, months]")
        checked.append(rows)
    _multiply(multipliers, _checked_starts(starts, len(checked), multipliers.shape[2]), checked)


def overlay_hazard_multiplier(
    starts: ArrayLike, hazard_profiles: Sequence[ArrayLike], month_count: int
) -> Float64Array:
    """Multiplier ``[T, W]`` of the tenants' default hazards: the product over the overlays that are on, else 1.

    ``hazard_profiles[k][d]`` holds in month ``starts[k, w] + d``. For ``default_months(..., hazard_multiplier=...)``.
    """
    months = check.integer("month_count", month_count, sampling.MONTH_COUNT)
    profiles = [
        check.vector(f"hazard_profiles[{k}]", profile, HAZARD_MULTIPLIER)[None, :]
        for k, profile in enumerate(hazard_profiles)
    ]
    begin = _checked_starts(starts, len(profiles))
    multiplier = np.ones((1, months, begin.shape[1]))
    _multiply(multiplier, begin, profiles)
    return np.asarray(multiplier[0])


def _checked_starts(starts: ArrayLike, overlay_count: int, scenario_count: int | None = None) -> NDArray[np.int32]:
    months = check.integers("starts", starts, _START)
    if months.ndim != 2 or months.shape[0] != overlay_count or scenario_count not in (None, months.shape[1]):
        wanted = "W" if scenario_count is None else scenario_count
        told = f"has shape {months.shape}"
        raise InvalidInputError.single("starts", told, f"pass [overlays, scenarios]: ({overlay_count}, {wanted})")
    return months.astype(np.int32)


def _multiply(multipliers: Float64Array, starts: NDArray[np.int32], profiles: Sequence[Float64Array]) -> None:
    if not profiles:
        return
    bound: Int64Array = np.cumsum([0, *(profile.shape[1] for profile in profiles)], dtype=np.int64)
    joined = np.ascontiguousarray(np.concatenate(profiles, axis=1))

    def fill(start: int, stop: int) -> None:
        _overlays.apply_overlays(multipliers, starts, joined, bound, start, stop)

    in_slices(fill, starts.shape[1], sampling.SLICE)
