"""A block of GPUs at the best power cap of each month and scenario, or off."""

import numpy as np

# Scenarios summed in one go; the sums of slices are added in order.
cdef enum:
    SLICE = 256


cdef inline BlockMonth best_cap(
    double full_revenue_usd,
    double full_power_mwh,
    double power_usd_per_mwh,
    const double *throughput_frac,
    const double *power_frac,
    Py_ssize_t caps,
) noexcept nogil:
    """The point of the cap curve with the largest margin; all zeros where none is positive."""
    cdef BlockMonth best
    cdef double full_cost_usd = full_power_mwh * power_usd_per_mwh, margin, largest = 0.0
    cdef double throughput = 0.0, power = 0.0
    cdef Py_ssize_t c
    for c in range(caps):
        margin = full_revenue_usd * throughput_frac[c] - full_cost_usd * power_frac[c]
        if margin > largest:
            largest, throughput, power = margin, throughput_frac[c], power_frac[c]
    best.revenue_usd = full_revenue_usd * throughput
    best.energy_mwh = full_power_mwh * power
    best.power_cost_usd = full_cost_usd * power
    return best


def gpu_sums(
    const double[:, ::1] rental,
    const double[:, ::1] power_price,
    const double[::1] rented_gpu_hours,
    const double[::1] full_power_mwh,
    const double[::1] throughput_frac,
    const double[::1] power_frac,
):
    """Sums over scenarios by month, ``[3, T]``: revenue USD, energy MWh, power cost USD. Paths are ``[T, W]``."""
    sums = np.zeros((3, rental.shape[0]))
    cdef double[:, ::1] out = sums
    cdef double revenue_usd, energy_mwh, power_cost_usd
    cdef Py_ssize_t scenarios = rental.shape[1], t, w, s
    cdef BlockMonth best
    with nogil:
        for t in range(rental.shape[0]):
            for s in range((scenarios + SLICE - 1) // SLICE):
                revenue_usd = energy_mwh = power_cost_usd = 0.0
                for w in range(s * SLICE, min((s + 1) * SLICE, scenarios)):
                    best = best_cap(
                        rented_gpu_hours[t] * rental[t, w], full_power_mwh[t], power_price[t, w],
                        &throughput_frac[0], &power_frac[0], throughput_frac.shape[0],
                    )
                    revenue_usd += best.revenue_usd
                    energy_mwh += best.energy_mwh
                    power_cost_usd += best.power_cost_usd
                out[0, t] += revenue_usd
                out[1, t] += energy_mwh
                out[2, t] += power_cost_usd
    return sums


def add_gpu_margin(
    const double[:, ::1] rental,
    const double[:, ::1] power_price,
    const double[::1] rented_gpu_hours,
    const double[::1] full_power_mwh,
    const double[::1] throughput_frac,
    const double[::1] power_frac,
    const double[::1] weight,
    double[::1] out,
):
    """Add ``sum over t of weight[t] * margin[t, w]`` to ``out[W]``; months of weight zero are skipped."""
    cdef Py_ssize_t t, w
    cdef BlockMonth best
    with nogil:
        for t in range(rental.shape[0]):
            if weight[t] == 0.0:
                continue
            for w in range(rental.shape[1]):
                best = best_cap(
                    rented_gpu_hours[t] * rental[t, w], full_power_mwh[t], power_price[t, w],
                    &throughput_frac[0], &power_frac[0], throughput_frac.shape[0],
                )
                out[w] += weight[t] * (best.revenue_usd - best.power_cost_usd)
