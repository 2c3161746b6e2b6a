# Counter-based draws. Every random number is a function of (seed, scenario, month, stream, block) alone, so a scenario
# does not know the batch that it is drawn in.
from libc.stdint cimport int64_t, uint32_t, uint64_t


cdef extern from "_draws.h" nogil:
    enum:
        SLICE
    ctypedef struct Draw:
        uint64_t seed
        uint32_t month
        uint32_t stream
        uint32_t block
    void philox(uint32_t *counter, uint32_t key_low, uint32_t key_high) noexcept
    void draw_uniforms(Draw draw, uint32_t first_scenario, int count, double *first, double *second) noexcept

cdef enum:
    NEVER = 2147483647

# Purpose of a draw, in the upper half of the block word.
cdef enum:
    DRAW_FACTORS = 0 << 16
    DRAW_DEFAULTS = 1 << 16
    DRAW_OVERLAYS = 2 << 16
    DRAW_BOOTSTRAP = 3 << 16


cdef inline int lanes(Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """Scenarios of the slice that begins at ``first``."""
    return SLICE if last - first > SLICE else <int> (last - first)


cdef inline Draw purpose(uint64_t seed, Py_ssize_t month, int64_t stream, int block) noexcept nogil:
    cdef Draw draw
    draw.seed, draw.month, draw.stream, draw.block = seed, <uint32_t> month, <uint32_t> stream, <uint32_t> block
    return draw
