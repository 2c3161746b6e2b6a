"""The curves of mining and of GPU throughput as answers of their own, without a portfolio."""

from __future__ import annotations

import calendar
from typing import Final

import numpy as np

from optimizer.curves.power import PowerShape, envelope, mining_month_values
from optimizer.curves.throughput import CAP_CURVES, checkpoint_interval_s, goodput_frac
from optimizer.domain.curves import (
    Checkpointing,
    HashingCurve,
    HashingCurvePoint,
    HashingCurveSpec,
    ThroughputCurve,
    ThroughputCurvePoint,
    ThroughputCurveSpec,
)
from optimizer.units import HOURS_PER_DAY, KW_PER_MW, MONTHS_PER_YEAR, W_PER_MW

_COMMON_YEAR: Final = 2025
_HOURS_IN_MONTH: Final = tuple(
    calendar.monthrange(_COMMON_YEAR, month)[1] * HOURS_PER_DAY for month in range(1, MONTHS_PER_YEAR + 1)
)
_GPU_DAYS: Final = 1000.0
"""GPU-days over which failures are counted."""


def hashing_curve(spec: HashingCurveSpec) -> HashingCurve:
    """What one machine earns at each hashprice when it may stop in any hour."""
    hashrate_th_s = np.array([mode.hashrate_th_s for mode in spec.modes])
    power_w = np.array([mode.power_w for mode in spec.modes])
    kept = envelope(hashrate_th_s, power_w)
    count = len(spec.hashprice_usd_per_ph_day)
    hashprice = np.repeat(np.asarray(spec.hashprice_usd_per_ph_day, dtype=np.float64), MONTHS_PER_YEAR)
    values = mining_month_values(
        _power_shape(spec),
        calendar_month=np.tile(np.arange(1, MONTHS_PER_YEAR + 1), count),
        hours_in_month=np.tile(_HOURS_IN_MONTH, count),
        hashprice_usd_per_ph_day=hashprice[:, None],
        level=np.ones((hashprice.size, 1)),
        adder_usd_per_mwh=np.full(hashprice.size, spec.adder_usd_per_mwh),
        hashrate_th_s=hashrate_th_s[kept],
        power_w=power_w[kept],
        pue=spec.pue,
        uptime_frac=spec.uptime_frac,
        pool_fee_frac=spec.pool_fee_frac,
    )
    # The lowest ceiling runs whenever anything runs: its energy over what it could draw is the share of hours.
    mw = power_w[kept] / W_PER_MW * spec.pue
    available_mwh = mw[0] * spec.uptime_frac * sum(_HOURS_IN_MONTH) / MONTHS_PER_YEAR
    margin, revenue, cost, energy, lowest = (
        row.reshape(count, MONTHS_PER_YEAR).mean(axis=1)
        for row in (
            values.margin_usd[-1], values.revenue_usd[-1], values.power_cost_usd[-1], values.energy_mwh[-1],
            values.energy_mwh[0],
        )
    )  # fmt: skip
    points = tuple(
        HashingCurvePoint(
            hashprice_usd_per_ph_day=spec.hashprice_usd_per_ph_day[i],
            margin_usd_per_machine_month=float(margin[i]),
            revenue_usd_per_machine_month=float(revenue[i]),
            power_cost_usd_per_machine_month=float(cost[i]),
            energy_mwh_per_machine_month=float(energy[i]),
            running_hours_frac=min(1.0, float(lowest[i] / available_mwh)) if available_mwh else 0.0,
            margin_usd_per_mw_month=float(margin[i] / mw[-1]),
        )
        for i in range(count)
    )
    return HashingCurve(points=points)


def _power_shape(spec: HashingCurveSpec) -> PowerShape:
    if spec.hours is not None:
        return PowerShape.from_hourly(spec.hours.usd_per_mwh, np.array(spec.hours.month_of_year))
    assert spec.flat_usd_per_mwh is not None  # the specification has exactly one of them
    return PowerShape.flat(spec.flat_usd_per_mwh)


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
