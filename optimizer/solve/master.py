"""The master problem: the first stage with a column for the worth of what follows, its long rows stated by differences.

A contract is in the rows of all months of its term with the same coefficient, so neighbouring rows hardly differ. Where
that is so, a column holds the activity of each row, and the row states how it differs from the one before: the same
program with a third of the coefficients.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.model.program import FIRST_STAGE, Matrix
from optimizer.solve.live import LiveModel
from optimizer.solve.search import Floats
from optimizer.solve.stages import Bools, Cut, activity, entry_rows

THETA, ACTIVITY = -3, -4
"""Places of the columns for the worth of what follows, and for the activity of a row."""
LEAST_LENGTH, MOST_SHARE = 8, 0.7
"""Rows that are shorter, or whose difference is longer than this share of them, stay as they are."""
NO_DIFFERENCE = 1e-12


class Master:
    """The first stage under cuts, alive in HiGHS. ``program`` has no ``theta`` yet."""

    def __init__(self, program: Matrix) -> None:
        self._stated, self._told = program, np.zeros(0, dtype=np.int64)
        self.model = LiveModel(_with_theta(self._by_differences(program)))
        self.first: Bools = self.model.matrix.site == FIRST_STAGE
        """Columns of the first stage."""
        self.integer: Bools = self.model.matrix.integer
        """Columns that are whole numbers, relaxed or not."""
        self.model.update(integer=np.zeros_like(self.integer))
        self.cuts: list[Cut] = []

    def add(self, cut: Cut) -> None:
        """State a cut."""
        used = np.flatnonzero(cut.slope)
        place = np.append(np.flatnonzero(self.first)[used], len(self.first) - 1)
        self.model.add_row(place, np.append(-cut.slope[used], 1.0), -np.inf, cut.constant)
        self.cuts.append(cut)

    def limit(self, program: Matrix) -> None:
        """Take on other limits of the rows that were stated."""
        told = self._told
        lower, upper = self.model.matrix.row_lower.copy(), self.model.matrix.row_upper.copy()
        count = len(program.row_lower)
        lower[:count], upper[:count] = program.row_lower, program.row_upper
        lower[told] = upper[told] = 0.0
        low, high = self.model.matrix.column_lower.copy(), self.model.matrix.column_upper.copy()
        held = self.model.matrix.site == ACTIVITY
        low[held], high[held] = program.row_lower[told], program.row_upper[told]
        self.model.update(row_lower=lower, row_upper=upper, column_lower=low, column_upper=high)

    def expected_musd(self, first: Floats) -> float:
        """What the cuts let follow from first decisions."""
        return min((cut.at(first) for cut in self.cuts), default=np.inf)

    def complete(self, first: Floats) -> Floats:
        """All columns for first decisions."""
        values = np.zeros(len(self.first))
        values[self.first] = first
        stated = np.zeros(len(self._stated.cost))
        stated[self._stated.site == FIRST_STAGE] = first
        values[self.model.matrix.site == ACTIVITY] = activity(self._stated, stated)[self._told]
        values[-1] = self.expected_musd(first)
        return values

    def _by_differences(self, program: Matrix) -> Matrix:
        count, width = program.shape
        row = entry_rows(program)
        later = row < count - 1
        place = np.concatenate([row * width + program.index, (row[later] + 1) * width + program.index[later]])
        value = np.concatenate([program.value, -program.value[later]])
        places, inverse = np.unique(place, return_inverse=True)
        difference = np.bincount(inverse, value, minlength=len(places))
        kept = np.abs(difference) > NO_DIFFERENCE
        places, difference = places[kept], difference[kept]
        lengths = np.diff(program.start)
        changes = np.bincount(places // width, minlength=count)
        by_difference = (lengths > LEAST_LENGTH) & (changes + 2 < MOST_SHARE * lengths)
        by_difference[:1] = False
        told = by_difference.copy()
        told[:-1] |= by_difference[1:]
        self._told = np.flatnonzero(told)
        column = np.full(count, -1)
        column[told] = width + np.arange(len(self._told))
        follows = np.flatnonzero(by_difference)
        whole, changed = ~by_difference[row], by_difference[places // width]
        rows = np.concatenate([row[whole], places[changed] // width, self._told, follows])
        columns = np.concatenate([program.index[whole], places[changed] % width, column[told], column[follows - 1]])
        values = np.concatenate(
            [program.value[whole], difference[changed], -np.ones(len(self._told)), np.ones(len(follows))]
        )
        order = np.argsort(rows, kind="stable")
        more = np.zeros(len(self._told))
        return replace(
            program,
            cost=np.append(program.cost, more),
            column_lower=np.append(program.column_lower, program.row_lower[told]),
            column_upper=np.append(program.column_upper, program.row_upper[told]),
            integer=np.append(program.integer, more > 0.0),
            row_lower=np.where(told, 0.0, program.row_lower),
            row_upper=np.where(told, 0.0, program.row_upper),
            start=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))]).astype(np.int32),
            index=columns[order].astype(np.int32),
            value=values[order],
            site=np.append(program.site, np.full(len(more), ACTIVITY)),
        )


def _with_theta(program: Matrix) -> Matrix:
    return replace(
        program,
        cost=np.append(program.cost, 1.0),
        column_lower=np.append(program.column_lower, -np.inf),
        column_upper=np.append(program.column_upper, np.inf),
        integer=np.append(program.integer, False),
        site=np.append(program.site, THETA),
    )
