"""Correlated market paths with hashprice, shard by shard, against NumPy and Numba for the same model.

The random numbers differ, so results are compared on common ones: the shocks are worked out of our paths, and NumPy's
model makes paths of them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from optimizer.bench import loops
from optimizer.bench.machine import Work
from optimizer.bench.margin import our_contenders
from optimizer.bench.measure import Contender, Floats
from optimizer.curves import FACTORS, factor_multipliers, hashprice_paths
from optimizer.curves.threads import thread_count
from optimizer.units import BLOCKS_PER_DAY, MONTHS_PER_YEAR, PH_PER_EH

MONTHS: Final = 240
WORK: Final = Work(streamed_bytes=64.0, flop=600.0)
"""Five multipliers written, two read, one hashprice written. Thirty Philox rounds of eight integer operations (240),
five normals of 16 multiply-adds and a division (180), the correlation (30), five exponentials (100), a power (50)."""
SHARD: Final = 2048
"""Scenarios drawn at a time."""
_LAG_MONTHS: Final = 3
_ELASTICITY: Final = 0.6
_SEED: Final = 11
_VOLATILITY: Final = np.array([0.6, 0.25, 0.3, 0.35, 0.2])
_REVERSION: Final = np.array([0.0, 0.3, 0.8, 0.2, 0.4])
_CORRELATION: Final = np.full((5, 5), 0.3) + 0.7 * np.eye(5)
_BASE_BTC_USD: Final = 95_000.0 * 1.05 ** (np.arange(MONTHS) / MONTHS_PER_YEAR)
_BASE_NETWORK_EH_S: Final = 900.0 * 1.15 ** (np.arange(MONTHS) / MONTHS_PER_YEAR)
_SUBSIDY_BTC: Final = 3.125 * 0.5 ** (np.arange(MONTHS) // 48)
_FEE_SHARE: Final = 0.03


def contenders(scenarios: int) -> Iterator[Contender]:
    """Ours on one thread and on all, NumPy's generator and arrays, Numba's generator in one loop."""
    evaluations = scenarios * MONTHS
    model = Model()
    yield from our_contenders("optimizer", lambda: _ours(scenarios), evaluations)
    for name, shard in (("NumPy, all scenarios at once", scenarios), ("NumPy, the same shards", SHARD)):
        yield Contender(
            name,
            partial(model.by_numpy, scenarios, shard),
            evaluations,
            value=lambda _: model.hashprice(model.multipliers(model.shocks(our_multipliers(0, SHARD)))),
            expected=lambda: _our_hashprice(our_multipliers(0, SHARD)),
        )
    if loops.HAS_NUMBA:
        few = min(scenarios, 2 * SHARD)
        for threads in sorted({1, thread_count()}):
            yield Contender(
                "Numba, one loop with its own normals",
                partial(model.by_numba, few, threads),
                few * MONTHS,
                threads,
            )


def array_bytes() -> int:
    """What a shard passes over: five multipliers and the hashprice."""
    return (len(FACTORS) + 1) * MONTHS * SHARD * np.dtype(np.float64).itemsize


def _shards(scenarios: int, shard: int = SHARD) -> Iterator[tuple[int, int]]:
    """First scenario and count of each shard, so that memory does not grow with the scenarios."""
    return ((first, min(shard, scenarios - first)) for first in range(0, scenarios, shard))


def _ours(scenarios: int) -> Floats:
    """Sum over scenarios of the hashprice, ``[T]``, as a use of the paths."""
    total = np.zeros(MONTHS)
    for first, count in _shards(scenarios):
        total += _our_hashprice(our_multipliers(first, count)).sum(axis=1)
    return total


def our_multipliers(first: int, count: int) -> Floats:
    """Our factor multipliers ``[F, T, W]`` of these scenarios."""
    return factor_multipliers(
        seed=_SEED,
        first_scenario=first,
        scenario_count=count,
        month_count=MONTHS,
        volatility_per_year=_VOLATILITY,
        mean_reversion_per_year=_REVERSION,
        correlation=_CORRELATION,
    )


def _our_hashprice(multipliers: Floats) -> Floats:
    return hashprice_paths(
        base_btc_usd=_BASE_BTC_USD,
        base_network_eh_s=_BASE_NETWORK_EH_S,
        subsidy_btc=_SUBSIDY_BTC,
        fee_share_frac=np.full(MONTHS, _FEE_SHARE),
        multipliers=multipliers,
        network_price_elasticity=_ELASTICITY,
        network_lag_months=_LAG_MONTHS,
    )


class Model:
    """The same model in NumPy: Ornstein-Uhlenbeck log-deviations sampled by month, network behind price."""

    def __init__(self) -> None:
        years = 1.0 / MONTHS_PER_YEAR
        self.decay = np.exp(-_REVERSION * years)
        with np.errstate(invalid="ignore"):
            spread = np.where(_REVERSION > 0.0, (1.0 - self.decay**2) / (2.0 * _REVERSION), years)
        self.step_deviation = _VOLATILITY * np.sqrt(spread)
        kept = self.decay[:, None] ** (2 * np.arange(MONTHS))
        self.half_variance = 0.5 * self.step_deviation[:, None] ** 2 * np.cumsum(kept, axis=1)
        self.lower = np.linalg.cholesky(_CORRELATION)
        reward = BLOCKS_PER_DAY * _SUBSIDY_BTC / (1.0 - _FEE_SHARE)
        self.base_hashprice = _BASE_BTC_USD * reward / (_BASE_NETWORK_EH_S * PH_PER_EH)

    def by_numpy(self, scenarios: int, shard: int) -> Floats:
        """Sum over scenarios of the hashprice, ``[T]``, with NumPy's own random numbers."""
        random = np.random.default_rng(_SEED)
        total = np.zeros(MONTHS)
        for _, count in _shards(scenarios, shard):
            shocks = (random.standard_normal((len(FACTORS), count)) for _ in range(MONTHS))
            total += self.hashprice(self.multipliers(shocks, count)).sum(axis=1)
        return total

    def by_numba(self, scenarios: int, threads: int) -> Floats:
        """Sum over scenarios of the hashprice, ``[T]``, with Numba's own random numbers."""
        loops.use_numba_threads(threads)
        fill = loops.compiled(loops.market_paths)
        total = np.zeros(MONTHS)
        for _, count in _shards(scenarios):
            multipliers, hashprice = np.empty((len(FACTORS), MONTHS, count)), np.empty((MONTHS, count))
            fill(
                self.decay, self.step_deviation, self.half_variance, self.lower, self.base_hashprice, _ELASTICITY,
                _LAG_MONTHS, multipliers, hashprice,
            )  # fmt: skip
            total += hashprice.sum(axis=1)
        return total

    def multipliers(self, shocks: Any, scenarios: int = SHARD) -> Floats:
        """``[F, T, W]`` from the months' independent shocks, each ``[F, W]``."""
        deviation = np.zeros((len(FACTORS), scenarios))
        multipliers = np.empty((len(FACTORS), MONTHS, scenarios))
        for t, shock in enumerate(shocks):
            deviation = self.decay[:, None] * deviation + self.step_deviation[:, None] * (self.lower @ shock)
            multipliers[:, t] = np.exp(deviation - self.half_variance[:, t, None])
        return multipliers

    def hashprice(self, multipliers: Floats) -> Floats:
        """``[T, W]``."""
        btc, network = multipliers[0], multipliers[1].copy()
        network[_LAG_MONTHS:] *= btc[:-_LAG_MONTHS] ** _ELASTICITY
        return np.asarray(self.base_hashprice[:, None] * btc / network)

    def shocks(self, multipliers: Floats) -> Iterator[Floats]:
        """Independent shocks ``[F, W]`` of each month that give these multipliers."""
        before = np.zeros((len(FACTORS), multipliers.shape[2]))
        for t in range(MONTHS):
            after = np.log(multipliers[:, t]) + self.half_variance[:, t, None]
            correlated = (after - self.decay[:, None] * before) / self.step_deviation[:, None]
            yield np.linalg.solve(self.lower, correlated)
            before = after
