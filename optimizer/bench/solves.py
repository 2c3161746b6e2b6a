"""Solvers side by side on the family of instances: all on one instance in turn, each solve in a process of its own.

Of every solve: seconds to the first plan, to small gaps against its own bound, to small gaps against the best plan that
anybody knows, the bound at the root, what it ended with, nodes and memory. Over the suite: shifted geometric means.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from statistics import fmean
from typing import Any, Final

from optimizer.bench.best_known import known_of
from optimizer.bench.hearing import Moment, Stated
from optimizer.bench.instances import SUITES, Size, instance, instance_name, instance_sha256
from optimizer.bench.machine import machine_info
from optimizer.bench.solvers import SOLVERS, Job, Outcome, solve_apart
from optimizer.domain.proof import ModelSize
from optimizer.errors import InvalidInputError, NotFoundError
from optimizer.solve.proof import BOUND_TOLERANCE
from optimizer.units import USD_PER_MUSD

TARGETS_FRAC: Final = (0.01, 0.001, 0.0001)
"""Gaps whose times are told."""
SHIFT_S: Final = 10.0
"""Shift of the geometric means: what differs by seconds on easy instances does not decide."""
ROUNDING_FRAC: Final = 1e-9
"""A gap that is met to the last digit is met."""
OWN, PRIMAL, FIRST = "gap", "primal gap", "first plan"
"""Measures of a time: against the solver's own bound, against the best plan known, to any plan."""


@dataclass(frozen=True, slots=True)
class Solve:
    """One solver on one instance."""

    outcome: Outcome
    first_plan_s: float | None
    """To the first plan that it told of."""
    root_bound_usd: float | None
    """Last bound before it branched."""
    gap_frac: float | None
    """Between its plan and its bound."""
    primal_gap_frac: float | None
    """Between its plan and the best one known."""
    seconds_to_gap: dict[str, float | None]
    """By gap, as ``0.01``; None where it was not reached."""
    seconds_to_primal_gap: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class InstanceResult:
    """All solvers on one instance."""

    name: str
    sha256: str
    size: Size
    seed: int
    model_size: ModelSize
    best_objective_usd: float | None
    """Best audited plan known, this run's included."""
    best_bound_usd: float | None
    """Least bound known, this run's included."""
    solves: tuple[Solve, ...]

    @property
    def contradictions(self) -> tuple[str, ...]:
        """Solvers whose bound lies below a plan that is audited."""
        best = self.best_objective_usd
        return tuple(
            solve.outcome.solver
            for solve in self.solves
            if best is not None
            and solve.outcome.bound_usd is not None
            and best - solve.outcome.bound_usd > BOUND_TOLERANCE * max(abs(best), USD_PER_MUSD)
        )


@dataclass(frozen=True, slots=True)
class Mean:
    """A measure of one solver over the suite."""

    solver: str
    measure: str
    target_frac: float | None
    shifted_geometric_mean_s: float
    """Instances on which the target was not reached count with the time limit."""
    reached: int
    """On how many instances it was."""
    instances: int


@dataclass(frozen=True, slots=True)
class SolveReport:
    """A run of the bench of solves."""

    command: str
    suite: str
    seeds: tuple[int, ...]
    time_limit_s: float
    gap_frac: float
    interrupted: bool
    """Whether Ctrl-C ended it; what is here are the instances that all solvers had finished by then."""
    seconds: float
    machine: dict[str, Any]
    not_installed: tuple[str, ...]
    instances: tuple[InstanceResult, ...]
    means: tuple[Mean, ...]

    @property
    def wrong(self) -> tuple[tuple[str, str, str], ...]:
        """Instance, solver and what is wrong with it: a failed audit, an error, a bound that is contradicted."""
        found = []
        for item in self.instances:
            for solve in item.solves:
                outcome = solve.outcome
                if outcome.audit_passed is False:
                    found.append((item.name, outcome.solver, "its plan fails the audit"))
                if outcome.ended == "error":
                    found.append((item.name, outcome.solver, outcome.detail))
            found += [(item.name, name, "its bound lies below a plan that is audited") for name in item.contradictions]
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"shift_s": SHIFT_S, "instances": [_plain(item) for item in self.instances]}


def _plain(item: InstanceResult) -> dict[str, Any]:
    solves = []
    for solve in item.solves:
        told = asdict(solve)
        solves.append(told.pop("outcome") | told)
    return {
        "name": item.name,
        "sha256": item.sha256,
        **asdict(item.size),
        "seed": item.seed,
        "model_size": item.model_size.model_dump(mode="json"),
        "best_objective_usd": item.best_objective_usd,
        "best_bound_usd": item.best_bound_usd,
        "solves": solves,
    }


# ---------------------------------------------------------------------------------------------------------- measures


def seconds_to(moments: Sequence[Moment], reached: Callable[[Moment], bool]) -> float | None:
    """Time of the first moment from which on something holds to the end; None if it does not at the end."""
    since = None
    for moment in reversed(moments):
        if not reached(moment):
            break
        since = moment.seconds
    return since


def shifted_geometric_mean(seconds: Sequence[float], shift: float = SHIFT_S) -> float:
    """``exp(mean(log(t + s))) - s``."""
    return math.exp(fmean(math.log(item + shift) for item in seconds)) - shift


