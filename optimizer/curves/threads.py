"""Threads for the kernels: they release the GIL, so plain threads run them side by side.

Work is cut into slices whose bounds depend on its size alone and whose results go to places of their own (or are added
in the order of the slices), so results have the same bits whatever the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar

from optimizer.curves import _checks as check

_MOST_THREADS = 1024
_limit: ContextVar[int | None] = ContextVar("optimizer_curve_threads", default=None)


def thread_count() -> int:
    """Threads that the kernels use: the limit in force, ``OPTIMIZER_THREADS``, or the processors at hand."""
    limit = _limit.get()
    if limit is not None:
        return limit
    stated = os.environ.get("OPTIMIZER_THREADS")
    if stated:
        return check.integer("OPTIMIZER_THREADS", _integer(stated), check.Range(1, _MOST_THREADS, "threads"))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def limit_threads(count: int) -> Iterator[None]:
    """Use so many threads in the kernels inside a ``with`` block, in this thread and what it starts itself."""
    token = _limit.set(check.integer("count", count, check.Range(1, _MOST_THREADS, "threads")))
    try:
        yield
    finally:
        _limit.reset(token)


def in_slices(kernel: Callable[[int, int], None], total: int, slice_size: int) -> None:
    """Call ``kernel(first, last)`` for the slices of ``range(total)``, side by side where there are threads for it.

    The first exception of a slice is raised once all have ended.
    """
    slices = [(first, min(first + slice_size, total)) for first in range(0, total, slice_size)]
    threads = min(thread_count(), len(slices))
    if threads <= 1:
        for first, last in slices:
            kernel(first, last)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(kernel, first, last) for first, last in slices]:
            done.result()


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1
