"""Price-table look-up and mining margin: point functions, then loops, then the entries that release the GIL.

The look-up counts the distinct prices (knots) below ``z`` in two parts. The leading bits of ``|z - centre| + scale``
number a bucket: even buckets near the centre, where most prices lie, and ever wider ones towards the spikes. The table
holds the knots before each bucket, and a search of a fixed number of halvings, without a branch, finishes inside it.
Keys never fall as ``z`` rises, so the result is that of a binary search over all knots.
"""

from libc.math cimport fabs
from libc.stdint cimport int64_t
from libc.string cimport memcpy

import numpy as np

# Scenarios summed in one go; the sums of slices are added in order.
cdef enum:
    SLICE = 256

# Columns of the table's layout.
cdef enum:
    FIRST_KNOT
    FIRST_BUCKET
    FIRST_KEY
    LAST_KEY
    SHIFT
    STEPS


cdef inline int64_t leading_bits(double value, int shift) noexcept nogil:
    cdef int64_t bits
    memcpy(&bits, &value, sizeof(bits))
    return bits >> shift


cdef inline int64_t bucket_key(double price, double centre, double scale, int shift) noexcept nogil:
    """Non-decreasing in price; 0 at the centre."""
    cdef double distance = price - centre
    cdef int64_t key = leading_bits(fabs(distance) + scale, shift) - leading_bits(scale, shift)
    return -key if distance < 0.0 else key


cdef inline Py_ssize_t knots_below(const MonthTable *table, double z) noexcept nogil:
    """Number of knots strictly below z."""
    cdef int64_t key = bucket_key(z, table.centre, table.scale, table.shift)
    key = table.first_key if key < table.first_key else key
    key = table.last_key if key > table.last_key else key
    cdef Py_ssize_t below = table.bucket_start[key - table.first_key]
    cdef Py_ssize_t half = (<Py_ssize_t> 1) << (table.steps - 1)
    while half:
        below += half * (table.knots[below + half - 1] < z)
        half >>= 1
    return below


cdef void sum_slice(
    const MonthTable *table,
    const double *hashprice,
    const double *level,
    double slope,
    double adder,
    Py_ssize_t count,
    double *running,
    double *hashprice_running,
    double *energy_price_running,
) noexcept nogil:
    """Add the sums over a slice of scenarios of share running, share * hashprice and level * mean part below."""
    cdef double share, by_share = 0.0, by_hashprice = 0.0, by_price = 0.0
    cdef Py_ssize_t w, below
    for w in range(count):
        below = knots_below(table, (slope * hashprice[w] - adder) / level[w])
        share = table.share_below[below]
        by_share += share
        by_hashprice += share * hashprice[w]
        by_price += level[w] * table.mean_part_below[below]
    running[0] += by_share
    hashprice_running[0] += by_hashprice
    energy_price_running[0] += by_price


cdef void add_slice(
    const MonthTable *table,
    const double *hashprice,
    const double *level,
    double slope,
    double adder,
    double coefficient,
    Py_ssize_t count,
    double *out,
) noexcept nogil:
    """Add ``coefficient * level * f(z)`` to each scenario of a slice."""
    cdef double surplus
    cdef Py_ssize_t w, below
    for w in range(count):
        surplus = slope * hashprice[w] - adder
        below = knots_below(table, surplus / level[w])
        out[w] += coefficient * (table.share_below[below] * surplus - level[w] * table.mean_part_below[below])


cdef MonthTable month_table(
    const double[::1] knots,
    const double[::1] share_below,
    const double[::1] mean_part_below,
    const int64_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] key_origin,
    int64_t calendar_month,
) noexcept nogil:
    cdef Py_ssize_t m = calendar_month - 1
    cdef MonthTable table
    table.knots = &knots[layout[m, FIRST_KNOT]]
    table.share_below = &share_below[layout[m, FIRST_KNOT]]
    table.mean_part_below = &mean_part_below[layout[m, FIRST_KNOT]]
    table.bucket_start = &bucket_start[layout[m, FIRST_BUCKET]]
    table.first_key = layout[m, FIRST_KEY]
    table.last_key = layout[m, LAST_KEY]
    table.centre = key_origin[m, 0]
    table.scale = key_origin[m, 1]
    table.shift = <int> layout[m, SHIFT]
    table.steps = <int> layout[m, STEPS]
    return table


