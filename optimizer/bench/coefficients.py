"""A full set of mining coefficients, sites by models by months, in a process of its own, whose memory is then known.

``python -m optimizer.bench.coefficients '{"sites": 20, ...}' THREADS`` prints what :class:`SetRun` holds, as JSON.
Scenarios are drawn and summed shard by shard, as planning does it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

import numpy as np

from optimizer.bench.machine import peak_resident_mib
from optimizer.bench.measure import Contender, Floats
from optimizer.bench.prices import drawn_prices, month_of_year
from optimizer.curves import (
    FACTORS,
    Machine,
    MarketPaths,
    MiningSums,
    PowerShape,
    SiteFleet,
    factor_multipliers,
    hashprice_paths,
)
from optimizer.curves.threads import limit_threads, thread_count
from optimizer.units import MONTHS_PER_YEAR

_SHARD: Final = 1024
_HOURS_PER_MONTH: Final = 730


@dataclass(frozen=True, slots=True)
class SetSize:
    """How large a set of coefficients is."""

    sites: int
    models: int
    months: int
    scenarios: int

    @property
    def evaluations(self) -> int:
        """One for each site, model, month and scenario."""
        return self.sites * self.models * self.months * self.scenarios

    def __str__(self) -> str:
        return f"{self.sites} x {self.models} x {self.months} x {self.scenarios:,}"


@dataclass(frozen=True, slots=True)
class SetRun:
    """One set made in a fresh process."""

    seconds: float
    """From drawing the market to the last coefficient."""
    peak_mib: float
    """Most memory the process had resident, interpreter and libraries included."""
    check_sum_usd: float


def contenders(few: SetSize, many: SetSize) -> Iterator[Contender]:
    """Both sizes, on one thread and on all; bits are compared on the smaller one."""
    for size in (many, few):
        for threads in sorted({1, thread_count()}):
            yield Contender(
                name=f"optimizer, {size}",
                run=partial(run_apart, size, threads),
                evaluations=size.evaluations,
                threads=threads,
                value=_check_sum if size is few and threads > 1 else None,
                expected=lambda: _check_sum(run_apart(few, 1)),
                largest_difference=0.0,
                own_seconds=lambda run: run.seconds,
                own_peak_mib=lambda run: run.peak_mib,
            )


def run_apart(size: SetSize, threads: int) -> SetRun:
    """Make a set in a fresh process."""
    command = [sys.executable, "-m", "optimizer.bench.coefficients", json.dumps(asdict(size)), str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return SetRun(**json.loads(done.stdout))


def _check_sum(run: SetRun) -> Floats:
    return np.array([run.check_sum_usd])


def _run_here(size: SetSize) -> SetRun:
    calendar_month = np.arange(size.months) % MONTHS_PER_YEAR + 1
    fleets = [
        SiteFleet.of(
            _shape(site),
            [Machine([100.0 + 25.0 * model], [3300.0 + 40.0 * model]) for model in range(size.models)],
            calendar_month=calendar_month,
            hours_in_month=np.full(size.months, 730.0),
            adder_usd_per_mwh=np.full(size.months, 8.0),
            pue=1.03 + 0.002 * site,
            uptime_frac=0.97,
            pool_fee_frac=0.01,
        )
        for site in range(size.sites)
    ]
    start = time.perf_counter()
    sums = [MiningSums(fleet) for fleet in fleets]
    for first in range(0, size.scenarios, _SHARD):
        paths = _market(first, min(_SHARD, size.scenarios - first), size.months)
        for site_sums in sums:
            site_sums.add(paths)
    margin_usd = sum(float(values.margin_usd.sum()) for site_sums in sums for values in site_sums.values())
    return SetRun(time.perf_counter() - start, peak_resident_mib(), margin_usd)


def _shape(site: int) -> PowerShape:
    price = (0.7 + 0.03 * site) * drawn_prices(_HOURS_PER_MONTH)
    return PowerShape.from_hourly(price.ravel(), month_of_year(_HOURS_PER_MONTH))


def _market(first: int, count: int, months: int) -> MarketPaths:
    multipliers = factor_multipliers(
        seed=17,
        first_scenario=first,
        scenario_count=count,
        month_count=months,
        volatility_per_year=np.array([0.6, 0.25, 0.3, 0.35, 0.2]),
        mean_reversion_per_year=np.full(len(FACTORS), 0.3),
        correlation=np.full((5, 5), 0.3) + 0.7 * np.eye(5),
    )
    hashprice = hashprice_paths(
        base_btc_usd=np.full(months, 95_000.0),
        base_network_eh_s=np.full(months, 900.0),
        subsidy_btc=np.full(months, 3.125),
        fee_share_frac=np.full(months, 0.03),
        multipliers=multipliers,
        network_price_elasticity=0.6,
        network_lag_months=3,
    )
    return MarketPaths.of(hashprice_usd_per_ph_day=hashprice, level=multipliers[FACTORS.index("power_price")])


if __name__ == "__main__":
    with limit_threads(int(sys.argv[2])):
        sys.stdout.write(json.dumps(asdict(_run_here(SetSize(**json.loads(sys.argv[1]))))))
