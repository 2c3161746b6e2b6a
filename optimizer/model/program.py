"""A mixed-integer program stated in Pyomo: blocks of variables, and rows given as blocks of arrays.

Every block of variables is an ordinary Pyomo variable, declared when somebody asks for it. Rows are kept as triplets
(row, column, coefficient) and go to HiGHS as arrays; :meth:`Program.materialise` turns them into ordinary Pyomo
constraints when another solver or a reader wants them. It is one model either way.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import ArrayLike, NDArray
from pyomo.core.expr.numeric_expr import LinearExpression

from optimizer.domain.proof import ModelSize
from optimizer.errors import ModelAssemblyError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
FIRST_STAGE, COMPANY = -2, -1
"""Places of columns: decided by themselves, or following from those for the whole company."""
NEGLIGIBLE = 1e-11
"""Coefficients below this are dropped; at million USD and MW they are fractions of a cent."""


@dataclass(frozen=True, eq=False)
class VariableBlock:
    """Consecutive columns of the program, one for each key."""

    name: str
    """Name of the Pyomo component, a noun with its unit."""
    keys: tuple[Hashable, ...]
    """Index of each column, in planner's words."""
    offset: int
    """First column."""
    lower: Floats
    """Lower bounds."""
    upper: Floats
    """Upper bounds."""
    integer: bool
    """Whether the variables are whole numbers."""
    site: Ints
    """Of what only follows from the other decisions, the index of its site, -1 for the whole company; else -2."""
    model: pyo.ConcreteModel
    """The Pyomo model it belongs to."""
    declared: Mapping[int, Any] | None = None
    """Pyomo variables by position, where they were there before the block."""

    @property
    def columns(self) -> Ints:
        """Column numbers, in the order of the keys."""
        return self.offset + np.arange(len(self.keys))

    @property
    def component(self) -> Any:
        """The Pyomo variable, declared when first asked for: HiGHS needs none, and they cost more than all rows."""
        if self.declared is not None:
            return self.declared
        if self.model.component(self.name) is None:
            limits = [
                (low if np.isfinite(low) else None, high if np.isfinite(high) else None)
                for low, high in zip(self.lower.tolist(), self.upper.tolist(), strict=True)
            ]
            kind = pyo.Integers if self.integer else pyo.Reals
            self.model.add_component(
                self.name, pyo.Var(range(len(limits)), domain=kind, bounds=dict(enumerate(limits)))
            )
        return self.model.component(self.name)


@dataclass(frozen=True, eq=False)
class RowBlock:
    """Rows ``lower <= A x <= upper`` with A as triplets."""

    name: str
    """Name of the block, a sentence."""
    keys: tuple[Hashable, ...]
    """Index of each row, in planner's words."""
    row: Ints
    """Row of each triplet within the block."""
    column: Ints
    """Column of each triplet."""
    coefficient: Floats
    """Coefficient of each triplet."""
    lower: Floats
    """Lower bounds; -inf where there is none."""
    upper: Floats
    """Upper bounds; +inf where there is none."""
    stated: bool = False
    """Whether they are constraints of the Pyomo model already."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """The compiled program: maximise ``cost x + constant`` over ``row_lower <= A x <= row_upper``, A by rows."""

    cost: Floats
    constant: float
    column_lower: Floats
    column_upper: Floats
    integer: NDArray[np.bool_]
    row_lower: Floats
    row_upper: Floats
    start: NDArray[np.int32]
    index: NDArray[np.int32]
    value: Floats
    site: Ints
    """Of columns that only follow from the other decisions, the index of their site, -1 for the company; else -2."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.row_lower), len(self.cost)

    @property
    def size(self) -> ModelSize:
        """Rows, columns, integers and nonzeros."""
        return ModelSize(
            rows=len(self.row_lower), columns=len(self.cost), integers=int(self.integer.sum()), nonzeros=len(self.value)
        )

    def holds(self, values: Floats, tolerance: float = 1e-6) -> bool:
        """Whether a vector satisfies every row, relative to the size of its terms, every bound and whole number."""
        rows = np.repeat(np.arange(len(self.row_lower)), np.diff(self.start))
        terms = self.value * values[self.index]
        activity = np.bincount(rows, weights=terms, minlength=len(self.row_lower))
        slack = tolerance * (1.0 + np.bincount(rows, weights=np.abs(terms), minlength=len(self.row_lower)))
        inside = (activity >= self.row_lower - slack) & (activity <= self.row_upper + slack)
        bounded = (values >= self.column_lower - tolerance) & (values <= self.column_upper + tolerance)
        whole = np.abs(values - np.rint(values))[self.integer] <= tolerance
        return bool(inside.all() and bounded.all() and whole.all())


