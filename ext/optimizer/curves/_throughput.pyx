"""A block of GPUs at the best power cap of each month and scenario, or off.

Off and the points of a cap curve, ascending in power, are joined by steps. As the curve is concave, the best point is
the last whose step pays: ``rental * breakeven > power price``, with break-evens that fall from step to step. So every
step is one comparison of its own, without a branch, for many scenarios at once, and sums over the steps that pay are
the sums at the best points.
"""

from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

cdef void sum_month(
    const double *breakeven,
    Py_ssize_t steps,
    const double *rental,
    const double *power_price,
    Py_ssize_t scenarios,
    double *sums,
    int64_t *counts,
) noexcept nogil:
    """Add the scenarios of a month to ``sums[K, 2]`` and ``counts[K]``."""
    cdef double padded_rental[SLICE]
    cdef double padded_price[SLICE]
    cdef Py_ssize_t s, k, left
    cdef StepSum step
    for s in range((scenarios + SLICE - 1) // SLICE):
        left = scenarios - s * SLICE
        if left < SLICE:  # where rental and power are free no step pays
            memset(padded_rental, 0, sizeof(padded_rental))
            memset(padded_price, 0, sizeof(padded_price))
            memcpy(padded_rental, rental, left * sizeof(double))
            memcpy(padded_price, power_price, left * sizeof(double))
            rental, power_price = padded_rental, padded_price
        for k in range(steps):
            step = sum_step(breakeven[k], rental, power_price)
            sums[2 * k] += step.rental
            sums[2 * k + 1] += step.power_price
            counts[k] += step.scenarios
        rental += SLICE
        power_price += SLICE


def add_gpu_sums(
    const double[:, ::1] rental,
    const double[:, ::1] power_price,
    const double[:, ::1] breakeven,
    double[:, :, ::1] sums,
    int64_t[:, ::1] counts,
    Py_ssize_t first_month,
    Py_ssize_t last_month,
):
    """Add scenarios of a range of months by step that pays: paths and break-evens ``[T, W]`` and ``[T, K]``.

    ``sums`` ``[T, K, 2]`` are of rental and power prices, ``counts`` ``[T, K]`` of scenarios.
    """
    cdef Py_ssize_t t
    with nogil:
        for t in range(first_month, last_month):
            sum_month(
                &breakeven[t, 0], breakeven.shape[1], &rental[t, 0], &power_price[t, 0], rental.shape[1],
                &sums[t, 0, 0], &counts[t, 0],
            )


cdef void add_month_margin(
    const double *breakeven,
    const double *energy,
    Py_ssize_t steps,
    const double *rental,
    const double *power_price,
    Py_ssize_t scenarios,
    double *out,
) noexcept nogil:
    """Add ``sum over k of energy[k] * max(0, rental * breakeven[k] - power price)`` to at most a slice of scenarios."""
    cdef double margin[SLICE]
    cdef double limit, mwh, gain
    cdef Py_ssize_t k, w
    memset(margin, 0, sizeof(margin))
    for k in range(steps):
        limit, mwh = breakeven[k], energy[k]
        for w in range(scenarios):
            gain = rental[w] * limit - power_price[w]
            margin[w] += mwh * (gain if gain > 0.0 else 0.0)
    for w in range(scenarios):
        out[w] += margin[w]


def add_gpu_margin(
    const double[:, ::1] rental,
    const double[:, ::1] power_price,
    const double[:, ::1] breakeven,
    const double[:, ::1] energy,
    double[::1] out,
    Py_ssize_t first_scenario,
    Py_ssize_t last_scenario,
):
    """Add the margins of all months to ``out`` of a range of scenarios; months without energy are skipped.

    ``energy`` ``[T, K]`` is the weighted MWh of each step.
    """
    cdef Py_ssize_t t, s, first
    with nogil:
        for s in range((last_scenario - first_scenario + SLICE - 1) // SLICE):
            first = first_scenario + s * SLICE
            for t in range(rental.shape[0]):
                if energy[t, 0] != 0.0:
                    add_month_margin(
                        &breakeven[t, 0], &energy[t, 0], breakeven.shape[1], &rental[t, first], &power_price[t, first],
                        min(SLICE, last_scenario - first), &out[first],
                    )
