"""What a machine needs to plan, looked at one by one: each check says what it saw and, where it fails, what to do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from optimizer.errors import InvalidInputError, OptimizerError
from optimizer.extras import MODULES_OF, install_command

CASE: Final = "tiny"
"""The example that is planned to see whether planning works."""
LEAST_FREE_BYTES: Final = 2**30
OLDEST_PYTHON: Final = (3, 11)
_KERNELS: Final = ("hashing", "margin", "network", "overlays", "power", "scenarios", "throughput")


class State(StrEnum):
    """How a check ended."""

    GOOD = "good"
    NOTE = "note"
    """Something optional is not there."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found."""

    name: str
    state: State
    told: str
    fix: str = ""


def python() -> Found:
    """The interpreter."""
    told, oldest = f"{platform.python_version()} at {sys.executable}", ".".join(map(str, OLDEST_PYTHON))
    if sys.version_info < OLDEST_PYTHON:
        return Found("python", State.FAILED, told, f"use Python {oldest} or later")
    return Found("python", State.GOOD, told)


def kernels() -> Found:
    """The compiled kernels."""
    missing = [name for name in _KERNELS if not _loads(f"optimizer.curves._{name}")]
    if missing:
        told, fix = f"not compiled for this Python: {', '.join(missing)}", "pip install --force-reinstall ."
        return Found("kernels", State.FAILED, told, fix)
    return Found("kernels", State.GOOD, f"{len(_KERNELS)} modules compiled")


def _loads(module: str) -> bool:
    try:
        import_module(module)
    except ImportError:
        return False
    return True


def compiler() -> Found:
    """The C compiler, which only building needs."""
    stated = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    found = shutil.which(stated) or shutil.which("cc")
    if found is None:
        return Found(
            "compiler", State.NOTE, f"no {stated}; only building the kernels needs one", "install gcc or clang"
        )
    return Found("compiler", State.GOOD, found)


def threads() -> Found:
    """Threads of the kernels."""
    from optimizer.curves.threads import thread_count

    try:
        count = thread_count()
    except InvalidInputError as error:
        return Found("threads", State.FAILED, str(error.problems[0]), "unset OPTIMIZER_THREADS")
    return Found(
        "threads", State.GOOD, f"{count} used of {os.cpu_count() or 1} processors; OPTIMIZER_THREADS changes it"
    )


def temporary_space() -> Found:
    """Room for temporary files."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
        free = shutil.disk_usage(tempfile.gettempdir()).free
    except OSError as error:
        return Found("temporary space", State.FAILED, f"cannot be written: {error.strerror}", "set TMPDIR to a folder")
    told = f"{free / 2**30:,.1f} GiB free in {Path(tempfile.gettempdir())}"
    if free < LEAST_FREE_BYTES:
        return Found("temporary space", State.FAILED, told, "free some, or set TMPDIR to another folder")
    return Found("temporary space", State.GOOD, told)


def extras() -> Found:
    """Optional packages."""
    missing = [extra for extra, modules in MODULES_OF.items() if not all(map(find_spec, modules))]
    if missing:
        return Found("extras", State.NOTE, f"not installed: {', '.join(missing)}", install_command(*missing))
    return Found("extras", State.GOOD, ", ".join(MODULES_OF))


def solver() -> Found:
    """HiGHS, by a plan made here."""
    from optimizer.app import plan
    from optimizer.io import load_portfolio

    began = time.monotonic()
    answer = plan(load_portfolio(CASE))
    told = f"HiGHS {version('highspy')} planned {CASE} in {time.monotonic() - began:.1f} s"
    if not answer.termination.has_plan or answer.audit_failed:
        return Found("solver", State.FAILED, f"{told}, but the plan is not sound", f"optimizer plan {CASE}")
    return Found("solver", State.GOOD, f"{told}, audit passed")


def worker() -> Found:
    """The service, by a plan that a worker of a server makes."""
    from optimizer.cli.own_server import own_server
    from optimizer.client import OptimizerClient
    from optimizer.io import load_portfolio

    began = time.monotonic()
    with own_server() as address, OptimizerClient(address) as client:
        client.plan(load_portfolio(CASE))
    told = f"a server on loopback planned {CASE} in a process of its own in {time.monotonic() - began:.1f} s"
    return Found("worker", State.GOOD, told)


CHECKS: Final[tuple[Callable[[], Found], ...]] = (
    python, kernels, compiler, threads, temporary_space, extras, solver, worker,
)  # fmt: skip
"""All checks, cheap ones first."""


def found_by(check: Callable[[], Found]) -> Found:
    """What a check finds; one that breaks down has failed."""
    try:
        return check()
    except (OptimizerError, ImportError, OSError) as error:
        fix = f"optimizer plan {CASE} tells more" if check is not worker else "optimizer serve tells more"
        return Found(check.__name__.replace("_", " "), State.FAILED, str(error), fix)
