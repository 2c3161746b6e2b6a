"""What machines earn at a site when they may stop in any hour.

A machine with operating modes ``i`` (``TH_i`` TH/s, ``W_i`` W) may run any of them, or none, in each hour ``h``::

    margin_h = max(0, max_i(hashprice / 24 / 1000 * TH_i * (1 - pool fee) * hash_factor
                            - W_i / 1e6 * pue * (lmp_h * level + adder)))

The modes that ever run lie on the upper concave envelope of hashrate over power. Step ``i`` of that envelope, of
``dTH_i`` and ``dW_i``, runs in the hours whose energy price is below its break-even ``z_i``, and the break-evens fall
from step to step. So the mean over hours is the sum over steps of ``dW_i / 1e6 * pue * level * f(z_i)``::

    z_i = (hashprice / 24 / 1000 * dTH_i * (1 - pool fee) * hash_factor / (dW_i / 1e6 * pue) - adder) / level
    f(z) = mean over hours of max(0, z - lmp_h), one look-up in the price table (:mod:`optimizer.curves.power`)

All machines of a site go through the kernel together (:class:`~optimizer.curves.site_fleet.SiteFleet`). Scenarios are
summed in slices of 256, one after the other, so sums can go on with more scenarios (:class:`MiningSums`). A month whose
scenarios are in order (:class:`~optimizer.curves.market_paths.MarketPaths`) is summed hour by hour instead: in each
hour the last of them run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optimizer.curves import _checks as check
from optimizer.curves import _margin
from optimizer.curves._checks import Float64Array
from optimizer.curves.market_paths import MarketPaths
from optimizer.curves.power import PowerShape
from optimizer.curves.site_fleet import Machine, SiteFleet
from optimizer.curves.threads import in_slices
from optimizer.errors import InvalidInputError
from optimizer.units import H_PER_PH, HOURS_PER_DAY, SECONDS_PER_DAY

_WEIGHT: Final = check.Range(-1e12, 1e12, "machines")

_EVALUATIONS_PER_SLICE: Final = 200_000
"""Work of a thread's slice, near a millisecond."""
_SCENARIOS_PER_SLICE: Final = 256
_MOST_SLICES: Final = 16
"""Slices of scenarios: each reads the price tables of all months, so they are to be few."""


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
    running_hours: Float64Array
    """Hours in which the machine runs in any mode, ``[T]``: those of its lowest, whatever the ceiling."""
    mined_btc: Float64Array | None = None
    """Bitcoin produced, gross of the pool's fee; ``None`` where bitcoin prices were not given."""

    @property
    def realised_power_usd_per_mwh(self) -> Float64Array:
        """Power cost over energy, adders included; NaN where nothing runs."""
        nothing = np.full_like(self.energy_mwh, np.nan)
        return np.divide(self.power_cost_usd, self.energy_mwh, out=nothing, where=self.energy_mwh > 0.0)

    @property
    def hashes(self) -> Float64Array:
        """Hashes computed."""
        return self.hash_ph_days * (H_PER_PH * SECONDS_PER_DAY)


class MiningSums:
    """Sums over scenarios that may come in shards, so that any number of them fits in memory.

    Shards of a multiple of 256 scenarios, added in order, give the same bits as all at once, if they are not ordered;
    the sums of ordered shards differ in the last bits.
    """

    def __init__(self, fleet: SiteFleet, *, with_btc: bool = False) -> None:
        self._fleet = fleet
        self._with_btc = with_btc
        self._scenario_count = 0
        self._sums = np.zeros((4 if with_btc else 3, fleet.step_mw.size, fleet.calendar_month.size))

    @property
    def scenario_count(self) -> int:
        """Scenarios added so far."""
        return self._scenario_count

    def add(self, paths: MarketPaths) -> None:
        """Add the scenarios of ``paths``. Threads share the months."""
        fleet, sums, scenarios = self._fleet, self._sums, paths.level.shape[1]
        check.require_shape("hashprice_usd_per_ph_day", paths.level, (fleet.calendar_month.size, scenarios))
        btc_usd = paths.btc_usd if self._with_btc else paths.level  # a stand-in that is not read
        if btc_usd is None:
            raise InvalidInputError.single("btc_usd", "was not given", "pass it to MarketPaths.of, or sum without btc")
        ordered = _hours_are_fewer(fleet, paths)
        by_scenario = (paths.hashprice_usd_per_ph_day, paths.level, btc_usd)
        searched = np.flatnonzero(~ordered)
        in_slices(
            lambda first, last: _margin.add_sums(*fleet.kernel_arguments, *by_scenario, sums, searched, first, last),
            searched.size,
            _slice_size(fleet.step_mw.size * scenarios),
        )
        if paths.order is not None and ordered.any():
            order = (*paths.order.tables.arrays, paths.order.btc_from)
            shared_level = np.where(paths.order.one_level, paths.level[:, 0], 1.0)
            swept = np.flatnonzero(ordered)
            in_slices(
                lambda first, last: _margin.add_ordered(
                    *fleet.kernel_arguments, *order, shared_level, sums, swept, first, last
                ),
                swept.size,
                _slice_size(fleet.step_mw.size * int(fleet.shape.prices.count.max())),
            )
        self._scenario_count += scenarios

    def values(self) -> tuple[MiningValues, ...]:
        """Means over the scenarios added so far, for each machine."""
        if not self._scenario_count:
            raise InvalidInputError.single("paths", "hold no scenario yet", "add scenarios first")
        fleet, hours = self._fleet, self._fleet.machine_hours_in_month
        running, hashprice, energy_price, *btc = self._sums / self._scenario_count
        mwh = fleet.step_mw[:, None] * hours
        energy = mwh * running
        revenue = fleet.step_revenue_per_hour[:, None] * hours * hashprice
        cost = energy * fleet.adder_usd_per_mwh + mwh * energy_price
        ph_days = fleet.step_ph_s[:, None] * hours / HOURS_PER_DAY
        by_step = [revenue, cost, energy, ph_days * running, *(ph_days * produced for produced in btc)]
        values = []
        for first, last in fleet.spans:
            revenue, cost, energy, hashed, *mined = (np.cumsum(row[first:last], axis=0) for row in by_step)
            values.append(MiningValues(revenue - cost, revenue, cost, energy, hashed, hours * running[first], *mined))
        return tuple(values)


