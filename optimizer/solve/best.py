"""The best plan of a program: searched for by the solver of the options, polished, and held against what is known."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.model.program import Matrix, Program
from optimizer.solve.decompose import solve_in_stages
from optimizer.solve.highs import LARGE_NONZEROS, solve_fixed, solve_with_highs
from optimizer.solve.live import LiveModel
from optimizer.solve.proof import KnownPlans, with_objective
from optimizer.solve.pyomo_solvers import solve_with_pyomo
from optimizer.solve.search import Floats, Search, Solution
from optimizer.solve.stages import Stages
from optimizer.units import USD_PER_MUSD

HIGHS = "highs"
SEARCH_SHARE = 0.95
"""Share of the time limit of a search in stages; polishing the plan of a large program takes some of it."""
POLISH_SHARE, LEAST_POLISH_S = 0.1, 2.0
"""What polishing may take of the time limit, however late it is: after that the plan stays as it was found."""
FIRST_SHARE = 0.6
"""Share of the time limit of the first of two searches in paranoid mode; the second has what is left."""
LEAST_SECOND_S = 1.0
"""However long the first took."""
SECOND = "HiGHS without presolve"
SEED_COUNT = 2**31


def solve_program(
    program: Matrix | LiveModel,
    options: SolveOptions,
    search: Search | None = None,
    start: Floats | None = None,
    stated: Program | None = None,
) -> Solution:
    """Solve a mixed-integer program to the gap or the limits of ``options``, from a feasible ``start`` if there is one.

    When a plan is found, its integers are fixed and the rest is solved once more as a linear program at tight
    tolerance, so that the plan is exact to fractions of a cent and not only to the tolerance of branch and bound.
    A paranoid search is followed by a second one of HiGHS without presolve and with another seed.
    Solvers other than HiGHS take the program as it is ``stated`` in Pyomo.

    Raises:
        SolverError: when the solver fails, or what it claims is contradicted by a plan that is known.
        InvalidInputError: when the solver is not installed.
    """
    began = time.monotonic()
    search, model = search or Search(), LiveModel.of(program)
    known = KnownPlans(model.matrix)
    known.add("the plan it started from", start)
    share = FIRST_SHARE if options.paranoid else SEARCH_SHARE if in_stages(model.matrix, options) else 1.0
    first = options.model_copy(update={"time_limit_s": share * options.time_limit_s})
    if options.solver == HIGHS:
        found = _searched(model, first, search, start)
        known.add_worth("a plan it told of", model.best_seen_usd)
    elif stated is None:
        raise SolverError(f"{options.solver} takes the program as stated in Pyomo, which is not there")
    else:
        found = _no_worse(model.matrix, solve_with_pyomo(stated, first, search, start), start)
    left = options.time_limit_s - (time.monotonic() - began)
    grace = max(left, POLISH_SHARE * options.time_limit_s, LEAST_POLISH_S)
    solution = _polished(model, found, options.model_copy(update={"time_limit_s": grace}), known, options.solver)
    if options.paranoid and not search.stopped:
        left = max(options.time_limit_s - (time.monotonic() - began), LEAST_SECOND_S)
        rest = options.model_copy(update={"time_limit_s": left})
        solution = _confirmed(model, solution, rest, search, known)
    return solution


def in_stages(matrix: Matrix, options: SolveOptions) -> bool:
    """Whether a program is solved in stages: if asked for, or if it is large and has two stages."""
    if options.solver != HIGHS or options.method == "whole":
        return False
    return (options.method == "stages" or len(matrix.value) >= LARGE_NONZEROS) and Stages(matrix).worthwhile


def _searched(model: LiveModel, options: SolveOptions, search: Search, start: Floats | None) -> Solution:
    """What HiGHS finds: in stages where that pays, and on the whole program where they leave something open."""
    if not in_stages(model.matrix, options):
        return solve_with_highs(model, options, search, start)
    began = time.monotonic()
    found = solve_in_stages(model, options, search, start)
    told = found.termination
    left = options.time_limit_s - (time.monotonic() - began)
    if told.reason in (TerminationReason.OPTIMAL, TerminationReason.INFEASIBLE) or search.stopped or left <= 0.0:
        return _no_worse(model.matrix, found, start)
    rest = options.model_copy(update={"time_limit_s": left})
    whole = solve_with_highs(model, rest, search, start if found.values is None else found.values)
    bounds = [item.bound_usd for item in (told, whole.termination) if item.bound_usd is not None]
    nodes = told.node_count + whole.termination.node_count
    ended = whole.termination.model_copy(update={"bound_usd": min(bounds, default=None), "node_count": nodes})
    if ended.objective_usd is not None:
        ended = with_objective(ended, ended.objective_usd, options.gap_frac)
    return replace(whole, termination=ended)


def _no_worse(matrix: Matrix, found: Solution, start: Floats | None) -> Solution:
    """What was found, or the plan it should have started from: not every solver makes use of one."""
    if start is None or not matrix.holds(start):
        return found
    worth, termination = float(matrix.cost @ start + matrix.constant) * USD_PER_MUSD, found.termination
    if termination.objective_usd is not None and termination.objective_usd >= worth:
        return found
    if termination.reason not in (TerminationReason.FEASIBLE, TerminationReason.NO_PLAN_FOUND):
        return found
    feasible = termination.model_copy(update={"reason": TerminationReason.FEASIBLE, "objective_usd": worth})
    return Solution(feasible, start)


def _polished(model: LiveModel, found: Solution, options: SolveOptions, known: KnownPlans, solver: str) -> Solution:
    """The best continuous decisions for the integers that were found; its worth and the bound are checked."""
    if found.values is None:
        known.check(found.termination, solver)
        return found
    matrix = model.matrix
    if matrix.integer.any():
        polished = solve_fixed(model, options, np.where(matrix.integer, np.rint(found.values), np.nan))
        worth = polished.termination.objective_usd
        if polished.termination.reason is TerminationReason.OPTIMAL and worth is not None:
            known.add_worth("its own plan", worth)
            known.check(found.termination, solver)
            return Solution(with_objective(found.termination, worth, options.gap_frac), polished.values)
    known.add("its own plan", found.values)
    known.check(found.termination, solver)
    return found


def _confirmed(model: LiveModel, first: Solution, options: SolveOptions, search: Search, known: KnownPlans) -> Solution:
    """Search again with HiGHS from nothing, without presolve and with another seed; hold each against the other."""
    other = options.model_copy(update={"seed": (options.seed + 1) % SEED_COUNT})
    found = solve_with_highs(model, other, search, presolve="off")
    known.add_worth("a plan the second search told of", model.best_seen_usd)
    second = _polished(model, found, other, known, SECOND)
    known.check(first.termination, options.solver)
    worth, other_worth = first.termination.objective_usd, second.termination.objective_usd
    if other_worth is None:
        better = first
    elif worth is None:
        better = second
    elif other_worth > worth:
        better = Solution(with_objective(first.termination, other_worth, options.gap_frac), second.values)
    else:
        better = first
    return replace(better, termination=better.termination.model_copy(update={"detail": _told(second.termination)}))


def _told(second: Termination) -> str:
    """What the second search says, in words."""
    if second.reason is TerminationReason.OPTIMAL:
        return f"a second search ({SECOND}) proves {second.objective_usd:,.0f} USD within the same gap"
    if second.reason in (TerminationReason.INFEASIBLE, TerminationReason.UNBOUNDED):
        return f"a second search ({SECOND}) says {second.reason} too"
    bound = "no bound" if second.bound_usd is None else f"a bound of {second.bound_usd:,.0f} USD"
    return f"a second search ({SECOND}) ended at a limit with {bound}, which contradicts no plan"
