"""The HiGHS adapter: arrays in, solution and termination out, with progress and a way to stop.

HiGHS fixes its threads at the first solve of a process, so a process solves with one thread count. The solver runs
in a thread of
its own, which leaves the main thread free to see Ctrl-C.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.model.program import Matrix
from optimizer.solve.status import AMBIGUOUS, termination_of
from optimizer.units import USD_PER_MUSD

Floats = NDArray[np.float64]
PRIMAL_TOLERANCE = 1e-9
"""Rows and bounds of the final linear program hold to this, in million USD and MW: a tenth of a cent."""
SECONDS_BETWEEN_REPORTS = 0.5
ABSOLUTE_GAP_MUSD = 1e-6
"""A gap of a dollar is no gap."""
BOUND_TOLERANCE = 1e-5
"""Relative excess of a plan over the bound that tolerances can explain."""


@dataclass
class Search:
    """How a running solve reports and is stopped. One search covers all runs of a job: once stopped, it stays so."""

    on_incumbent: Callable[[float | None, float | None, int], None] | None = None
    """Called from the solver's thread with incumbent and bound in USD, and nodes; at most a few times a second."""
    should_stop: Callable[[], bool] = field(default=lambda: False)
    """Asked often; True ends the search with the best plan so far."""
    interrupted: bool = False
    """Whether Ctrl-C was pressed while the solver ran."""

    @property
    def stopped(self) -> bool:
        """Whether to end with what there is."""
        return self.interrupted or self.should_stop()


@dataclass(frozen=True, eq=False)
class Solution:
    """What the solver found."""

    termination: Termination
    """How the search ended, money in USD."""
    values: Floats | None
    """The solution vector; None if there is none."""


def set_option(highs: Any, name: str, value: object) -> None:
    """Set an option, and fail if HiGHS does not know it or refuses the value.

    Raises:
        SolverError: naming option and value.
    """
    if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS refuses option {name} = {value!r}")


def solve_program(
    matrix: Matrix, options: SolveOptions, search: Search | None = None, start: Floats | None = None
) -> Solution:
    """Solve a mixed-integer program to the gap or the limits of ``options``, from a feasible ``start`` if there is one.

    When a plan is found, its integers are fixed and the rest is solved once more as a linear program at tight
    tolerance, so that the plan is exact to fractions of a cent and not only to the tolerance of branch and bound.

    Raises:
        SolverError: when the solver fails, or its bound is contradicted by a plan that it found itself.
    """
    search = search or Search()
    highs = load(matrix, options, search)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value, solution.value_valid = start, True
        highs.setSolution(solution)
    run(highs, search)
    if highs.getModelStatus() in AMBIGUOUS and not search.stopped:
        highs = load(matrix, options, search)  # presolve saw "infeasible or unbounded"; without it HiGHS tells which
        set_option(highs, "presolve", "off")
        run(highs, search)
    termination = termination_of(highs, search.stopped)
    if not termination.has_plan:
        return Solution(termination, None)
    found = np.array(highs.getSolution().col_value)
    if not matrix.integer.any():
        return Solution(termination, found)
    polished = solve_fixed(matrix, options, np.where(matrix.integer, np.rint(found), np.nan))
    if polished.values is None or polished.termination.reason is not TerminationReason.OPTIMAL:
        return Solution(termination, found)
    return Solution(_proven(termination, polished.termination.objective_usd, options.gap_frac), polished.values)


def _proven(termination: Termination, objective_usd: float | None, gap_frac: float) -> Termination:
    """The termination with the polished plan's own objective; its gap is to the bound of the search, if any."""
    objective = objective_usd or 0.0
    if termination.bound_usd is None:
        return termination.model_copy(update={"objective_usd": objective, "gap_frac": None})
    if objective - termination.bound_usd > BOUND_TOLERANCE * max(abs(objective), USD_PER_MUSD):
        raise SolverError(
            f"HiGHS reports a bound of {termination.bound_usd:,.0f} USD, but its own plan is worth "
            f"{objective:,.0f} USD: do not trust either; solve again with another seed"
        )
    bound = max(termination.bound_usd, objective)
    gap = (bound - objective) / max(abs(objective), 1.0)
    known: dict[str, object] = {"objective_usd": objective, "bound_usd": bound, "gap_frac": gap}
    if gap <= gap_frac:
        known |= {"reason": TerminationReason.OPTIMAL, "limit": Limit.NONE}
    return termination.model_copy(update=known)