class Triplets:
    """A growing sparse matrix of (row, column, coefficient)."""

    def __init__(self) -> None:
        self._parts: list[tuple[Ints, Ints, Floats]] = []

    def add(self, row: ArrayLike, column: ArrayLike, coefficient: ArrayLike) -> None:
        """Add coefficients; the three are broadcast together, and those that are negligible are dropped."""
        rows, columns, values = np.broadcast_arrays(
            np.asarray(row, dtype=np.int64), np.asarray(column, dtype=np.int64), np.asarray(coefficient, dtype=float)
        )
        kept = np.abs(values) > NEGLIGIBLE
        self._parts.append((rows[kept], columns[kept], values[kept]))

    def arrays(self) -> tuple[Ints, Ints, Floats]:
        """All triplets in the order of their posting."""
        if not self._parts:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
        rows, columns, values = zip(*self._parts, strict=True)
        return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)


@dataclass(eq=False)
class Account:
    """A shared total, row by row: families post terms to it, one family closes it into rows or the objective."""

    name: str
    """Name with its unit."""
    row_count: int
    """Number of rows."""
    constant: Floats
    """What is there without any decision."""
    terms: Triplets = field(default_factory=Triplets)
    """What decisions add."""
    closed: bool = False
    """Whether it has been read; nothing may be posted afterwards."""


