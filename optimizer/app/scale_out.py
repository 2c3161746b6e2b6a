"""Many small pieces of one piece of work, here or on the processes of a Dask cluster.

A piece is a number; what it stands for, a range of scenarios or one path, is made from the work where it is done, so
that nothing travels but the work, once a process, and answers. Answers come back in the order of the pieces, and a
piece does not know which were done before it: the same bits for any number of processes, and after a lost one, whose
pieces are done again elsewhere.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from optimizer.errors import InvalidInputError
from optimizer.extras import install_command

Piece = Callable[[int], bytes]
"""What is done with the number of a piece."""


@dataclass(frozen=True)
class Workers:
    """Where pieces are done: in this process, in processes of this machine, or on a cluster."""

    count: int = 1
    """Processes of this machine; 1 is this one."""
    scheduler: str | None = None
    """Address of a Dask scheduler, as ``tcp://host:8786``; what it has counts, not ``count``."""

    @property
    def here(self) -> bool:
        """Whether all is done in this process."""
        return self.count == 1 and self.scheduler is None


def in_pieces(
    target: str,
    work: bytes,
    pieces: Sequence[int],
    workers: Workers | None = None,
    on_done: Callable[[int], None] | None = None,
    on_answer: Callable[[bytes], None] | None = None,
) -> list[bytes]:
    """Answers to all pieces, in their order; ``on_done`` hears how many there are, ``on_answer`` each as it comes.

    ``target`` names a function, ``package.module:function``, that makes a :data:`Piece` of the ``work``; a process
    calls it once.

    Raises:
        InvalidInputError: without Dask where it is needed, or when the scheduler does not answer.
        OptimizerError: what a piece raised.
    """
    workers, found = workers or Workers(), dict[int, bytes]()

    def note(piece: int, answer: bytes) -> None:
        found[piece] = answer
        if on_done is not None:
            on_done(len(found))
        if on_answer is not None:
            on_answer(answer)

    if workers.here:
        for piece in pieces:
            note(piece, _done(target, work, piece))
    else:
        with _cluster(workers, len(pieces)) as client:
            _on_cluster(client, target, work, pieces, note)
    return [found[piece] for piece in pieces]


def _on_cluster(
    client: Any, target: str, work: bytes, pieces: Sequence[int], note: Callable[[int, bytes], None]
) -> None:
    everywhere = client.scatter(work, broadcast=True, hash=False)
    waiting = {client.submit(_done, target, everywhere, piece, pure=False): piece for piece in pieces}
    for future in _distributed().as_completed(waiting):
        note(waiting[future], future.result())


@lru_cache(maxsize=1)
def _made(target: str, work: bytes) -> Piece:
    """Kept until other work comes."""
    made: Piece = pkgutil.resolve_name(target)(work)
    return made


def _done(target: str, work: bytes, piece: int) -> bytes:
    return _made(target, work)(piece)


def _distributed() -> Any:
    """Dask, which has no types."""
    try:
        return importlib.import_module("distributed")
    except ImportError:
        fix = f"{install_command('scale')}, or leave workers and scheduler out"
        raise InvalidInputError.single("workers", "needs Dask, which is not installed", fix, "scale-out") from None


@contextmanager
def _cluster(workers: Workers, piece_count: int) -> Iterator[Any]:
    distributed = _distributed()
    if workers.scheduler is None:
        count = min(workers.count, piece_count)
        cluster = distributed.LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1",
            memory_limit=0,
        )  # fmt: skip
        with cluster, distributed.Client(cluster) as client:
            yield client
        return
    try:
        client = distributed.Client(workers.scheduler, timeout=10)
    except (OSError, ValueError) as error:
        told = f"{workers.scheduler!r} does not answer: {error}"
        raise InvalidInputError.single("scheduler", told, "start one with: dask scheduler", "scale-out") from None
    with client:
        yield client
