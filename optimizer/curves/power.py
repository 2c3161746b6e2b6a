"""Hourly power prices of a site, and what a machine earns when it may stop in any hour.

A machine with operating modes ``i`` (``TH_i`` TH/s, ``W_i`` W) may run any of them, or none, in each hour ``h``::

    margin_h = max(0, max_i(hashprice / 24 / 1000 * TH_i * (1 - pool fee) * hash_factor
                            - W_i / 1e6 * pue * (lmp_h * level + adder)))

The modes that ever run lie on the upper concave envelope of hashrate over power. Step ``i`` of that envelope, of
``dTH_i`` and ``dW_i``, runs in the hours whose energy price is below its break-even ``z_i``, and the break-evens fall
from step to step. So the mean over hours is the sum over steps of ``dW_i / 1e6 * pue * level * f(z_i)``::

    z_i = (hashprice / 24 / 1000 * dTH_i * (1 - pool fee) * hash_factor / (dW_i / 1e6 * pue) - adder) / level
    f(z) = mean over hours of max(0, z - lmp_h) = share of hours below z * z - their part of the mean price

``f`` is convex and piecewise linear: one look-up in prefix sums, whatever the number of hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _power
from optimizer.curves._checks import Float64Array, Int64Array
from optimizer.errors import InvalidInputError
from optimizer.units import HOURS_PER_DAY, MONTHS_PER_YEAR, TH_PER_PH, W_PER_MW

_Array = TypeVar("_Array", Float64Array, Int64Array)

_HASHRATE: Final = check.Range(1e-6, 1e7, "TH/s")
_POWER: Final = check.Range(1e-3, 1e9, "W")
_LEVEL: Final = check.Range(1e-6, 1e6, "as a multiple of the energy price")
_HASH_FACTOR: Final = check.Range(0.0, 10.0, "as a multiple of the hashrate")
_WEIGHT: Final = check.Range(-1e12, 1e12, "machines")


@dataclass(frozen=True, slots=True, eq=False)
class PowerShape:
    """A site's hourly energy prices, pooled by calendar month and sorted once. Immutable.

    Build with :meth:`from_hourly` or :meth:`flat`. Arrays are read-only; index 0 is January.
    """

    mean_usd_per_mwh: Float64Array
    """Mean price of each calendar month, ``[12]``."""
    hour_count: Int64Array
    """Hours in the pool of each calendar month, ``[12]``."""
    knots_usd_per_mwh: Float64Array
    """The distinct prices of the twelve months one after the other, ascending, each month padded with infinity."""
    share_below_frac: Float64Array
    """At each knot: share of the month's hours priced below it."""
    mean_part_below_usd_per_mwh: Float64Array
    """At each knot: the part of the month's mean price that those hours make (their sum over all hours)."""
    bucket_start: Int64Array
    """The look-up table: knots before each bucket, twelve months one after the other."""
    layout: Int64Array
    """``[12, 6]``: first knot, first bucket, first key, last key, key shift, search steps."""
    key_origin: Float64Array
    """``[12, 2]``: centre and scale of the bucket keys, USD/MWh."""

    @classmethod
    def from_hourly(cls, price_usd_per_mwh: ArrayLike, month_of_year: ArrayLike) -> PowerShape:
        """Pool hourly prices ``[H]`` by calendar month ``[H]`` (1..12), any number of years, in any order.

        Every calendar month needs at least one hour. Gaps are the reader's business: NaN is refused by its index.
        """
        price = check.vector("price_usd_per_mwh", price_usd_per_mwh, check.POWER_PRICE)
        month = check.integers("month_of_year", month_of_year, check.MONTH_OF_YEAR, price.shape)
        hour_count = np.bincount(month, minlength=MONTHS_PER_YEAR + 1)[1:].astype(np.int64)
        if not hour_count.all():
            empty = int(np.argmin(hour_count)) + 1
            raise InvalidInputError.single("month_of_year", f"has no hour in month {empty}", "cover all twelve months")
        pools = [_Pool.of(np.sort(price[month == m])) for m in range(1, MONTHS_PER_YEAR + 1)]
        layout = np.array([[0, 0, *pool.layout] for pool in pools], dtype=np.int64)
        layout[1:, 0] = np.cumsum([pool.knots.size for pool in pools])[:-1]
        layout[1:, 1] = np.cumsum([pool.bucket_start.size for pool in pools])[:-1]
        return cls(
            mean_usd_per_mwh=_frozen(np.array([pool.mean_part[-1] for pool in pools])),
            hour_count=_frozen(hour_count),
            knots_usd_per_mwh=_frozen(np.concatenate([pool.knots for pool in pools])),
            share_below_frac=_frozen(np.concatenate([pool.share for pool in pools])),
            mean_part_below_usd_per_mwh=_frozen(np.concatenate([pool.mean_part for pool in pools])),
            bucket_start=_frozen(np.concatenate([pool.bucket_start for pool in pools])),
            layout=_frozen(layout),
            key_origin=_frozen(np.array([pool.key_origin for pool in pools])),
        )

    @classmethod
    def flat(cls, price_usd_per_mwh: float) -> PowerShape:
        """One price in every hour of the year."""
        price = check.scalar("price_usd_per_mwh", price_usd_per_mwh, check.POWER_PRICE)
        return cls.from_hourly(np.full(MONTHS_PER_YEAR, price), np.arange(1, MONTHS_PER_YEAR + 1))

    def share_of_hours_below(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> Float64Array:
        """Share of the month's hours priced strictly below ``z``, shape of ``z``."""
        return self._below(z_usd_per_mwh, calendar_month)[1]

    def mean_price_below(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> Float64Array:
        """Mean price of the month's hours priced strictly below ``z``, USD/MWh; NaN where there are none."""
        _, share, part = self._below(z_usd_per_mwh, calendar_month)
        return np.divide(part, share, out=np.full_like(part, np.nan), where=share > 0.0)

    def positive_part_mean(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> Float64Array:
        """Mean over the month's hours of ``max(0, z - price)``, USD/MWh, shape of ``z``."""
        z, share, part = self._below(z_usd_per_mwh, calendar_month)
        return np.asarray(np.maximum(share * z - part, 0.0))

    def _below(self, z_usd_per_mwh: ArrayLike, calendar_month: int) -> tuple[Float64Array, Float64Array, Float64Array]:
        z = check.floats("z_usd_per_mwh", z_usd_per_mwh, check.Range(-1e300, 1e300, "USD per MWh"))
        month = check.integer("calendar_month", calendar_month, check.MONTH_OF_YEAR)
        share, part = _power.hours_below(*_table(self), month, z.reshape(-1))
        return z, share.reshape(z.shape), part.reshape(z.shape)


@dataclass(frozen=True, slots=True, eq=False)
class MiningValues:
    """Mean over scenarios of what one machine does, by ceiling mode and month, each ``[J, T]``."""

    margin_usd: Float64Array
    """Revenue less power cost."""
    revenue_usd: Float64Array
    """Net of the pool's fee, gross of power."""
    power_cost_usd: Float64Array
    energy_mwh: Float64Array
    """Drawn from the grid, that is with PUE."""
    hash_ph_days: Float64Array
    """PH/s times days of running."""


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


def mining_month_values(
    shape: PowerShape,
    *,
    calendar_month: ArrayLike,
    hours_in_month: ArrayLike,
    hashprice_usd_per_ph_day: ArrayLike,
    level: ArrayLike,
    adder_usd_per_mwh: ArrayLike,
    hashrate_th_s: ArrayLike,
    power_w: ArrayLike,
    pue: float,
    uptime_frac: float,
    pool_fee_frac: float,
    hash_factor: float = 1.0,
) -> MiningValues:
    """Mean over scenarios of one machine's month at a site, for each ceiling mode (formula: module docstring).

    Under ceiling ``j`` the machine may run any mode ``i <= j`` in each hour, or be off. The mean over the calendar
    month's hours, times ``hours_in_month``, times ``uptime_frac``, gives the month. Scenarios weigh equally; they are
    summed in slices of 256 that are added in order, so the bits depend on nothing but the arguments.

    =============================  ==========  =====================================================
    argument                       shape       meaning, unit
    =============================  ==========  =====================================================
    ``calendar_month``             ``[T]``     1..12
    ``hours_in_month``             ``[T]``     hours
    ``hashprice_usd_per_ph_day``   ``[T, W]``  USD per PH/s per day
    ``level``                      ``[T, W]``  > 0, multiplies the energy price only
    ``adder_usd_per_mwh``          ``[T]``     wires, taxes, certificates on top of the energy price
    ``hashrate_th_s, power_w``     ``[J]``     modes, already an :func:`envelope`; another is refused
    ``pue``                        scalar      grid over machine power
    ``uptime_frac``                scalar      share of hours in which the machine works
    ``pool_fee_frac``              scalar      share of revenue that the pool keeps
    ``hash_factor``                scalar      multiplies the hashrate of every mode, not its power
    =============================  ==========  =====================================================
    """
    case = _margin_case(
        calendar_month, hours_in_month, hashprice_usd_per_ph_day, level, adder_usd_per_mwh,
        hashrate_th_s, power_w, pue, uptime_frac, pool_fee_frac, hash_factor,
    )  # fmt: skip
    sums = _power.margin_sums(*_table(shape), *case.arrays, case.breakeven_slope, case.adder_usd_per_mwh)
    running, hashprice_running, energy_price_running = sums / case.arrays.hashprice.shape[1]
    machine_hours = case.machine_hours_in_month
    energy = case.step_mw[:, None] * machine_hours * running
    revenue = case.step_revenue_per_hour[:, None] * machine_hours * hashprice_running
    cost = energy * case.adder_usd_per_mwh + case.step_mw[:, None] * machine_hours * energy_price_running
    hashed = case.step_ph_s[:, None] * machine_hours / HOURS_PER_DAY * running
    revenue, cost, energy, hashed = (np.cumsum(step, axis=0) for step in (revenue, cost, energy, hashed))
    return MiningValues(revenue - cost, revenue, cost, energy, hashed)


def accumulate_scenario_margin_usd(
    out: Float64Array,
    shape: PowerShape,
    *,
    calendar_month: ArrayLike,
    hours_in_month: ArrayLike,
    hashprice_usd_per_ph_day: ArrayLike,
    level: ArrayLike,
    adder_usd_per_mwh: ArrayLike,
    hashrate_th_s: ArrayLike,
    power_w: ArrayLike,
    pue: float,
    uptime_frac: float,
    pool_fee_frac: float,
    weight: ArrayLike,
    hash_factor: float = 1.0,
) -> None:
    """Add ``sum over j, t of weight[j, t] * margin[j, t, w]`` to ``out[w]``, USD, in place.

    Arguments as :func:`mining_month_values`; ``weight`` is ``[J, T]``, machines under each ceiling times, say, a
    discount factor. A step of the envelope whose weights sum to zero in a month is not evaluated. What is added to a
    scenario does not depend on which other scenarios are in the batch.
    """
    case = _margin_case(
        calendar_month, hours_in_month, hashprice_usd_per_ph_day, level, adder_usd_per_mwh,
        hashrate_th_s, power_w, pue, uptime_frac, pool_fee_frac, hash_factor,
    )  # fmt: skip
    check.accumulator("out", out, case.arrays.hashprice.shape[1])
    by_ceiling = check.floats("weight", weight, _WEIGHT, (case.step_mw.size, case.machine_hours_in_month.size))
    by_step = np.cumsum(by_ceiling[::-1], axis=0)[::-1]
    coefficient = np.ascontiguousarray(by_step * case.step_mw[:, None] * case.machine_hours_in_month)
    _power.add_margin(*_table(shape), *case.arrays, case.breakeven_slope, case.adder_usd_per_mwh, coefficient, out)


class _MonthArrays(NamedTuple):
    calendar_month: Int64Array
    hashprice: Float64Array
    level: Float64Array


class _MarginCase(NamedTuple):
    """Checked arguments by envelope step ``[J]`` and month ``[T]``; ``z = (slope * hashprice - adder) / level``."""

    arrays: _MonthArrays
    adder_usd_per_mwh: Float64Array
    machine_hours_in_month: Float64Array
    step_mw: Float64Array
    step_ph_s: Float64Array
    step_revenue_per_hour: Float64Array
    breakeven_slope: Float64Array


def _margin_case(
    calendar_month: ArrayLike,
    hours_in_month: ArrayLike,
    hashprice_usd_per_ph_day: ArrayLike,
    level: ArrayLike,
    adder_usd_per_mwh: ArrayLike,
    hashrate_th_s: ArrayLike,
    power_w: ArrayLike,
    pue: float,
    uptime_frac: float,
    pool_fee_frac: float,
    hash_factor: float,
) -> _MarginCase:
    hashprice = check.month_scenario("hashprice_usd_per_ph_day", hashprice_usd_per_ph_day, check.HASHPRICE)
    months = hashprice.shape[:1]
    arrays = _MonthArrays(
        check.integers("calendar_month", calendar_month, check.MONTH_OF_YEAR, months),
        hashprice,
        check.floats("level", level, _LEVEL, hashprice.shape),
    )
    hours = check.floats("hours_in_month", hours_in_month, check.HOURS_IN_MONTH, months)
    hashrate, power = _modes(hashrate_th_s, power_w)
    outside = sorted({*range(power.size)} - {*envelope(hashrate, power).tolist()})
    if outside or (np.diff(power) <= 0.0).any():
        mode = outside[0] if outside else int(np.argmax(np.diff(power) <= 0.0)) + 1
        raise InvalidInputError.single(
            f"power_w[{mode}]",
            f"mode of {hashrate[mode]:g} TH/s at {power[mode]:g} W is not on the envelope, or not in ascending order",
            "pass hashrate_th_s[k], power_w[k] with k = envelope(hashrate_th_s, power_w)",
        )
    step_mw = np.diff(power, prepend=0.0) / W_PER_MW * check.scalar("pue", pue, check.PUE)
    step_ph_s = np.diff(hashrate, prepend=0.0) / TH_PER_PH * check.scalar("hash_factor", hash_factor, _HASH_FACTOR)
    step_revenue = step_ph_s / HOURS_PER_DAY * (1.0 - check.scalar("pool_fee_frac", pool_fee_frac, check.FEE))
    return _MarginCase(
        arrays=arrays,
        adder_usd_per_mwh=check.floats("adder_usd_per_mwh", adder_usd_per_mwh, check.POWER_PRICE, months),
        machine_hours_in_month=hours * check.scalar("uptime_frac", uptime_frac, check.FRACTION),
        step_mw=step_mw,
        step_ph_s=step_ph_s,
        step_revenue_per_hour=step_revenue,
        breakeven_slope=step_revenue / step_mw,
    )


def _modes(hashrate_th_s: ArrayLike, power_w: ArrayLike) -> tuple[Float64Array, Float64Array]:
    hashrate = check.vector("hashrate_th_s", hashrate_th_s, _HASHRATE)
    return hashrate, check.floats("power_w", power_w, _POWER, hashrate.shape)


class _Pool(NamedTuple):
    """The sorted hours of one calendar month and their look-up table."""

    knots: Float64Array
    share: Float64Array
    mean_part: Float64Array
    bucket_start: Int64Array
    layout: Sequence[int]
    """First key, last key, key shift, search steps."""
    key_origin: tuple[float, float]

    @classmethod
    def of(cls, price: Float64Array) -> _Pool:
        """Build from ascending prices: finer buckets until few knots share one, or the table outgrows the knots."""
        knots, first = np.unique(price + 0.0, return_index=True)  # + 0.0 turns -0.0 into 0.0
        below = np.append(first, price.size)
        centre = float(np.median(knots))
        scale = float(np.median(np.abs(knots - centre))) or 1.0
        for shift in range(_COARSEST_SHIFT, 0, -1):
            keys = _power.bucket_keys(knots, centre, scale, shift)
            first_key, last_key = int(keys[0]), int(keys[-1])
            occupancy = int(np.unique(keys, return_counts=True)[1].max())
            if occupancy <= _FEW_KNOTS or last_key - first_key >= _BUCKETS_PER_KNOT * knots.size:
                break
        steps = occupancy.bit_length()
        padding = (0, 2**steps)
        return cls(
            knots=np.pad(knots, padding, constant_values=np.inf),
            share=np.pad(below / price.size, (0, 2**steps - 1), mode="edge"),
            mean_part=np.pad(_power.prefix_sums(price)[below] / price.size, (0, 2**steps - 1), mode="edge"),
            bucket_start=np.searchsorted(keys, np.arange(first_key, last_key + 1)).astype(np.int64),
            layout=(first_key, last_key, shift, steps),
            key_origin=(centre, scale),
        )


_COARSEST_SHIFT: Final = 52
"""Keys drop this many bits of the double at first: 52 leaves one bucket per power of two."""
_FEW_KNOTS: Final = 7
_BUCKETS_PER_KNOT: Final = 4


def _table(shape: PowerShape) -> tuple[Float64Array, Float64Array, Float64Array, Int64Array, Int64Array, Float64Array]:
    return (
        shape.knots_usd_per_mwh,
        shape.share_below_frac,
        shape.mean_part_below_usd_per_mwh,
        shape.bucket_start,
        shape.layout,
        shape.key_origin,
    )


def _frozen(array: _Array) -> _Array:
    array.flags.writeable = False
    return array
