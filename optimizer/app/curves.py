"""The curves of one mining machine and of GPU power caps as answers of their own, without a portfolio."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import (
    CAP_CURVES,
    MiningValues,
    PowerShape,
    breakeven_hashprice_usd_per_ph_day,
    breakeven_power_usd_per_mwh,
    checkpoint_interval_s,
    envelope,
    goodput_frac,
    mining_month_values,
)
from optimizer.domain.curves import (
    BreakevenSpec,
    Checkpointing,
    HashingCurve,
    HashingCurvePoint,
    HashingCurveSpec,
    ModeBreakeven,
    ModeBreakevens,
    ThroughputCurve,
    ThroughputCurvePoint,
    ThroughputCurveSpec,
)
from optimizer.domain.fleet import OperatingMode
from optimizer.domain.series import HourlyPrices
from optimizer.units import HOURS_PER_DAY, KW_PER_MW, MONTHS_PER_YEAR, W_PER_MW

Float64Array: TypeAlias = NDArray[np.float64]

_COMMON_YEAR: Final = 2025
_HOURS_IN_MONTH: Final = tuple(
    calendar.monthrange(_COMMON_YEAR, month)[1] * HOURS_PER_DAY for month in range(1, MONTHS_PER_YEAR + 1)
)
MEAN_HOURS_IN_MONTH: Final = sum(_HOURS_IN_MONTH) / MONTHS_PER_YEAR
_GPU_DAYS: Final = 1000.0
"""GPU-days over which failures are counted."""


def hashing_curve(spec: HashingCurveSpec) -> HashingCurve:
    """What one machine earns at each hashprice when it may stop in any hour."""
    modes = ModeArrays.of(spec.modes)
    hashrate_th_s, power_w = modes.hashrate_th_s[modes.kept], modes.power_w[modes.kept]
    shape = _power_shape(spec.hours, spec.flat_usd_per_mwh)
    values = _values_by_month(spec, shape, hashrate_th_s, power_w)
    margin, revenue, cost, energy, hashed, lowest = (
        row.reshape(-1, MONTHS_PER_YEAR).mean(axis=1).tolist()
        for row in (
            values.margin_usd[-1], values.revenue_usd[-1], values.power_cost_usd[-1], values.energy_mwh[-1],
            values.hash_ph_days[-1], values.energy_mwh[0],
        )
    )  # fmt: skip
    # The lowest ceiling runs whenever anything runs: its energy over what it could draw is the share of hours.
    grid_mw = power_w / W_PER_MW * spec.pue
    available_mwh = float(grid_mw[0]) * spec.uptime_frac * MEAN_HOURS_IN_MONTH
    points = tuple(
        HashingCurvePoint(
            hashprice_usd_per_ph_day=hashprice,
            margin_usd_per_machine_month=margin[i],
            revenue_usd_per_machine_month=revenue[i],
            power_cost_usd_per_machine_month=cost[i],
            energy_mwh_per_machine_month=energy[i],
            running_hours_frac=min(1.0, lowest[i] / available_mwh) if available_mwh else 0.0,
            margin_usd_per_mw_month=margin[i] / float(grid_mw[-1]),
            hash_ph_days_per_machine_month=hashed[i],
            realised_power_usd_per_mwh=cost[i] / energy[i] if energy[i] else None,
            btc_per_machine_month=revenue[i] / spec.btc_usd if spec.btc_usd is not None else None,
        )
        for i, hashprice in enumerate(spec.hashprice_usd_per_ph_day)
    )
    mean_price = float(np.average(shape.mean_usd_per_mwh, weights=_HOURS_IN_MONTH)) + spec.adder_usd_per_mwh
    breakeven = breakeven_hashprice_usd_per_ph_day(
        power_usd_per_mwh=mean_price,
        efficiency_j_per_th=power_w[0] / hashrate_th_s[0],
        pue=spec.pue,
        pool_fee_frac=spec.pool_fee_frac,
    )
    return HashingCurve(
        points=points, mean_power_usd_per_mwh=mean_price, breakeven_hashprice_usd_per_ph_day=float(breakeven)
    )


class ModeArrays(NamedTuple):
    """Operating modes as arrays, in the order given."""

    hashrate_th_s: Float64Array
    power_w: Float64Array
    kept: NDArray[np.int64]
    """Indices of those worth running, ascending in power: the first is the most efficient."""

    @classmethod
    def of(cls, modes: Sequence[OperatingMode]) -> ModeArrays:
        """Arrays of the modes, and which of them are worth running."""
        hashrate_th_s = np.array([mode.hashrate_th_s for mode in modes])
        power_w = np.array([mode.power_w for mode in modes])
        return cls(hashrate_th_s, power_w, envelope(hashrate_th_s, power_w))


def _values_by_month(
    spec: HashingCurveSpec, shape: PowerShape, hashrate_th_s: Float64Array, power_w: Float64Array
) -> MiningValues:
    """Values ``[J, points * 12]``: every hashprice in each month of a common year."""
    count = len(spec.hashprice_usd_per_ph_day)
    hashprice = np.repeat(np.asarray(spec.hashprice_usd_per_ph_day, dtype=np.float64), MONTHS_PER_YEAR)
    return mining_month_values(
        shape,
        calendar_month=np.tile(np.arange(1, MONTHS_PER_YEAR + 1), count),
        hours_in_month=np.tile(_HOURS_IN_MONTH, count),
        hashprice_usd_per_ph_day=hashprice[:, None],
        level=np.ones((hashprice.size, 1)),
        adder_usd_per_mwh=np.full(hashprice.size, spec.adder_usd_per_mwh),
        hashrate_th_s=hashrate_th_s,
        power_w=power_w,
        pue=spec.pue,
        uptime_frac=spec.uptime_frac,
        pool_fee_frac=spec.pool_fee_frac,
    )


@lru_cache(maxsize=32)
def _power_shape(hours: HourlyPrices | None, flat_usd_per_mwh: float | None) -> PowerShape:
    """The prices, sorted; kept, as many questions about one site cost ten times less then."""
    if hours is not None:
        return PowerShape.from_hourly(hours.usd_per_mwh, np.array(hours.month_of_year))
    assert flat_usd_per_mwh is not None  # the specification has exactly one of them
    return PowerShape.flat(flat_usd_per_mwh)


def mode_breakevens(spec: BreakevenSpec) -> ModeBreakevens:
    """Break-even power price of each mode at each hashprice.

    Formula: :func:`optimizer.curves.breakeven_power_usd_per_mwh`, with the J/TH of the mode and of its step on the
    :func:`optimizer.curves.envelope`.
    """
    arrays = ModeArrays.of(spec.modes)
    prices = np.asarray(spec.hashprice_usd_per_ph_day, dtype=np.float64)

    def power_price(efficiency_j_per_th: Float64Array) -> Float64Array:
        """``[hashprices, modes]``."""
        return breakeven_power_usd_per_mwh(
            hashprice_usd_per_ph_day=prices,
            efficiency_j_per_th=efficiency_j_per_th[None, :],
            pue=spec.pue,
            pool_fee_frac=spec.pool_fee_frac,
        )

    power_w, hashrate_th_s, kept = arrays.power_w, arrays.hashrate_th_s, arrays.kept
    whole = power_price(power_w / hashrate_th_s)
    step = power_price(np.diff(power_w[kept], prepend=0.0) / np.diff(hashrate_th_s[kept], prepend=0.0))
    place_on_envelope = {int(mode): place for place, mode in enumerate(kept)}
    points = tuple(
        ModeBreakeven(
            hashprice_usd_per_ph_day=float(price),
            mode_index=i,
            breakeven_usd_per_mwh=float(whole[row, i]),
            step_usd_per_mwh=float(step[row, place_on_envelope[i]]) if i in place_on_envelope else None,
        )
        for row, price in enumerate(prices)
        for i in range(len(spec.modes))
    )
    return ModeBreakevens(points=points)


def throughput_curve(spec: ThroughputCurveSpec) -> ThroughputCurve:
    """What a cluster gets done, and draws, under each power cap of its curve."""
    goodput, interval_s = _goodput(spec.gpu_count, spec.checkpointing) if spec.checkpointing else (1.0, None)
    full_mw = spec.gpu_count * spec.power_kw_per_gpu / KW_PER_MW
    curve = CAP_CURVES[spec.cap_curve.value]
    points = tuple(
        ThroughputCurvePoint(
            cap_frac=cap,
            throughput_frac=throughput,
            power_frac=power,
            critical_mw=full_mw * power,
            grid_mw=full_mw * power * spec.pue,
            effective_gpu_count=spec.gpu_count * throughput * goodput,
        )
        for cap, throughput, power in zip(
            curve.cap_frac.tolist(), curve.throughput_frac.tolist(), curve.power_frac.tolist(), strict=True
        )
    )
    return ThroughputCurve(points=points, goodput_frac=goodput, checkpoint_interval_s=interval_s)


def _goodput(gpu_count: int, failures: Checkpointing) -> tuple[float, float | None]:
    goodput = goodput_frac(
        gpu_count=gpu_count,
        checkpoint_save_s=failures.checkpoint_save_s,
        restart_s=failures.restart_s,
        failures_per_1000_gpu_days=failures.failures_per_1000_gpu_days,
        mtbf_hours=failures.mtbf_hours,
    )
    mtbf_hours = failures.mtbf_hours
    if mtbf_hours is None and failures.failures_per_1000_gpu_days:
        mtbf_hours = HOURS_PER_DAY / (failures.failures_per_1000_gpu_days * gpu_count / _GPU_DAYS)
    if mtbf_hours is None:
        return goodput, None
    interval_s = checkpoint_interval_s(
        mtbf_hours=mtbf_hours, checkpoint_save_s=failures.checkpoint_save_s, restart_s=failures.restart_s
    )
    return goodput, interval_s
