"""Sums of mining margins over scenarios. The point functions and their loops are in ``_margin.h``.

Hours are the tables of a ``PowerShape``, scenarios those of a ``ScenarioOrder``; see ``_power.pyx`` for their arrays.
"""

from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t

from optimizer.curves._power cimport SLICE, Compensated, add_compensated, table_row


cdef Hours hours_of(
    const double[:, ::1] price,
    const int32_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] span,
    int64_t calendar_month,
) noexcept nogil:
    cdef Hours hours
    hours.table = table_row(price, bucket_start, layout, span, calendar_month - 1)
    hours.count = layout[calendar_month - 1, 1]
    return hours


cdef void store(double[:, :, ::1] sums, Py_ssize_t j, Py_ssize_t t, const Sums *sum) noexcept nogil:
    sums[0, j, t] = sum.share
    sums[1, j, t] = sum.hashprice
    sums[2, j, t] = sum.price
    if sums.shape[0] > 3:
        sums[3, j, t] = sum.btc


cdef Sums stored(const double[:, :, ::1] sums, Py_ssize_t j, Py_ssize_t t) noexcept nogil:
    cdef Sums sum
    sum.share = sums[0, j, t]
    sum.hashprice = sums[1, j, t]
    sum.price = sums[2, j, t]
    sum.btc = sums[3, j, t] if sums.shape[0] > 3 else 0.0
    return sum


def add_sums(
    const double[:, ::1] price,
    const int32_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] span,
    const int64_t[::1] calendar_month,
    const double[::1] slope,
    const double[::1] adder,
    const double[:, ::1] hashprice,
    const double[:, ::1] level,
    const double[:, ::1] btc_usd,
    double[:, :, ::1] sums,
    const int64_t[::1] months,
    Py_ssize_t first_month,
    Py_ssize_t last_month,
):
    """Add the sums over scenarios to ``sums[3 or 4, J, T]``, for ``months[first_month:last_month]``.

    Rows: share running, share * hashprice, level * part of the mean price, and (of 4) share * hashprice in BTC.
    ``hashprice``, ``level`` are ``[T, W]``, and ``btc_usd`` where there are four rows; ``slope`` is ``[J]``.
    """
    cdef Py_ssize_t scenarios = hashprice.shape[1], i, j, t, first
    cdef bint with_btc = sums.shape[0] > 3
    cdef Hours hours
    cdef Slice slice
    cdef Sums sum
    with nogil:
        for i in range(first_month, last_month):
            t = months[i]
            hours = hours_of(price, bucket_start, layout, span, calendar_month[t])
            first = 0
            while first < scenarios:
                prepare_slice(
                    &slice, &hashprice[t, first], &level[t, first], &btc_usd[t, first] if with_btc else NULL,
                    <int> min(<Py_ssize_t> SLICE, scenarios - first),
                )
                for j in range(slope.shape[0]):
                    sum = stored(sums, j, t)
                    add_slice_sums(&hours, &slice, slope[j], adder[t], &sum)
                    store(sums, j, t, &sum)
                first += SLICE


def add_ordered(
    const double[:, ::1] price,
    const int32_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] span,
    const int64_t[::1] calendar_month,
    const double[::1] slope,
    const double[::1] adder,
    const double[:, ::1] scenario,
    const int32_t[::1] scenario_bucket_start,
    const int64_t[:, ::1] scenario_layout,
    const double[:, ::1] scenario_span,
    const double[:, ::1] btc_from,
    const double[::1] shared_level,
    double[:, :, ::1] sums,
    const int64_t[::1] months,
    Py_ssize_t first_month,
    Py_ssize_t last_month,
):
    """As :func:`add_sums`, for months whose scenarios are in order.

    The ``scenario`` arrays are the tables of a ``ScenarioOrder``, ``btc_from[T, W + 1]`` its sums where there are four
    rows; ``shared_level[T]`` is 1 where there is none.
    """
    cdef Py_ssize_t i, j, t
    cdef Hours hours
    cdef Ordered scenarios
    cdef Sums sum
    with nogil:
        for i in range(first_month, last_month):
            t = months[i]
            hours = hours_of(price, bucket_start, layout, span, calendar_month[t])
            scenarios.table = table_row(scenario, scenario_bucket_start, scenario_layout, scenario_span, t)
            scenarios.count = scenario_layout[t, 1]
            scenarios.btc_from = &btc_from[t, 0] if sums.shape[0] > 3 else NULL
            scenarios.level = shared_level[t]
            for j in range(slope.shape[0]):
                sum = stored(sums, j, t)
                add_ordered_sums(&hours, &scenarios, slope[j], adder[t], &sum)
                store(sums, j, t, &sum)


def fill_order(
    const int64_t[::1] ascending,
    const double[::1] by_level,
    const double[::1] hashprice,
    const double[::1] level,
    const double[::1] btc_usd,
    double[:, ::1] entry,
    double[::1] btc_from,
):
    """Fill the entries ``[W + 1, 3]`` of one month's scenarios in ascending order: see ``Ordered`` in ``_margin.h``.

    ``btc_from`` is ``[W + 1]``, or empty if no bitcoin are to be summed. Sums are compensated.
    """
    cdef Py_ssize_t count = ascending.shape[0], i, w
    cdef bint with_btc = btc_from.shape[0] > 0
    cdef Compensated hashprice_sum = Compensated(0.0, 0.0), level_sum = hashprice_sum, btc_sum = hashprice_sum
    with nogil:
        entry[count, 0], entry[count, 1], entry[count, 2] = INFINITY, 0.0, 0.0
        for i in range(count - 1, -1, -1):
            w = ascending[i]
            entry[i, 0] = by_level[w]
            entry[i, 1] = add_compensated(&hashprice_sum, hashprice[w])
            entry[i, 2] = add_compensated(&level_sum, level[w])
        if with_btc:
            btc_from[count] = 0.0
            for i in range(count - 1, -1, -1):
                w = ascending[i]
                btc_from[i] = add_compensated(&btc_sum, hashprice[w] / btc_usd[w])


def add_margin(
    const double[:, ::1] price,
    const int32_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] span,
    const int64_t[::1] calendar_month,
    const double[::1] slope,
    const double[::1] adder,
    const double[:, ::1] hashprice,
    const double[:, ::1] level,
    const double[:, ::1] coefficient,
    double[::1] out,
    Py_ssize_t first_scenario,
    Py_ssize_t last_scenario,
):
    """Add ``sum over j, t of coefficient[j, t] * level * f(z)`` to ``out[first:last]``; zero coefficients are skipped.

    ``f`` is the mean over hours of ``max(0, z - price)``; ``first_scenario`` is a multiple of 256.
    """
    cdef Py_ssize_t j, t, first
    cdef Hours hours
    cdef Slice slice
    with nogil:
        for t in range(hashprice.shape[0]):
            hours = hours_of(price, bucket_start, layout, span, calendar_month[t])
            first = first_scenario
            while first < last_scenario:
                prepare_slice(
                    &slice, &hashprice[t, first], &level[t, first], NULL,
                    <int> min(<Py_ssize_t> SLICE, last_scenario - first),
                )
                for j in range(slope.shape[0]):
                    if coefficient[j, t] != 0.0:
                        add_slice_margin(&hours, &slice, slope[j], adder[t], coefficient[j, t], &out[first])
                first += SLICE
