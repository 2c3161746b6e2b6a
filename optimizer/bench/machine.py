"""The machine: what it is, what it has installed, and how fast it copies, multiplies and looks things up."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from optimizer.bench import loops
from optimizer.bench.measure import Contender
from optimizer.curves.threads import thread_count

_PACKAGES: Final = ("capacity-optimizer", "cython", "numpy", "numexpr", "numba")
_ASSUMED_CACHE_BYTES: Final = 32 * 2**20
_FLOP_PER_PASS: Final = 16
_BYTES_PER_DOUBLE: Final = 8


@dataclass(frozen=True, slots=True)
class Work:
    """The least that one evaluation asks of the machine, whatever the code: the limits are timed doing just this."""

    streamed_bytes: float
    """Read from and written to arrays that are passed over once."""
    flop: float
    """Additions, multiplications, comparisons; a division, a root or an elementary function as what replaces it."""
    look_ups: float = 0.0
    """Sets of four loads at a place that depends on the data."""
    table_entries: int = 0
    """Places that a look-up may hit."""


def machine_info() -> dict[str, Any]:
    """Processor, cores, caches, memory and versions, for the head of a report."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads_used": thread_count(),
        "largest_cache_mib": cache_bytes() / 2**20,
        "load_average_1_min": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def cache_bytes() -> int:
    """Size of the largest cache; 32 MiB where the system does not tell."""
    sizes = [path.read_text().strip() for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    units = {"K": 2**10, "M": 2**20}
    return max((int(size[:-1]) * units[size[-1]] for size in sizes if size[-1:] in units), default=_ASSUMED_CACHE_BYTES)


def limits(work: Work, evaluations: int, array_bytes: int) -> Iterator[Contender]:
    """Contenders that do only the copying, the arithmetic or the look-ups of so many evaluations, on one thread.

    A copy of arrays that fit the largest cache is limited by that cache, else by memory. Without Numba only the copy
    is measured.
    """
    doubles = max(1, round(evaluations * work.streamed_bytes / (2 * _BYTES_PER_DOUBLE)))
    given = np.random.default_rng(0).random(max(doubles, loops.BLOCK))
    copied = np.empty_like(given)
    level = "cache" if array_bytes <= cache_bytes() else "memory"
    yield Contender(f"limit: copy ({level})", lambda: np.copyto(copied, given), evaluations, limit=level)
    if not loops.HAS_NUMBA:
        return
    # As many passes over one block as give the operations of all evaluations.
    blocks = 16
    passes = max(1, round(evaluations * work.flop / (_FLOP_PER_PASS * blocks * loops.BLOCK)))
    factor = given[: loops.BLOCK].repeat(blocks)
    result = np.empty_like(factor)
    multiply_adds = loops.compiled(loops.multiply_adds, parallel=False)
    done = max(1, round(passes * blocks * loops.BLOCK * _FLOP_PER_PASS / work.flop))
    yield Contender(
        "limit: fused multiply-adds", lambda: multiply_adds(factor, passes, result), done, limit="arithmetic"
    )
    if work.look_ups:
        place = np.random.default_rng(1).integers(0, work.table_entries, round(evaluations * work.look_ups))
        tables = np.random.default_rng(2).random((4, work.table_entries))
        total = np.empty(1)
        look_ups = loops.compiled(loops.look_ups, parallel=False)
        yield Contender("limit: look-ups", lambda: look_ups(place, *tables, total), evaluations, limit="lookup")


def peak_resident_mib(*, children: bool = False) -> float:
    """Most memory this process has had resident, MiB; with ``children``, or any child that has ended, if that had more.

    Linux keeps the figure of ``getrusage`` across exec, so a small process started by a large one would show the
    large one's; its status file does not.
    """
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        own = int(line.split()[1]) * 1024
    else:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit if children else 0
    return max(own, theirs) / 2**20


def _cpu_model() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
