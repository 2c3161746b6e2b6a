"""A plan in a past that is known by now: what it, planning again and mining on would have earned.

Nothing is known ahead: at each date the factors are what they were until then, and beyond it what the portfolio's
market makes of that. The past is one path; a single one proves nothing about the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from optimizer.app.baselines import baseline_decisions
from optimizer.app.decision_parts import told_differences
from optimizer.app.planning import plan
from optimizer.app.rolling_horizon import RollingHorizon
from optimizer.app.simulation import path_outcome
from optimizer.audit import Recalculation, recalculate
from optimizer.curves import NEVER, outcomes
from optimizer.curves.futures import Futures
from optimizer.curves.information import Known, MarketPath
from optimizer.domain.backtest import Backtest, BacktestDate, BacktestSpec, BacktestYear
from optimizer.domain.comparison import Baseline
from optimizer.domain.decisions import Decisions
from optimizer.domain.simulation import PathOutcome, Strategy
from optimizer.domain.uncertainty import Factor
from optimizer.units import USD_PER_MUSD


def backtest(spec: BacktestSpec) -> Backtest:
    """Hold a plan in a known past, and plan again in it.

    Raises:
        InvalidInputError: for decisions that break a limit as they were expected to turn out.
        SolverError: as :func:`optimizer.plan`.
    """
    if spec.decisions is None:
        found = plan(spec.portfolio, spec.options)
        if found.npv is None:
            why = found.termination.detail or found.termination.reason.value
            told = f"There is no plan: {why}."
            return Backtest(known_month_count=spec.month_count, told=told)
        spec = spec.model_copy(update={"decisions": found.decisions})
    return _Past(spec).answer()


def path_of_history(spec: BacktestSpec) -> MarketPath:
    """The path on which the factors were what history says; all was built as planned.

    The network was what it was, its response to the price of bitcoin included.
    """
    portfolio, market, order = spec.portfolio, spec.portfolio.market, list(Factor)
    futures = Futures.of(portfolio, 0, 1)
    months = futures.extended_month_count
    driven = np.ones((len(order), months))
    for item in spec.history:
        held = np.minimum(np.arange(months), len(item.values) - 1)
        driven[order.index(item.factor)] = np.array(item.values)[held] / futures.path(market.base_path(item.factor))
    if Factor.NETWORK_HASHRATE in [item.factor for item in spec.history]:
        lag, price = market.network_lag_months, driven[order.index(Factor.BTC_PRICE)]
        network = driven[order.index(Factor.NETWORK_HASHRATE)]
        network[lag:] /= price[: months - lag] ** futures.network_price_elasticity
    tenants = {offer.tenant for offer in portfolio.offers}
    failed = {item.tenant: portfolio.horizon.index_of(item.default_month) for item in spec.defaults}
    return MarketPath(
        driven=driven,
        overlay_start=np.full(len(market.overlays), NEVER, dtype=np.int32),
        default_month={
            name: failed.get(name, failed.get(None, NEVER) if name in tenants else NEVER)
            for name in portfolio.default_hazards
        },
        construction_outcome={site.name: outcomes.NONE for site in portfolio.sites},
        open_frac={risk.country: np.ones(months) for risk in market.country_risks},
    )


@dataclass(frozen=True, eq=False)
class _Done:
    """A strategy in the past."""

    strategy: Strategy
    decisions: Decisions
    found: Recalculation


class _Past:
    """One test."""

    def __init__(self, spec: BacktestSpec) -> None:
        assert spec.decisions is not None
        self._spec, self._held = spec, spec.decisions
        self._path = path_of_history(spec)
        futures, sites = Futures.of(spec.portfolio, 0, 1), frozenset(site.name for site in spec.portfolio.sites)
        self._futures = replace(futures, known=Known(self._path, futures.extended_month_count, sites))

    def answer(self) -> Backtest:
        """Every strategy."""
        spec = self._spec
        rolling, last, dates = RollingHorizon(spec.portfolio, spec.options, spec.every_months), self._held, []
        for month, decisions in rolling.walk(rolling.taken_up(self._held), self._path):
            dates.append(self._date(month, last, decisions))
            last = decisions
        done = [self._done(Strategy.HELD, self._held), self._done(Strategy.REPLANNED, last)]
        mining = baseline_decisions(spec.portfolio, Baseline.MINE_ON, spec.options)
        if mining is not None:
            done.append(self._done(Strategy.MINING, mining))
        outcomes = tuple(path_outcome(item.strategy, item.found) for item in done)
        return Backtest(
            outcomes=outcomes,
            dates=tuple(dates),
            years=tuple(self._years(done)),
            known_month_count=spec.month_count,
            told=self._told(outcomes),
        )

    def _done(self, strategy: Strategy, decisions: Decisions) -> _Done:
        return _Done(strategy, decisions, recalculate(self._spec.portfolio, self._futures, decisions))

    def _date(self, month: int, before: Decisions, after: Decisions) -> BacktestDate:
        portfolio = self._spec.portfolio
        return BacktestDate(
            month=portfolio.horizon.month_at(month),
            hashprice_usd_per_ph_day=float(self._futures.hashprice_usd_per_ph_day[month - 1, 0]),
            changed=told_differences(portfolio, before, after),
        )

    def _years(self, done: list[_Done]) -> Iterator[BacktestYear]:
        months = self._spec.portfolio.horizon.months
        year = np.array([month.year for month in months])
        for number in np.unique(year).tolist():
            ours = year == number
            yield BacktestYear(
                year=number,
                hashprice_usd_per_ph_day=float(self._futures.hashprice_usd_per_ph_day[ours, 0].mean()),
                btc_usd=float(self._futures.btc_usd[ours, 0].mean()),
                cash_usd=tuple(float(item.found.cash_usd[ours][-1]) for item in done),
            )

    def _told(self, outcomes: tuple[PathOutcome, ...]) -> str:
        parts = [
            f"{item.strategy.told}, {item.npv_usd / USD_PER_MUSD:,.1f} million USD"
            + (" (with cash below the liquidity floor for a time)" if item.below_floor else "")
            for item in outcomes
        ]
        known, horizon = self._spec.month_count, self._spec.portfolio.horizon
        told = f"NPV in what happened: {'; '.join(parts)}. One past proves nothing about the next."
        if known < horizon.month_count:
            told += f" From {horizon.month_at(known):%Y-%m} on the last values of history are held."
        return told
