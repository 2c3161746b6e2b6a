"""Questions that are answered by solving: each in a process of its own, as HiGHS wants it, a few at a time.

The process comes from where those of jobs do, takes one serialised message, answers with one, and is ended when nobody
waits for it any more or the service is gone.
"""

from __future__ import annotations

import contextlib
import pkgutil
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

from google.rpc.status_pb2 import Status

from optimizer.errors import JobCancelledError
from optimizer.service.limits import Limits
from optimizer.service.worker import die_with_parent, preloaded_context
from optimizer.wire.errors import WorkerDiedError, from_status, to_status

ANSWER: Final = b"A"
ERROR: Final = b"E"
_PRELOADED: Final = "optimizer.app"
_POLL_S: Final = 0.1


class OwnProcesses:
    """Room for ``slots`` processes at a time; more questions wait."""

    def __init__(self, slots: int, limits: Limits = Limits()) -> None:  # noqa: B008 - it is frozen
        self._limits = limits
        self._room = threading.BoundedSemaphore(slots)

    def ask(self, target: str, question: bytes, still_wanted: Callable[[], bool]) -> bytes:
        """What the function named ``package.module:function`` makes of a serialised question.

        Raises:
            OptimizerError: what the function raised.
            WorkerDiedError: the process ended without an answer.
            JobMemoryError: it had more memory than it may.
            JobCancelledError: nobody waits for the answer any more.
        """
        while not self._room.acquire(timeout=_POLL_S):
            _check(still_wanted)
        try:
            frame = _asked(target, question, still_wanted, self._limits)
        finally:
            self._room.release()
        if frame[:1] == ERROR:
            raise from_status(Status.FromString(frame[1:]))
        return frame[1:]


def _check(still_wanted: Callable[[], bool]) -> None:
    if not still_wanted():
        raise JobCancelledError("nobody waits for the answer any more")


def _asked(target: str, question: bytes, still_wanted: Callable[[], bool], limits: Limits) -> bytes:
    context = preloaded_context(_PRELOADED)
    ours, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, target), daemon=True, name="optimizer-question")
    process.start()
    theirs.close()
    try:
        with contextlib.suppress(OSError):  # it is gone; what is read says so
            ours.send_bytes(question)
        while not ours.poll(_POLL_S):
            _check(still_wanted)
            limits.check_memory(process.pid)
        return ours.recv_bytes()
    except (EOFError, OSError):
        process.join(timeout=1.0)
        raise WorkerDiedError(process.exitcode) from None
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


def _main(connection: Connection, target: str) -> None:
    """Answer one question."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service decides what a Ctrl-C means
    die_with_parent()
    try:
        answer = ANSWER + pkgutil.resolve_name(target)(connection.recv_bytes())
    except EOFError:
        return
    except Exception as error:
        answer = ERROR + to_status(error).SerializeToString()
    connection.send_bytes(answer)