class Program:
    """Variables, rows and ledger of one planning problem under construction."""

    def __init__(self, name: str) -> None:
        self.pyomo: Any = pyo.ConcreteModel(name=name)
        self.variables: dict[str, VariableBlock] = {}
        self.rows: dict[str, RowBlock] = {}
        self.ledger: dict[str, Account] = {}
        self.column_count = 0
        self.stated: tuple[Any, ...] = ()
        """Constraint families stated so far, in order."""
        self.npv_weight = 1.0
        """Weight of the NPV in the objective, beside enterprise value, risk and hurdle."""

    # ---------------------------------------------------------------------------------------------------- variables

    def add_variables(
        self,
        name: str,
        keys: Sequence[Hashable],
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        *,
        integer: bool = False,
        site: ArrayLike = FIRST_STAGE,
        declared: Mapping[int, Any] | None = None,
    ) -> VariableBlock:
        """State one variable for each key; ``declared`` are the Pyomo variables, if they are there already.

        ``site`` marks what only follows from other decisions, as machines from contracts: its site, or ``COMPANY``.
        """
        if name in self.variables:
            raise ModelAssemblyError(f"variable {name!r} is declared twice")
        count = len(keys)
        low = np.broadcast_to(np.asarray(lower, dtype=float), (count,)).copy()
        high = np.broadcast_to(np.asarray(upper, dtype=float), (count,)).copy()
        place = np.broadcast_to(np.asarray(site, dtype=np.int64), (count,))
        block = VariableBlock(name, tuple(keys), self.column_count, low, high, integer, place, self.pyomo, declared)
        self.variables[name] = block
        self.column_count += count
        return block

    # --------------------------------------------------------------------------------------------------------- rows

    def add_rows(
        self,
        name: str,
        keys: Sequence[Hashable],
        terms: Triplets,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        *,
        stated: bool = False,
    ) -> RowBlock:
        """State one row for each key; rows without any term are checked at once and left out.

        ``stated`` are those that stand in the Pyomo model already.
        """
        if name in self.rows:
            raise ModelAssemblyError(f"row block {name!r} is stated twice")
        row, column, coefficient = terms.arrays()
        count = len(keys)
        if len(row) and (row.max() >= count or column.max() >= self.column_count):
            raise ModelAssemblyError(f"row block {name!r} refers to rows or columns that do not exist")
        low = np.broadcast_to(np.asarray(lower, dtype=float), (count,))
        high = np.broadcast_to(np.asarray(upper, dtype=float), (count,))
        free = ~np.isfinite(low) & ~np.isfinite(high)
        empty = np.bincount(row, minlength=count) == 0
        satisfied = empty & (low <= 1e-9) & (high >= -1e-9)
        kept = ~(free | satisfied)
        renumbered = np.cumsum(kept) - 1
        used = kept[row]
        block = RowBlock(
            name,
            tuple(key for key, keep in zip(keys, kept, strict=True) if keep),
            renumbered[row[used]],
            column[used],
            coefficient[used],
            low[kept],
            high[kept],
            stated,
        )
        self.rows[name] = block
        return block

    # ------------------------------------------------------------------------------------------------------- ledger

    def open_account(self, name: str, constant: Floats) -> None:
        """Open a shared total with what is there without any decision."""
        self.ledger[name] = Account(name, len(constant), constant.astype(float))

    def post(self, account: str, row: ArrayLike, column: ArrayLike, coefficient: ArrayLike) -> None:
        """Add terms to a shared total."""
        if self.ledger[account].closed:
            raise ModelAssemblyError(f"account {account!r} is closed; a family posts to it too late")
        self.ledger[account].terms.add(row, column, coefficient)

    def close(self, account: str) -> Account:
        """Read a shared total; nothing may be posted to it afterwards."""
        self.ledger[account].closed = True
        return self.ledger[account]

    # --------------------------------------------------------------------------------------------------- compilation

    @property
    def components(self) -> set[str]:
        """Names of all variables and row blocks."""
        return {*self.variables, *self.rows}

    def columns_by_variable(self) -> dict[int, int]:
        """Column of every Pyomo variable that has been declared, by its identity."""
        return {
            id(variable): block.offset + position
            for block in self.variables.values()
            if block.declared is not None or self.pyomo.component(block.name) is not None
            for position, variable in block.component.items()
        }

    def variable_data(self, columns: Ints) -> list[Any]:
        """Pyomo variables of some columns."""
        blocks = list(self.variables.values())
        places = np.searchsorted([block.offset + len(block.keys) for block in blocks], columns, side="right")
        return [
            blocks[place].component[column - blocks[place].offset]
            for place, column in zip(places.tolist(), columns.tolist(), strict=True)
        ]

    def first_row(self, name: str) -> int:
        """Number of a block's first row in the compiled program."""
        return sum(len(block.keys) for block in [*self.rows.values()][: [*self.rows].index(name)])

    def account_value(self, account: str, solution: Floats) -> Floats:
        """Value of a shared total at a solution."""
        book = self.ledger[account]
        row, column, coefficient = book.terms.arrays()
        return book.constant + np.bincount(row, weights=coefficient * solution[column], minlength=book.row_count)

    def compile(self) -> Matrix:
        """The arrays that a solver takes; they maximise weighted NPV plus enterprise value, risk and hurdle."""
        blocks, npv = list(self.rows.values()), self.close("npv_musd")
        sizes = [len(block.keys) for block in blocks]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        row = _joined([block.row + offset for block, offset in zip(blocks, offsets, strict=False)], np.int64)
        column = _joined([block.column for block in blocks], np.int64)
        value = _joined([block.coefficient for block in blocks], np.float64)
        start, index, value = _by_rows(row, column, value, int(offsets[-1]), self.column_count)
        _, cost_column, cost_value = npv.terms.arrays()
        cost = self.npv_weight * np.bincount(cost_column, weights=cost_value, minlength=self.column_count)
        beside = [self.close("enterprise_musd"), self.close("risk_musd")] if "risk_musd" in self.ledger else []
        beside += [self.close("hurdle_musd")] if "hurdle_musd" in self.ledger else []
        for account in beside:
            _, cost_column, cost_value = account.terms.arrays()
            cost += np.bincount(cost_column, weights=cost_value, minlength=self.column_count)
        variables = list(self.variables.values())
        return Matrix(
            cost=cost.astype(float),
            constant=self.npv_weight * float(npv.constant.sum()),
            column_lower=_joined([block.lower for block in variables], np.float64),
            column_upper=_joined([block.upper for block in variables], np.float64),
            integer=_joined([np.full(len(block.keys), block.integer) for block in variables], np.bool_),
            row_lower=_joined([block.lower for block in blocks], np.float64),
            row_upper=_joined([block.upper for block in blocks], np.float64),
            start=start,
            index=index,
            value=value,
            site=_joined([block.site for block in variables], np.int64),
        )

    def materialise(self) -> pyo.ConcreteModel:
        """The Pyomo model with rows as ordinary constraints and an objective; made once, later rows are added."""
        data = [variable for block in self.variables.values() for variable in block.component.values()]
        for block in self.rows.values():
            if block.stated or self.pyomo.component(block.name) is not None:
                continue
            terms: list[tuple[list[float], list[Any]]] = [([], []) for _ in block.keys]
            for row, column, value in zip(block.row, block.column, block.coefficient, strict=True):
                terms[row][0].append(float(value))
                terms[row][1].append(data[column])
            component = pyo.Constraint(range(len(block.keys)))
            self.pyomo.add_component(block.name, component)
            for position, (values, columns) in enumerate(terms):
                body = LinearExpression(constant=0, linear_coefs=values, linear_vars=columns)
                low, high = float(block.lower[position]), float(block.upper[position])
                if low == high:
                    component[position] = body == low
                else:
                    component[position] = (
                        low if np.isfinite(low) else None,
                        body,
                        high if np.isfinite(high) else None,
                    )
        if self.pyomo.component("expected_npv_musd") is not None:
            return self.pyomo
        matrix = self.compile()
        used = np.flatnonzero(matrix.cost)
        self.pyomo.expected_npv_musd = pyo.Objective(
            expr=LinearExpression(
                constant=matrix.constant,
                linear_coefs=[float(cost) for cost in matrix.cost[used]],
                linear_vars=[data[column] for column in used],
            ),
            sense=pyo.maximize,
        )
        return self.pyomo


def _joined(parts: list[Any], kind: Any) -> Any:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, dtype=kind)


def _by_rows(
    row: Ints, column: Ints, value: Floats, row_count: int, column_count: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
    """Triplets as compressed rows: start of each row, columns ascending within it, entries of one place added up.

    In NumPy because importing SciPy beside Pyomo costs a second.
    """
    place = row * column_count + column
    order = np.argsort(place, kind="stable")
    place, value = place[order], value[order]
    first = np.flatnonzero(np.diff(place, prepend=-1))
    place, value = place[first], np.add.reduceat(value, first) if len(first) else value
    start = np.searchsorted(place, np.arange(row_count + 1) * column_count)
    return start.astype(np.int32), (place % max(column_count, 1)).astype(np.int32), value
