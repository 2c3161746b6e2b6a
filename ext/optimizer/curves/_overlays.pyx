"""Overlay kernels: when each begins in each scenario, and what it does from then on.

The entries fill columns ``first`` to ``last`` of their arrays, so that threads can share the scenarios out.
"""

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from optimizer.curves._draws cimport DRAW_OVERLAYS, NEVER, SLICE, draw_uniforms, lanes, purpose


cdef void overlay_slice(
    uint64_t seed,
    uint32_t first_scenario,
    Py_ssize_t first,
    int count,
    int64_t stream,
    double probability_frac,
    int64_t first_month,
    int64_t month_count,
    int32_t *out,
) noexcept nogil:
    """One uniform says whether the overlay begins, the other when."""
    cdef double[SLICE] whether
    cdef double[SLICE] when
    cdef int w
    draw_uniforms(purpose(seed, 0, stream, DRAW_OVERLAYS), first_scenario + <uint32_t> first, count, whether, when)
    for w in range(count):
        out[w] = NEVER
        if whether[w] < probability_frac:
            out[w] = <int32_t> (first_month + <int64_t> floor(when[w] * month_count))


def overlay_starts(
    uint64_t seed,
    uint32_t first_scenario,
    const int64_t[::1] stream,
    const double[::1] probability_frac,
    const int64_t[::1] first_month,
    const int64_t[::1] month_count,
    int32_t[:, ::1] out,
    Py_ssize_t first,
    Py_ssize_t last,
):
    """Fill ``out[K, W]`` with the month in which each overlay begins."""
    cdef Py_ssize_t k, w
    with nogil:
        w = first
        while w < last:
            for k in range(out.shape[0]):
                overlay_slice(
                    seed, first_scenario, w, lanes(w, last), stream[k], probability_frac[k],
                    first_month[k], month_count[k], &out[k, w],
                )
            w += SLICE


def apply_overlays(
    double[:, :, ::1] out,
    const int32_t[:, ::1] start,
    const double[:, ::1] profile,
    const int64_t[::1] bound,
    Py_ssize_t first,
    Py_ssize_t last,
):
    """Multiply ``out[F, T, W]``: overlay ``k`` has columns ``bound[k]`` to ``bound[k + 1]`` of ``profile[F, .]``."""
    cdef Py_ssize_t k, f, d, w, months
    cdef double factor
    with nogil:
        for k in range(start.shape[0]):
            for f in range(out.shape[0]):
                for w in range(first, last):
                    # Short for most scenarios: an overlay that never begins starts after the last month.
                    months = min(bound[k + 1] - bound[k], out.shape[1] - <Py_ssize_t> start[k, w])
                    for d in range(months):
                        factor = profile[f, bound[k] + d]
                        if factor != 1.0:
                            out[f, start[k, w] + d, w] *= factor
