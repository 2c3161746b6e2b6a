"""The machines of a site, their modes and the steps between them, in the form that the margin kernels take.

The modes that ever run lie on the upper concave envelope of hashrate over power; a step leads from one of them to the
next. :mod:`optimizer.curves.margin` has the formula.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.curves.power import PowerShape
from optimizer.errors import InvalidInputError
from optimizer.units import HOURS_PER_DAY, TH_PER_PH, W_PER_MW

_HASHRATE: Final = check.Range(1e-6, 1e7, "TH/s")
_POWER: Final = check.Range(1e-3, 1e9, "W")
_HASH_FACTOR: Final = check.Range(0.0, 10.0, "as a multiple of the hashrate")


_KernelArguments = tuple[
    Float64Array, NDArray[np.int32], Int64Array, Float64Array, Int64Array, Float64Array, Float64Array
]


class Machine(NamedTuple):
    """Operating modes of one machine, already an :func:`envelope`; another is refused where it is used."""

    hashrate_th_s: ArrayLike
    """``[J]``, ascending."""
    power_w: ArrayLike
    """``[J]``, ascending, at the machine: before PUE."""
    hash_factor: float = 1.0
    """Multiplies the hashrate of every mode, not its power."""


@dataclass(frozen=True, slots=True, eq=False)
class SiteFleet:
    """Machines at a site in the months of a horizon, checked once. Build with :meth:`of`.

    Arrays of steps ``[S]`` hold the envelope steps of all machines one after the other, months are ``[T]``.
    """

    shape: PowerShape
    calendar_month: Int64Array
    machine_hours_in_month: Float64Array
    """Hours in which a machine works if it never stops for the price."""
    adder_usd_per_mwh: Float64Array
    spans: tuple[tuple[int, int], ...]
    """First step of each machine, and the one after its last."""
    step_mw: Float64Array
    step_ph_s: Float64Array
    step_revenue_per_hour: Float64Array
    """Per USD per PH/s per day of hashprice, net of the pool's fee."""
    breakeven_slope: Float64Array
    """The break-even power price of a step is ``(slope * hashprice - adder) / level``."""

    @classmethod
    def of(
        cls,
        shape: PowerShape,
        machines: Sequence[Machine],
        *,
        calendar_month: ArrayLike,
        hours_in_month: ArrayLike,
        adder_usd_per_mwh: ArrayLike,
        pue: float,
        uptime_frac: float,
        pool_fee_frac: float,
    ) -> SiteFleet:
        """Check and combine the machines; arguments as :func:`mining_month_values`."""
        if not machines:
            raise InvalidInputError.single("machines", "is empty", "pass at least one machine")
        calendar = check.integers("calendar_month", calendar_month, check.MONTH_OF_YEAR)
        if calendar.ndim != 1 or not calendar.size:
            raise InvalidInputError.single("calendar_month", f"has shape {calendar.shape}", "pass one entry per month")
        hours = check.floats("hours_in_month", hours_in_month, check.HOURS_IN_MONTH, calendar.shape)
        prefixes = [""] if len(machines) == 1 else [f"machines[{k}]." for k in range(len(machines))]
        steps = [_steps(machine, prefix) for machine, prefix in zip(machines, prefixes, strict=True)]
        step_mw = np.concatenate([power for _, power in steps]) / W_PER_MW * check.scalar("pue", pue, check.PUE)
        step_ph_s = np.concatenate([hashrate for hashrate, _ in steps]) / TH_PER_PH
        step_revenue = step_ph_s / HOURS_PER_DAY * (1.0 - check.scalar("pool_fee_frac", pool_fee_frac, check.FEE))
        return cls(
            shape=shape,
            calendar_month=calendar,
            machine_hours_in_month=hours * check.scalar("uptime_frac", uptime_frac, check.FRACTION),
            adder_usd_per_mwh=check.floats("adder_usd_per_mwh", adder_usd_per_mwh, check.POWER_PRICE, calendar.shape),
            spans=tuple(itertools.pairwise(itertools.accumulate((power.size for _, power in steps), initial=0))),
            step_mw=step_mw,
            step_ph_s=step_ph_s,
            step_revenue_per_hour=step_revenue,
            breakeven_slope=step_revenue / step_mw,
        )

    def in_months(self, span: slice) -> SiteFleet:
        """The same machines in some of the months."""
        names = ("calendar_month", "machine_hours_in_month", "adder_usd_per_mwh")
        return replace(self, **{name: getattr(self, name)[span] for name in names})

    @property
    def kernel_arguments(self) -> _KernelArguments:
        """What every kernel takes first."""
        return (*self.shape.prices.arrays, self.calendar_month, self.breakeven_slope, self.adder_usd_per_mwh)


def envelope(hashrate_th_s: ArrayLike, power_w: ArrayLike) -> Int64Array:
    """Find the modes worth running, as indices: the upper concave envelope through (0, 0), ascending power.

    ``hashrate_th_s`` and ``power_w`` are ``[J]``. Dropped: a mode with no more hashrate than one of no more power,
    and a mode whose step does not yield strictly less TH per joule than the step before it (collinear modes too).
    """
    hashrate, power = _modes(hashrate_th_s, power_w)
    kept: list[int] = []
    for mode in np.lexsort((-hashrate, power)):
        if kept and hashrate[mode] <= hashrate[kept[-1]]:
            continue
        while kept:
            below = (hashrate[kept[-2]], power[kept[-2]]) if len(kept) > 1 else (0.0, 0.0)
            rise, run = hashrate[kept[-1]] - below[0], power[kept[-1]] - below[1]
            if (hashrate[mode] - below[0]) * run < rise * (power[mode] - below[1]):
                break
            kept.pop()
        kept.append(int(mode))
    return np.array(kept, dtype=np.int64)


def _steps(machine: Machine, prefix: str) -> tuple[Float64Array, Float64Array]:
    """Steps of a machine's envelope: TH/s, hash factor included, and W."""
    hashrate, power = _modes(machine.hashrate_th_s, machine.power_w, prefix)
    outside = sorted({*range(power.size)} - {*envelope(hashrate, power).tolist()})
    if outside or (np.diff(power) <= 0.0).any():
        mode = outside[0] if outside else int(np.argmax(np.diff(power) <= 0.0)) + 1
        raise InvalidInputError.single(
            f"{prefix}power_w[{mode}]",
            f"mode of {hashrate[mode]:g} TH/s at {power[mode]:g} W is not on the envelope, or not in ascending order",
            "pass hashrate_th_s[k], power_w[k] with k = envelope(hashrate_th_s, power_w)",
        )
    factor = check.scalar(f"{prefix}hash_factor", machine.hash_factor, _HASH_FACTOR)
    return np.diff(hashrate, prepend=0.0) * factor, np.diff(power, prepend=0.0)


def _modes(hashrate_th_s: ArrayLike, power_w: ArrayLike, prefix: str = "") -> tuple[Float64Array, Float64Array]:
    hashrate = check.vector(f"{prefix}hashrate_th_s", hashrate_th_s, _HASHRATE)
    return hashrate, check.floats(f"{prefix}power_w", power_w, _POWER, hashrate.shape)
