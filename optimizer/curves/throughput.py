"""What a block of own GPUs yields at the best power cap of each month and scenario, or off.

::

    revenue = gpu_count * hours * rental * utilisation * goodput * throughput(cap)
    energy  = gpu_count * hours * power_kw_per_gpu / 1000 * power(cap) * pue
    margin  = max(0, max over caps of revenue - energy * power price)

``power_kw_per_gpu`` is critical IT power with the GPU's share of its server, drawn whether rented or not while the
block is on. The caps that are best at some price are the points of the concave envelope of the cap curve and the
origin. Each step from one to the next pays while the power price is under its break-even, a multiple of the rental
price. As the break-evens fall from step to step, the margin is a sum over the steps, each by itself::

    margin = sum over steps of their energy * max(0, rental * break-even of 1 USD of rental - power price)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _throughput
from optimizer.curves._checks import Float64Array
from optimizer.curves.caps import CAP_CURVES, CAP_FLOOR_FRAC, CapCurve, cap_throughput_frac
from optimizer.curves.clusters import checkpoint_interval_s, goodput_frac
from optimizer.curves.threads import in_slices
from optimizer.errors import InvalidInputError
from optimizer.units import KW_PER_MW

__all__ = [
    "CAP_CURVES",
    "CAP_FLOOR_FRAC",
    "SHARD_SCENARIOS",
    "CapBreakevens",
    "CapCurve",
    "GpuBlockSums",
    "GpuValues",
    "accumulate_scenario_gpu_usd",
    "cap_breakevens_usd_per_mwh",
    "cap_throughput_frac",
    "checkpoint_interval_s",
    "goodput_frac",
    "gpu_block_values",
    "scenario_gpu_billing_usd",
]

SHARD_SCENARIOS: Final = 256
"""Scenarios are summed in slices of so many, added in order: all shards but the last hold a multiple."""
_THREAD_EVALUATIONS: Final = 1 << 18
"""Months times scenarios worth a thread of their own."""
_RENTAL: Final = check.Range(0.0, 1e5, "USD per GPU-hour")
_DRAWN_RENTAL: Final = check.Range(0.0, 1e30, "USD per GPU-hour")
_DRAWN_POWER_PRICE: Final = check.Range(-1e30, 1e30, "USD per MWh")
"""Of scenarios: tails go far."""
_KW: Final = check.Range(1e-3, 1e3, "kW")


@dataclass(frozen=True, slots=True, eq=False)
class GpuValues:
    """Mean over scenarios of one block of GPUs by month, each ``[T]``."""

    margin_usd: Float64Array
    """Revenue less power cost."""
    revenue_usd: Float64Array
    power_cost_usd: Float64Array
    energy_mwh: Float64Array
    """Drawn from the grid, that is with PUE."""
    mean_cap_frac: Float64Array
    """Cap chosen; a block that is off counts as 0."""
    off_frac: Float64Array
    """Share of scenarios in which the block is off."""


def gpu_block_values(
    *,
    gpu_count: int,
    power_kw_per_gpu: float,
    rental_usd_per_gpu_hour: ArrayLike,
    utilisation_frac: float,
    goodput_frac: float,
    pue: ArrayLike,
    power_usd_per_mwh: ArrayLike,
    hours_in_month: ArrayLike,
    cap_curve: CapCurve,
) -> GpuValues:
    """Mean over scenarios of a block's month, at the best power cap of each month and scenario, or off.

    ``rental_usd_per_gpu_hour`` and ``power_usd_per_mwh`` are ``[T, W]``; ``pue`` and ``hours_in_month`` ``[T]``. The
    result has the same bits whatever the number of threads. :class:`GpuBlockSums` takes the scenarios in shards.
    """
    sums = GpuBlockSums(
        gpu_count=gpu_count,
        power_kw_per_gpu=power_kw_per_gpu,
        utilisation_frac=utilisation_frac,
        goodput_frac=goodput_frac,
        pue=pue,
        hours_in_month=hours_in_month,
        cap_curve=cap_curve,
    )
    sums.add(rental_usd_per_gpu_hour=rental_usd_per_gpu_hour, power_usd_per_mwh=power_usd_per_mwh)
    return sums.values()


class GpuBlockSums:
    """:func:`gpu_block_values` of scenarios that come in shards, in order: the same bits as in one call.

    All shards but the last hold a multiple of ``SHARD_SCENARIOS``. Memory does not grow with the scenarios.
    """

    def __init__(
        self,
        *,
        gpu_count: int,
        power_kw_per_gpu: float,
        utilisation_frac: float,
        goodput_frac: float,
        pue: ArrayLike,
        hours_in_month: ArrayLike,
        cap_curve: CapCurve,
    ) -> None:
        """Start at no scenarios; ``pue`` and ``hours_in_month`` are ``[T]``."""
        self._block = _block(
            gpu_count, power_kw_per_gpu, utilisation_frac, goodput_frac, pue, hours_in_month, cap_curve
        )
        self._price_sums = np.zeros((*self._block.breakeven.shape, 2))  # rental and power prices, by step that pays
        self._counts = np.zeros(self._block.breakeven.shape, dtype=np.int64)
        self._scenario_count = 0

    def add(self, *, rental_usd_per_gpu_hour: ArrayLike, power_usd_per_mwh: ArrayLike) -> None:
        """Add the scenarios of a shard, ``[T, W]`` each."""
        if self._scenario_count % SHARD_SCENARIOS:
            raise InvalidInputError.single(
                "rental_usd_per_gpu_hour", f"follows a shard that left {self._scenario_count} scenarios in all",
                f"pass multiples of {SHARD_SCENARIOS} scenarios in all shards but the last",
            )  # fmt: skip
        rental, price = _paths(rental_usd_per_gpu_hour, power_usd_per_mwh, self._block)
        months, scenarios = rental.shape
        in_slices(
            lambda first, last: _throughput.add_gpu_sums(
                rental, price, self._block.breakeven, self._price_sums, self._counts, first, last
            ),
            months,
            max(1, _THREAD_EVALUATIONS // scenarios),
        )
        self._scenario_count += scenarios

    def values(self) -> GpuValues:
        """Mean over the scenarios added so far."""
        if not self._scenario_count:
            raise InvalidInputError.single("scenarios", "none were added", "add a shard first")
        block = self._block
        rental, price = np.moveaxis(self._price_sums, 2, 0) / self._scenario_count
        pays: Float64Array = self._counts / self._scenario_count
        at_cap = -np.diff(self._counts, append=0, axis=1) / self._scenario_count
        revenue = block.rented_gpu_hours * (rental * block.throughput_step_frac).sum(axis=1)
        cost = block.full_power_mwh * (price * block.power_step_frac).sum(axis=1)
        return GpuValues(
            margin_usd=revenue - cost,
            revenue_usd=revenue,
            power_cost_usd=cost,
            energy_mwh=block.full_power_mwh * (at_cap * block.power_frac).sum(axis=1),
            mean_cap_frac=(at_cap * block.cap_frac).sum(axis=1),
            off_frac=1.0 - pays[:, 0],
        )


def accumulate_scenario_gpu_usd(
    out: Float64Array,
    *,
    gpu_count: int,
    power_kw_per_gpu: float,
    rental_usd_per_gpu_hour: ArrayLike,
    utilisation_frac: float,
    goodput_frac: float,
    pue: ArrayLike,
    power_usd_per_mwh: ArrayLike,
    hours_in_month: ArrayLike,
    cap_curve: CapCurve,
    weight: ArrayLike,
) -> None:
    """Add ``sum over t of weight[t] * margin[t, w]`` to ``out[w]``, USD, in place.

    Arguments as :func:`gpu_block_values`. A month of weight 0 is not evaluated. What is added to a scenario does not
    depend on the others in the batch, nor on the number of threads.
    """
    block = _block(gpu_count, power_kw_per_gpu, utilisation_frac, goodput_frac, pue, hours_in_month, cap_curve)
    rental, price = _paths(rental_usd_per_gpu_hour, power_usd_per_mwh, block)
    months, scenarios = rental.shape
    check.accumulator("out", out, scenarios)
    weights = check.floats("weight", weight, check.Range(-1e12, 1e12, "blocks"), (months,))
    energy = np.multiply.outer(weights * block.full_power_mwh, block.power_step_frac)
    in_slices(
        lambda first, last: _throughput.add_gpu_margin(rental, price, block.breakeven, energy, out, first, last),
        scenarios,
        max(1, _THREAD_EVALUATIONS // (months * SHARD_SCENARIOS)) * SHARD_SCENARIOS,
    )


def scenario_gpu_billing_usd(
    *,
    gpu_count: int,
    power_kw_per_gpu: float,
    rental_usd_per_gpu_hour: ArrayLike,
    utilisation_frac: float,
    goodput_frac: float,
    pue: ArrayLike,
    power_usd_per_mwh: ArrayLike,
    hours_in_month: ArrayLike,
    cap_curve: CapCurve,
) -> Float64Array:
    """Revenue of a block in each month and scenario, ``[T, W]``, at the cap whose margin is best, or off.

    Arguments as :func:`gpu_block_values`, of whose revenue it is what the mean is taken of.
    """
    block = _block(gpu_count, power_kw_per_gpu, utilisation_frac, goodput_frac, pue, hours_in_month, cap_curve)
    rental, price = _paths(rental_usd_per_gpu_hour, power_usd_per_mwh, block)
    throughput = np.zeros(rental.shape)
    for breakeven, step in zip(block.breakeven.T, block.throughput_step_frac, strict=True):
        throughput += step * (rental * breakeven[:, None] > price)
    return np.asarray(block.rented_gpu_hours[:, None] * rental * throughput)


class CapBreakevens(NamedTuple):
    """Best caps by power price: ``cap_frac[k]`` is best under ``power_usd_per_mwh[k]`` and down to ``[k + 1]``."""

    cap_frac: Float64Array
    """Ascending, ``[K]``."""
    power_usd_per_mwh: Float64Array
    """Falling, ``[K, ...]`` of the shape of the rental prices; above the first the block is off."""


def cap_breakevens_usd_per_mwh(
    cap_curve: CapCurve,
    *,
    rental_usd_per_gpu_hour: ArrayLike,
    power_kw_per_gpu: float,
    utilisation_frac: float,
    goodput_frac: float,
    pue: float,
) -> CapBreakevens:
    """Power prices at which the best cap changes; caps that are best at no price are not listed.

    ``break-even[k] = rental * utilisation * goodput * 1000 / (power_kw_per_gpu * pue) * slope[k]``, where the slope is
    throughput over power of the step to cap ``k`` from the one before, the first from off.

    >>> curve = CAP_CURVES["uncapped"]
    >>> terms = dict(power_kw_per_gpu=1.0, utilisation_frac=0.8, goodput_frac=1.0, pue=1.25)
    >>> cap_breakevens_usd_per_mwh(curve, rental_usd_per_gpu_hour=2.0, **terms).power_usd_per_mwh
    array([1280.])
    """
    rental = check.floats("rental_usd_per_gpu_hour", rental_usd_per_gpu_hour, _RENTAL)
    block = _block(1, power_kw_per_gpu, utilisation_frac, goodput_frac, [pue], [1.0], cap_curve)
    return CapBreakevens(block.cap_frac, np.multiply.outer(block.breakeven[0], rental))


class _Block(NamedTuple):
    """A block at full power ``[T]``, and the ``K`` caps that are best at some price."""

    rented_gpu_hours: Float64Array
    full_power_mwh: Float64Array
    breakeven: Float64Array
    """USD per MWh under which the step to each cap pays, per USD of rental per GPU-hour, ``[T, K]``."""
    cap_frac: Float64Array
    power_frac: Float64Array
    throughput_step_frac: Float64Array
    """From the cap before, the first from off."""
    power_step_frac: Float64Array


def _block(
    gpu_count: int,
    power_kw_per_gpu: float,
    utilisation_frac: float,
    goodput_frac: float,
    pue: ArrayLike,
    hours_in_month: ArrayLike,
    cap_curve: CapCurve,
) -> _Block:
    hours = check.vector("hours_in_month", hours_in_month, check.HOURS_IN_MONTH)
    gpu_hours = check.integer("gpu_count", gpu_count, check.COUNT) * hours
    sold = check.scalar("utilisation_frac", utilisation_frac, check.FRACTION) * check.scalar(
        "goodput_frac", goodput_frac, check.FRACTION
    )
    grid_mw = check.scalar("power_kw_per_gpu", power_kw_per_gpu, _KW) / KW_PER_MW
    grid_mw_per_gpu = grid_mw * check.floats("pue", pue, check.PUE, hours.shape)
    cap, throughput, power = cap_curve.efficient_points()
    steps = np.diff(throughput, prepend=0.0), np.diff(power, prepend=0.0)
    breakeven = np.multiply.outer(sold / grid_mw_per_gpu, steps[0] / steps[1])
    return _Block(gpu_hours * sold, gpu_hours * grid_mw_per_gpu, breakeven, cap, power, *steps)


def _paths(rental: ArrayLike, power_price: ArrayLike, block: _Block) -> tuple[Float64Array, Float64Array]:
    """Check the paths of a shard."""
    rentals = check.month_scenario("rental_usd_per_gpu_hour", rental, _DRAWN_RENTAL)
    check.require_shape("rental_usd_per_gpu_hour", rentals, (block.full_power_mwh.size, rentals.shape[1]))
    return rentals, check.floats("power_usd_per_mwh", power_price, _DRAWN_POWER_PRICE, rentals.shape)
