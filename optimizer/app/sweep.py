"""Sweep assumptions: a what-if for every point, each from the nearest before it and with a bound of its own.

Points lie in chains along which one assumption varies. A chain begins next to what is stated and goes outwards, so that
each point starts from the plan and the basis of a neighbour. Chains know nothing of each other: they are searched in
any order, by any number of processes, with the same answers as long as no time limit comes first.

What every best plan signs, or leaves, is proven at a point by the linear programs that bound it: by their prices a
plan without a contract loses what its row is worth, and one with it the least of its reduced costs.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from optimizer.app.changes import changed
from optimizer.app.scale_out import Piece, Workers, in_pieces
from optimizer.app.what_if import Bookmark, Kept, WhatIfs
from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.policy import Placement
from optimizer.domain.proof import TerminationReason, worth_difference
from optimizer.domain.sweep import Sweep, SweepPlace, SweepPoint, SweepSpec, SweptFactor, SwitchingPoint, TornadoBar

OnPoint = Callable[[SweepPoint], None]


def sweep(
    spec: SweepSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    on_point: OnPoint | None = None,
    workers: Workers | None = None,
) -> Sweep:
    """The plan at every point of a sweep, audited and bounded; ``on_point`` hears of each as it is found.

    With ``workers`` beyond this process ``should_stop`` is heard between chains no more: a time limit is.

    >>> from optimizer.domain import SolveOptions
    >>> from optimizer.domain.sweep import SweepSpec, SweptAssumption
    >>> import optimizer
    >>> btc = SweptAssumption(path="market.btc_usd", least_factor=0.8, most_factor=1.2, point_count=2)
    >>> tiny, wide = optimizer.load_portfolio("tiny"), SolveOptions(gap_frac=0.01)
    >>> found = optimizer.sweep(SweepSpec(portfolio=tiny, assumptions=(btc,), options=wide))
    >>> found.points[0].npv_usd < found.base_npv_usd < found.points[1].npv_usd
    True

    Raises:
        InvalidInputError: for a path that does not exist, or a number that the domain refuses; without Dask where
            ``workers`` need it.
        SolverError: as :func:`optimizer.plan`.
    """
    for chain in spec.chains:
        for factors in (chain[0], chain[-1]):  # before any work
            changed(spec.portfolio, factors, {})
    what_ifs = WhatIfs(spec.portfolio, spec.options, on_progress=on_progress, should_stop=should_stop)
    options = what_ifs.options.model_copy(
        update={"time_limit_s": spec.point_time_limit_s or what_ifs.options.time_limit_s}
    )
    until = None if spec.sweep_time_limit_s is None else time.time() + spec.sweep_time_limit_s
    work = _Work(spec, options, what_ifs.kept, until, _point((), what_ifs.base, 0.0))
    chains = sorted(range(len(spec.chains)), key=lambda number: _off(spec.chains[number]))
    if workers is None or workers.here:
        searcher = _Searcher(work, on_progress, should_stop, on_point)
        found = [searcher.chain(number) for number in chains]
    else:
        told = in_pieces(
            "optimizer.app.sweep:chain_searcher", work.dumped(), chains, workers, on_answer=_each_of(on_point)
        )
        found = [Sweep.model_validate_json(item) for item in told]
    return _summed(spec, what_ifs.base, [found[chains.index(number)] for number in range(len(chains))])


def _off(chain: list[dict[str, float]]) -> float:
    """How far a chain is from what is stated: the nearest are searched first."""
    return min(sum(abs(factor - 1.0) for factor in place.values()) for place in chain)


@dataclass(frozen=True, eq=False)
class _Work:
    """What every process needs."""

    spec: SweepSpec
    options: SolveOptions
    kept: Kept | None
    until: float | None
    """The time after which no point is begun."""
    base: SweepPoint
    """What is known of the plan as stated."""

    def dumped(self) -> bytes:
        """Five JSON documents, one a line."""
        kept = b"null" if self.kept is None else self.kept.dumped()
        parts = (self.spec.model_dump_json().encode(), self.options.model_dump_json().encode(), kept)
        return b"\n".join((*parts, json.dumps(self.until).encode(), self.base.model_dump_json().encode()))

    @classmethod
    def read(cls, work: bytes) -> _Work:
        """The inverse."""
        spec, options, kept, until, base = work.split(b"\n")
        return cls(
            SweepSpec.model_validate_json(spec),
            SolveOptions.model_validate_json(options),
            None if kept == b"null" else Kept.read(kept),
            json.loads(until),
            SweepPoint.model_validate_json(base),
        )


def chain_searcher(work: bytes) -> Piece:
    """What searches the points of a chain by its number."""
    searcher = _Searcher(_Work.read(work))
    return lambda number: searcher.chain(number).model_dump_json().encode()


def _each_of(on_point: OnPoint | None) -> Callable[[bytes], None]:
    def told(answer: bytes) -> None:
        found = Sweep.model_validate_json(answer)
        for point in (*found.points, *found.between):
            if on_point is not None:
                on_point(point)

    return told


class _Searcher:
    """One process of a sweep."""

    def __init__(
        self,
        work: _Work,
        on_progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        on_point: OnPoint | None = None,
    ) -> None:
        self._spec, self._until, self._should_stop, self._on_point = work.spec, work.until, should_stop, on_point
        self._base = work.base
        self._what_ifs = WhatIfs.resumed(work.spec.portfolio, work.options, work.kept)
        self._what_ifs.listen(on_progress, self._is_over)

    def chain(self, number: int) -> Sweep:
        """The points of one chain, and those between where contracts change."""
        self._what_ifs.rewind()
        self._begin = self._what_ifs.bookmark()
        places = self._spec.chains[number]
        *held, path = places[0].items()
        visited = _Visited(self, dict(held), path[0])
        factors = [place[path[0]] for place in places]
        nearest = min(range(len(factors)), key=lambda index: abs(factors[index] - 1.0))
        for factor in (*factors[nearest:], *factors[:nearest][::-1]):
            visited.try_factor(factor)
        on_grid = visited.points
        if self._spec.switching_tolerance is not None:
            visited.bisect(self._spec.switching_tolerance)
        between = tuple(point for factor, point in visited.points.items() if factor not in on_grid)
        return Sweep(points=tuple(on_grid.values()), between=between)

    def point(self, factors: dict[str, float], near: Bookmark | None) -> tuple[SweepPoint, Bookmark] | None:
        """The plan with factors, from where a neighbour left off; None where time or a stop left it out."""
        if self._is_over():
            return None
        began = time.monotonic()
        self._what_ifs.go_on_from(near or self._begin)
        job = self._what_ifs.job(changed(self._spec.portfolio, factors, {}), in_full=False)
        found = job.run()
        ended, (surely, surely_not) = found.termination, job.proven_offers(found.termination.objective_usd)
        if ended.reason is TerminationReason.NO_PLAN_FOUND and self._is_over():
            return None
        point = _point(_swept(factors), found, time.monotonic() - began)
        if all(factor == 1.0 for factor in factors.values()):
            point = _no_worse(point, self._base)
        point = point.model_copy(update={"proven_signed": surely, "proven_unsigned": surely_not})
        if self._on_point is not None:
            self._on_point(point)
        return point, self._what_ifs.bookmark()

    def _is_over(self) -> bool:
        late = self._until is not None and time.time() >= self._until
        return late or (self._should_stop is not None and self._should_stop())


class _Visited:
    """Points of a chain by the factor that varies."""

    def __init__(self, searcher: _Searcher, held: dict[str, float], path: str) -> None:
        self._searcher, self._held, self._path = searcher, held, path
        self._found: dict[float, tuple[SweepPoint, Bookmark]] = {}

    @property
    def points(self) -> dict[float, SweepPoint]:
        """All so far, in the order of their factors."""
        return {factor: self._found[factor][0] for factor in sorted(self._found)}

    def try_factor(self, factor: float) -> bool:
        """Search a point from its nearest neighbour; whether it was reached."""
        planned = [other for other, (point, _) in self._found.items() if point.npv_usd is not None]
        nearest = min(planned or self._found, key=lambda other: (abs(other - factor), other), default=None)
        bookmark = None if nearest is None else self._found[nearest][1]
        found = self._searcher.point({**self._held, self._path: factor}, bookmark)
        if found is not None:
            self._found[factor] = found
        return found is not None

    def bisect(self, tolerance: float) -> None:
        """Try factors between neighbours that sign other offers, until those are within the tolerance."""
        waiting = list(pairwise(self.points))
        while waiting:
            low, high = waiting.pop()
            sides = [self._found[factor][0] for factor in (low, high)]
            known = all(side.npv_usd is not None for side in sides)
            middle = (low + high) / 2.0
            if known and sides[0].signed != sides[1].signed and high - low > tolerance and self.try_factor(middle):
                waiting += [(low, middle), (middle, high)]


def _summed(spec: SweepSpec, base: Plan, found: list[Sweep]) -> Sweep:
    """The answer from those of the chains."""
    points = tuple(point for part in found for point in part.points)
    reached = {point.factors for point in points}
    places = [_swept(factors) for chain in spec.chains for factors in chain]
    unreached = tuple(SweepPlace(factors=place) for place in places if place not in reached)
    ends = [part for part in found if spec.vary_alone]
    bars = [bar for part in ends for bar in _bar(spec, part)]
    return Sweep(
        base_npv_usd=base.npv.total_usd if base.npv is not None else None,
        base_signed=_signed(base),
        points=points,
        between=tuple(point for part in found for point in part.between),
        switching_points=tuple(item for part in ends for item in switching_points(part)),
        tornado=tuple(sorted(bars, key=lambda bar: (-abs(bar.difference.found_usd), bar.path))),
        unreached=unreached,
        stopped=bool(unreached),
    )


def _bar(spec: SweepSpec, chain: Sweep) -> Iterator[TornadoBar]:
    """What an assumption does alone, where both ends have a plan."""
    if not chain.points:
        return
    least, most = chain.points[0], chain.points[-1]
    (low,), (high,) = least.factors, most.factors
    stated = next(item for item in spec.assumptions if item.path == low.path)
    if [low.factor, high.factor] != [stated.factors[0], stated.factors[-1]]:
        return
    if least.npv_usd is None or most.npv_usd is None or least.objective_usd is None or most.objective_usd is None:
        return
    yield TornadoBar(
        path=low.path,
        least_factor=low.factor,
        most_factor=high.factor,
        npv_at_least_usd=least.npv_usd,
        npv_at_most_usd=most.npv_usd,
        difference=worth_difference(most.objective_usd, most.bound_usd, least.objective_usd, least.bound_usd),
    )


def switching_points(chain: Sweep) -> Iterator[SwitchingPoint]:
    """Where the contracts change along one assumption, as far as its points tell."""
    tried = sorted((*chain.points, *chain.between), key=lambda point: point.factors[-1].factor)
    tried = [point for point in tried if point.npv_usd is not None]
    for place, (low, high) in enumerate(pairwise(tried), start=1):
        for offer in sorted({*low.signed} ^ {*high.signed}):
            below = _proven_from(offer, offer in low.signed, tried[:place][::-1])
            above = _proven_from(offer, offer in high.signed, tried[place:])
            ends = low.factors[-1].factor, high.factors[-1].factor
            yield SwitchingPoint(
                path=low.factors[-1].path,
                offer=offer,
                signed_above=offer in high.signed,
                low_factor=ends[0],
                high_factor=ends[1],
                proven_low_factor=below,
                proven_high_factor=above,
                told=_switching_in_words(offer, offer in high.signed, *ends, below, above),
            )


def _proven_from(offer: str, signed: bool, outwards: list[SweepPoint]) -> float | None:
    """The first factor at which it is proven that every best plan does what is done here, before one does not."""
    for point in outwards:
        if (offer in point.signed) != signed:
            return None
        if point.knows(offer):
            return point.factors[-1].factor
    return None


def _switching_in_words(
    offer: str, signed_above: bool, low: float, high: float, below: float | None, above: float | None
) -> str:
    comes = "comes into the plan" if signed_above else "leaves the plan"
    said = f"{offer} {comes} between the factors {low:.4g} and {high:.4g}, as found"
    word = ("not signed", "signed") if signed_above else ("signed", "not signed")
    proofs = [
        f"by every best plan it is {done} at {factor:.4g}"
        for done, factor in zip(word, (below, above), strict=True)
        if factor is not None
    ]
    if len(proofs) == 2:
        return f"{said}; {proofs[0]}, and {word[1]} at {above:.4g} (proven)."
    if proofs:
        return f"{said}; {proofs[0]} (proven), the other side is only within the gap."
    return f"{said}, but only within the gap."


def _point(factors: tuple[SweptFactor, ...], found: Plan, search_s: float) -> SweepPoint:
    """What a plan says, but for what is proven of its contracts."""
    ended = found.termination
    return SweepPoint(
        factors=factors,
        reason=ended.reason,
        npv_usd=found.npv.total_usd if found.npv is not None else None,
        objective_usd=ended.objective_usd,
        bound_usd=ended.bound_usd,
        gap_frac=ended.gap_frac,
        signed=_signed(found),
        placements=_placements(found),
        audit_passed=found.audit.passed if found.audit is not None else None,
        search_s=search_s,
    )


def _no_worse(point: SweepPoint, base: SweepPoint) -> SweepPoint:
    """The point as stated, with the better of its two plans and the better of their bounds."""
    bounds = [item.bound_usd for item in (point, base) if item.bound_usd is not None]
    worth = -math.inf if point.objective_usd is None else point.objective_usd
    if base.objective_usd is not None and base.objective_usd > worth:
        point = base.model_copy(update={"factors": point.factors, "search_s": point.search_s})
    if point.objective_usd is None or not bounds:
        return point
    gap = (min(bounds) - point.objective_usd) / max(abs(point.objective_usd), 1.0)
    return point.model_copy(update={"bound_usd": min(bounds), "gap_frac": gap})


def _swept(factors: dict[str, float]) -> tuple[SweptFactor, ...]:
    return tuple(SweptFactor(path=path, factor=factor) for path, factor in factors.items())


def _signed(found: Plan) -> tuple[str, ...]:
    return tuple(sorted(item.offer for item in found.contracts))


def _placements(found: Plan) -> tuple[Placement, ...]:
    made = [
        Placement(offer=item.offer, site=item.site, sign_month=item.sign_month) for item in found.decisions.contracts
    ]
    return tuple(sorted(made, key=lambda item: item.offer))
