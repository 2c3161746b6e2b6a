"""Twin of the retarget kernel: epochs laid along the work done, instead of events along the calendar."""

from __future__ import annotations

import numpy as np

from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves.hashing import PAID_ERAS, difficulty_of_hashrate, retarget_difficulty
from optimizer.curves.network import RetargetPaths
from optimizer.units import (
    FIRST_SUBSIDY_BTC,
    H_PER_EH,
    HALVING_BLOCKS,
    HASHES_PER_DIFFICULTY,
    RETARGET_BLOCKS,
    SECONDS_PER_DAY,
)


def retarget_paths(
    *,
    network_eh_s: Float64Array,
    days_in_month: Int64Array,
    block_height_at_start: int,
    difficulty_at_start: float | None = None,
) -> RetargetPaths:
    """``[T, W]`` from hashrates ``[T, W]``, scenario by scenario."""
    seconds = np.asarray(days_in_month * SECONDS_PER_DAY, dtype=np.float64)
    paths = [_one_path(column, seconds, block_height_at_start, difficulty_at_start) for column in network_eh_s.T]
    return RetargetPaths(*np.moveaxis(np.array(paths), 0, 2))


def _one_path(
    network_eh_s: Float64Array, seconds: Float64Array, height: int, difficulty_at_start: float | None
) -> Float64Array:
    """``[5, T]``. The height is piecewise linear in the work done, and the work in time: both are interpolated."""
    work_per_s = network_eh_s * (H_PER_EH / HASHES_PER_DIFFICULTY)  # in blocks at difficulty 1
    time = np.append(0.0, np.cumsum(seconds))
    work = np.append(0.0, np.cumsum(work_per_s * seconds))
    difficulty = difficulty_at_start or max(float(difficulty_of_hashrate(network_eh_s[0])), 1.0)
    blocks_so_far = height % RETARGET_BLOCKS
    epoch_work = [-blocks_so_far * difficulty]  # the epoch began before the start, at the first hashrate
    epoch_time = [epoch_work[0] / work_per_s[0]]
    difficulties = [difficulty]
    while epoch_work[-1] <= work[-1]:
        epoch_work.append(epoch_work[-1] + RETARGET_BLOCKS * difficulties[-1])
        epoch_time.append(float(np.interp(epoch_work[-1], work, time)))
        difficulties.append(float(retarget_difficulty(difficulties[-1], epoch_time[-1] - epoch_time[-2])))
    epoch_height = height - blocks_so_far + RETARGET_BLOCKS * np.arange(len(epoch_work))
    heights = np.interp(work, epoch_work, epoch_height)
    blocks = np.diff(heights)
    in_force = np.array(difficulties)[np.searchsorted(epoch_work, work[1:], side="right") - 1]
    return np.array([np.diff(work) / blocks, in_force, blocks, heights[1:], np.diff(_paid_btc(heights)) / blocks])


def _paid_btc(height: Float64Array) -> Float64Array:
    """All subsidy of the blocks below a height."""
    halving = HALVING_BLOCKS * np.arange(PAID_ERAS + 1.0)
    paid = np.append(0.0, np.cumsum(HALVING_BLOCKS * np.ldexp(FIRST_SUBSIDY_BTC, -np.arange(PAID_ERAS))))
    return np.asarray(np.interp(height, halving, paid))
