"""The GPU block: best power cap of each month and scenario, or off. Competitors return the mean margin alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from optimizer.bench import loops
from optimizer.bench.machine import Work
from optimizer.bench.margin import our_contenders
from optimizer.bench.measure import Contender, Floats
from optimizer.curves import CAP_CURVES, gpu_block_values
from optimizer.curves.threads import thread_count
from optimizer.units import KW_PER_MW

WORK: Final = Work(streamed_bytes=16.0, flop=18.0)
"""Rental and power price of a scenario; revenue, cost, and for each of the four caps that are ever best a margin and a
comparison."""
_CURVE: Final = CAP_CURVES["a100-training"]
_TERMS: Final = {"gpu_count": 1024, "power_kw_per_gpu": 1.4, "utilisation_frac": 0.85, "goodput_frac": 0.93}


class GpuInputs:
    """Rental and power prices ``[T, W]`` at which every cap is best somewhere, and off too."""

    def __init__(self, months: int, scenarios: int) -> None:
        random = np.random.default_rng(3)
        self.rental = 0.35 * random.lognormal(0.0, 0.5, (months, scenarios))
        self.power_price = 60.0 * random.lognormal(0.0, 0.8, (months, scenarios))
        self.hours, self.pue = np.full(months, 730.0), np.full(months, 1.25)
        gpu_hours = _TERMS["gpu_count"] * self.hours
        self.rented_gpu_hours = gpu_hours * _TERMS["utilisation_frac"] * _TERMS["goodput_frac"]
        self.full_power_mwh = gpu_hours * _TERMS["power_kw_per_gpu"] / KW_PER_MW * self.pue

    def ours(self, scenarios: int | None = None) -> Floats:
        """Mean margin over the first scenarios, ``[T]``."""
        return gpu_block_values(
            **_TERMS,  # type: ignore[arg-type]
            rental_usd_per_gpu_hour=self.rental[:, :scenarios],
            power_usd_per_mwh=self.power_price[:, :scenarios],
            pue=self.pue,
            hours_in_month=self.hours,
            cap_curve=_CURVE,
        ).margin_usd


def contenders(inputs: GpuInputs) -> Iterator[Contender]:
    """Ours, plain Python, NumPy and numexpr over caps by months by scenarios, and Numba's loop."""
    threads = thread_count()
    months, scenarios = inputs.rental.shape
    yield from our_contenders("optimizer", inputs.ours, inputs.rental.size)
    few = min(scenarios, 100)
    yield Contender(
        "pure Python", _python(inputs, few), months * few, value=np.asarray, expected=lambda: inputs.ours(few)
    )

    def compared(name: str, run: Callable[[], Floats], count: int = 1) -> Contender:
        return Contender(name, run, inputs.rental.size, count, value=np.asarray, expected=inputs.ours)

    yield compared("NumPy, caps x months x scenarios", lambda: _by_numpy(inputs))
    if loops.HAS_NUMEXPR:
        for count in sorted({1, threads}):
            yield compared("numexpr, cap by cap", partial(_by_numexpr, inputs, count), count)
    if loops.HAS_NUMBA:
        for count in sorted({1, threads}):
            yield compared("Numba, one loop", partial(_by_numba, inputs, count), count)


def _by_numpy(inputs: GpuInputs) -> Floats:
    revenue = inputs.rented_gpu_hours[:, None] * inputs.rental
    cost = inputs.full_power_mwh[:, None] * inputs.power_price
    throughput, power = (frac[:, None, None] for frac in (_CURVE.throughput_frac, _CURVE.power_frac))
    return np.asarray(np.maximum(0.0, (revenue * throughput - cost * power).max(axis=0)).mean(axis=1))


def _by_numexpr(inputs: GpuInputs, threads: int) -> Floats:
    import numexpr

    numexpr.set_num_threads(threads)
    names = {
        "revenue": inputs.rented_gpu_hours[:, None] * inputs.rental,
        "cost": inputs.full_power_mwh[:, None] * inputs.power_price,
        "best": np.zeros(inputs.rental.shape),
    }
    for throughput, power in zip(_CURVE.throughput_frac, _CURVE.power_frac, strict=True):
        margin = "(revenue * throughput - cost * power)"
        expression = f"where({margin} > best, {margin}, best)"
        names["best"] = numexpr.evaluate(expression, names | {"throughput": throughput, "power": power})
    return np.asarray(names["best"].mean(axis=1))


def _by_numba(inputs: GpuInputs, threads: int) -> Floats:
    loops.use_numba_threads(threads)
    total = np.empty(inputs.rental.shape[0])
    loops.compiled(loops.gpu_margin)(
        inputs.rental, inputs.power_price, inputs.rented_gpu_hours, inputs.full_power_mwh, _CURVE.throughput_frac,
        _CURVE.power_frac, total,
    )  # fmt: skip
    return np.asarray(total / inputs.rental.shape[1])


def _python(inputs: GpuInputs, scenarios: int) -> Callable[[], Floats]:
    arrays: list[Any] = [
        inputs.rental[:, :scenarios], inputs.power_price[:, :scenarios], inputs.rented_gpu_hours,
        inputs.full_power_mwh, _CURVE.throughput_frac, _CURVE.power_frac,
    ]  # fmt: skip
    rental, power_price, gpu_hours, full_mwh, throughput, power = (array.tolist() for array in arrays)

    def run() -> Floats:
        total = [0.0] * len(rental)
        loops.gpu_margin(rental, power_price, gpu_hours, full_mwh, throughput, power, total)
        return np.array(total) / scenarios

    return run