def fleet_month_values(fleet: SiteFleet, paths: MarketPaths) -> tuple[MiningValues, ...]:
    """Mean over scenarios of one machine's month at a site, for each machine of the fleet and each ceiling mode.

    As :func:`mining_month_values` for each machine, to the last bit unless the paths are ordered. Bitcoin are counted
    if the paths have their price.
    """
    sums = MiningSums(fleet, with_btc=paths.btc_usd is not None)
    sums.add(paths)
    return sums.values()


def accumulate_fleet_margin_usd(
    out: Float64Array, fleet: SiteFleet, paths: MarketPaths, *, weights: Sequence[ArrayLike]
) -> None:
    """Add ``sum over machines k, j, t of weights[k][j, t] * margin[k][j, t, w]`` to ``out[w]``, USD, in place.

    ``weights[k]`` is ``[J, T]``, machines under each ceiling times, say, a discount factor. A step of the envelope
    whose weights sum to zero in a month is not evaluated. What is added to a scenario does not depend on which other
    scenarios are in the batch. Threads share the scenarios.
    """
    months, scenarios = fleet.calendar_month.size, paths.level.shape[1]
    check.require_shape("hashprice_usd_per_ph_day", paths.level, (months, scenarios))
    check.accumulator("out", out, scenarios)
    spans = fleet.spans
    if len(weights) != len(spans):
        raise InvalidInputError.single("weights", f"has {len(weights)} entries", f"pass one for each of {len(spans)}")
    names = ["weight"] if len(spans) == 1 else [f"weights[{k}]" for k in range(len(spans))]
    by_step = [
        np.cumsum(check.floats(name, weight, _WEIGHT, (last - first, months))[::-1], axis=0)[::-1]
        for name, weight, (first, last) in zip(names, weights, spans, strict=True)
    ]
    coefficient = np.ascontiguousarray(np.concatenate(by_step) * fleet.step_mw[:, None] * fleet.machine_hours_in_month)
    by_scenario = (paths.hashprice_usd_per_ph_day, paths.level, coefficient)
    in_slices(
        lambda first, last: _margin.add_margin(*fleet.kernel_arguments, *by_scenario, out, first, last),
        scenarios,
        _SCENARIOS_PER_SLICE * -(-scenarios // (_SCENARIOS_PER_SLICE * _MOST_SLICES)),
    )


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
    btc_usd: ArrayLike | None = None,
) -> MiningValues:
    """Mean over scenarios of one machine's month at a site, for each ceiling mode (formula: module docstring).

    Under ceiling ``j`` the machine may run any mode ``i <= j`` in each hour, or be off. The mean over the calendar
    month's hours, times ``hours_in_month``, times ``uptime_frac``, gives the month. Scenarios weigh equally; the bits
    depend on nothing but the arguments.

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
    ``btc_usd``                    ``[T, W]``  optional: USD per BTC, for the bitcoin produced
    =============================  ==========  =====================================================
    """
    paths = MarketPaths.of(hashprice_usd_per_ph_day=hashprice_usd_per_ph_day, level=level, btc_usd=btc_usd)
    fleet = SiteFleet.of(
        shape,
        [Machine(hashrate_th_s, power_w, hash_factor)],
        calendar_month=calendar_month,
        hours_in_month=hours_in_month,
        adder_usd_per_mwh=adder_usd_per_mwh,
        pue=pue,
        uptime_frac=uptime_frac,
        pool_fee_frac=pool_fee_frac,
    )
    return fleet_month_values(fleet, paths)[0]


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
    """Add ``sum over j, t of weight[j, t] * margin[j, t, w]`` of one machine to ``out[w]``, USD, in place.

    Arguments as :func:`mining_month_values`; ``weight`` as one of :func:`accumulate_fleet_margin_usd`.
    """
    fleet = SiteFleet.of(
        shape,
        [Machine(hashrate_th_s, power_w, hash_factor)],
        calendar_month=calendar_month,
        hours_in_month=hours_in_month,
        adder_usd_per_mwh=adder_usd_per_mwh,
        pue=pue,
        uptime_frac=uptime_frac,
        pool_fee_frac=pool_fee_frac,
    )
    paths = MarketPaths.of(hashprice_usd_per_ph_day=hashprice_usd_per_ph_day, level=level)
    accumulate_fleet_margin_usd(out, fleet, paths, weights=[weight])


def _hours_are_fewer(fleet: SiteFleet, paths: MarketPaths) -> NDArray[np.bool_]:
    """Months to sum hour by hour, ``[T]``: one order serves all machines, and hours are fewer than scenarios."""
    months, scenarios = paths.level.shape
    if paths.order is None or not (fleet.breakeven_slope > 0.0).all():
        return np.zeros(months, dtype=np.bool_)
    one_order = paths.order.one_level | (fleet.adder_usd_per_mwh == 0.0)
    return np.asarray(one_order & (fleet.shape.prices.count[fleet.calendar_month - 1] < scenarios))


def _slice_size(evaluations: int) -> int:
    """Items of so many evaluations each that make a slice."""
    return max(1, _EVALUATIONS_PER_SLICE // max(evaluations, 1))
