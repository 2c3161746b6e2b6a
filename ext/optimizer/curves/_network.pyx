"""Difficulty over months: from retarget to retarget inside each month, scenario by scenario.

Blocks and heights are reals. Within a month the hashrate is constant, so blocks come evenly between two events.
"""

from libc.math cimport floor, fmax, fmin, ldexp

from optimizer import units
from optimizer.curves.hashing import PAID_ERAS

cdef double RETARGET_BLOCKS = units.RETARGET_BLOCKS
cdef double RETARGET_SECONDS = units.RETARGET_SECONDS
cdef double RETARGET_CLAMP = units.RETARGET_CLAMP
cdef double HALVING_BLOCKS = units.HALVING_BLOCKS
cdef double FIRST_SUBSIDY_BTC = units.FIRST_SUBSIDY_BTC
cdef double FIRST_UNPAID_ERA = PAID_ERAS
# Difficulty at which 1 EH/s finds a block in a second.
cdef double DIFFICULTY_SECONDS_PER_EH_S = units.H_PER_EH / units.HASHES_PER_DIFFICULTY

# First axis of the result.
cdef enum:
    DIFFICULTY
    DIFFICULTY_AT_END
    BLOCKS
    BLOCK_HEIGHT
    SUBSIDY_BTC


cdef inline double retargeted(double difficulty, double timespan_s) noexcept nogil:
    cdef double clamped = fmin(fmax(timespan_s, RETARGET_SECONDS / RETARGET_CLAMP), RETARGET_SECONDS * RETARGET_CLAMP)
    return fmax(difficulty * (RETARGET_SECONDS / clamped), 1.0)


cdef inline double era_subsidy_btc(double era) noexcept nogil:
    return ldexp(FIRST_SUBSIDY_BTC, -<int> era) if era < FIRST_UNPAID_ERA else 0.0


cdef double mean_subsidy_btc(double first_height, double last_height) noexcept nogil:
    """Mean subsidy of the blocks between two heights."""
    cdef double era = floor(first_height / HALVING_BLOCKS), height = first_height, paid = 0.0
    if last_height <= (era + 1.0) * HALVING_BLOCKS:
        return era_subsidy_btc(era)
    while height < last_height:
        paid += (fmin(last_height, (era + 1.0) * HALVING_BLOCKS) - height) * era_subsidy_btc(era)
        era += 1.0
        height = era * HALVING_BLOCKS
    return paid / (last_height - first_height)


cdef double run_month(Chain *chain, double work_per_s, double seconds) noexcept nogil:
    """Take a chain through a month; the blocks it finds.

    ``work_per_s`` is the difficulty at which the network finds a block in a second.
    """
    cdef double left_s = seconds, blocks = 0.0, epoch_left, stretch_s, left_blocks
    while True:
        epoch_left = RETARGET_BLOCKS - chain.epoch_blocks
        stretch_s = epoch_left * chain.difficulty / work_per_s
        if stretch_s > left_s:
            break
        blocks += epoch_left
        left_s -= stretch_s
        chain.difficulty = retargeted(chain.difficulty, chain.epoch_seconds + stretch_s)
        chain.epoch_height += RETARGET_BLOCKS
        chain.epoch_blocks = 0.0
        chain.epoch_seconds = 0.0
    chain.epoch_seconds += left_s
    left_blocks = left_s * work_per_s / chain.difficulty
    chain.epoch_blocks += left_blocks
    return blocks + left_blocks


def retarget_months(
    const double[:, ::1] network_eh_s,
    const double[::1] seconds_in_month,
    const double[::1] difficulty_at_start,
    double height_at_start,
    Py_ssize_t first_scenario,
    Py_ssize_t last_scenario,
    double[:, :, ::1] out,
):
    """Fill ``out[5, T, W]`` for a range of scenarios from hashrates ``[T, W]`` and a difficulty ``[W]``."""
    cdef Py_ssize_t months = network_eh_s.shape[0], t, w
    cdef double work_per_s, blocks, height
    cdef Chain chain
    with nogil:
        for w in range(first_scenario, last_scenario):
            chain.difficulty = difficulty_at_start[w]
            chain.epoch_height = floor(height_at_start / RETARGET_BLOCKS) * RETARGET_BLOCKS
            chain.epoch_blocks = height_at_start - chain.epoch_height
            # The epoch so far is taken to have run at the first month's hashrate.
            work_per_s = network_eh_s[0, w] * DIFFICULTY_SECONDS_PER_EH_S
            chain.epoch_seconds = chain.epoch_blocks * chain.difficulty / work_per_s
            height = height_at_start
            for t in range(months):
                work_per_s = network_eh_s[t, w] * DIFFICULTY_SECONDS_PER_EH_S
                blocks = run_month(&chain, work_per_s, seconds_in_month[t])
                out[DIFFICULTY, t, w] = work_per_s * seconds_in_month[t] / blocks
                out[DIFFICULTY_AT_END, t, w] = chain.difficulty
                out[BLOCKS, t, w] = blocks
                out[BLOCK_HEIGHT, t, w] = chain.epoch_height + chain.epoch_blocks
                out[SUBSIDY_BTC, t, w] = mean_subsidy_btc(height, out[BLOCK_HEIGHT, t, w])
                height = out[BLOCK_HEIGHT, t, w]
