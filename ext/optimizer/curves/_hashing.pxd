# 144 blocks a day, 1e3 PH in an EH: the factors of optimizer.units, here as constants of the C code.
cdef enum:
    BLOCKS_PER_DAY = 144
    PH_PER_EH = 1000


cdef inline double hashprice(double btc_usd, double network_eh_s, double reward_btc) noexcept nogil:
    """USD per PH/s per day of a reward (subsidy and fees) per block."""
    return btc_usd * (BLOCKS_PER_DAY * reward_btc) / (network_eh_s * PH_PER_EH)
