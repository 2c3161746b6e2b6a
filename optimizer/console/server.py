"""The console as a server of HTTP on this machine, in a thread beside the service."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Final

import uvicorn

from optimizer.client import OptimizerClient
from optimizer.console.routes import application
from optimizer.errors import ServiceError

LOOPBACK: Final = "127.0.0.1"
STOP_S: Final = 3
"""How long calls that are open may take to end."""


class ConsoleServer:
    """Serves the page and its API on loopback, in front of the service at ``target``. Port 0 takes any free one.

    The certificates of its connection are those of a client, by the environment; tokens come from the browser.

    Raises:
        ServiceError: something else has the port.
    """

    def __init__(self, target: str, port: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((LOOPBACK, port))
            self._socket.listen()  # whoever calls before the thread answers waits for it
        except OSError as error:
            self._socket.close()
            told = f"the console cannot listen on port {port}: {error.strerror}; is another one there?"
            raise ServiceError(told, "UNAVAILABLE", "CANNOT_LISTEN") from None
        self.port: int = self._socket.getsockname()[1]
        app = application(lambda token: OptimizerClient.from_environment(target, token))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=STOP_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="optimizer-console", daemon=True
        )

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> ConsoleServer:
        """Answer calls."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer no more calls, and end those that are open."""
        self._server.should_exit = True
        self._thread.join(2 * STOP_S)
        self._socket.close()

    def __enter__(self) -> ConsoleServer:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
