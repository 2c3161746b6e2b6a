"""What planning again is worth: a plan on simulated paths, held as it is and changed as the market moves.

Paths are drawn with another seed than the scenarios of the plan, and what is believed at each date with a third, so
that nothing is known ahead. A path is worth what the audit's arithmetic makes of the decisions on it alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from optimizer.app.baselines import baseline_decisions
from optimizer.app.planning import plan
from optimizer.app.rolling_horizon import RollingHorizon, rolling_dates
from optimizer.app.scale_out import Piece, Workers, in_pieces
from optimizer.audit import Recalculation, recalculate
from optimizer.curves.futures import Futures
from optimizer.curves.information import MarketPath
from optimizer.domain.comparison import Baseline
from optimizer.domain.decisions import Decisions
from optimizer.domain.simulation import (
    OfferTiming,
    PathOutcome,
    SignedOffer,
    SimulatedPath,
    Simulation,
    SimulationSpec,
    Strategy,
    StrategyDifference,
    StrategyOutcome,
)
from optimizer.risk import distribution_of, of_another_seed

Floats = NDArray[np.float64]
BELOW_USD = 1.0
"""A dollar below the floor is not below it."""


def simulate(
    spec: SimulationSpec, workers: Workers | None = None, on_path: Callable[[int], None] | None = None
) -> Simulation:
    """Hold a plan on simulated paths, and plan again on them; ``on_path`` hears how many paths are done.

    >>> import optimizer
    >>> from optimizer.domain.simulation import SimulationSpec
    >>> spec = SimulationSpec(portfolio=optimizer.load_portfolio("tiny"), path_count=3, every_months=12)
    >>> [item.strategy.value for item in simulate(spec).strategies]
    ['held', 'replanned', 'mining']

    Raises:
        InvalidInputError: for decisions that break a limit as they are expected to turn out, and without Dask where
            ``workers`` need it.
        SolverError: as :func:`optimizer.plan`.
    """
    if spec.decisions is None:
        found = plan(spec.portfolio, spec.options)
        if found.npv is None:
            why = found.termination.detail or found.termination.reason.value
            return Simulation(told=(f"There is no plan: {why}.",))
        spec = spec.model_copy(update={"decisions": found.decisions})
    work = _Work(spec, baseline_decisions(spec.portfolio, Baseline.MINE_ON, spec.options), _waiting(spec))
    pieces = range(spec.first_path, spec.first_path + spec.path_count)
    told = in_pieces("optimizer.app.simulation:path_simulator", work.dumped(), pieces, workers, on_path)
    return _summed(spec, tuple(SimulatedPath.model_validate_json(item) for item in told))


@dataclass(frozen=True, eq=False)
class _Work:
    """What every process needs."""

    spec: SimulationSpec
    mining: Decisions | None
    waiting: Decisions | None

    def dumped(self) -> bytes:
        """Three JSON documents, one a line."""
        parts = (self.spec, self.mining, self.waiting)
        return b"\n".join(b"" if part is None else part.model_dump_json().encode() for part in parts)

    @classmethod
    def read(cls, work: bytes) -> _Work:
        """The inverse."""
        spec, *others = work.split(b"\n")
        return cls(
            SimulationSpec.model_validate_json(spec),
            *(Decisions.model_validate_json(item) if item else None for item in others),
        )


def path_simulator(work: bytes) -> Piece:
    """What simulates a path by its number."""
    simulator = _Simulator(_Work.read(work))
    return lambda path: simulator.path(path).model_dump_json().encode()


class _Simulator:
    """One process of a simulation."""

    def __init__(self, work: _Work) -> None:
        spec = work.spec
        assert spec.decisions is not None
        self._spec, self._held, self._mining = spec, spec.decisions, work.mining
        self._paths = of_another_seed(Futures.of(spec.portfolio)).portfolio
        believed = of_another_seed(Futures.of(self._paths)).portfolio
        self._rolling = RollingHorizon(believed, spec.options, spec.every_months)
        begun = [(Strategy.REPLANNED, spec.decisions, 0), (Strategy.WAITING, work.waiting, spec.wait_months)]
        self._begun = [
            (strategy, decisions, self._rolling.taken_up(decisions), self._rolling.closed_until(wait))
            for strategy, decisions, wait in begun
            if decisions is not None
        ]

    def path(self, number: int) -> SimulatedPath:
        """Every strategy on one path."""
        futures, rolling = Futures.of(self._paths, number, 1), self._rolling
        path, lowered, cut_short = MarketPath.of(futures), 0, 0
        done = [(Strategy.HELD, self._held)]
        for strategy, begun, columns, closed in self._begun:
            *_, last = begun, *(decisions for _, decisions in rolling.walk(columns, path, closed))
            done.append((strategy, last))
            lowered, cut_short = lowered + rolling.limits_lowered, cut_short + rolling.limits_reached
        if self._mining is not None:
            done.append((Strategy.MINING, self._mining))
        outcomes = tuple(
            path_outcome(strategy, recalculate(self._paths, futures, decisions)) for strategy, decisions in done
        )
        return SimulatedPath(path=number, outcomes=outcomes, lowered_count=lowered, cut_short_count=cut_short)


def path_outcome(strategy: Strategy, found: Recalculation) -> PathOutcome:
    """What a strategy came to on a path, of which it was recalculated."""
    least_usd, floor_usd = float(found.cash_usd.min()), found.book.portfolio.finance.minimum_liquidity_usd
    return PathOutcome(
        strategy=strategy,
        npv_usd=found.npv_usd,
        least_cash_usd=least_usd,
        below_floor=least_usd < floor_usd - BELOW_USD,
        signed=tuple(
            SignedOffer(offer=item.offer, site=item.site, sign_month=item.sign_month)
            for item in found.decisions.contracts
        ),
    )


def _waiting(spec: SimulationSpec) -> Decisions | None:
    """The best plan that signs and orders nothing in the first months, if there is one."""
    if not spec.wait_months:
        return None
    rolling = RollingHorizon(spec.portfolio, spec.options, spec.every_months)
    return rolling.best(rolling.closed_until(spec.wait_months))


def _summed(spec: SimulationSpec, paths: tuple[SimulatedPath, ...]) -> Simulation:
    """All paths together."""
    by_strategy = {
        first.strategy: [path.outcomes[place] for path in paths] for place, first in enumerate(paths[0].outcomes)
    }
    tail = spec.portfolio.risk.tail_probability
    npv = {name: np.array([item.npv_usd for item in found]) for name, found in by_strategy.items()}
    strategies = tuple(
        StrategyOutcome(
            strategy=name,
            distribution=distribution_of(npv[name], tail),
            below_floor_frac=float(np.mean([item.below_floor for item in found])),
        )
        for name, found in by_strategy.items()
    )
    pairs = [(Strategy.REPLANNED, Strategy.HELD), (Strategy.WAITING, Strategy.REPLANNED)]
    pairs += [(name, Strategy.MINING) for name in (Strategy.HELD, Strategy.REPLANNED)]
    differences = tuple(_difference(first, other, npv) for first, other in pairs if {first, other} <= set(npv))
    horizon = spec.portfolio.horizon
    return Simulation(
        dates=tuple(horizon.month_at(month) for month in rolling_dates(spec.portfolio, spec.every_months)),
        strategies=strategies,
        differences=differences,
        offers=_offers(spec.decisions or Decisions(), by_strategy[Strategy.REPLANNED]),
        paths=paths,
        told=_told(strategies, differences, paths),
    )


def _difference(strategy: Strategy, other: Strategy, npv: Mapping[Strategy, Floats]) -> StrategyDifference:
    more = npv[strategy] - npv[other]
    return StrategyDifference(
        strategy=strategy,
        other=other,
        mean_usd=float(more.mean()),
        standard_error_usd=float(np.std(more, ddof=1)) / sqrt(len(more)) if len(more) > 1 else 0.0,
        better_frac=float(np.mean(more > BELOW_USD)),
    )


def _offers(held: Decisions, replanned: list[PathOutcome]) -> tuple[OfferTiming, ...]:
    """Offers that are signed somewhere, those of the plan first."""
    months = {item.offer: item.sign_month for item in held.contracts}
    signed, same = Counter[str](), Counter[str]()
    for outcome in replanned:
        signed.update(item.offer for item in outcome.signed)
        same.update(item.offer for item in outcome.signed if months.get(item.offer) == item.sign_month)
    names = [*months, *sorted(set(signed) - set(months))]
    count = len(replanned)
    return tuple(
        OfferTiming(
            offer=name,
            held_month=months.get(name),
            replanned_frac=signed[name] / count,
            same_month_frac=same[name] / count,
        )
        for name in names
    )


def _told(
    strategies: tuple[StrategyOutcome, ...],
    differences: tuple[StrategyDifference, ...],
    paths: tuple[SimulatedPath, ...],
) -> tuple[str, ...]:
    floor = ", ".join(f"{item.below_floor_frac:.0%} ({item.strategy.told})" for item in strategies)
    told = [item.told for item in differences]
    told.append(f"Cash falls below the liquidity floor on so many paths: {floor}.")
    lowered = sum(path.lowered_count > 0 for path in paths)
    if lowered:
        told.append(f"On {lowered} of {len(paths)} paths what happened left no plan within the limits for a time.")
    cut = sum(path.cut_short_count > 0 for path in paths)
    if cut:
        told.append(f"On {cut} paths the time limit ended a search: another run may find otherwise.")
    return tuple(told)
