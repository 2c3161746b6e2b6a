"""Bases of linear programs as text, for other processes: a digit for the status of each column and row."""

from __future__ import annotations

from typing import Any

import highspy


def basis_text(basis: Any) -> tuple[str, str]:
    """Columns and rows of a basis."""
    columns, rows = ("".join(str(int(status)) for status in part) for part in (basis.col_status, basis.row_status))
    return columns, rows


def basis_of(columns: str, rows: str) -> Any:
    """The inverse."""
    found = highspy.HighsBasis()
    found.col_status, found.row_status = (
        [highspy.HighsBasisStatus(int(status)) for status in part] for part in (columns, rows)
    )
    found.valid = True
    return found
