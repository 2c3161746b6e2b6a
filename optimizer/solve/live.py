"""A program that lives inside HiGHS: passed once as arrays, then re-priced in place and run again.

HiGHS fixes its threads at the first solve of a process, so a process solves with one thread count. The solver runs in
a thread of its own, which leaves the main thread free to see Ctrl-C.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import highspy
import numpy as np
from numpy.typing import NDArray

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Termination
from optimizer.errors import SolverError
from optimizer.model.program import Matrix
from optimizer.solve.search import Floats, Search
from optimizer.solve.status import termination_of
from optimizer.units import USD_PER_MUSD

SECONDS_BETWEEN_REPORTS = 0.5
ABSOLUTE_GAP_MUSD = 1e-6
"""A gap of a dollar is no gap."""
PLAIN: Final = {
    "presolve": "choose",
    "primal_feasibility_tolerance": 1e-7,
    "threads": 1,
    "random_seed": 0,
    "simplex_strategy": 1,
}
"""What a run goes back to where it is not told otherwise."""
PASS_ANEW_FRAC = 0.01
"""Above this share of changed coefficients all are passed again: one by one each costs a hundred times as much."""
FINITE = ("cost", "value")
"""Arrays of a program without infinities."""
LIMITS = ("column_lower", "column_upper", "row_lower", "row_upper")
"""Arrays of a program that may be infinite, not NaN."""


class LiveModel:
    """A program inside HiGHS.

    Changes go to the solver in place, only where something differs, and leave its basis; :meth:`forget` drops what
    earlier runs left behind. Raises SolverError where a number is not finite or HiGHS refuses it.
    """

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.best_seen_usd: float | None = None
        """Worth of the best plan that HiGHS told of in the last run."""
        self._search = Search()
        self.highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        """HiGHS itself; for questions, not for changes."""
        self._set("log_to_console", False)  # output_flag would silence the callbacks too
        self._set("mip_abs_gap", ABSOLUTE_GAP_MUSD)
        self._set("mip_min_logging_interval", SECONDS_BETWEEN_REPORTS)
        _check(matrix, (*FINITE, *LIMITS))
        self._pass()
        self._listen()

    @classmethod
    def of(cls, program: Matrix | LiveModel) -> LiveModel:
        """A program brought to life, or one that is alive already."""
        return program if isinstance(program, LiveModel) else cls(program)

    # ------------------------------------------------------------------------------------------------------ re-pricing

    def become(self, matrix: Matrix) -> None:
        """Take on the numbers of another program; in place if its rows and columns meet in the same places."""
        ours = self.matrix
        if (
            matrix.shape != ours.shape
            or not np.array_equal(matrix.start, ours.start)
            or not np.array_equal(matrix.index, ours.index)
        ):
            _check(matrix, (*FINITE, *LIMITS))
            self.matrix = matrix
            self._pass()
            return
        names = (*FINITE, *LIMITS, "integer")
        self.update(constant=matrix.constant, **{name: getattr(matrix, name) for name in names})

    def update(self, *, constant: float | None = None, **arrays: Any) -> None:
        """Replace arrays of the program, named and shaped as in :class:`~optimizer.model.program.Matrix`.

        ``value`` are the coefficients in the places they have; ``start`` and ``index`` stay.
        """
        before = self.matrix
        changed = {name: np.flatnonzero(array != getattr(before, name)) for name, array in arrays.items()}
        changed = {name: where for name, where in changed.items() if len(where)}
        _check(replace(before, **arrays), tuple(changed))
        self.matrix = replace(before, **arrays, constant=before.constant if constant is None else constant)
        if self.matrix.constant != before.constant:
            _accepted(self.highs.changeObjectiveOffset(self.matrix.constant), "a constant")
        if len(changed.get("value", ())) > PASS_ANEW_FRAC * len(before.value):
            basis = self.highs.getBasis()
            self._pass()
            self.highs.setBasis(basis)
            return
        self._change(changed)

    def add_row(self, index: Any, value: Floats, lower: float, upper: float) -> None:
        """Add a row at the end; the basis of the last run stays, with the row's slack in it."""
        before, index = self.matrix, np.asarray(index, dtype=np.int32)
        self.matrix = replace(
            before,
            row_lower=np.append(before.row_lower, lower),
            row_upper=np.append(before.row_upper, upper),
            start=np.append(before.start, before.start[-1] + len(index)).astype(np.int32),
            index=np.concatenate([before.index, index]),
            value=np.concatenate([before.value, value]),
        )
        _check(self.matrix, ("value",))
        _accepted(self.highs.addRow(lower, upper, len(index), index, value), "a row")

    @contextmanager
    def changed(self, **arrays: Any) -> Iterator[None]:
        """The same as :meth:`update`, taken back at the end."""
        before = {name: getattr(self.matrix, name) for name in arrays}
        self.update(**arrays)
        try:
            yield
        finally:
            self.update(**before)

    def _change(self, changed: dict[str, NDArray[np.int64]]) -> None:
        highs, matrix = self.highs, self.matrix
        none = np.zeros(0, dtype=np.int64)
        if len(where := changed.get("cost", none)):
            _accepted(highs.changeColsCost(len(where), _ids(where), matrix.cost[where]), "costs")
        if len(where := np.union1d(changed.get("column_lower", none), changed.get("column_upper", none))):
            lower, upper = matrix.column_lower[where], matrix.column_upper[where]
            _accepted(highs.changeColsBounds(len(where), _ids(where), lower, upper), "bounds of columns")
        if len(where := np.union1d(changed.get("row_lower", none), changed.get("row_upper", none))):
            lower, upper = matrix.row_lower[where], matrix.row_upper[where]
            _accepted(highs.changeRowsBounds(len(where), _ids(where), lower, upper), "bounds of rows")
        if len(where := changed.get("integer", none)):
            kinds = matrix.integer[where].astype(np.uint8)
            _accepted(highs.changeColsIntegrality(len(where), _ids(where), kinds), "kinds of columns")
        where = changed.get("value", none)
        rows = np.searchsorted(matrix.start, where, side="right") - 1
        for row, place in zip(rows.tolist(), where.tolist(), strict=True):
            _accepted(highs.changeCoeff(row, int(matrix.index[place]), float(matrix.value[place])), "a coefficient")

    def forget(self) -> None:
        """Drop basis and solution, so that the next run does not depend on earlier ones."""
        self.highs.clearSolver()

    # --------------------------------------------------------------------------------------------------------- running

    @property
    def basis(self) -> Any:
        """Basis of the last run of a linear program."""
        return self.highs.getBasis()

    @property
    def has_basis(self) -> bool:
        """Whether there is one."""
        return bool(self.highs.getBasis().valid)

    def start_from_basis(self, basis: Any) -> None:
        """Begin the next run of a linear program here."""
        self.highs.setBasis(basis)

    def start_from_plan(self, values: Floats) -> None:
        """Give the next run a feasible solution; HiGHS checks it."""
        solution = highspy.HighsSolution()
        solution.col_value, solution.value_valid = values, True
        self.highs.setSolution(solution)

    def run(
        self, options: SolveOptions, search: Search, *, stoppable: bool = True, **special: str | float | int
    ) -> Termination:
        """Solve within the limits of ``options`` and with further options of HiGHS for this run.

        A run that is not ``stoppable`` only takes note of Ctrl-C.

        Raises:
            SolverError: when HiGHS refuses an option or fails.
        """
        ours = {"threads": options.threads, "random_seed": options.seed, "mip_rel_gap": options.gap_frac}
        for name, value in {**PLAIN, **ours, **special}.items():
            self._set(name, value)
        # HiGHS counts a mixed-integer program's time from the start of its run, a linear one's from its first run.
        spent = 0.0 if self.matrix.integer.any() else self.highs.getRunTime()
        self._set("time_limit", spent + options.time_limit_s)
        self._search, self.best_seen_usd = search if stoppable else Search(), None
        _run(self.highs, search)
        return termination_of(self.highs, stoppable and search.stopped)

    @property
    def status(self) -> Any:
        """Model status of the last run."""
        return self.highs.getModelStatus()

    @property
    def prices(self) -> Floats:
        """Dual prices of the rows after the last run of a linear program: worth of a unit more on the right."""
        return np.array(self.highs.getSolution().row_dual)

    @property
    def reduced_costs(self) -> Floats:
        """Reduced costs of the columns after the last run of a linear program: worth of a unit more."""
        return np.array(self.highs.getSolution().col_dual)

    @property
    def values(self) -> Floats:
        """The solution of the last run."""
        return np.array(self.highs.getSolution().col_value)

    # ---------------------------------------------------------------------------------------------------------- HiGHS

    def _set(self, name: str, value: object) -> None:
        set_option(self.highs, name, value)

    def _pass(self) -> None:
        matrix = self.matrix
        rows, columns = matrix.shape
        status = self.highs.passModel(
            columns, rows, len(matrix.value),
            int(highspy.MatrixFormat.kRowwise), int(highspy.ObjSense.kMaximize), matrix.constant,
            matrix.cost, matrix.column_lower, matrix.column_upper, matrix.row_lower, matrix.row_upper,
            matrix.start[:-1], matrix.index, matrix.value, matrix.integer.astype(np.int32),
        )  # fmt: skip
        _accepted(status, "the program")

    def _listen(self) -> None:
        """Report plans and bounds to the search of the run, and end the run when it is stopped."""
        reported = [0.0]

        def on_event(event: Any) -> None:
            if self._search.stopped:
                event.interrupt()

        def on_plan(event: Any) -> None:
            if self._search.on_plan is not None:
                self._search.on_plan(np.array(event.data_out.mip_solution))

        def on_log(event: Any) -> None:
            data, now = event.data_out, time.monotonic()
            incumbent, bound = _usd(float(data.mip_primal_bound)), _usd(float(data.mip_dual_bound))
            if incumbent is not None:
                self.best_seen_usd = max(incumbent, incumbent if self.best_seen_usd is None else self.best_seen_usd)
            if self._search.on_incumbent is None or now - reported[0] < SECONDS_BETWEEN_REPORTS:
                return
            reported[0] = now
            self._search.on_incumbent(incumbent, bound, int(data.mip_node_count))

        self.highs.cbMipInterrupt += on_event
        self.highs.cbSimplexInterrupt += on_event
        self.highs.cbIpmInterrupt += on_event
        self.highs.cbMipImprovingSolution += on_plan
        self.highs.cbMipLogging += on_log


def set_option(highs: Any, name: str, value: object) -> None:
    """Set an option, and fail if HiGHS does not know it or refuses the value.

    Raises:
        SolverError: naming option and value.
    """
    if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS refuses option {name} = {value!r}")


def _check(matrix: Matrix, names: tuple[str, ...]) -> None:
    for name in names:
        array = getattr(matrix, name)
        if name in FINITE and not np.isfinite(array).all():
            raise SolverError(f"the program has a {name} that is not finite; check the portfolio's numbers")
        if name in LIMITS and np.isnan(array).any():
            raise SolverError(f"the program has a {name} that is not a number; check the portfolio's numbers")


def _accepted(status: Any, what: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS refuses {what}; a number is not finite or too large")


def _run(highs: Any, search: Search) -> None:
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


def _ids(where: NDArray[np.int64]) -> NDArray[np.int32]:
    return where.astype(np.int32)


def _usd(musd: float) -> float | None:
    return musd * USD_PER_MUSD if np.isfinite(musd) else None
