from libc.stdint cimport int64_t


# One calendar month of a price table. Borrowed from the arrays of a PowerShape, which outlive the call.
cdef struct MonthTable:
    const double *knots            # distinct prices ascending, then 2**steps times infinity, USD/MWh
    const double *share_below      # share of hours priced below each knot
    const double *mean_part_below  # their sum over all hours, USD/MWh
    const int64_t *bucket_start    # knots before each bucket
    int64_t first_key
    int64_t last_key
    double centre
    double scale
    int shift                      # bits dropped from a key
    int steps                      # 2**steps exceeds the knots of any one bucket
