"""One solve on the bench, in a process of its own: which solver, on what, and what was heard while it ran.

A new solver is a function in :data:`SOLVERS`. The clock starts with the portfolio in memory: everybody evaluates curves
and states a program, and who reads a file also writes it. What they end with is polished and audited off the clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np

from optimizer.app import plan
from optimizer.app.planning import claims_of
from optimizer.audit import audit
from optimizer.bench.file_solvers import cbc, cbc_version, scip
from optimizer.bench.hearing import Found, Moment, Stated, Told, time_left
from optimizer.bench.instances import Size, instance
from optimizer.bench.machine import peak_resident_mib
from optimizer.bench.naive import NAIVE_FORMULATION
from optimizer.domain import Portfolio, Progress, SolveOptions
from optimizer.errors import SolverError
from optimizer.model.read import read_solution
from optimizer.solve import LiveModel, Search, solve_fixed
from optimizer.solve.highs import solve_with_highs
from optimizer.solve.search import Floats

GRACE_S: Final = 600.0
"""How long after its time limit a process may go on: a relaxation that hears of no limit, polishing, the audit."""


@dataclass(frozen=True, slots=True)
class Job:
    """One solver on one instance."""

    size: Size
    seed: int
    solver: str
    time_limit_s: float
    gap_frac: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a solver ended with, and what it told on the way."""

    solver: str
    version: str
    ended: str
    """``gap``: proven to the gap asked for; ``time``; or ``error``."""
    detail: str
    objective_usd: float | None
    """Of the polished plan."""
    bound_usd: float | None
    node_count: int
    seconds: float
    """From the portfolio in memory to the solver's end."""
    audit_passed: bool | None
    """Whether the plan passed its audit; None where there is none."""
    signed: int
    """Contracts of the plan."""
    peak_mib: float
    moments: tuple[Moment, ...]
    """Everything that was told; the last one is the end."""


# ----------------------------------------------------------------------------------------------------------- solvers


def _optimizer(portfolio: Portfolio, options: SolveOptions, told: Told) -> Found:
    """``optimizer.plan`` as the user sees it."""

    def hear(progress: Progress) -> None:
        if progress.stage == "solve":
            told.usd(progress.incumbent_usd, progress.bound_usd, progress.node_count)

    answer = plan(portfolio, options, hear)
    ended = answer.termination
    return Found(
        proven=ended.reason == "optimal",
        bound_usd=ended.bound_usd,
        node_count=ended.node_count,
        objective_usd=ended.objective_usd,
        audit_passed=None if answer.audit is None else answer.audit.passed,
        signed=len(answer.contracts),
    )


def _highs(portfolio: Portfolio, options: SolveOptions, told: Told) -> Found:
    """HiGHS on the model's matrix, from nothing."""
    return _by_highs(Stated.of(portfolio), options, told)


def _naive(portfolio: Portfolio, options: SolveOptions, told: Told) -> Found:
    """HiGHS on contracts by month."""
    return _by_highs(Stated.of(portfolio, NAIVE_FORMULATION), options, told)


def _by_highs(stated: Stated, options: SolveOptions, told: Told) -> Found:
    left = time_left(options, told)
    solution = solve_with_highs(LiveModel(stated.matrix), left, Search(on_incumbent=told.usd))
    ended = solution.termination
    return Found(ended.reason == "optimal", ended.bound_usd, ended.node_count, stated=stated, values=solution.values)


@dataclass(frozen=True, slots=True)
class Solver:
    """A solver on the bench."""

    title: str
    solve: Callable[[Portfolio, SolveOptions, Told], Found]
    package: str | None
    """The Python package that it comes in; None for a program in the path."""

    @property
    def installed(self) -> bool:
        """Whether it is there."""
        return self.version != "not installed"

    @property
    def version(self) -> str:
        """Its version."""
        if self.package is None:
            return cbc_version()
        try:
            return version(self.package)
        except PackageNotFoundError:
            return "not installed"


SOLVERS: Final[dict[str, Solver]] = {
    "optimizer": Solver("optimizer.plan", _optimizer, "capacity-optimizer"),
    "highs": Solver("HiGHS, the model's matrix", _highs, "highspy"),
    "scip": Solver("SCIP, the model's file", scip, "pyscipopt"),
    "cbc": Solver("CBC, the model's file", cbc, None),
    "naive": Solver("HiGHS, contracts by month", _naive, "highspy"),
}
"""All solvers by name; ours first."""


# ---------------------------------------------------------------------------------------------------------- one solve


def solve_apart(job: Job) -> Outcome:
    """Solve in a fresh process, with its memory for itself: HiGHS is used once a process."""
    try:
        done = subprocess.run(
            _command(job), capture_output=True, text=True, check=False, timeout=job.time_limit_s + GRACE_S
        )
    except subprocess.TimeoutExpired:
        return _failed(job, f"went on for {GRACE_S:g} s after its time limit")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return _failed(job, lines[-1] if lines else f"ended with {done.returncode}")
    told = json.loads(done.stdout.splitlines()[-1])
    moments = tuple(Moment(**moment) for moment in told.pop("moments"))
    return Outcome(**told, moments=moments)


def _command(job: Job) -> list[str]:
    return [sys.executable, "-m", "optimizer.bench.solvers", json.dumps(asdict(job))]


def _failed(job: Job, detail: str) -> Outcome:
    solver = SOLVERS[job.solver]
    return Outcome(
        job.solver, solver.version, "error", detail, None, None, 0, job.time_limit_s, None, 0, 0.0, ()
    )  # fmt: skip


def solve_here(job: Job) -> Outcome:
    """Solve in this process."""
    portfolio = instance(job.size.sites, job.size.offers, job.size.months, job.seed)
    options, told = SolveOptions(time_limit_s=job.time_limit_s, gap_frac=job.gap_frac), Told()
    solver = SOLVERS[job.solver]
    found = solver.solve(portfolio, options, told)
    seconds, peak_mib = told.seconds, peak_resident_mib(children=True)
    if found.stated is not None and found.values is not None:
        found = _audited(found, found.stated, found.values)
    told.usd(found.objective_usd, found.bound_usd, found.node_count, seconds)
    return Outcome(
        solver=job.solver,
        version=solver.version,
        ended="gap" if found.proven else "time",
        detail="",
        objective_usd=found.objective_usd,
        bound_usd=found.bound_usd,
        node_count=found.node_count,
        seconds=seconds,
        audit_passed=found.audit_passed,
        signed=found.signed,
        peak_mib=peak_mib,
        moments=tuple(told.moments),
    )


def _audited(found: Found, stated: Stated, values: Floats) -> Found:
    """The plan with its whole numbers fixed and the rest solved at tight tolerance, held against the audit."""
    fixed = np.where(stated.matrix.integer, np.rint(values), np.nan)
    polished = solve_fixed(stated.matrix, SolveOptions(time_limit_s=GRACE_S), fixed)
    if polished.values is None:
        raise SolverError("the whole numbers that the solver ended with allow no plan")
    reading = read_solution(stated.program, stated.problem, polished.values)
    recalculation, report = audit(stated.portfolio, stated.futures, reading.decisions, claims_of(reading))
    return Found(
        proven=found.proven,
        bound_usd=found.bound_usd,
        node_count=found.node_count,
        objective_usd=reading.objective_usd,
        audit_passed=report.passed,
        signed=len(recalculation.contracts),
    )


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    given["size"] = Size(**given["size"])
    sys.stdout.write(json.dumps(asdict(solve_here(Job(**given)))) + "\n")
