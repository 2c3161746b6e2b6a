"""All machine models of a site together, with one power level a month, so that the scenarios have one order.

Where the scenarios are in order, each hour's price finds its place among them, and not each scenario its place among
the prices: a merged sweep. The order is made once and serves every machine and every site of that market.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from optimizer.bench import loops
from optimizer.bench.machine import Work
from optimizer.bench.margin import TERMS, MarginInputs, mean_by_search, our_contenders, prefix_sums
from optimizer.bench.measure import Contender, Floats
from optimizer.curves import Machine, MarketPaths, SiteFleet, fleet_month_values
from optimizer.curves.threads import thread_count

MODELS: Final = 8


def work(inputs: MarginInputs) -> Work:
    """Hashprice and level, read once for all models; two sums; a look-up of each hour among the scenarios."""
    hours, scenarios = inputs.price_usd_per_mwh.shape[1], inputs.level.shape[1]
    return Work(streamed_bytes=16.0 / MODELS, flop=2.0, look_ups=hours / scenarios, table_entries=scenarios)


def contenders(drawn: MarginInputs) -> Iterator[Contender]:
    """Ours with the scenarios in order, the same with sorting, ours in no order; NumPy and Numba."""
    inputs = replace(drawn, level=np.repeat(drawn.level[:, :1], drawn.level.shape[1], axis=1))
    models = [
        replace(inputs, hashrate_th_s=100.0 + 25.0 * model, power_w=3300.0 + 40.0 * model) for model in range(MODELS)
    ]
    fleet = SiteFleet.of(
        inputs.shape,
        [Machine([model.hashrate_th_s], [model.power_w]) for model in models],
        calendar_month=inputs.calendar_month,
        hours_in_month=inputs.hours_in_month,
        adder_usd_per_mwh=inputs.adder_usd_per_mwh,
        **TERMS,
    )
    evaluations = MODELS * inputs.evaluations
    paths = partial(MarketPaths.of, hashprice_usd_per_ph_day=inputs.hashprice_usd_per_ph_day, level=inputs.level)
    ordered, drawn_order = paths(ordered=True), paths()

    def in_order() -> Floats:
        return _margins(fleet, ordered)

    def compared(name: str, run: Callable[[], Floats], threads: int = 1) -> Contender:
        return Contender(name, run, evaluations, threads, value=np.asarray, expected=in_order)

    yield from our_contenders("optimizer, scenarios in order", in_order, evaluations)
    yield compared("optimizer, sorting included", lambda: _margins(fleet, paths(ordered=True)))
    yield compared("optimizer, scenarios in no order", lambda: _margins(fleet, drawn_order))
    prefix = prefix_sums(inputs)
    yield compared(
        "NumPy, searchsorted + prefix sums", lambda: np.array([mean_by_search(model, prefix) for model in models])
    )
    if loops.HAS_NUMBA:
        sorted_hashprice = np.sort(inputs.hashprice_usd_per_ph_day, axis=1)
        for threads in sorted({1, thread_count()}):
            run = partial(_by_numba, models, sorted_hashprice, prefix, threads)
            yield compared("Numba, merged sweep of sorted scenarios", run, threads)


def _margins(fleet: SiteFleet, paths: MarketPaths) -> Floats:
    """Mean margins ``[K, T]``."""
    return np.array([values.margin_usd[0] for values in fleet_month_values(fleet, paths)])


def _by_numba(models: Sequence[MarginInputs], sorted_hashprice: Floats, prefix: Floats, threads: int) -> Floats:
    loops.use_numba_threads(threads)
    sweep, margins = loops.compiled(loops.margin_by_sweep), np.empty((len(models), sorted_hashprice.shape[0]))
    for model, margin in zip(models, margins, strict=True):
        sweep(
            model.price_usd_per_mwh, prefix, model.calendar_month, sorted_hashprice, model.level, model.breakeven_slope,
            model.adder_usd_per_mwh, margin,
        )  # fmt: skip
        margin *= model.usd_per_surplus / sorted_hashprice.shape[1]
    return margins
