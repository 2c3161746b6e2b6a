"""What a step of decisions is worth at the prices of a linear program, row by row, in words."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from optimizer.app.planning import Stated
from optimizer.domain.explanation import PriceReason
from optimizer.model.calendar import Floats
from optimizer.units import USD_PER_MUSD

BoolArray = NDArray[np.bool_]
LEAST_USD = 0.5
"""Parts below this are rounding."""
TOLERANCE = 1e-6
"""By which a row of whole numbers may be off."""


def price_parts(stated: Stated, step: Floats, prices: Floats) -> tuple[PriceReason, ...]:
    """The worth of a step: its own, then what it uses of each kind of limit, dearest first."""
    matrix = stated.matrix
    spent = -prices * row_activity(stated, step) * USD_PER_MUSD
    own = PriceReason(told="its own cash in the objective", worth_usd=float(matrix.cost @ step) * USD_PER_MUSD)
    parts: list[PriceReason] = []
    first = 0
    for block in stated.program.rows.values():
        worth = spent[first : first + len(block.keys)]
        first += len(block.keys)
        total = float(worth.sum())
        if abs(total) >= LEAST_USD:
            most = int(np.abs(worth).argmax())
            shared = np.count_nonzero(np.abs(worth) >= LEAST_USD) > 1
            where = f"{', most of it at ' if shared else ': '}{key_in_words(block.keys[most])}"
            parts.append(PriceReason(told=f"{block.name.replace('_', ' ')}{where}", worth_usd=total))
    return (own, *sorted(parts, key=lambda part: part.worth_usd))


def rules_broken(stated: Stated, step: Floats, whole: Floats) -> BoolArray:
    """Which rows of whole decisions alone a step breaks beside those that are made."""
    matrix, columns = stated.matrix, np.isnan(whole)
    added = row_activity(stated, step)
    after = row_activity(stated, np.nan_to_num(whole)) + added
    broken = (after > matrix.row_upper + TOLERANCE) | (after < matrix.row_lower - TOLERANCE)
    rows = np.repeat(np.arange(len(broken)), np.diff(matrix.start))
    free = np.bincount(rows, weights=columns[matrix.index], minlength=len(broken)) > 0.0
    return broken & ~free & (np.abs(added) > 0.0)


def rules_in_words(stated: Stated, broken: BoolArray) -> tuple[str, ...]:
    """The first of the broken rows of each kind."""
    told: list[str] = []
    first = 0
    for block in stated.program.rows.values():
        where = np.flatnonzero(broken[first : first + len(block.keys)])
        first += len(block.keys)
        told += [f"{block.name.replace('_', ' ')}: {key_in_words(block.keys[i])}" for i in where[:1]]
    return tuple(told)


def row_activity(stated: Stated, values: Floats) -> Floats:
    """What each row comes to."""
    matrix = stated.matrix
    rows = np.repeat(np.arange(len(matrix.row_lower)), np.diff(matrix.start))
    terms = matrix.value * values[matrix.index]
    return np.bincount(rows, weights=terms, minlength=len(matrix.row_lower)).astype(float)


def key_in_words(key: Hashable) -> str:
    """``('Pecos', '2028-03')`` as ``Pecos, 2028-03``."""
    return ", ".join(str(part) for part in key if part != "") if isinstance(key, tuple) else str(key)
