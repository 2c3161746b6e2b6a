"""Scenarios from data: a bootstrap of joint monthly changes of history, or a table that states them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _sampling as sampling
from optimizer.curves import _scenarios
from optimizer.curves._checks import Float64Array
from optimizer.curves.scenarios import FACTORS, MULTIPLIER, checked_factor_index
from optimizer.curves.threads import in_slices
from optimizer.errors import InvalidInputError

_LOG_CHANGE: Final = check.Range(-10.0, 10.0, "as a change of the logarithm")
_BLOCK: Final = check.Range(1.0, 1e6, "months")


def bootstrap_multipliers(
    *,
    seed: int,
    first_scenario: int,
    scenario_count: int,
    month_count: int,
    log_changes: ArrayLike,
    factor_index: ArrayLike,
    mean_block_months: float,
) -> Float64Array:
    """Multipliers ``[5, T, W]`` by the stationary bootstrap (Politis and Romano 1994) of joint monthly log changes.

    ``log_changes[F, H]`` are the changes of the factors ``factor_index[F]`` (positions in
    :data:`~optimizer.curves.FACTORS`) in ``H`` consecutive months of history. A scenario begins in a random month of
    history and goes on with the month after it, the first following the last; with probability
    ``1 / mean_block_months`` it jumps to a random month instead. So blocks have geometric lengths, and changes keep
    their correlations between factors and, within a block, over time. Factors that are not given stay at 1.

    Each multiplier has mean exactly 1: the exponential of the cumulated changes over its expectation under this law,
    which the weights ``v[i]`` of ending month ``t`` in month ``i`` of history give without drawing::

        v[t, i] = exp(change[i]) ((1 - p) v[t-1, i-1] + p sum over j of v[t-1, j] / H),     p = 1 / mean_block_months
        expectation[t] = sum over i of v[t, i],     v[0, i] = exp(change[i]) / H
    """
    key = sampling.checked_seed(seed)
    first, count = sampling.scenario_range(first_scenario, scenario_count)
    months = check.integer("month_count", month_count, sampling.MONTH_COUNT)
    changes = check.floats("log_changes", log_changes, _LOG_CHANGE)
    if changes.ndim != 2 or not changes.size:
        told = f"has shape {changes.shape}"
        raise InvalidInputError.single("log_changes", told, "pass [factors, months of history], neither empty")
    row = checked_factor_index(factor_index)
    check.require_shape("factor_index", row, changes.shape[:1])
    new_block_frac = 1.0 / check.scalar("mean_block_months", mean_block_months, _BLOCK)
    log_mean = np.stack([_log_means(change, months, new_block_frac) for change in changes])
    out = np.empty((len(FACTORS), months, count))
    out[np.setdiff1d(np.arange(len(FACTORS)), row)] = 1.0

    def fill(start: int, stop: int) -> None:
        _scenarios.bootstrap_multipliers(key, first, changes, log_mean, row, new_block_frac, out, start, stop)

    in_slices(fill, count, sampling.SLICE)
    return out


def table_multipliers(*, first_scenario: int, scenario_count: int, month_count: int, table: ArrayLike) -> Float64Array:
    """Multipliers ``[5, T, W]`` from a table ``[5, T0, S]``: scenario ``i`` takes column ``i mod S``.

    Months after the table's last one hold its values. The means are those of the table.
    """
    first, count = sampling.scenario_range(first_scenario, scenario_count)
    months = check.integer("month_count", month_count, sampling.MONTH_COUNT)
    stated = check.floats("table", table, MULTIPLIER)
    if stated.ndim != 3 or stated.shape[0] != len(FACTORS) or not stated.size:
        raise InvalidInputError.single("table", f"has shape {stated.shape}", "pass [5, months, scenarios]")
    month = np.minimum(np.arange(months), stated.shape[1] - 1)
    column = (first + np.arange(count)) % stated.shape[2]
    return np.ascontiguousarray(stated[:, month[:, None], column])


def _log_means(change: Float64Array, months: int, new_block_frac: float) -> Float64Array:
    """Log of the expected exponential of the cumulated changes, ``[T]``; the weights are rescaled month by month."""
    growth = np.exp(change)
    weight = np.full(change.size, 1.0 / change.size)
    log_means, total_log = np.empty(months), 0.0
    for t in range(months):
        if t:
            weight = (1.0 - new_block_frac) * np.roll(weight, 1) + new_block_frac / change.size
        weight = weight * growth
        total = weight.sum()
        weight /= total
        total_log += float(np.log(total))
        log_means[t] = total_log
    return log_means
