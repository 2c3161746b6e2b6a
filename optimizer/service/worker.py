"""One job in one process of its own.

The process is started before it is needed, and forked from one that has loaded everything and done nothing
(:mod:`optimizer.service.preloaded`), never from the service. It takes one job, answers and ends. All it exchanges with
the service are serialised messages:

=========  ==========================================================================
to it      the portfolio, the options; then, at any time, ``STOP``
from it    any number of ``PROGRESS`` frames, then one ``PLAN``, ``AUDIT_FAILED`` (a plan too) or ``ERROR``
=========  ==========================================================================

It ends at once when the service is gone, also where the operating system has to see to it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any, Final, NamedTuple

from optimizer.domain.options import SolveOptions
from optimizer.domain.plan import Plan
from optimizer.domain.portfolio import Portfolio
from optimizer.service.memory import peak_bytes, resident_bytes
from optimizer.wire.convert import from_bytes, to_bytes
from optimizer.wire.errors import to_status

STOP: Final = b"S"
PROGRESS: Final = b"P"
PLAN: Final = b"R"
AUDIT_FAILED: Final = b"A"
ERROR: Final = b"E"
_PRELOADED: Final = "optimizer.service.preloaded"
_PR_SET_PDEATHSIG: Final = 1


class Frame(NamedTuple):
    """What a worker says."""

    kind: bytes
    body: bytes


class Worker:
    """The service's end of a worker process."""

    def __init__(self, target: str) -> None:
        context = preloaded_context(target.partition(":")[0])
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, target), daemon=True, name="optimizer-worker")
        self._process.start()
        theirs.close()

    @property
    def process_id(self) -> int | None:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.is_alive()

    @property
    def memory_bytes(self) -> int | None:
        """What the process has now, where the system says so."""
        return resident_bytes(self.process_id)

    @property
    def peak_memory_bytes(self) -> int | None:
        """The most that it has had."""
        return peak_bytes(self.process_id)

    @property
    def exit_code(self) -> int | None:
        """How the process ended; negative for a signal."""
        self._process.join(timeout=1.0)
        return self._process.exitcode

    def begin(self, portfolio: bytes, options: bytes) -> None:
        """Hand over the job, serialised; a worker that is gone shows in :meth:`receive`."""
        self._send(portfolio)
        self._send(options)

    def stop(self) -> None:
        """Ask the job to end with what it has."""
        self._send(STOP)

    def receive(self, timeout_s: float) -> Frame | None:
        """The next frame, or none within the time.

        Raises:
            EOFError: the process is gone.
        """
        try:
            if not self._connection.poll(timeout_s):
                return None
            frame = self._connection.recv_bytes()
        except OSError as error:
            raise EOFError from error
        return Frame(frame[:1], frame[1:])

    def kill(self) -> None:
        """Make sure that the process is gone."""
        self._process.kill()
        self._process.join()

    def end(self) -> None:
        """Make sure that the process is gone, and free what it held."""
        self.kill()
        self._connection.close()
        self._process.close()

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # it is gone; receive() will say so
            self._connection.send_bytes(data)


def _main(connection: Connection, target: str) -> None:
    """Run one job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service decides what a Ctrl-C means
    die_with_parent()
    failure: Exception | None = None
    try:
        solve = load_target(target)
    except Exception as error:
        failure = error
    try:
        portfolio = from_bytes(Portfolio, connection.recv_bytes())
        options = from_bytes(SolveOptions, connection.recv_bytes())
    except EOFError:
        return
    stopped = threading.Event()
    threading.Thread(target=_listen, args=(connection, stopped), daemon=True).start()
    try:
        if failure is not None:
            raise failure
        plan: Plan = solve(
            portfolio,
            options,
            on_progress=lambda progress: connection.send_bytes(PROGRESS + to_bytes(progress)),
            should_stop=stopped.is_set,
        )
        answer = (AUDIT_FAILED if plan.audit_failed else PLAN) + to_bytes(plan)
    except Exception as error:
        answer = ERROR + to_status(error).SerializeToString()
    connection.send_bytes(answer)


def preloaded_context(module: str) -> ForkServerContext:
    """Where processes come from; the first who asks says which module all of them have loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", _PRELOADED, module])
    return context


def die_with_parent() -> None:
    """Let Linux kill this process when what started it is gone; elsewhere the pipe alone tells.

    That is the thread of the service that spawned it, or the process that forked it, which ends with the service.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if _starter_id() != os.getppid():  # it was gone before that
            os._exit(1)


def _starter_id() -> int | None:
    """The process that started this one."""
    if _PRELOADED in sys.modules:
        return int(sys.modules[_PRELOADED].PROCESS_ID)
    parent = multiprocessing.parent_process()
    return None if parent is None else parent.pid


def load_target(target: str) -> Callable[..., Any]:
    """The function named ``package.module:function``."""
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _listen(connection: Connection, stopped: threading.Event) -> None:
    """Set ``stopped`` when asked to; end the process when nobody is there any more."""
    try:
        while connection.recv_bytes() == STOP:
            stopped.set()
    except (EOFError, OSError):
        os._exit(1)
