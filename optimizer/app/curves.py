"""The curves of mining and of GPU throughput as answers of their own, without a portfolio."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from optimizer.curves.power import PowerShape, envelope, mining_month_values
from optimizer.curves.throughput import CAP_CURVES, checkpoint_interval_s, goodput_frac
from optimizer.domain.fleet import OperatingMode
from optimizer.domain.gpu import CapCurve
from optimizer.domain.series import HourlyPrices
from optimizer.errors import InvalidInputError
from optimizer.units import HOURS_PER_DAY, KW_PER_MW, MONTHS_PER_YEAR, W_PER_MW

_COMMON_YEAR: Final = 2025
_HOURS_IN_MONTH: Final = tuple(
    calendar.monthrange(_COMMON_YEAR, month)[1] * HOURS_PER_DAY for month in range(1, MONTHS_PER_YEAR + 1)
)


@dataclass(frozen=True, slots=True)
class MachineMonth:
    """One machine in the mean month of a year of 365 days, at one hashprice."""

    hashprice_usd_per_ph_day: float
    margin_usd_per_machine_month: float
    revenue_usd_per_machine_month: float
    power_cost_usd_per_machine_month: float
    energy_mwh_per_machine_month: float
    running_hours_frac: float
    """Share of the hours in which it pays to run, before uptime."""
    margin_usd_per_mw_month: float
    """Per MW at the meter of the strongest mode worth running."""


def hashing_curve(
    *,
    modes: Sequence[OperatingMode],
    hashprice_usd_per_ph_day: Sequence[float],
    hours: HourlyPrices | None = None,
    flat_usd_per_mwh: float | None = None,
    adder_usd_per_mwh: float = 0.0,
    pue: float = 1.05,
    uptime_frac: float = 0.97,
    pool_fee_frac: float = 0.01,
) -> list[MachineMonth]:
    """What one machine earns at each hashprice when it may stop in any hour: one price series, or one flat price."""
    shape = _power_shape(hours, flat_usd_per_mwh)
    hashrate_th_s = np.array([mode.hashrate_th_s for mode in modes])
    power_w = np.array([mode.power_w for mode in modes])
    kept = envelope(hashrate_th_s, power_w)
    count = len(hashprice_usd_per_ph_day)
    months = np.arange(1, MONTHS_PER_YEAR + 1)
    hashprice = np.repeat(np.asarray(hashprice_usd_per_ph_day, dtype=np.float64), MONTHS_PER_YEAR)
    values = mining_month_values(
        shape,
        calendar_month=np.tile(months, count),
        hours_in_month=np.tile(_HOURS_IN_MONTH, count),
        hashprice_usd_per_ph_day=hashprice[:, None],
        level=np.ones((hashprice.size, 1)),
        adder_usd_per_mwh=np.full(hashprice.size, adder_usd_per_mwh),
        hashrate_th_s=hashrate_th_s[kept],
        power_w=power_w[kept],
        pue=pue,
        uptime_frac=uptime_frac,
        pool_fee_frac=pool_fee_frac,
    )
    # The lowest ceiling runs whenever anything runs: its energy over what it could draw is the share of hours.
    mw = power_w[kept] / W_PER_MW * pue
    available_mwh = mw[0] * uptime_frac * sum(_HOURS_IN_MONTH) / MONTHS_PER_YEAR
    margin, revenue, cost, energy, lowest = (
        row.reshape(count, MONTHS_PER_YEAR).mean(axis=1)
        for row in (
            values.margin_usd[-1], values.revenue_usd[-1], values.power_cost_usd[-1], values.energy_mwh[-1],
            values.energy_mwh[0],
        )
    )  # fmt: skip
    return [
        MachineMonth(
            hashprice_usd_per_ph_day=float(hashprice_usd_per_ph_day[i]),
            margin_usd_per_machine_month=float(margin[i]),
            revenue_usd_per_machine_month=float(revenue[i]),
            power_cost_usd_per_machine_month=float(cost[i]),
            energy_mwh_per_machine_month=float(energy[i]),
            running_hours_frac=min(1.0, float(lowest[i] / available_mwh)) if available_mwh else 0.0,
            margin_usd_per_mw_month=float(margin[i] / mw[-1]),
        )
        for i in range(count)
    ]


def _power_shape(hours: HourlyPrices | None, flat_usd_per_mwh: float | None) -> PowerShape:
    if hours is not None and flat_usd_per_mwh is None:
        return PowerShape.from_hourly(hours.usd_per_mwh, np.array(hours.month_of_year))
    if flat_usd_per_mwh is not None and hours is None:
        return PowerShape.flat(flat_usd_per_mwh)
    raise InvalidInputError.single("", "give exactly one of hours and flat_usd_per_mwh", "state one energy price")


@dataclass(frozen=True, slots=True)
class CappedCluster:
    """A cluster under one power cap; fractions are relative to no cap."""

    cap_frac: float
    throughput_frac: float
    power_frac: float
    critical_mw: float
    grid_mw: float
    effective_gpu_count: float
    """GPUs without caps and failures that would get the same done."""


@dataclass(frozen=True, slots=True)
class ClusterCurve:
    """A cluster over its power caps, in ascending order of power."""

    points: tuple[CappedCluster, ...]
    goodput_frac: float
    """Share of the time not lost to failures, restarts and checkpoints; 1 where they are not stated."""
    checkpoint_interval_s: float | None


@dataclass(frozen=True, slots=True)
class Failures:
    """How a training job fails and comes back; exactly one of the last two is stated."""

    checkpoint_save_s: float
    restart_s: float
    failures_per_1000_gpu_days: float | None = None
    mtbf_hours: float | None = None


def throughput_curve(
    *, gpu_count: int, power_kw_per_gpu: float, cap_curve: CapCurve, pue: float, failures: Failures | None = None
) -> ClusterCurve:
    """What a cluster gets done, and draws, under each power cap of its curve."""
    goodput, interval_s = _goodput(gpu_count, failures) if failures is not None else (1.0, None)
    full_mw = gpu_count * power_kw_per_gpu / KW_PER_MW
    curve = CAP_CURVES[cap_curve.value]
    points = tuple(
        CappedCluster(
            cap_frac=cap,
            throughput_frac=throughput,
            power_frac=power,
            critical_mw=full_mw * power,
            grid_mw=full_mw * power * pue,
            effective_gpu_count=gpu_count * throughput * goodput,
        )
        for cap, throughput, power in zip(
            curve.cap_frac.tolist(), curve.throughput_frac.tolist(), curve.power_frac.tolist(), strict=True
        )
    )
    return ClusterCurve(points, goodput, interval_s)


def _goodput(gpu_count: int, failures: Failures) -> tuple[float, float | None]:
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


_GPU_DAYS: Final = 1000.0
"""GPU-days over which failures are counted."""
