# Loops over the scenarios of a slice, in C so that they can be compiled for two instruction sets.
from optimizer.curves._draws cimport SLICE


cdef extern from "_paths.h" nogil:
    enum:
        FACTOR_COUNT
    void normal_deviates(int count, double *uniform) noexcept
    void step_deviations(
        int count, double decay, const double *weight, double (*shock)[SLICE], double shift,
        double *deviation, double *multiplier
    ) noexcept
    void exp_lanes(int count, const double *x, double shift, double *out) noexcept
    void log_lanes(int count, const double *x, double *out) noexcept
    void power_lanes(int count, const double *x, double power, double *out) noexcept
