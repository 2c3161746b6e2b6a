"""The mining margin: ours against loops over hours and searches in prefix sums.

Competitors return the mean margin alone; ours gives revenue, power cost, energy and hashes besides. Their sorted
prices and tables are made before the clock starts, as ours are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from optimizer.bench import loops
from optimizer.bench.machine import Work
from optimizer.bench.measure import Contender, Floats, Ints
from optimizer.bench.prices import drawn_prices, month_of_year
from optimizer.curves import PowerShape, accumulate_scenario_margin_usd, mining_month_values
from optimizer.curves.threads import thread_count
from optimizer.units import HOURS_PER_DAY, MONTHS_PER_YEAR, TH_PER_PH, W_PER_MW

WORK: Final = Work(streamed_bytes=16.0, flop=12.0, look_ups=1, table_entries=730)
"""Hashprice and level of a scenario; break-even price (the division as 4), the key, the margin; one look-up."""
TERMS: Final = {"pue": 1.05, "uptime_frac": 0.97, "pool_fee_frac": 0.01}
"""The terms of the site and of the pool."""


@dataclass(frozen=True, slots=True)
class MarginInputs:
    """One machine of one mode at one site: prices ``[12, H]`` ascending, market paths ``[T, W]``."""

    price_usd_per_mwh: Floats
    shape: PowerShape
    calendar_month: Ints
    hours_in_month: Floats
    hashprice_usd_per_ph_day: Floats
    level: Floats
    adder_usd_per_mwh: Floats
    hashrate_th_s: float = 270.0
    power_w: float = 3645.0

    @classmethod
    def drawn(cls, *, hours: int, months: int, scenarios: int) -> MarginInputs:
        """Prices with dear evenings, spikes and a few hours below zero, to the cent; market paths in no order."""
        price = drawn_prices(hours)
        random = np.random.default_rng(7)
        return cls(
            price_usd_per_mwh=np.sort(price, axis=1),
            shape=PowerShape.from_hourly(price.ravel(), month_of_year(hours)),
            calendar_month=np.arange(months) % MONTHS_PER_YEAR + 1,
            hours_in_month=np.full(months, 730.0),
            hashprice_usd_per_ph_day=42.0 * random.lognormal(0.0, 0.5, (months, scenarios)),
            level=random.lognormal(0.0, 0.25, (months, scenarios)),
            adder_usd_per_mwh=np.full(months, 8.0),
        )

    def part(self, months: int, scenarios: int) -> MarginInputs:
        """The first months and scenarios, for contenders that are slow."""
        return replace(
            self,
            calendar_month=self.calendar_month[:months],
            hours_in_month=self.hours_in_month[:months],
            hashprice_usd_per_ph_day=np.ascontiguousarray(self.hashprice_usd_per_ph_day[:months, :scenarios]),
            level=np.ascontiguousarray(self.level[:months, :scenarios]),
            adder_usd_per_mwh=self.adder_usd_per_mwh[:months],
        )

    @property
    def evaluations(self) -> int:
        """Months times scenarios."""
        return self.level.size

    @property
    def array_bytes(self) -> int:
        """What is passed over once."""
        return self.level.nbytes + self.hashprice_usd_per_ph_day.nbytes

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the curve functions, weights aside."""
        return {
            "calendar_month": self.calendar_month,
            "hours_in_month": self.hours_in_month,
            "hashprice_usd_per_ph_day": self.hashprice_usd_per_ph_day,
            "level": self.level,
            "adder_usd_per_mwh": self.adder_usd_per_mwh,
            "hashrate_th_s": [self.hashrate_th_s],
            "power_w": [self.power_w],
            **TERMS,
        }

    @property
    def machine_mw(self) -> float:
        """Drawn from the grid while running."""
        return self.power_w / W_PER_MW * TERMS["pue"]

    @property
    def breakeven_slope(self) -> float:
        """Break-even power price per unit of hashprice, USD/MWh."""
        ph_s = self.hashrate_th_s / TH_PER_PH
        return ph_s / HOURS_PER_DAY * (1.0 - TERMS["pool_fee_frac"]) / self.machine_mw

    @property
    def usd_per_surplus(self) -> Floats:
        """USD a month, ``[T]``, for each USD/MWh by which the hours' prices, summed, fall short of break-even."""
        hours = self.hours_in_month * TERMS["uptime_frac"]
        return np.asarray(self.machine_mw * hours / self.price_usd_per_mwh.shape[1])


