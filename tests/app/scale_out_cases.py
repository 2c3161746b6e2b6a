"""Pieces of work that worker processes of a test import."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def doubled(work: bytes):
    """Twice the number of the piece, and what it was made of."""
    return lambda piece: work + str(2 * piece).encode()


def killed_once(work: bytes):
    """The same, but the process that first gets piece 3 is killed in it; ``work`` names a file that says so."""

    def done(piece: int) -> bytes:
        told = Path(work.decode())
        if piece == 3 and not told.exists():
            told.write_text("killed")
            os.kill(os.getpid(), signal.SIGKILL)
        return str(2 * piece).encode()

    return done


def failing(work: bytes):
    """Refuses piece 1."""
    from optimizer.errors import InvalidInputError

    def done(piece: int) -> bytes:
        if piece == 1:
            raise InvalidInputError.single("piece", "is 1", "take another")
        return b""

    return done
