"""Sorted rows with look-up tables: how many values of a row lie below a number, in a few nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import _power
from optimizer.curves._checks import Float64Array, Int64Array

_Array = TypeVar("_Array", bound=NDArray[np.generic])


@dataclass(frozen=True, slots=True, eq=False)
class SortedTables:
    """Ascending rows, one after the other, and their look-up tables. Immutable; ``_lookup.h`` says how they work.

    A row of ``n`` values has ``n + 1`` entries: each value with two sums that belong to it, and infinity with two more.
    """

    entries: Float64Array
    """``[K, 3]``, row after row."""
    bucket_start: NDArray[np.int32]
    """Values of the row before each of its buckets, and then their count, row after row."""
    layout: Int64Array
    """``[M, 5]``: first entry, count of values, first bucket, first key, key shift."""
    span: Float64Array
    """``[M, 4]``: centre and scale of the keys, and the bounds a hair outside the row."""

    @classmethod
    def of(cls, entries: Float64Array, count: Int64Array, buckets_per_value: float) -> SortedTables:
        """Build from ascending, finite rows of ``count[M]`` >= 1 values. More buckets leave fewer values to compare."""
        first = np.cumsum(count + 1) - (count + 1)
        tables = [
            _power.bucket_table(entries[start : start + n, 0], buckets_per_value)
            for start, n in zip(first, count, strict=True)
        ]
        buckets = np.array([start.size for start, *_ in tables], dtype=np.int64)
        first_key, shift = zip(*(key for _, key, _ in tables), strict=True)
        return cls(
            entries=frozen(entries),
            bucket_start=frozen(np.concatenate([start for start, *_ in tables])),
            layout=frozen(np.stack([first, count, np.cumsum(buckets) - buckets, first_key, shift], axis=1)),
            span=frozen(np.array([span for *_, span in tables])),
        )

    @property
    def arrays(self) -> tuple[Float64Array, NDArray[np.int32], Int64Array, Float64Array]:
        """The arrays in the order in which kernels take them."""
        return self.entries, self.bucket_start, self.layout, self.span

    @property
    def count(self) -> Int64Array:
        """Values of each row, ``[M]``."""
        return self.layout[:, 1]

    def entries_at(self, row: int, x: Float64Array) -> Float64Array:
        """Entry of the first value of a row that is not below each ``x[N]``, ``[N, 3]``."""
        return np.asarray(self.entries[self.layout[row, 0] + _power.values_below(*self.arrays, row, x)])


def frozen(array: _Array) -> _Array:
    """Make read-only, in place."""
    array.flags.writeable = False
    return array
