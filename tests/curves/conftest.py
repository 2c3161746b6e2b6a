"""Reference data beside the repository, and the settings of the drawn cases."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

SHARED = Path(__file__).resolve().parents[2].parent / "shared"

settings.register_profile("curves", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("curves")


@pytest.fixture
def shared_rows() -> Callable[[str], list[dict[str, str]]]:
    """Read a table of the shared reference data, or skip saying which file is missing."""

    def read(path: str) -> list[dict[str, str]]:
        file = SHARED / path
        if not file.exists():
            pytest.skip(f"reference data not present: shared/{path}")
        with file.open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    return read
