"""Hashprice over months and scenarios. The point function is inline in the header, for the scenario kernels too."""

import numpy as np


def hashprice_grid(const double[:, ::1] btc_usd, const double[:, ::1] network_eh_s, const double[::1] reward_btc):
    """``[T, W]`` USD per PH/s per day from price and network ``[T, W]`` and reward per block ``[T]``."""
    grid = np.empty((btc_usd.shape[0], btc_usd.shape[1]))
    cdef double[:, ::1] out = grid
    cdef Py_ssize_t t, w
    with nogil:
        for t in range(btc_usd.shape[0]):
            for w in range(btc_usd.shape[1]):
                out[t, w] = hashprice(btc_usd[t, w], network_eh_s[t, w], reward_btc[t])
    return grid