def ours(inputs: MarginInputs) -> Floats:
    """Mean margin ``[T]`` by the kernel."""
    return np.asarray(mining_month_values(inputs.shape, **inputs.arguments).margin_usd[0])


def by_search(inputs: MarginInputs, prefix: Floats) -> Iterator[Floats]:
    """Margin ``[W]`` of each month by ``numpy.searchsorted`` and prefix sums ``[12, H + 1]``."""
    slope, usd = inputs.breakeven_slope, inputs.usd_per_surplus
    for t, month in enumerate(inputs.calendar_month - 1):
        surplus = slope * inputs.hashprice_usd_per_ph_day[t] - inputs.adder_usd_per_mwh[t]
        z = surplus / inputs.level[t]
        below = np.searchsorted(inputs.price_usd_per_mwh[month], z)
        yield np.asarray(usd[t] * inputs.level[t] * (below * z - prefix[month][below]))


def by_hours(inputs: MarginInputs) -> Floats:
    """Mean margin ``[T]`` by an array of hours by scenarios, as one would write it first."""
    slope, margin = inputs.breakeven_slope, np.empty(inputs.level.shape[0])
    for t, month in enumerate(inputs.calendar_month - 1):
        z = (slope * inputs.hashprice_usd_per_ph_day[t] - inputs.adder_usd_per_mwh[t]) / inputs.level[t]
        surplus = np.maximum(0.0, z - inputs.price_usd_per_mwh[month][:, None]).sum(axis=0)
        margin[t] = (inputs.level[t] * surplus).mean()
    return np.asarray(margin * inputs.usd_per_surplus)


def by_numexpr(inputs: MarginInputs, threads: int) -> Floats:
    """As :func:`by_hours`, in one compiled pass over hours by scenarios."""
    import numexpr

    numexpr.set_num_threads(threads)
    slope, margin = inputs.breakeven_slope, np.empty(inputs.level.shape[0])
    for t, month in enumerate(inputs.calendar_month - 1):
        z = (slope * inputs.hashprice_usd_per_ph_day[t] - inputs.adder_usd_per_mwh[t]) / inputs.level[t]
        price = inputs.price_usd_per_mwh[month][:, None]
        surplus = numexpr.evaluate("where(z > price, z - price, 0.0)", {"z": z, "price": price}).sum(axis=0)
        margin[t] = (inputs.level[t] * surplus).mean()
    return np.asarray(margin * inputs.usd_per_surplus)


def prefix_sums(inputs: MarginInputs) -> Floats:
    """Sums of the cheapest 0, 1, .. H hours of each calendar month, ``[12, H + 1]``."""
    return np.pad(np.cumsum(inputs.price_usd_per_mwh, axis=1), ((0, 0), (1, 0)))


def market_contenders(inputs: MarginInputs) -> Iterator[Contender]:
    """Everybody, on unsorted scenarios."""
    threads = thread_count()
    yield from our_contenders("optimizer", lambda: ours(inputs), inputs.evaluations)
    small, few = inputs.part(1, 100), inputs.part(2, 500)
    yield _python(small)
    yield _compared("NumPy, hours x scenarios", few, partial(by_hours, few))
    prefix = prefix_sums(inputs)
    yield _compared("NumPy, searchsorted + prefix sums", inputs, partial(mean_by_search, inputs, prefix))
    if loops.HAS_NUMEXPR:
        for count in sorted({1, threads}):
            yield _compared("numexpr, hours x scenarios", few, partial(by_numexpr, few, count), threads=count)
    if loops.HAS_NUMBA:
        some = inputs.part(24, inputs.level.shape[1])
        yield from _numba("Numba, hours", loops.margin_by_hours, some, ())
        yield from _numba("Numba, binary search", loops.margin_by_search, inputs, (prefix,))
        yield from _numba("Numba, bit-indexed table", loops.margin_by_bits, inputs, (prefix, *_buckets(inputs)))


def hours_contenders(few_hours: MarginInputs, many_hours: MarginInputs) -> Iterator[Contender]:
    """Ours and the search with few and with many hours a month: the cost must not grow with the hours."""
    for inputs in (few_hours, many_hours):
        prefix = prefix_sums(inputs)
        hours = f"{inputs.price_usd_per_mwh.shape[1]:,} hours"
        yield Contender(f"optimizer, {hours}", partial(ours, inputs), inputs.evaluations)
        yield _compared(f"NumPy, searchsorted, {hours}", inputs, partial(mean_by_search, inputs, prefix))


