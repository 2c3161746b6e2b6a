from libc.stdint cimport int32_t, int64_t


cdef extern from "_lookup.h":
    enum:
        SLICE
        COLUMNS

    ctypedef struct SortedTable:
        const double *entry
        const int32_t *bucket_start
        double centre
        double scale
        double low
        double high
        int64_t first_key
        int shift

    ctypedef struct Compensated:
        double total
        double lost

    int64_t bucket_key(double x, double centre, double scale, int shift) noexcept nogil
    void count_before(
        const SortedTable *table, const double *x, int count, int or_equal, int32_t *before
    ) noexcept nogil
    double add_compensated(Compensated *sum, double value) noexcept nogil


cdef SortedTable table_row(
    const double[:, ::1] entry,
    const int32_t[::1] bucket_start,
    const int64_t[:, ::1] layout,
    const double[:, ::1] span,
    Py_ssize_t row,
) noexcept nogil
