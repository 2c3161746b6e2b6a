"""Sweep assumptions: a what-if for every point, each from the plan before it and with a bound of its own."""

from __future__ import annotations

from collections.abc import Callable

from optimizer.app.what_if import WhatIfs
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.sweep import Sweep, SweepPoint, SweepSpec, SweptFactor


def sweep(
    spec: SweepSpec,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Sweep:
    """The plan at every point of a sweep, audited and bounded.

    >>> from optimizer.domain import SolveOptions
    >>> from optimizer.domain.sweep import SweepSpec, SweptAssumption
    >>> import optimizer
    >>> btc = SweptAssumption(path="market.btc_usd", least_factor=0.8, most_factor=1.2, point_count=2)
    >>> tiny, wide = optimizer.load_portfolio("tiny"), SolveOptions(gap_frac=0.01)
    >>> found = optimizer.sweep(SweepSpec(portfolio=tiny, assumptions=(btc,), options=wide))
    >>> found.points[0].npv_usd < found.base_npv_usd < found.points[1].npv_usd
    True

    Raises:
        InvalidInputError: for a path that does not exist, or a number that the domain refuses.
        SolverError: as :func:`optimizer.plan`.
    """
    what_ifs = WhatIfs(spec.portfolio, spec.options, on_progress=on_progress, should_stop=should_stop)
    base, points = what_ifs.base, list[SweepPoint]()
    for factors in spec.points:
        if should_stop is not None and should_stop():
            break
        points.append(_point(factors, what_ifs.plan(scale=factors)))
    return Sweep(
        base_npv_usd=base.npv.total_usd if base.npv is not None else None,
        base_signed=_signed(base),
        points=tuple(points),
        stopped=len(points) < len(spec.points),
    )


def _point(factors: dict[str, float], found: Plan) -> SweepPoint:
    ended = found.termination
    return SweepPoint(
        factors=tuple(SweptFactor(path=path, factor=factor) for path, factor in factors.items()),
        reason=ended.reason,
        npv_usd=found.npv.total_usd if found.npv is not None else None,
        objective_usd=ended.objective_usd,
        bound_usd=ended.bound_usd,
        gap_frac=ended.gap_frac,
        signed=_signed(found),
        audit_passed=found.audit.passed if found.audit is not None else None,
    )


def _signed(found: Plan) -> tuple[str, ...]:
    return tuple(sorted(item.offer for item in found.contracts))
