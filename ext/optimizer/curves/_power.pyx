"""Tables of sorted rows, their look-up, and compensated sums.

The look-up itself is in ``_lookup.h``. ``SortedTables`` holds the arrays of many rows one after the other: ``entry`` is
``[K, 3]``, a value and the two sums that belong to it; ``layout[row]`` is first entry, count of values, first bucket,
first key, key shift; ``span[row]`` is centre and scale of the keys, and the bounds a hair outside the row.
"""

from libc.math cimport INFINITY, nextafter
from libc.stdint cimport int32_t, int64_t

import numpy as np

cdef enum:
    COARSEST_SHIFT = 52  # one bucket for each power of two

# Columns of the layout.
cdef enum:
    FIRST_ENTRY
    VALUE_COUNT
    FIRST_BUCKET
    FIRST_KEY
    SHIFT


cdef SortedTable table_row(
    const double[:, ::1] entry,
    const int32_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] span,
    Py_ssize_t row,
) noexcept nogil:
    cdef SortedTable table
    table.entry = &entry[layout[row, FIRST_ENTRY], 0]
    table.bucket_start = &bucket_start[layout[row, FIRST_BUCKET]]
    table.first_key = layout[row, FIRST_KEY]
    table.shift = <int> layout[row, SHIFT]
    table.centre = span[row, 0]
    table.scale = span[row, 1]
    table.low = span[row, 2]
    table.high = span[row, 3]
    return table


cdef double half_spread(const double[:] value) noexcept nogil:
    """Half the distance of the quartiles, or of the ends where those are equal; never 0."""
    cdef Py_ssize_t count = value.shape[0]
    cdef double spread = (value[3 * count // 4] - value[count // 4]) / 2.0
    if spread == 0.0:
        spread = (value[count - 1] - value[0]) / 2.0
    return spread if spread > 0.0 else 1.0


def bucket_table(const double[:] value, double buckets_per_value):
    """Build the look-up table of one ascending row ``[N]``: ``(bucket_start, (first_key, shift), span)``.

    Buckets are halved until there are ``buckets_per_value`` for each value.
    """
    cdef Py_ssize_t count = value.shape[0], i
    cdef double centre = value[count // 2], scale = half_spread(value)
    cdef double low = nextafter(value[0], -INFINITY), high = nextafter(value[count - 1], INFINITY)
    cdef int shift = COARSEST_SHIFT + 1
    cdef int64_t first_key, last_key = 0, key, bucket = 0
    while True:
        shift -= 1
        first_key = bucket_key(low, centre, scale, shift)
        last_key = bucket_key(high, centre, scale, shift)
        if shift == 0 or last_key - first_key >= buckets_per_value * count:
            break
    starts = np.empty(last_key - first_key + 2, dtype=np.int32)
    cdef int32_t[::1] start = starts
    with nogil:
        for i in range(count):
            key = bucket_key(value[i], centre, scale, shift) - first_key
            while bucket <= key:
                start[bucket] = <int32_t> i
                bucket += 1
        while bucket < start.shape[0]:
            start[bucket] = <int32_t> count
            bucket += 1
    return starts, (first_key, shift), (centre, scale, low, high)


def prefix_sums(const double[::1] value):
    """Sums of the first 0, 1, .. N values, ``[N + 1]``, compensated (Neumaier 1974)."""
    sums = np.empty(value.shape[0] + 1)
    cdef double[::1] out = sums
    cdef Compensated sum = Compensated(0.0, 0.0)
    cdef Py_ssize_t i
    with nogil:
        out[0] = 0.0
        for i in range(value.shape[0]):
            out[i + 1] = add_compensated(&sum, value[i])
    return sums


def values_below(
    const double[:, ::1] entry,
    const int32_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] span,
    Py_ssize_t row,
    const double[::1] x,
):
    """How many values of a row lie strictly below each ``x[N]``, int32."""
    counts = np.empty(x.shape[0], dtype=np.int32)
    cdef int32_t[::1] below = counts
    cdef SortedTable table
    cdef Py_ssize_t first = 0
    with nogil:
        table = table_row(entry, bucket_start, layout, span, row)
        while first < x.shape[0]:
            count_before(&table, &x[first], <int> min(<Py_ssize_t> SLICE, x.shape[0] - first), 0, &below[first])
            first += SLICE
    return counts