def scenario_contenders(inputs: MarginInputs) -> Iterator[Contender]:
    """The margin of every scenario, summed over months with weights: what a tail of scenarios is measured by."""
    weight = 0.99 ** np.arange(inputs.level.shape[0])

    def accumulated() -> Floats:
        out = np.zeros(inputs.level.shape[1])
        accumulate_scenario_margin_usd(out, inputs.shape, weight=weight[None], **inputs.arguments)
        return out

    def summed() -> Floats:
        out = np.zeros(inputs.level.shape[1])
        for share, margin in zip(weight, by_search(inputs, prefix), strict=True):
            out += share * margin
        return out

    prefix = prefix_sums(inputs)
    yield from our_contenders("optimizer", accumulated, inputs.evaluations)
    yield Contender(
        "NumPy, searchsorted + prefix sums", summed, inputs.evaluations, value=np.asarray, expected=accumulated
    )


def our_contenders(name: str, run: Callable[[], Floats], evaluations: int) -> Iterator[Contender]:
    """Ours on one thread and, where there are more, on all: the values must be the same."""
    yield Contender(name, run, evaluations)
    if thread_count() > 1:
        yield Contender(
            name, run, evaluations, threads=thread_count(), value=np.asarray, expected=run, largest_difference=0.0
        )


def _compared(name: str, inputs: MarginInputs, run: Callable[[], Floats], threads: int = 1) -> Contender:
    return Contender(name, run, inputs.evaluations, threads, value=np.asarray, expected=lambda: ours(inputs))


def _python(inputs: MarginInputs) -> Contender:
    month, hashprice, level, adder = (array.tolist() for array in _loop_arrays(inputs))
    price = inputs.price_usd_per_mwh.tolist()

    def run() -> Floats:
        surplus = [0.0] * len(month)
        loops.margin_by_hours(price, month, hashprice, level, inputs.breakeven_slope, adder, surplus)
        return _usd(inputs, np.array(surplus))

    return _compared("pure Python, hours", inputs, run)


def _numba(
    name: str, loop: Callable[..., None], inputs: MarginInputs, tables: tuple[Floats | Ints, ...]
) -> Iterator[Contender]:
    calendar_month, hashprice, level, adder = _loop_arrays(inputs)
    compiled = loops.compiled(loop)

    def run(threads: int) -> Floats:
        loops.use_numba_threads(threads)
        surplus = np.empty(calendar_month.size)
        compiled(
            inputs.price_usd_per_mwh, *tables, calendar_month, hashprice, level, inputs.breakeven_slope, adder, surplus
        )
        return _usd(inputs, surplus)

    for count in sorted({1, thread_count()}):
        yield _compared(name, inputs, partial(run, count), threads=count)


def _loop_arrays(inputs: MarginInputs) -> tuple[Ints, Floats, Floats, Floats]:
    return inputs.calendar_month, inputs.hashprice_usd_per_ph_day, inputs.level, inputs.adder_usd_per_mwh


def _usd(inputs: MarginInputs, surplus: Floats) -> Floats:
    """Mean margin of each month from sums over hours and scenarios."""
    return np.asarray(inputs.usd_per_surplus * surplus / inputs.level.shape[1])


def mean_by_search(inputs: MarginInputs, prefix: Floats) -> Floats:
    """Mean margin ``[T]`` by :func:`by_search`."""
    return np.array([margin.mean() for margin in by_search(inputs, prefix)])


def _buckets(inputs: MarginInputs) -> tuple[Ints, Floats]:
    """Prices before each bucket ``[12, B]`` and the origins of :func:`~optimizer.bench.loops.margin_by_bits`."""
    origin = inputs.price_usd_per_mwh[:, 0] - 1.0
    first = np.float64(1.0).view(np.int64) >> loops.BUCKET_SHIFT
    keys = ((inputs.price_usd_per_mwh - origin[:, None]).view(np.int64) >> loops.BUCKET_SHIFT) - first
    starts = [np.searchsorted(row, np.arange(int(keys.max()) + 2)) for row in keys]
    return np.array(starts, dtype=np.int64), origin
