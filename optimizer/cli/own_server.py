"""A server that a command starts for itself, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from optimizer.errors import ServiceError

STOP_S = 10.0
"""How long the server may take to stop before it is killed."""


@contextmanager
def own_server() -> Iterator[str]:
    """A server in a process of its own on a free port; stopped at the end."""
    command = [sys.executable, "-m", "optimizer.cli.main", "serve", "--listen", "127.0.0.1:0"]
    command += ["--workers", "1", "--store", "temporary", "--log-level", "warning"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            ready = re.match(r"listening on (\S+:\d+)", line)
            if ready is None:
                raise ServiceError(f"the server did not start: {line.strip() or 'see above'}", "UNAVAILABLE")
            yield ready[1]
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
