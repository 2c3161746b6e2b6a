"""Twins of the GPU kernels."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from optimizer.curves._checks import Float64Array
from optimizer.curves.caps import CapCurve
from optimizer.curves.throughput import GpuValues
from optimizer.units import KW_PER_MW


def scenario_gpu_values(
    *,
    gpu_count: int,
    power_kw_per_gpu: float,
    rental_usd_per_gpu_hour: Float64Array,
    utilisation_frac: float,
    goodput_frac: float,
    pue: Float64Array,
    power_usd_per_mwh: Float64Array,
    hours_in_month: Float64Array,
    cap_curve: CapCurve,
) -> GpuValues:
    """Do :func:`gpu_block_values` before the mean over scenarios: fields ``[T, W]``."""
    throughput = np.append(0.0, cap_curve.throughput_frac)[:, None, None]  # cap 0 is off
    power = np.append(0.0, cap_curve.power_frac)[:, None, None]
    cap = np.append(0.0, cap_curve.cap_frac)
    gpu_hours = gpu_count * hours_in_month[:, None]
    revenue = gpu_hours * rental_usd_per_gpu_hour * utilisation_frac * goodput_frac * throughput
    energy = gpu_hours * power_kw_per_gpu / KW_PER_MW * power * pue[:, None] * np.ones_like(rental_usd_per_gpu_hour)
    best = (revenue - energy * power_usd_per_mwh).argmax(axis=0)
    revenue, energy = (np.take_along_axis(a, best[None], axis=0)[0] for a in (revenue, energy))
    cost = energy * power_usd_per_mwh
    return GpuValues(revenue - cost, revenue, cost, energy, cap[best], (best == 0) * 1.0)


def gpu_block_values(**arguments: Any) -> GpuValues:
    """Mean over scenarios of :func:`scenario_gpu_values`, ``[T]``."""
    values = scenario_gpu_values(**arguments)
    return GpuValues(*(getattr(values, field.name).mean(axis=1) for field in fields(values)))


def accumulate_scenario_gpu_usd(out: Float64Array, *, weight: Float64Array, **arguments: Any) -> None:
    """Add the weighted margins of all months to ``out[W]``."""
    out += weight @ scenario_gpu_values(**arguments).margin_usd
