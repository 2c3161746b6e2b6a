# What a block of GPUs does in one month of one scenario.
cdef struct BlockMonth:
    double revenue_usd
    double energy_mwh
    double power_cost_usd
