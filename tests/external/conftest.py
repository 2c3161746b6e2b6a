"""Public data beside the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


@pytest.fixture
def shared_file() -> Callable[[str], Path]:
    """Path of a file of public data, or skip saying which is missing."""

    def find(path: str) -> Path:
        if not (SHARED / path).is_file():
            pytest.skip(f"public data not present: shared/{path}")
        return SHARED / path

    return find
