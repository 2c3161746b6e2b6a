"""The console as a server of HTTP on this machine, in a thread beside the service."""

from __future__ import annotations

from optimizer.client import OptimizerClient
from optimizer.console.routes import application
from optimizer.gateway.calls import Gateway
from optimizer.gateway.server import LOOPBACK, HttpServer


class ConsoleServer(HttpServer):
    """Serves the page, what it calls and the calls of the service on loopback. Port 0 takes any free one.

    The certificates of its connection are those of a client, by the environment; tokens come from the browser.
    """

    def __init__(self, target: str, port: int = 0) -> None:
        self._gateway = Gateway(target)
        app = application(lambda token: OptimizerClient.from_environment(target, token), self._gateway)
        super().__init__(app, f"{LOOPBACK}:{port}")

    def stop(self) -> None:
        """Answer no more calls, and close the connection to the service."""
        super().stop()
        self._gateway.close()
