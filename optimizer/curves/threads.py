"""Threads for the kernels: they release the GIL, so plain threads run them side by side.

Work is cut into slices whose bounds depend on its size alone and whose results go to places of their own (or are added
in the order of the slices), so results have the same bits whatever the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import Lock

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
    """Use so many threads in the kernels inside a ``with`` block, in calls from this thread."""
    token = _limit.set(check.integer("count", count, check.Range(1, _MOST_THREADS, "threads")))
    try:
        yield
    finally:
        _limit.reset(token)


def in_slices(kernel: Callable[[int, int], None], total: int, slice_size: int) -> None:
    """Call ``kernel(first, last)`` for the slices of ``range(total)``, side by side where there are threads for it.

    The calling thread works too. The first exception of a slice is raised once all threads have ended.
    """
    firsts, lock = iter(range(0, total, slice_size)), Lock()

    def work() -> None:
        while True:
            with lock:
                first = next(firsts, None)
            if first is None:
                return
            kernel(first, min(first + slice_size, total))

    helpers = [_pool().submit(work) for _ in range(min(thread_count(), -(-total // slice_size)) - 1)]
    try:
        work()
    finally:
        wait(helpers)
    for helper in helpers:
        helper.result()


@cache
def _pool() -> ThreadPoolExecutor:
    """Threads are started when they are first needed, and kept: a new one costs as much as a slice."""
    return ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="optimizer-curves")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not come along


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1
