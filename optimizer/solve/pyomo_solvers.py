"""Any other solver, through Pyomo: the program as ordinary Pyomo constraints, options and endings mapped to ours.

Such a solver is not stopped by a search: it ends by itself, at the latest at its time limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.solver.common.factory import SolverFactory as DirectSolverFactory
from pyomo.contrib.solver.common.results import SolutionStatus
from pyomo.contrib.solver.common.results import TerminationCondition as Ended
from pyomo.opt import TerminationCondition as LegacyEnded

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.errors import InvalidInputError, SolverError
from optimizer.extras import install_command
from optimizer.model.program import Program
from optimizer.solve.live import ABSOLUTE_GAP_MUSD
from optimizer.solve.search import Floats, Search, Solution
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True)
class _Found:
    """What a solver came back with, in Pyomo's words and million USD."""

    ended: Ended
    has_plan: bool
    bound_musd: float | None
    node_count: int = 0


@dataclass(frozen=True)
class _Interface:
    """How Pyomo reaches a solver."""

    available: Callable[[], bool]
    """Whether it is installed."""
    solve: Callable[[Any, SolveOptions, bool], _Found]
    """Runs it on a model, from the values of its variables if the flag is set, and leaves its plan in them."""
    install: str
    """How to get it."""
    package: str | None = None
    """The Python package that it comes in, if it is one."""


REASONS: Final[dict[Ended, tuple[TerminationReason, Limit]]] = {
    Ended.convergenceCriteriaSatisfied: (TerminationReason.OPTIMAL, Limit.NONE),
    Ended.emptyModel: (TerminationReason.OPTIMAL, Limit.NONE),
    Ended.maxTimeLimit: (TerminationReason.FEASIBLE, Limit.TIME),
    Ended.interrupted: (TerminationReason.FEASIBLE, Limit.INTERRUPTED),
    Ended.iterationLimit: (TerminationReason.FEASIBLE, Limit.NONE),
    Ended.objectiveLimit: (TerminationReason.FEASIBLE, Limit.NONE),
    Ended.provenInfeasible: (TerminationReason.INFEASIBLE, Limit.NONE),
    Ended.infeasibleOrUnbounded: (TerminationReason.INFEASIBLE, Limit.NONE),
    Ended.unbounded: (TerminationReason.UNBOUNDED, Limit.NONE),
}
"""Reason and limit by ending. ``FEASIBLE`` becomes ``NO_PLAN_FOUND`` without a plan; what is absent is an error."""

LEGACY: Final = {
    LegacyEnded.optimal: Ended.convergenceCriteriaSatisfied,
    LegacyEnded.maxTimeLimit: Ended.maxTimeLimit,
    LegacyEnded.infeasible: Ended.provenInfeasible,
    LegacyEnded.unbounded: Ended.unbounded,
    LegacyEnded.userInterrupt: Ended.interrupted,
}


def check_installed(solver: str) -> None:
    """Refuse a solver that is not there, before any work is done.

    Raises:
        InvalidInputError: saying how to install it.
    """
    interface = INTERFACES.get(solver)
    if interface is not None and not interface.available():
        raise InvalidInputError.single("options.solver", f"{solver} is not installed", interface.install, "options")


def solver_packages(solver: str) -> tuple[str, ...]:
    """Python packages that a solver other than HiGHS comes in."""
    package = INTERFACES[solver].package if solver in INTERFACES else None
    return () if package is None else (package,)


