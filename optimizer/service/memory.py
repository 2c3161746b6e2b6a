"""How much memory another process has, where the operating system says so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_BYTES_PER_KIB: Final = 1024


def resident_bytes(process_id: int | None) -> int | None:
    """What it has now; none if it is gone, or this is not Linux."""
    return _read(process_id, "VmRSS")


def peak_bytes(process_id: int | None) -> int | None:
    """The most it ever had."""
    return _read(process_id, "VmHWM")


def _read(process_id: int | None, name: str) -> int | None:
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * _BYTES_PER_KIB for line in lines if line.startswith(f"{name}:")), None)
