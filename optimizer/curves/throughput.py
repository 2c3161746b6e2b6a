"""What own GPUs yield: power caps, goodput under failures, and the value of a block of GPUs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _throughput
from optimizer.curves._checks import Float64Array
from optimizer.errors import InvalidInputError
from optimizer.units import HOURS_PER_DAY, KW_PER_MW, SECONDS_PER_DAY

CAP_FLOOR_FRAC: Final = 0.58
"""Lowest cap that the training fit covers; hardware does not honour a cap under its floor."""
_CAP: Final = check.Range(CAP_FLOOR_FRAC, 1.0, "of the rated power; a cap under the floor is not honoured")
_SECONDS: Final = check.Range(0.0, 1e9, "seconds")
_MTBF_HOURS: Final = check.Range(1e-3, 1e9, "hours")
_SECONDS_PER_HOUR: Final = SECONDS_PER_DAY / HOURS_PER_DAY


def cap_throughput_frac(cap_frac: ArrayLike) -> Float64Array:
    """Training throughput under a power cap, relative to no cap: ``1 - 2.06 (1 - c)**1.80``, for ``c >= 0.58``.

    Fit to A100 training of five models (Zeus and Perseus measurements, ml-energy/zeus), RMSE 1.6 % of full throughput.
    Other GPUs and inference lose less, so this is the pessimistic end. A cap below 0.58 is refused.

    >>> round(float(cap_throughput_frac(0.75)), 3)
    0.83
    """
    return (1.0 - 2.06 * (1.0 - check.floats("cap_frac", cap_frac, _CAP)) ** 1.80)[()]


@dataclass(frozen=True, slots=True, eq=False)
class CapCurve:
    """Throughput over power of a GPU by power cap, ascending, concave in power; all relative to no cap.

    :meth:`from_measurements` makes one of a raw table. The constructor refuses one that is not concave.
    """

    name: str
    cap_frac: Float64Array
    throughput_frac: Float64Array
    power_frac: Float64Array
    """Average draw under the cap, not the cap itself."""

    def __post_init__(self) -> None:
        cap, throughput, power = _cap_table(self.cap_frac, self.throughput_frac, self.power_frac)
        kept = _concave_indices(power, throughput)
        if kept != list(range(cap.size)):
            at = next(i for i in range(cap.size) if i >= len(kept) or kept[i] != i)
            raise InvalidInputError.single(
                f"throughput_frac[{at}]", f"of cap curve {self.name!r} is not concave in power", "use from_measurements"
            )
        for field, array in (("cap_frac", cap), ("throughput_frac", throughput), ("power_frac", power)):
            frozen = array.copy()
            frozen.flags.writeable = False
            object.__setattr__(self, field, frozen)

    @classmethod
    def from_measurements(
        cls, name: str, *, cap_frac: ArrayLike, throughput_frac: ArrayLike, power_frac: ArrayLike
    ) -> CapCurve:
        """Take the upper concave envelope of measured points in any order; points under it and dominated ones drop."""
        cap, throughput, power = _cap_table(cap_frac, throughput_frac, power_frac)
        order = np.lexsort((-throughput, power))
        kept = order[_concave_indices(power[order], throughput[order])]
        return cls(name, cap[kept], throughput[kept], power[kept])


def checkpoint_interval_s(*, mtbf_hours: float, checkpoint_save_s: float, restart_s: float) -> float:
    """Seconds from one checkpoint's start to the next's that maximise availability.

    ``T = S + sqrt(2 (M + R) S + S**2)`` with save ``S``, restart ``R`` and mean time between failures ``M`` (NVIDIA,
    arXiv 2410.18124; Young's ``sqrt(2 M S)`` is its limit). ``T - S`` is the work between two saves.
    """
    mtbf_s = check.scalar("mtbf_hours", mtbf_hours, _MTBF_HOURS) * _SECONDS_PER_HOUR
    save_s = check.scalar("checkpoint_save_s", checkpoint_save_s, _SECONDS)
    recovery_s = check.scalar("restart_s", restart_s, _SECONDS)
    return save_s + math.sqrt(2.0 * (mtbf_s + recovery_s) * save_s + save_s**2)


def goodput_frac(
    *,
    gpu_count: int,
    checkpoint_save_s: float,
    restart_s: float,
    failures_per_1000_gpu_days: float | None = None,
    mtbf_hours: float | None = None,
) -> float:
    """Share of time that trains: ``(1 - S / T) M / (M + R + T / 2)`` at the best interval ``T``.

    Each mean time between failures ``M`` costs a restart ``R`` and half an interval done again; each interval costs a
    save ``S``. Exactly one of ``failures_per_1000_gpu_days``, which scales with ``gpu_count`` as one failure stops the
    whole job, and ``mtbf_hours``, which is that of the whole cluster.
    """
    count = check.integer("gpu_count", gpu_count, check.COUNT)
    check.exactly_one(failures_per_1000_gpu_days=failures_per_1000_gpu_days, mtbf_hours=mtbf_hours)
    if failures_per_1000_gpu_days is not None:
        rate = check.Range(0.0, 1e6, "failures per 1000 GPU-days")
        per_day = check.scalar("failures_per_1000_gpu_days", failures_per_1000_gpu_days, rate) * count / 1000.0
        mtbf_hours = min(HOURS_PER_DAY / per_day, _MTBF_HOURS.high) if per_day else _MTBF_HOURS.high
    assert mtbf_hours is not None
    interval_s = checkpoint_interval_s(mtbf_hours=mtbf_hours, checkpoint_save_s=checkpoint_save_s, restart_s=restart_s)
    mtbf_s = mtbf_hours * _SECONDS_PER_HOUR
    saving = checkpoint_save_s / interval_s if interval_s else 0.0
    return (1.0 - saving) * mtbf_s / (mtbf_s + restart_s + interval_s / 2.0)


@dataclass(frozen=True, slots=True, eq=False)
class GpuValues:
    """Mean over scenarios of one block of GPUs by month, each ``[T]``."""

    margin_usd: Float64Array
    """Revenue less power cost."""
    revenue_usd: Float64Array
    power_cost_usd: Float64Array
    energy_mwh: Float64Array
    """Drawn from the grid, that is with PUE."""


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

    ::

        revenue = gpu_count * hours * rental * utilisation * goodput * throughput(cap)
        energy  = gpu_count * hours * power_kw_per_gpu / 1000 * power(cap) * pue
        margin  = max(0, max over caps of revenue - energy * power price)

    ``rental_usd_per_gpu_hour`` and ``power_usd_per_mwh`` are ``[T, W]``; ``pue`` and ``hours_in_month`` ``[T]``;
    ``power_kw_per_gpu`` is critical IT power with the GPU's share of its server, drawn whether rented or not while the
    block is on. Scenarios are summed in slices of 256 that are added in order.
    """
    case = _gpu_case(
        gpu_count, power_kw_per_gpu, rental_usd_per_gpu_hour, utilisation_frac, goodput_frac, pue, power_usd_per_mwh,
        hours_in_month, cap_curve,
    )  # fmt: skip
    revenue, energy, cost = _throughput.gpu_sums(*case) / case.rental.shape[1]
    return GpuValues(revenue - cost, revenue, cost, energy)


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
    depend on the others in the batch.
    """
    case = _gpu_case(
        gpu_count, power_kw_per_gpu, rental_usd_per_gpu_hour, utilisation_frac, goodput_frac, pue, power_usd_per_mwh,
        hours_in_month, cap_curve,
    )  # fmt: skip
    check.accumulator("out", out, case.rental.shape[1])
    weights = check.floats("weight", weight, check.Range(-1e12, 1e12, "blocks"), case.rental.shape[:1])
    _throughput.add_gpu_margin(*case, weights, out)


class _GpuCase(NamedTuple):
    """Checked arguments: USD per unit of rental price ``[T]``, MWh at full power ``[T]``, paths ``[T, W]``, caps."""

    rental: Float64Array
    power_price: Float64Array
    rented_gpu_hours: Float64Array
    full_power_mwh: Float64Array
    throughput_frac: Float64Array
    power_frac: Float64Array


def _gpu_case(
    gpu_count: int,
    power_kw_per_gpu: float,
    rental_usd_per_gpu_hour: ArrayLike,
    utilisation_frac: float,
    goodput_frac: float,
    pue: ArrayLike,
    power_usd_per_mwh: ArrayLike,
    hours_in_month: ArrayLike,
    cap_curve: CapCurve,
) -> _GpuCase:
    price = check.Range(0.0, 1e5, "USD per GPU-hour")
    rental = check.month_scenario("rental_usd_per_gpu_hour", rental_usd_per_gpu_hour, price)
    months = rental.shape[:1]
    gpu_hours = check.integer("gpu_count", gpu_count, check.COUNT) * check.floats(
        "hours_in_month", hours_in_month, check.HOURS_IN_MONTH, months
    )
    sold = check.scalar("utilisation_frac", utilisation_frac, check.FRACTION) * check.scalar(
        "goodput_frac", goodput_frac, check.FRACTION
    )
    kw = check.scalar("power_kw_per_gpu", power_kw_per_gpu, check.Range(1e-3, 1e3, "kW"))
    return _GpuCase(
        rental=rental,
        power_price=check.floats("power_usd_per_mwh", power_usd_per_mwh, check.POWER_PRICE, rental.shape),
        rented_gpu_hours=gpu_hours * sold,
        full_power_mwh=gpu_hours * (kw / KW_PER_MW) * check.floats("pue", pue, check.PUE, months),
        throughput_frac=cap_curve.throughput_frac,
        power_frac=cap_curve.power_frac,
    )


def _cap_table(
    cap_frac: ArrayLike, throughput_frac: ArrayLike, power_frac: ArrayLike
) -> tuple[Float64Array, Float64Array, Float64Array]:
    cap = check.vector("cap_frac", cap_frac, check.Range(1e-3, 1.0, "of the rated power"))
    positive = check.Range(1e-6, 1.5, "relative to no cap")
    return (
        cap,
        check.floats("throughput_frac", throughput_frac, positive, cap.shape),
        check.floats("power_frac", power_frac, positive, cap.shape),
    )


def _concave_indices(power: Float64Array, throughput: Float64Array) -> list[int]:
    """Find the points, ascending in power, on the strictly increasing part of their upper concave envelope."""
    kept: list[int] = []
    for point in range(power.size):
        if kept and throughput[point] <= throughput[kept[-1]]:
            continue
        while len(kept) > 1:
            rise, run = throughput[kept[-1]] - throughput[kept[-2]], power[kept[-1]] - power[kept[-2]]
            if (throughput[point] - throughput[kept[-2]]) * run < rise * (power[point] - power[kept[-2]]):
                break
            kept.pop()
        if kept and power[point] <= power[kept[-1]]:
            kept.pop()
        kept.append(point)
    return kept


_MEASURED_CAPS: Final = (0.5833, 0.6667, 0.75, 0.8333, 0.9167, 1.0)

CAP_CURVES: Final[Mapping[str, CapCurve]] = MappingProxyType(
    {
        "a100-training": CapCurve(
            "a100-training",
            np.array(_MEASURED_CAPS),
            cap_throughput_frac(_MEASURED_CAPS),
            np.array([0.6019, 0.6830, 0.7656, 0.8471, 0.9241, 1.0]),
        ),
        "uncapped": CapCurve("uncapped", np.ones(1), np.ones(1), np.ones(1)),
    }
)
"""Built-in curves. "a100-training": the fit, pessimistic, with the mean measured draw of the same five models."""
