from libc.stdint cimport int64_t


cdef extern from "_steps.h" nogil:
    # Scenarios summed in one go; the sums of slices are added in order.
    cdef enum:
        SLICE

    # Over the scenarios of a slice in which a step of the cap curve pays.
    cdef struct StepSum:
        double rental
        double power_price
        int64_t scenarios

    StepSum sum_step(double breakeven, const double *rental, const double *power_price) noexcept