def bucket_keys(const double[::1] price, double centre, double scale, int shift):
    """Key of each price ``[N]``, int64."""
    keys = np.empty(price.shape[0], dtype=np.int64)
    cdef int64_t[::1] key = keys
    cdef Py_ssize_t i
    with nogil:
        for i in range(price.shape[0]):
            key[i] = bucket_key(price[i], centre, scale, shift)
    return keys


def prefix_sums(const double[::1] value):
    """Sums of the first 0, 1, .. N values, ``[N + 1]``, compensated (Neumaier 1974)."""
    sums = np.empty(value.shape[0] + 1)
    cdef double[::1] out = sums
    cdef double total = 0.0, lost = 0.0, following
    cdef Py_ssize_t i
    with nogil:
        out[0] = 0.0
        for i in range(value.shape[0]):
            following = total + value[i]
            if fabs(total) >= fabs(value[i]):
                lost += (total - following) + value[i]
            else:
                lost += (value[i] - following) + total
            total = following
            out[i + 1] = total + lost
    return sums


def hours_below(
    const double[::1] knots,
    const double[::1] share_below,
    const double[::1] mean_part_below,
    const int64_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] key_origin,
    int64_t calendar_month,
    const double[::1] z,
):
    """Share of hours below each ``z[N]`` and their part of the mean price, two arrays ``[N]``."""
    shares, parts = np.empty(z.shape[0]), np.empty(z.shape[0])
    cdef double[::1] share = shares, part = parts
    cdef MonthTable table
    cdef Py_ssize_t i, below
    with nogil:
        table = month_table(knots, share_below, mean_part_below, bucket_start, layout, key_origin, calendar_month)
        for i in range(z.shape[0]):
            below = knots_below(&table, z[i])
            share[i] = table.share_below[below]
            part[i] = table.mean_part_below[below]
    return shares, parts


def margin_sums(
    const double[::1] knots,
    const double[::1] share_below,
    const double[::1] mean_part_below,
    const int64_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] key_origin,
    const int64_t[::1] calendar_month,
    const double[:, ::1] hashprice,
    const double[:, ::1] level,
    const double[::1] slope,
    const double[::1] adder,
):
    """Sums over scenarios by step and month, ``[3, J, T]``: share running, share * hashprice, level * mean part below.

    ``hashprice``, ``level`` are ``[T, W]``; step ``j`` runs in hours below ``(slope[j] * hashprice - adder) / level``.
    """
    sums = np.zeros((3, slope.shape[0], hashprice.shape[0]))
    cdef double[:, :, ::1] out = sums
    cdef Py_ssize_t scenarios = hashprice.shape[1], j, t, s, first, count
    cdef MonthTable table
    with nogil:
        for t in range(hashprice.shape[0]):
            table = month_table(
                knots, share_below, mean_part_below, bucket_start, layout, key_origin, calendar_month[t]
            )
            for s in range((scenarios + SLICE - 1) // SLICE):
                first = s * SLICE
                count = min(<Py_ssize_t> SLICE, scenarios - first)
                for j in range(slope.shape[0]):
                    sum_slice(
                        &table, &hashprice[t, first], &level[t, first], slope[j], adder[t], count,
                        &out[0, j, t], &out[1, j, t], &out[2, j, t],
                    )
    return sums


def add_margin(
    const double[::1] knots,
    const double[::1] share_below,
    const double[::1] mean_part_below,
    const int64_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] key_origin,
    const int64_t[::1] calendar_month,
    const double[:, ::1] hashprice,
    const double[:, ::1] level,
    const double[::1] slope,
    const double[::1] adder,
    const double[:, ::1] coefficient,
    double[::1] out,
):
    """Add ``sum over j, t of coefficient[j, t] * level * f(z)`` to ``out[W]``; zero coefficients are skipped."""
    cdef Py_ssize_t scenarios = hashprice.shape[1], j, t, s, first, count
    cdef MonthTable table
    with nogil:
        for t in range(hashprice.shape[0]):
            table = month_table(
                knots, share_below, mean_part_below, bucket_start, layout, key_origin, calendar_month[t]
            )
            for s in range((scenarios + SLICE - 1) // SLICE):
                first = s * SLICE
                count = min(<Py_ssize_t> SLICE, scenarios - first)
                for j in range(slope.shape[0]):
                    if coefficient[j, t] != 0.0:
                        add_slice(
                            &table, &hashprice[t, first], &level[t, first], slope[j], adder[t], coefficient[j, t],
                            count, &out[first],
                        )
