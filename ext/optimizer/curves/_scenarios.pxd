# The two uniforms of one block of four random words.
cdef struct UniformPair:
    double first
    double second
