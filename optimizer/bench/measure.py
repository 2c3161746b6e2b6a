"""Contenders side by side in one process: warm up, compare results, then time them round by round (A B C A B C).

Whatever slows the machine for a while then slows all contenders alike, and ratios within a round survive it.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.threads import limit_threads

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LARGEST_DIFFERENCE: Final = 1e-9
"""Relative difference of results above which contenders disagree."""
_SHORTEST_TIMING_S: Final = 0.02
"""A contender that is faster is run several times in a round."""
_NS_PER_S: Final = 1e9
_BYTES_PER_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to do the work of a case. The first of a case is ours on one thread, which all others are compared to."""

    name: str
    run: Callable[[], Any]
    """What is timed."""
    evaluations: int
    """How many evaluations one run makes; slow contenders do a part of the work."""
    threads: int = 1
    value: Callable[[Any], Floats] | None = None
    """The result of a run as numbers to compare; None where there is nothing to compare."""
    expected: Callable[[], Floats] | None = None
    """The same numbers from ours, for the same evaluations."""
    largest_difference: float = LARGEST_DIFFERENCE
    """Largest relative difference that is accepted."""
    limit: str | None = None
    """For a limit of the machine rather than a contender: which one."""
    own_seconds: Callable[[Any], float] | None = None
    """Seconds that a run reports itself, such as one in another process; by the clock here where None."""
    own_peak_mib: Callable[[Any], float] | None = None
    """Memory that such a run reports."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one contender; times and ratios are medians over rounds, ranges their extremes."""

    name: str
    threads: int
    evaluations: int
    seconds_per_run: float
    ns_per_evaluation: float
    ns_per_evaluation_range: tuple[float, float]
    evaluations_per_second: float
    ratio_to_ours: float
    """Time over that of ours on one thread, round by round."""
    ratio_to_ours_range: tuple[float, float]
    ratio_to_ours_all_threads: float
    """Time over that of ours on all threads, round by round."""
    max_relative_difference: float | None
    """Largest difference of a result from ours; None where there is nothing to compare."""
    peak_mib: float
    """Most memory that one run held through Python's allocators: NumPy arrays too, buffers of compiled code not.
    Of a process of its own: all that it had resident."""
    largest_difference: float
    """Largest that is accepted: none of ours on more threads."""
    limit: str | None
    """Which limit of the machine the row is; None for a contender."""
    binding_limit: str | None
    """For ours: the limit whose own time is longest."""
    share_of_limit_frac: float | None
    """For ours: that time over the time of the row, round by round. 1 means that nothing is left to gain."""

    @property
    def agrees(self) -> bool:
        """Whether the results are those of ours, as far as they can be compared."""
        return self.max_relative_difference is None or self.max_relative_difference <= self.largest_difference


def measure(contenders: Sequence[Contender], rounds: int) -> tuple[Row, ...]:
    """Warm up, compare and time ``contenders``; one :class:`Row` each, in their order."""
    starts = [_warm_up(contender) for contender in contenders]
    seconds = np.empty((rounds, len(contenders)))
    for timed in seconds:
        for i, (contender, start) in enumerate(zip(contenders, starts, strict=True)):
            timed[i] = _seconds(contender, start.repeats)
    evaluations = np.array([contender.evaluations for contender in contenders])
    ns = seconds * _NS_PER_S / evaluations
    # Ours on all threads follows ours on one, where there are more.
    ours_all_threads = 1 if len(contenders) > 1 and contenders[1].threads > 1 else 0
    limits = [i for i, contender in enumerate(contenders) if contender.limit]
    rows = []
    for i, (contender, start) in enumerate(zip(contenders, starts, strict=True)):
        ratio = ns[:, i] / ns[:, 0]
        binding, share = _binding(contenders, limits, ns) if i == 0 and limits else (None, None)
        rows.append(
            Row(
                name=contender.name,
                threads=contender.threads,
                evaluations=contender.evaluations,
                seconds_per_run=float(np.median(seconds[:, i])),
                ns_per_evaluation=float(np.median(ns[:, i])),
                ns_per_evaluation_range=_extremes(ns[:, i]),
                evaluations_per_second=float(_NS_PER_S / np.median(ns[:, i])),
                ratio_to_ours=float(np.median(ratio)),
                ratio_to_ours_range=_extremes(ratio),
                ratio_to_ours_all_threads=float(np.median(ns[:, i] / ns[:, ours_all_threads])),
                max_relative_difference=start.max_relative_difference,
                peak_mib=start.peak_mib,
                largest_difference=contender.largest_difference,
                limit=contender.limit,
                binding_limit=binding,
                share_of_limit_frac=share,
            )
        )
    return tuple(rows)


def scaling_of(rows: Sequence[Row]) -> float | None:
    """How many times as fast ours is on all threads as on one; None where one is all there is."""
    return rows[0].ratio_to_ours_all_threads if len(rows) > 1 and rows[1].threads > 1 else None


def relative_difference(value: Floats, expected: Floats) -> float:
    """Largest ``|value - expected|`` over ``|expected|``, the latter at least a millionth of its largest entry.

    NaN on either side, and another shape, count as infinitely different.
    """
    if value.shape != expected.shape or not (np.isfinite(value).all() and np.isfinite(expected).all()):
        return float("inf")
    if not value.size:
        return 0.0
    size = np.abs(expected)
    scale = np.maximum(size, max(1e-6 * float(size.max()), np.finfo(np.float64).tiny))
    return float((np.abs(value - expected) / scale).max())


@dataclass(frozen=True, slots=True)
class _Start:
    repeats: int
    max_relative_difference: float | None
    peak_mib: float


def _warm_up(contender: Contender) -> _Start:
    """Run once to compile and fill caches, once for the memory, and see how often a round must repeat it."""
    with limit_threads(contender.threads):
        result = contender.run()
    difference = None
    if contender.value is not None and contender.expected is not None:
        with limit_threads(1):
            difference = relative_difference(contender.value(result), contender.expected())
    if contender.own_peak_mib is not None:
        return _Start(1, difference, contender.own_peak_mib(result))
    with limit_threads(contender.threads):
        tracemalloc.start()
        contender.run()
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # One run alone may have waited for its threads to wake.
    fastest_s = _seconds(contender, 1)
    if fastest_s < _SHORTEST_TIMING_S:
        fastest_s = min(fastest_s, *(_seconds(contender, 1) for _ in range(3)))
    repeats = max(1, round(_SHORTEST_TIMING_S / max(fastest_s, 1e-6)))
    return _Start(repeats, difference, peak_bytes / _BYTES_PER_MIB)


def _seconds(contender: Contender, repeats: int) -> float:
    """Seconds of one run, the mean of ``repeats``, after one more where the others' traces in the caches matter."""
    with limit_threads(contender.threads):
        if repeats > 1:
            contender.run()
        start = time.perf_counter()
        for _ in range(repeats):
            result = contender.run()
        elapsed = (time.perf_counter() - start) / repeats
    return elapsed if contender.own_seconds is None else contender.own_seconds(result)


def _binding(contenders: Sequence[Contender], limits: Sequence[int], ns: Floats) -> tuple[str | None, float | None]:
    """Which limit takes longest, and the share of our time that it takes."""
    slowest = limits[int(np.argmax(np.median(ns[:, limits], axis=0)))]
    return contenders[slowest].limit, float(np.median(ns[:, slowest] / ns[:, 0]))


def _extremes(values: Floats) -> tuple[float, float]:
    return float(values.min()), float(values.max())
