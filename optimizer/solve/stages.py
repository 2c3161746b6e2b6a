"""A program in two stages: the whole decisions with what is tied to them, and what only follows from those.

Contracts, openings, GPU blocks and their debt come first; machines, cash and taxes follow. For given first decisions
``x`` the best of what follows is a linear program, and its worth ``V(x)`` is concave in ``x``: the dual prices of the
linking rows at one point bound it everywhere. Benders (1962), doi:10.1007/BF01386316.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.model.program import COMPANY, FIRST_STAGE, Matrix
from optimizer.solve.search import Floats

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
TOUCHING = 1e-6
"""What first decisions take too much of a linking row, next to its limit, by tolerances of the master."""
OWN_ROOM = 2e-7
"""Room that rows of the first stage alone get where it is given: the master keeps them to its own tolerance only."""


def entry_rows(matrix: Matrix) -> Ints:
    """Row of each coefficient."""
    return np.repeat(np.arange(len(matrix.row_lower)), np.diff(matrix.start))


def row_sites(matrix: Matrix) -> Ints:
    """Site whose second stage a row is about; the company where there are several, or none of them alone."""
    row, count = entry_rows(matrix), len(matrix.row_lower)
    second = matrix.site[matrix.index] != FIRST_STAGE
    least, most = np.full(count, np.iinfo(np.int64).max), np.full(count, FIRST_STAGE)
    np.minimum.at(least, row[second], matrix.site[matrix.index[second]])
    np.maximum.at(most, row[second], matrix.site[matrix.index[second]])
    return np.where((least == most) | (most == FIRST_STAGE), most, COMPANY)


def part(matrix: Matrix, rows: Bools | Ints, columns: Bools | Ints) -> Matrix:
    """Some rows and columns of a program, as masks or ascending numbers; without its constant."""
    rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
    columns = np.flatnonzero(columns) if columns.dtype == np.bool_ else columns
    place = np.full(len(matrix.cost), -1)
    place[columns] = np.arange(len(columns))
    lengths = matrix.start[rows + 1] - matrix.start[rows]
    ends = np.cumsum(lengths)
    entries = np.repeat(matrix.start[rows] - (ends - lengths), lengths) + np.arange(lengths.sum())
    index = place[matrix.index[entries]]
    kept = index >= 0
    row = np.repeat(np.arange(len(rows)), lengths)[kept]
    return Matrix(
        cost=matrix.cost[columns],
        constant=0.0,
        column_lower=matrix.column_lower[columns],
        column_upper=matrix.column_upper[columns],
        integer=matrix.integer[columns],
        row_lower=matrix.row_lower[rows],
        row_upper=matrix.row_upper[rows],
        start=np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows)))]).astype(np.int32),
        index=index[kept].astype(np.int32),
        value=matrix.value[entries][kept],
        site=matrix.site[columns],
    )


def activity(matrix: Matrix, values: Floats) -> Floats:
    """``A x`` by row."""
    terms = matrix.value * values[matrix.index]
    return np.bincount(entry_rows(matrix), terms, minlength=len(matrix.row_lower)).astype(float)


@dataclass(frozen=True, eq=False)
class Cut:
    """``theta <= constant + slope x``: a bound on what can follow from first decisions ``x``."""

    constant: float
    slope: Floats

    def at(self, first: Floats) -> float:
        """The bound at a point."""
        return float(self.constant + self.slope @ first)


class Stages:
    """A program split into its stages.

    A linking row has columns of both. Some hold for the first stage alone, as what follows only uses up what they
    limit (power, halls): those the master problem keeps. The others may be missed at a penalty when the second stage
    is evaluated, so that any first decisions have a worth; a plan is what misses none.
    """

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        self.first: Bools = matrix.site == FIRST_STAGE
        """Columns of the first stage."""
        row, count = entry_rows(matrix), len(matrix.row_lower)
        of_first = self.first[matrix.index]
        has_first = np.bincount(row[of_first], minlength=count) > 0
        self.has_second: Bools = np.bincount(row[~of_first], minlength=count) > 0
        """Rows with columns of the second stage."""
        self.linking: Bools = has_first & self.has_second
        """Rows with columns of both."""
        least, most = self._second_activity(row, ~of_first)
        self._least, self._most = least, most
        own, nothing = has_first & ~self.has_second, np.full(count, np.inf)
        self._master_upper = np.where(own | np.isfinite(least), matrix.row_upper - np.where(own, 0.0, least), nothing)
        self._master_lower = np.where(own | np.isfinite(most), matrix.row_lower - np.where(own, 0.0, most), -nothing)
        bounded = np.isfinite(self._master_upper) | np.isfinite(self._master_lower)
        self._master_rows = has_first & bounded
        needs_more = self.linking & np.isfinite(matrix.row_lower) & ~np.isfinite(self._master_lower)
        needs_less = self.linking & np.isfinite(matrix.row_upper) & ~np.isfinite(self._master_upper)
        alone = self.has_second & ~has_first & (row_sites(matrix) == COMPANY)
        self._short = needs_more | (alone & (matrix.row_lower > 0.0))
        self._over = needs_less | (alone & (matrix.row_upper < 0.0))
        company = (matrix.site == COMPANY)[matrix.index]
        self._needed = self._short | self._over | (np.bincount(row[company], minlength=count) > 0)

    def _second_activity(self, row: Ints, of_second: Bools) -> tuple[Floats, Floats]:
        """Least and most that the second stage can add to each row, by the bounds of its columns alone."""
        matrix, count = self.matrix, len(self.matrix.row_lower)
        value, column = matrix.value[of_second], matrix.index[of_second]
        low, high = matrix.column_lower[column] * value, matrix.column_upper[column] * value
        return (
            np.bincount(row[of_second], np.minimum(low, high), minlength=count).astype(float),
            np.bincount(row[of_second], np.maximum(low, high), minlength=count).astype(float),
        )

    @property
    def worthwhile(self) -> bool:
        """Whether there is anything to split."""
        return bool(self.linking.any() and self.matrix.integer.any())

    def elastic(self, penalty_musd: float) -> Matrix:
        """The program with columns at its end by which linking rows are missed at a penalty, none of it whole."""
        matrix, count = self.matrix, len(self.matrix.row_lower)
        missed = np.concatenate([np.flatnonzero(self._short), np.flatnonzero(self._over)])
        sign = np.concatenate([np.ones(int(self._short.sum())), -np.ones(int(self._over.sum()))])
        row = np.concatenate([entry_rows(matrix), missed])
        column = np.concatenate([matrix.index, len(matrix.cost) + np.arange(len(missed))])
        order = np.argsort(row, kind="stable")
        limits = np.stack([matrix.row_lower, matrix.row_upper])
        size = 1.0 + np.abs(np.where(np.isfinite(limits), limits, 0.0))
        room = np.where(self.has_second, 0.0, OWN_ROOM) * size
        return replace(
            matrix,
            row_lower=matrix.row_lower - room[0],
            row_upper=matrix.row_upper + room[1],
            cost=np.concatenate([matrix.cost, np.full(len(missed), -penalty_musd)]),
            column_lower=np.concatenate([matrix.column_lower, np.zeros(len(missed))]),
            column_upper=np.concatenate([matrix.column_upper, np.full(len(missed), np.inf)]),
            integer=np.zeros(len(matrix.cost) + len(missed), dtype=np.bool_),
            start=np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))]).astype(np.int32),
            index=column[order].astype(np.int32),
            value=np.concatenate([matrix.value, sign])[order],
            site=np.concatenate([matrix.site, np.full(len(missed), -1)]),
        )

    def left(self, first: Floats) -> tuple[Floats, Floats]:
        """Limits of the rows after what first decisions take; touched within tolerances they leave what must follow."""
        matrix = self.matrix
        values = np.zeros(len(matrix.cost))
        values[self.first] = first
        taken = activity(matrix, values)
        lower, upper = matrix.row_lower - taken, matrix.row_upper - taken
        return (
            np.where((lower > self._most) & (lower <= self._most + _room(matrix.row_lower)), self._most, lower),
            np.where((upper < self._least) & (upper >= self._least - _room(matrix.row_upper)), self._least, upper),
        )

    def cut(self, values: Floats, price: Floats, worth_musd: float) -> Cut:
        """The cut at a point: all values there, dual prices of the rows, and the worth of the second stage."""
        matrix, row = self.matrix, entry_rows(self.matrix)
        linking = self.linking[row]
        posted = np.bincount(matrix.index[linking], (matrix.value * price[row])[linking], minlength=len(matrix.cost))
        slope = -posted[self.first].astype(float)
        return Cut(worth_musd - float(slope @ values[: len(matrix.cost)][self.first]), slope)

    def master(self) -> Matrix:
        """The first stage: its own rows, and linking rows as far as they hold whatever follows."""
        limits = replace(self.matrix, row_lower=self._master_lower, row_upper=self._master_upper)
        return replace(part(limits, self._master_rows, self.first), constant=self.matrix.constant)

    def affordable(self, values: Floats) -> Matrix:
        """The master with what sites do in ``values``, and the company's columns free.

        Linking rows that what follows must help to meet, cash among them, hold as if machines went on like that. No
        relaxation, but a way to decisions that are likely to be affordable.
        """
        matrix, company = self.matrix, self.matrix.site == COMPANY
        given = activity(matrix, np.where(self.first | company, 0.0, values))
        limits = replace(
            matrix,
            row_lower=np.where(self._needed, matrix.row_lower - given, self._master_lower),
            row_upper=np.where(self._needed, matrix.row_upper - given, self._master_upper),
            cost=np.where(self.first, matrix.cost, 0.0),
        )
        return replace(part(limits, self._master_rows | self._needed, self.first | company), constant=matrix.constant)


def _room(limit: Floats) -> Floats:
    return np.asarray(TOUCHING * (1.0 + np.abs(np.where(np.isfinite(limit), limit, 0.0))))