def solve_with_pyomo(program: Program, options: SolveOptions, search: Search, start: Floats | None = None) -> Solution:
    """The whole program by the solver of the options, from a feasible ``start`` if the solver takes one.

    Raises:
        SolverError: when the solver ends in a way that is neither an answer nor a limit.
        InvalidInputError: when it is not installed.
    """
    check_installed(options.solver)
    if any(len(np.unique(block.row)) < len(block.keys) for block in program.rows.values()):
        # A row without terms is only stated where nothing can satisfy it, and Pyomo's interfaces do not take it.
        return Solution(Termination(reason=TerminationReason.INFEASIBLE), None)
    interface = INTERFACES[options.solver]
    model = program.materialise()
    variables = [item for block in program.variables.values() for item in block.component.values()]
    if start is not None:
        for variable, value in zip(variables, start.tolist(), strict=True):
            variable.set_value(round(value) if variable.is_integer() else value, skip_validation=True)
    found = interface.solve(model, options, start is not None)
    if found.ended not in REASONS:
        raise SolverError(f"{options.solver} ended with {found.ended.name!r}")
    if found.ended is Ended.interrupted:
        search.interrupted = True
    reason, limit = REASONS[found.ended]
    if reason in (TerminationReason.INFEASIBLE, TerminationReason.UNBOUNDED):
        return Solution(Termination(reason=reason, limit=limit, node_count=found.node_count), None)
    bound = found.bound_musd if found.bound_musd is not None and math.isfinite(found.bound_musd) else None
    known: dict[str, Any] = {"limit": limit, "node_count": found.node_count}
    known["bound_usd"] = bound * USD_PER_MUSD if bound is not None else None
    if not found.has_plan:
        return Solution(Termination(reason=TerminationReason.NO_PLAN_FOUND, **known), None)
    objective = float(pyo.value(model.expected_npv_musd)) * USD_PER_MUSD
    if bound is not None:
        known["gap_frac"] = (known["bound_usd"] - objective) / max(abs(objective), 1.0)
    values = np.array([_value(variable) for variable in variables])
    return Solution(Termination(reason=reason, objective_usd=objective, **known), values)


def _value(variable: Any) -> float:
    """Value of a variable; one in no row has none, and what it is does not matter."""
    if variable.value is not None:
        return float(variable.value)
    low, high = (-math.inf if variable.lb is None else variable.lb), (math.inf if variable.ub is None else variable.ub)
    return float(min(max(0.0, low), high))


def _direct(pyomo_name: str, seed_option: str, package: str, install: str) -> _Interface:
    """A solver in a Python package."""

    def solve(model: Any, options: SolveOptions, started: bool) -> _Found:
        result = DirectSolverFactory(pyomo_name).solve(
            model,
            load_solutions=False,
            raise_exception_on_nonoptimal_result=False,
            time_limit=options.time_limit_s,
            rel_gap=options.gap_frac,
            abs_gap=ABSOLUTE_GAP_MUSD,
            threads=options.threads,
            warmstart_discrete_vars=started,
            solver_options={seed_option: options.seed},
        )
        has_plan = result.solution_status in (SolutionStatus.feasible, SolutionStatus.optimal)
        if has_plan:
            result.solution_loader.load_vars()
        nodes = result.extra_info.value().get("NNodes") or 0
        return _Found(result.termination_condition, has_plan, result.objective_bound, int(nodes))

    return _Interface(lambda: bool(DirectSolverFactory(pyomo_name).available()), solve, install, package)


def _executable(pyomo_name: str, option_names: dict[str, str], install: str) -> _Interface:
    """A solver that is a program in the path; ``option_names`` are its words for the fields of SolveOptions."""

    def available() -> bool:
        return bool(pyo.SolverFactory(pyomo_name).available(exception_flag=False))

    def solve(model: Any, options: SolveOptions, _: bool) -> _Found:
        stated = {word: getattr(options, name) for name, word in option_names.items()}
        # Without a start: cbc 2.10 ends with an illegal index where presolve dropped columns of the file of the start.
        result = pyo.SolverFactory(pyomo_name).solve(model, load_solutions=False, options=stated)
        has_plan = len(result.solution) > 0
        if has_plan:
            model.solutions.load_from(result)
        ended = LEGACY.get(result.solver.termination_condition, Ended.unknown)
        bound = result.problem.upper_bound
        return _Found(ended, has_plan, float(bound) if isinstance(bound, int | float) else None)

    return _Interface(available, solve, install)


INTERFACES: Final = {
    "scip": _direct("scip_direct", "randomization/randomseedshift", "pyscipopt", install_command("scip")),
    "gurobi": _direct("gurobi_direct", "Seed", "gurobipy", "pip install gurobipy, and a licence"),
    "cbc": _executable(
        "cbc",
        {"time_limit_s": "seconds", "gap_frac": "ratioGap", "threads": "threads", "seed": "randomCbcSeed"},
        "put cbc into the path",
    ),
}
"""All solvers but HiGHS, by the name that SolveOptions has for them."""
