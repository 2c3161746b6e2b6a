from libc.stdint cimport int64_t

from optimizer.curves._power cimport SortedTable


cdef extern from "_margin.h":
    ctypedef struct Sums:
        double share
        double hashprice
        double price
        double btc

    ctypedef struct Hours:
        SortedTable table
        int64_t count

    ctypedef struct Slice:
        pass

    ctypedef struct Ordered:
        SortedTable table
        const double *btc_from
        int64_t count
        double level

    void prepare_slice(
        Slice *slice, const double *hashprice, const double *level, const double *btc_usd, int count
    ) noexcept nogil
    void add_slice_sums(const Hours *hours, const Slice *slice, double slope, double adder, Sums *sums) noexcept nogil
    void add_slice_margin(
        const Hours *hours, const Slice *slice, double slope, double adder, double coefficient, double *out
    ) noexcept nogil
    void add_ordered_sums(
        const Hours *hours, const Ordered *scenarios, double slope, double adder, Sums *sums
    ) noexcept nogil