def solve_fixed(matrix: Matrix, options: SolveOptions, fixed: Floats, search: Search | None = None) -> Solution:
    """Solve with columns fixed to the values of ``fixed``, NaN where free; integers that are free stay integer.

    It is not stopped with the search, for it is what there is to fall back on; it only takes note of Ctrl-C.
    """
    search, given = search or Search(), ~np.isnan(fixed)
    narrowed = replace(
        matrix,
        column_lower=np.where(given, fixed, matrix.column_lower),
        column_upper=np.where(given, fixed, matrix.column_upper),
        integer=matrix.integer & ~given,
    )
    highs = load(narrowed, options, Search())
    set_option(highs, "primal_feasibility_tolerance", PRIMAL_TOLERANCE)
    run(highs, search)
    termination = termination_of(highs, interrupted=False)
    return Solution(termination, np.array(highs.getSolution().col_value) if termination.has_plan else None)


def load(matrix: Matrix, options: SolveOptions, search: Search) -> Any:
    """A HiGHS object with options set, the program passed as arrays, and the search listening."""
    for name in ("cost", "value"):
        if not np.isfinite(getattr(matrix, name)).all():
            raise SolverError(f"the program has a {name} that is not finite; check the portfolio's numbers")
    for name in ("column_lower", "column_upper", "row_lower", "row_upper"):
        if np.isnan(getattr(matrix, name)).any():
            raise SolverError(f"the program has a {name} that is not a number; check the portfolio's numbers")
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    set_option(highs, "log_to_console", False)  # output_flag would silence the callbacks too
    set_option(highs, "threads", int(options.threads))
    set_option(highs, "random_seed", int(options.seed))
    set_option(highs, "time_limit", float(options.time_limit_s))
    set_option(highs, "mip_rel_gap", float(options.gap_frac))
    set_option(highs, "mip_abs_gap", ABSOLUTE_GAP_MUSD)
    set_option(highs, "mip_min_logging_interval", SECONDS_BETWEEN_REPORTS)
    program = highspy.HighsLp()
    rows, columns = matrix.shape
    program.num_row_, program.num_col_ = rows, columns
    program.sense_ = highspy.ObjSense.kMaximize
    program.offset_ = matrix.constant
    program.col_cost_, program.col_lower_, program.col_upper_ = matrix.cost, matrix.column_lower, matrix.column_upper
    program.row_lower_, program.row_upper_ = matrix.row_lower, matrix.row_upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.num_row_, program.a_matrix_.num_col_ = rows, columns
    program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = (
        matrix.start,
        matrix.index,
        matrix.value,
    )
    if matrix.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        program.integrality_ = [kinds[int(flag)] for flag in matrix.integer]
    if highs.passModel(program) == highspy.HighsStatus.kError:
        raise SolverError("HiGHS refuses the program; a coefficient or bound is not finite")
    _listen(highs, search)
    return highs


def _listen(highs: Any, search: Search) -> None:
    """Report incumbents to the search, and end the run when it is stopped."""
    reported = [0.0]

    def on_event(event: Any) -> None:
        if search.stopped:
            event.interrupt()

    def on_log(event: Any) -> None:
        now = time.monotonic()
        if search.on_incumbent is None or now - reported[0] < SECONDS_BETWEEN_REPORTS:
            return
        reported[0] = now
        data = event.data_out
        incumbent, bound = float(data.mip_primal_bound), float(data.mip_dual_bound)
        search.on_incumbent(_usd(incumbent), _usd(bound), int(data.mip_node_count))

    highs.cbMipInterrupt += on_event
    highs.cbSimplexInterrupt += on_event
    highs.cbIpmInterrupt += on_event
    highs.cbMipLogging += on_log


def run(highs: Any, search: Search) -> None:
    """Run in a thread of its own, so that the main thread sees Ctrl-C; it stops the search, not the program."""
    failure: list[BaseException] = []
    done = threading.Event()  # not Thread.join: interrupted by Ctrl-C it takes a running thread for a finished one

    def work() -> None:
        try:
            highs.run()
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="highs", daemon=True).start()
    while not done.is_set():
        try:
            done.wait(0.1)
        except KeyboardInterrupt:
            search.interrupted = True
    if failure:
        raise SolverError(f"HiGHS failed: {failure[0]}") from failure[0]


def _usd(musd: float) -> float | None:
    return musd * USD_PER_MUSD if np.isfinite(musd) else None
