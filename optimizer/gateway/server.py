"""A server of HTTP in a thread beside the service."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Collection, Sequence
from importlib.resources import files
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from optimizer.errors import InvalidInputError, ServiceError
from optimizer.gateway.calls import PATHS, Gateway
from optimizer.gateway.failures import nothing_there
from optimizer.gateway.guard import OWN_NAMES, Guard
from optimizer.service.security import Security, only_here, refuse_beyond_loopback, split_address

DESCRIPTION: Final = "/openapi.json"
"""Where the calls are described (OpenAPI 3.1)."""
LOOPBACK: Final = "127.0.0.1"
STOP_S: Final = 3
"""How long calls that are open may take to end."""


class HttpServer:
    """Serves an application at ``listen``, ``HOST:PORT``. Port 0 takes any free one. With certificates it is HTTPS.

    Raises:
        InvalidInputError: the address is none, or the certificates are.
        ServiceError: something else has the port.
    """

    def __init__(self, app: ASGIApp, listen: str, security: Security = Security()) -> None:  # noqa: B008 - it is frozen
        self._secure = security.tls_certificate is not None
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=STOP_S,
            **_tls(security),
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            told = f"{security.tls_certificate} and its key cannot be used: {error}"
            raise InvalidInputError.single("tls_certificate", told, "name PEM files that fit", "server") from None
        self._host, port = split_address(listen, "http")
        self._socket = _listening(self._host, port)
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="optimizer-http", daemon=True
        )

    @property
    def address(self) -> str:
        """Where it is."""
        return f"{'https' if self._secure else 'http'}://{self._host}:{self.port}"

    def start(self) -> Self:
        """Answer calls."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer no more calls, and end those that are open."""
        self._server.should_exit = True
        self._thread.join(2 * STOP_S)
        self._socket.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


class GatewayServer(HttpServer):
    """Serves the calls of the service at ``target`` in JSON; pages of ``origins`` may make them, too.

    Beyond this machine the rules are those of the service: TLS and tokens or client certificates.
    """

    def __init__(
        self,
        target: str,
        listen: str = f"{LOOPBACK}:0",
        security: Security = Security(),  # noqa: B008 - it is frozen
        *,
        origins: Collection[str] = (),
        insecure_listen: bool = False,
    ) -> None:
        if not insecure_listen:
            refuse_beyond_loopback(listen, security, "http")
        self._gateway = Gateway(target)
        scheme = "http" if security.tls_certificate is None else "https"
        names = OWN_NAMES if only_here(listen) else ()
        app = Guard(answering(routes(self._gateway)), names, origins, scheme)
        super().__init__(app, listen, security)

    def stop(self) -> None:
        """Answer no more calls, and close the connection to the service."""
        super().stop()
        self._gateway.close()


def routes(gateway: Gateway) -> list[BaseRoute]:
    """The calls of the service, and their description."""
    return [Route(PATHS, gateway), Route(DESCRIPTION, _description)]


def answering(routes: Sequence[BaseRoute]) -> Starlette:
    """Routes, and what is told where none leads."""
    return Starlette(routes=routes, exception_handlers={HTTPException: nothing_there})


def _description(_: Request) -> Response:
    return FileResponse(str(files("optimizer.api.v1") / "openapi.json"), media_type="application/json")


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens at once: whoever calls before anybody answers waits for it.

    It says that it is of TCP, so that what comes of it sends small answers without delay.
    """
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host.strip("[]"), port))
        made.listen()
    except OSError as error:
        made.close()
        told = f"cannot listen for HTTP on {host}:{port}: {error.strerror}; is another server there?"
        raise ServiceError(told, "UNAVAILABLE", "CANNOT_LISTEN") from None
    return made


def _tls(security: Security) -> dict[str, Any]:
    if security.tls_certificate is None:
        return {}
    files = {"ssl_certfile": str(security.tls_certificate), "ssl_keyfile": str(security.tls_key)}
    if security.tls_client_ca is None:
        return files
    return {**files, "ssl_ca_certs": str(security.tls_client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
