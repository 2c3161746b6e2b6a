# Where a chain stands between two events.
cdef struct Chain:
    double difficulty
    double epoch_height    # of the last retarget
    double epoch_blocks    # found since
    double epoch_seconds   # gone by since
