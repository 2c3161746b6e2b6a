"""Twins of what a cluster loses and of few straight pieces: by search, not by formula."""

from __future__ import annotations

import numpy as np

from optimizer.curves._checks import Float64Array


def best_goodput(
    *, mtbf_s: float, checkpoint_save_s: float, restart_s: float, point_count: int = 200_001
) -> tuple[float, float]:
    """Best checkpoint interval in seconds and its goodput, by trying many intervals."""
    interval = checkpoint_save_s + np.geomspace(1e-4, 1e2, point_count) * np.sqrt(
        2.0 * (mtbf_s + restart_s) * checkpoint_save_s
    )
    goodput = (1.0 - checkpoint_save_s / interval) * mtbf_s / (mtbf_s + restart_s + interval / 2.0)
    best = int(goodput.argmax())
    return float(interval[best]), float(goodput[best])


def fewest_breakpoints(mw: Float64Array, value_usd: Float64Array, *, relative_error: float = 1e-3) -> int:
    """Fewest samples, the ends among them, whose polygon is within the error at all samples: by dynamic programming."""
    allowed = relative_error * np.abs(value_usd).max()
    fewest = np.full(mw.size, mw.size + 1)
    fewest[0] = 1
    for last in range(1, mw.size):
        for first in range(last):
            part = slice(first, last + 1)
            chord = np.interp(mw[part], mw[[first, last]], value_usd[[first, last]])
            if np.abs(value_usd[part] - chord).max() <= allowed:
                fewest[last] = min(fewest[last], fewest[first] + 1)
    return int(fewest[-1])