def judged(outcome: Outcome, best_usd: float | None) -> Solve:
    """The figures of a solve, against its own bound and against the best plan known."""
    moments, plan_usd, bound_usd = outcome.moments, outcome.objective_usd, outcome.bound_usd
    root = [moment.bound_usd for moment in moments if moment.node_count <= 1 and moment.bound_usd is not None]
    return Solve(
        outcome=outcome,
        first_plan_s=seconds_to(moments, lambda moment: moment.objective_usd is not None),
        root_bound_usd=root[-1] if root else None,
        gap_frac=_gap(plan_usd, bound_usd),
        primal_gap_frac=_gap(plan_usd, best_usd),
        seconds_to_gap={
            str(target): seconds_to(moments, partial(_is_proven, target_frac=target)) for target in TARGETS_FRAC
        },
        seconds_to_primal_gap={
            str(target): seconds_to(moments, partial(_is_good, target_frac=target, best_usd=best_usd))
            for target in TARGETS_FRAC
        },
    )


def _gap(plan_usd: float | None, better_usd: float | None) -> float | None:
    if plan_usd is None or better_usd is None:
        return None
    return (better_usd - plan_usd) / max(abs(plan_usd), 1.0)


def _is_proven(moment: Moment, target_frac: float) -> bool:
    return _is_within(target_frac, _gap(moment.objective_usd, moment.bound_usd))


def _is_good(moment: Moment, target_frac: float, best_usd: float | None) -> bool:
    return _is_within(target_frac, _gap(moment.objective_usd, best_usd))


def _is_within(target_frac: float, gap_frac: float | None) -> bool:
    return gap_frac is not None and gap_frac <= target_frac + ROUNDING_FRAC


def means_of(results: Sequence[InstanceResult], solvers: Sequence[str], limit_s: float) -> tuple[Mean, ...]:
    """Every measure of every solver over all instances."""
    means = []
    for name in solvers:
        solves = [solve for item in results for solve in item.solves if solve.outcome.solver == name]
        times: list[tuple[str, float | None, list[float | None]]] = [(FIRST, None, [s.first_plan_s for s in solves])]
        times += [(OWN, target, [s.seconds_to_gap[str(target)] for s in solves]) for target in TARGETS_FRAC]
        times += [(PRIMAL, target, [s.seconds_to_primal_gap[str(target)] for s in solves]) for target in TARGETS_FRAC]
        for measure, target, seconds in times:
            counted = [limit_s if item is None else min(item, limit_s) for item in seconds]
            reached = sum(item is not None for item in seconds)
            means.append(Mean(name, measure, target, shifted_geometric_mean(counted), reached, len(counted)))
    return tuple(means)


# --------------------------------------------------------------------------------------------------------------- run


def run(
    suite: str,
    *,
    seeds: int = 1,
    solvers: Sequence[str] = (),
    time_limit_s: float = 300.0,
    gap_frac: float = 1e-4,
    command: str = "",
    on_solve: Callable[[str, str], None] = lambda _instance, _solver: None,
) -> SolveReport:
    """Measure ``solvers``, or all that are installed, on a suite with the seeds from 1 on; Ctrl-C keeps what is done.

    Raises:
        NotFoundError: for an unknown suite or solver.
        InvalidInputError: for a solver that was asked for and is not installed.
    """
    sizes, names = sizes_of(suite), _solvers(solvers)
    began, machine = time.perf_counter(), machine_info()
    results, interrupted = [], False
    try:
        for size, seed in product(sizes, range(1, seeds + 1)):
            outcomes = []
            for name in names:
                on_solve(instance_name(size, seed), name)
                outcomes.append(solve_apart(Job(size, seed, name, time_limit_s, gap_frac)))
            results.append(_result(size, seed, outcomes))
    except KeyboardInterrupt:
        interrupted = True
    return SolveReport(
        command=command,
        suite=suite,
        seeds=tuple(range(1, seeds + 1)),
        time_limit_s=time_limit_s,
        gap_frac=gap_frac,
        interrupted=interrupted,
        seconds=time.perf_counter() - began,
        machine=machine,
        not_installed=tuple(name for name, solver in SOLVERS.items() if not solver.installed),
        instances=tuple(results),
        means=means_of(results, names, time_limit_s) if results else (),
    )


def sizes_of(suite: str) -> tuple[Size, ...]:
    """Sizes of a suite.

    Raises:
        NotFoundError: for an unknown one.
    """
    if suite not in SUITES:
        raise NotFoundError("suite", suite, list(SUITES))
    return SUITES[suite]


def _solvers(names: Sequence[str]) -> list[str]:
    for name in names:
        if name not in SOLVERS:
            raise NotFoundError("solver", name, list(SOLVERS))
        if not SOLVERS[name].installed:
            raise InvalidInputError.single("--solver", f"{name} is not installed", "install it, or leave it out")
    return list(names) or [name for name, solver in SOLVERS.items() if solver.installed]


def _result(size: Size, seed: int, outcomes: Sequence[Outcome]) -> InstanceResult:
    known = known_of(size, seed)
    plans = [item.objective_usd for item in outcomes if item.objective_usd is not None and item.audit_passed]
    bounds = [item.bound_usd for item in outcomes if item.bound_usd is not None]
    best = max([*plans, *([known.objective_usd] if known else [])], default=None)
    matrix = Stated.of(instance(size.sites, size.offers, size.months, seed)).matrix
    return InstanceResult(
        name=instance_name(size, seed),
        sha256=instance_sha256(size, seed),
        size=size,
        seed=seed,
        model_size=matrix.size,
        best_objective_usd=best,
        best_bound_usd=min([*bounds, *([known.bound_usd] if known else [])], default=None),
        solves=tuple(judged(outcome, best) for outcome in outcomes),
    )
