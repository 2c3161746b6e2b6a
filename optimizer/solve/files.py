"""Programs as MPS and LP files, for other solvers and for reports of errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highspy

from optimizer.errors import InvalidInputError, SolverError
from optimizer.model.program import Matrix
from optimizer.solve.live import LiveModel

FORMATS = (".mps", ".lp")


def check_format(path: Path) -> None:
    """Refuse a file whose extension names no format.

    Raises:
        InvalidInputError: naming the file.
    """
    if path.suffix.lower() not in FORMATS:
        raise InvalidInputError.single(str(path), f"has extension {path.suffix!r}", "use .mps or .lp", "output")


def write_program(matrix: Matrix, column_names: Sequence[str], row_names: Sequence[str], path: Path) -> None:
    """Write a program with its names, sense (maximise), constant and whole numbers; the extension says how.

    Money is in million USD. LP files state a row with two different bounds twice.

    Raises:
        InvalidInputError: when the extension names no format.
        SolverError: when HiGHS cannot write.
    """
    check_format(path)
    highs: Any = LiveModel(matrix).highs
    for column, name in enumerate(column_names):
        highs.passColName(column, name)
    for row, name in enumerate(row_names):
        highs.passRowName(row, name)
    if highs.writeModel(str(path)) != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS cannot write {path} as it is")
