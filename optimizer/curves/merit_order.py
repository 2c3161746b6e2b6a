"""What a month is worth by the MW that a site leaves to its machines: the best machines first.

A machine class is machines of one kind; under ceiling mode ``j`` each of them takes ``grid_mw[j]`` of the connection
and earns ``margin_usd[j]`` in the month, power and curtailment included. So a class is steps: its lowest mode, then the
rise to each next one. The value of ``x`` MW is that of filling it with steps in falling USD per MW::

    value(x) = max sum over steps of usd_per_mw * mw,   sum of mw <= x,   mw of a step <= machines * its MW

It is concave and piecewise linear with a breakpoint at the end of each step, and exact: within a class the USD per MW
falls from step to step (an envelope's steps have falling break-evens, so this holds in every hour, month and mean over
scenarios), so no step is filled before the one below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves.margin import MiningValues
from optimizer.curves.site_fleet import SiteFleet
from optimizer.errors import InvalidInputError

_MARGIN: Final = check.Range(-1e9, 1e9, "USD per machine and month")
_GRID_MW: Final = check.Range(1e-9, 1e3, "MW per machine")
_MACHINES: Final = check.Range(0.0, 1e9, "machines")
_MW: Final = check.Range(0.0, 1e9, "MW")
_ROUNDING: Final = 1e-9
"""How far, relative to the best step, rounding may lift a step's USD per MW above the step below."""


@dataclass(frozen=True, slots=True, eq=False)
class MeritOrder:
    """Value of a site's month over MW: ``K`` steps in falling ``usd_per_mw``, between ``K + 1`` breakpoints."""

    mw: Float64Array
    """Breakpoints, grid MW, ``[K + 1]``: 0 first, then where each step ends."""
    value_usd: Float64Array
    """Value at the breakpoints, ``[K + 1]``; constant over steps that do not pay, because machines may idle."""
    usd_per_mw: Float64Array
    """Value of a MW within each step, USD per MW and month, ``[K]``, falling; not above 0 where it does not pay."""
    class_index: Int64Array
    """Machine class of each step, ``[K]``."""
    mode_index: Int64Array
    """Ceiling mode that each step reaches, ``[K]``, as an index into the modes given for the class."""

    @property
    def paying_mw(self) -> float:
        """MW beyond which another one is worth nothing."""
        return float(self.mw[np.count_nonzero(self.usd_per_mw > 0.0)])

    def value_at(self, mw: ArrayLike) -> Float64Array:
        """Value of the month, USD, if the machines may take ``mw`` of the grid; shape of ``mw``."""
        return np.asarray(np.interp(check.floats("mw", mw, _MW), self.mw, self.value_usd))[()]

    def marginal_usd_per_mw(self, mw: ArrayLike) -> Float64Array:
        """Value of the next MW, USD per MW and month, at ``mw`` (the derivative to the right); never negative."""
        next_step = np.searchsorted(self.mw, check.floats("mw", mw, _MW), side="right") - 1
        return np.append(np.maximum(self.usd_per_mw, 0.0), 0.0)[next_step]


def merit_order(
    *, margin_usd: Sequence[ArrayLike], grid_mw: Sequence[ArrayLike], machine_count: ArrayLike
) -> MeritOrder:
    """Put the steps of ``C`` machine classes in order of USD per MW; ties in the order of the classes.

    Args:
        margin_usd: for each class, the month's margin of one machine by ceiling mode, ``[J_c]`` USD.
        grid_mw: for each class, what one machine draws in that mode, PUE included, ``[J_c]`` MW, ascending.
        machine_count: machines of each class, ``[C]``; need not be whole. A class without machines has no steps.

    Raises:
        InvalidInputError: naming argument, index and value; also where a class earns more per MW on a higher step
            than on the one below, which margins over an envelope's modes never do.
    """
    if len(margin_usd) != len(grid_mw):
        told = f"has {len(grid_mw)} classes, margin_usd has {len(margin_usd)}"
        raise InvalidInputError.single("grid_mw", told, "pass one array per class in both")
    count = check.floats("machine_count", machine_count, _MACHINES, (len(margin_usd),))
    steps = [_class_steps(c, margin_usd[c], grid_mw[c]) for c in range(count.size) if count[c] > 0.0]
    if not steps:
        none = np.zeros(0, dtype=np.int64)
        return MeritOrder(np.zeros(1), np.zeros(1), np.zeros(0), none, none.copy())
    mw, usd_per_mw, class_index, mode_index = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    mw = mw * count[class_index]
    best_first = np.argsort(-usd_per_mw, kind="stable")
    mw, usd_per_mw = mw[best_first], usd_per_mw[best_first]
    return MeritOrder(
        mw=np.append(0.0, np.cumsum(mw)),
        value_usd=np.append(0.0, np.cumsum(np.maximum(usd_per_mw, 0.0) * mw)),
        usd_per_mw=usd_per_mw,
        class_index=class_index[best_first],
        mode_index=mode_index[best_first],
    )


def site_merit_orders(
    fleet: SiteFleet, values: Sequence[MiningValues], *, machine_count: ArrayLike
) -> tuple[MeritOrder, ...]:
    """Merit order of a site's fleet in each month, ``T`` of them, from its values by machine and ceiling mode.

    ``values`` are those of :func:`~optimizer.curves.margin.fleet_month_values` for the fleet, means over scenarios;
    ``machine_count`` is ``[C]``, in the order of the fleet's machines, which are the classes.
    """
    mode_mw = [np.cumsum(fleet.step_mw[first:last]) for first, last in fleet.spans]
    return tuple(
        merit_order(
            margin_usd=[machine.margin_usd[:, month] for machine in values],
            grid_mw=mode_mw,
            machine_count=machine_count,
        )
        for month in range(fleet.calendar_month.size)
    )


_Steps = tuple[Float64Array, Float64Array, Int64Array, Int64Array]


def _class_steps(class_index: int, margin_usd: ArrayLike, grid_mw: ArrayLike) -> _Steps:
    """MW of one machine, USD per MW, class and mode of the steps of a class."""
    power = check.vector(f"grid_mw[{class_index}]", grid_mw, _GRID_MW)
    margin = check.floats(f"margin_usd[{class_index}]", margin_usd, _MARGIN, power.shape)
    step_mw = np.diff(power, prepend=0.0)
    if (step_mw <= 0.0).any():
        mode = int(np.argmax(step_mw <= 0.0))
        told = f"is {power[mode]:g}, not above the mode below"
        raise InvalidInputError.single(f"grid_mw[{class_index}][{mode}]", told, "pass modes in ascending power")
    usd_per_mw = np.diff(margin, prepend=0.0) / step_mw
    falling = np.minimum.accumulate(usd_per_mw)
    if (usd_per_mw - falling > _ROUNDING * np.abs(usd_per_mw).max()).any():
        mode = int(np.argmax(usd_per_mw - falling))
        told = f"earns {usd_per_mw[mode]:g} USD per MW above the mode below, which earns {falling[mode]:g}"
        raise InvalidInputError.single(
            f"margin_usd[{class_index}][{mode}]", told, "pass margins of an envelope's modes"
        )
    return step_mw, falling, np.full(power.size, class_index), np.arange(power.size)
