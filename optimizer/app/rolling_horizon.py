"""A policy that plans again as the market moves: what has been decided stays, what has not is decided anew.

At each date the program of the whole horizon is stated again, with expectations over the futures that can still
follow (:mod:`optimizer.curves.information`), columns of the past fixed at what was decided, and limits of the past
lifted. Then the linear relaxation is solved, and the whole decisions on which it agrees with the plan so far stay; the
others, and all that is not whole, are chosen by branch and bound. So a date never makes the plan worse in expectation,
and costs a second, not a search; as the best plan may be missed, what re-planning earns is at least what is found.

Where what has happened leaves no plan within the limits, nothing further is signed or ordered unless it helps, and
the limits are lowered to what then can be kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.app.planning import TWIN_DECISIONS, PlanningJob, Stated
from optimizer.curves.futures import Futures
from optimizer.curves.information import Known, MarketPath
from optimizer.domain.decisions import Decisions
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Limit
from optimizer.errors import InvalidInputError, SolverError
from optimizer.model.decided import CONSEQUENCE, decision_months
from optimizer.model.program import Matrix
from optimizer.model.read import read_solution
from optimizer.model.whole import whole_columns
from optimizer.solve import LiveModel, Solution, solve_fixed, solve_program
from optimizer.solve.stages import activity, entry_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
UNSIGNED = ("sign", "critical_mw", "debt_musd", "reconverted_mw", "re_leased_mw")
"""What goes with a contract."""
UNORDERED = ("gpu_blocks", "refreshed_gpu_blocks")
"""What goes with an order of GPUs."""
AGREES = 1e-6
"""Within which the relaxation agrees with a whole decision."""
DUST = 1e-6
"""By which limits that are lowered to what can be kept are lowered further."""


class RollingHorizon(PlanningJob):
    """A portfolio, decisions to start from, and the program in which they are changed; it stays in the solver."""

    def __init__(self, portfolio: Portfolio, options: SolveOptions, every_months: int) -> None:
        """Plan again at the starts of periods, at least ``every_months`` apart, within ``options`` a date."""
        finance = portfolio.finance.model_copy(update={"stresses": ()})  # a stress is of the base paths, not of today's
        super().__init__(portfolio.model_copy(update={"finance": finance}), options, None, None)
        self._model: LiveModel | None = None
        self._futures = Futures.of(self.portfolio)
        self._first = self._stated(self._futures)
        self._decided: Ints = decision_months(self._first.program, self._first.problem)
        self._basis: Any = None
        self._closed: NDArray[np.bool_] | None = None
        self.dates = rolling_dates(portfolio, every_months)
        """Months from the start at which it is planned again."""
        self.limits_reached = 0
        """Dates at which a time limit ended the search."""
        self.limits_lowered = 0
        """Dates at which limits could not be kept."""
        self._relaxed(self._first.model)
        self._first_basis = self._basis

    def taken_up(self, decisions: Decisions) -> Floats:
        """The columns of decisions, as they are expected to turn out: what is not whole is done at its best.

        Raises:
            InvalidInputError: for decisions that then break a limit.
        """
        whole = whole_columns(self._first.program, decisions)
        found = solve_fixed(LiveModel(self._first.matrix), self.options, whole)
        if found.values is None:
            told, fix = "is no plan that keeps every limit", "evaluate it to see which it breaks"
            raise InvalidInputError.single("decisions", told, fix, "simulation")
        return found.values

    def walk(
        self, values: Floats, path: MarketPath, closed: NDArray[np.bool_] | None = None
    ) -> Iterator[tuple[int, Decisions]]:
        """Decisions after each date on a path, from the columns of those to begin with; ``closed`` ones stay at 0.

        What it comes to does not depend on the paths before.
        """
        self._model, self._basis, self._closed = None, self._first_basis, closed
        self.limits_reached = self.limits_lowered = 0
        for now in self.dates:
            self.started = time.monotonic()
            known = Known(path, now, self._built(values, now))
            stated = self._stated(replace(self._futures, known=known))
            values = self._decided_anew(stated, values, now)
            yield now, read_solution(stated.program, stated.problem, values).decisions

    def best(self, closed: NDArray[np.bool_]) -> Decisions | None:
        """The best decisions to begin with where some columns stay at 0; None if there are none, or none in time."""
        problem, program, matrix, _ = self._first
        upper = np.where(closed, 0.0, matrix.column_upper)
        found = solve_program(replace(matrix, column_upper=upper), self.options, self._search())
        return None if found.values is None else read_solution(program, problem, found.values).decisions

    def closed_until(self, month: int) -> NDArray[np.bool_]:
        """Which columns sign, order or open something before a month."""
        closed = np.zeros(len(self._decided), dtype=np.bool_)
        for name in TWIN_DECISIONS:
            columns = self._first.program.variables[name].columns
            closed[columns] = self._decided[columns] < month
        return closed

    def _alive(self, matrix: Matrix) -> LiveModel:
        if self._model is None:
            self._model = LiveModel(matrix)
        else:
            self._model.become(matrix)
        return self._model

    def _built(self, values: Floats, now: int) -> frozenset[str]:
        """Sites at which a contract was to energize by now, so that it has shown how building turns out."""
        starts, sign = self._first.problem.starts, self._first.program.variables["sign"].columns
        due = (values[sign] > 0.5) & (starts.energize_month <= now)
        return frozenset(self.portfolio.sites[site].name for site in np.unique(starts.site[due]))

    def _decided_anew(self, stated: Stated, values: Floats, now: int) -> Floats:
        found = self._searched(stated, values, self._within(stated, values, now))
        if found is None:
            self.limits_lowered += 1
            kept = self._nothing_further(stated, values, now)
            found = self._searched(stated, kept, self._lowered(stated, kept, now))
        if found is None:
            raise SolverError(f"no plan can be found to go on with from {self.portfolio.horizon.month_at(now):%Y-%m}")
        return found

    def _within(self, stated: Stated, values: Floats, now: int) -> dict[str, Floats]:
        """Bounds in which the past is fixed, and limits of the past are lifted."""
        matrix, past = stated.matrix, self._decided < now
        over = np.bincount(entry_rows(matrix), ~past[matrix.index], len(matrix.row_lower)) == 0
        lower, upper = matrix.column_lower.copy(), matrix.column_upper.copy()
        if self._closed is not None:
            upper[self._closed] = 0.0
        lower[past] = upper[past] = values[past]
        cash, first = stated.program.variables["cash_musd"].columns, stated.problem.calendar.period_first
        lower[cash[first < now]] = -np.inf
        return {
            "column_lower": lower,
            "column_upper": upper,
            "row_lower": np.where(over, -np.inf, matrix.row_lower),
            "row_upper": np.where(over, np.inf, matrix.row_upper),
        }

    def _nothing_further(self, stated: Stated, values: Floats, now: int) -> Floats:
        """The plan so far without what it would sign or order from now on."""
        kept, program = values.copy(), stated.program
        for names, key_length in ((UNSIGNED, 3), (UNORDERED, 3)):
            chosen = program.variables[names[0]]
            dropped = {
                key[:key_length]  # type: ignore[index]
                for key, month in zip(chosen.keys, self._decided[chosen.columns].tolist(), strict=True)
                if month >= now
            }
            for name in names:
                block = program.variables[name]
                gone = [key[:key_length] in dropped for key in block.keys]  # type: ignore[index]
                kept[block.columns[np.array(gone, dtype=bool)]] = 0.0
        return kept

    def _lowered(self, stated: Stated, kept: Floats, now: int) -> dict[str, Floats]:
        """Bounds that ``kept`` keeps; cash where it leads."""
        matrix, decided = stated.matrix, self._decided != CONSEQUENCE
        bounds = self._within(stated, kept, now)
        lower, upper = bounds["column_lower"], bounds["column_upper"]
        lower[decided] = np.minimum(lower[decided], kept[decided])
        upper[decided] = np.maximum(upper[decided], kept[decided])
        follows = np.bincount(entry_rows(matrix), ~decided[matrix.index], len(matrix.row_lower)) > 0
        reached = activity(matrix, kept)
        bounds["row_lower"] = np.where(follows, bounds["row_lower"], np.minimum(bounds["row_lower"], reached - DUST))
        bounds["row_upper"] = np.where(follows, bounds["row_upper"], np.maximum(bounds["row_upper"], reached + DUST))
        cash = stated.program.variables["cash_musd"].columns
        floor = lower[cash].copy()
        lower[cash] = -np.inf
        with stated.model.changed(**bounds):
            found = solve_fixed(stated.model, self.options, np.where(decided, kept, np.nan))
        if found.values is None:
            raise SolverError("what follows from the decisions so far cannot be computed")
        lower[cash] = np.minimum(floor, found.values[cash] - DUST)
        return bounds

    def _searched(self, stated: Stated, values: Floats, bounds: dict[str, Floats]) -> Floats | None:
        """The best decisions within bounds, as far as the relaxation does not agree with those at hand."""
        model, integer = stated.model, stated.matrix.integer
        open_now = integer & (bounds["column_lower"] < bounds["column_upper"])
        with model.changed(**bounds):
            relaxed = self._relaxed(model)
            if relaxed.values is None or not open_now.any():
                return relaxed.values
            settled = integer & (np.abs(relaxed.values - values) <= AGREES)
            found = solve_fixed(model, self.options, np.where(settled, np.rint(values), np.nan))
        self._note(found)
        return found.values

    def _relaxed(self, model: LiveModel) -> Solution:
        """The linear relaxation, from where that of the last date ended."""
        with model.changed(integer=np.zeros_like(model.matrix.integer)):
            model.forget()
            if self._basis is not None and len(self._basis.row_status) == len(model.matrix.row_lower):
                model.start_from_basis(self._basis)
            ended = model.run(self.options, self._search())
            found = Solution(ended, model.values if ended.has_plan else None)
            if found.values is not None:
                self._basis = model.basis
        self._note(found)
        return found

    def _note(self, found: Solution) -> None:
        self.limits_reached += found.termination.limit is not Limit.NONE


def rolling_dates(portfolio: Portfolio, every_months: int) -> tuple[int, ...]:
    """Starts of periods after the first, at least so many months apart."""
    found, last = [], 0
    for period in portfolio.horizon.periods[1:]:
        if period.first - last >= every_months:
            found.append(period.first)
            last = period.first
    return tuple(found)
