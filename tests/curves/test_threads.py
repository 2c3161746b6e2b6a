"""Slices in threads."""

from __future__ import annotations

import multiprocessing
import threading

import numpy as np
import pytest

from optimizer.curves.threads import in_slices, limit_threads, thread_count
from optimizer.errors import InvalidInputError


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(("total", "size"), [(0, 4), (1, 4), (8, 4), (9, 4), (1000, 7)])
def test_every_slice_is_done_once(threads, total, size):
    done = np.zeros(total, dtype=int)
    with limit_threads(threads):
        in_slices(lambda first, last: done.__setitem__(slice(first, last), done[first:last] + 1), total, size)
    assert (done == 1).all()


def test_the_caller_works_with_the_helpers():
    both = threading.Barrier(2, timeout=20.0)  # passes only if two slices are under way at once
    seen = set()

    def kernel(first, last):
        seen.add(threading.get_ident())
        both.wait()

    with limit_threads(2):
        in_slices(kernel, 2, 1)
    assert threading.get_ident() in seen
    assert len(seen) == 2


@pytest.mark.parametrize("bad", [0, 5])
def test_an_error_of_a_slice_is_raised(bad):
    def kernel(first, last):
        if first == bad:
            raise ZeroDivisionError

    with limit_threads(3), pytest.raises(ZeroDivisionError):
        in_slices(kernel, 6, 1)


def test_the_limit_holds_inside_its_block_and_the_environment_outside(monkeypatch):
    monkeypatch.setenv("OPTIMIZER_THREADS", "7")
    with limit_threads(3):
        assert thread_count() == 3
    assert thread_count() == 7
    monkeypatch.setenv("OPTIMIZER_THREADS", "many")
    with pytest.raises(InvalidInputError, match="OPTIMIZER_THREADS"):
        thread_count()


def _in_child(sums):
    with limit_threads(2):
        done = np.zeros(64)
        in_slices(lambda first, last: done.__setitem__(slice(first, last), 1.0), 64, 8)
    sums.put(done.sum())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own():
    with limit_threads(2):
        in_slices(lambda first, last: None, 4, 1)
    context = multiprocessing.get_context("fork")
    sums = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(sums,))
    child.start()
    child.join(20.0)
    assert child.exitcode == 0
    assert sums.get() == 64.0
