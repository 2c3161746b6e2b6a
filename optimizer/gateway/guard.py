"""What every call has to pass and every answer carries, against pages of others in the same browser.

A page elsewhere can make a browser call this machine, and by a name that it re-binds to this machine even read the
answer. So a server on loopback answers to names of this machine only, and calls that a page of another origin made are
refused unless that origin is named: browsers say so in ``Origin`` and ``Sec-Fetch-Site``, which scripts cannot change.
Nothing is kept in cookies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from optimizer.errors import ServiceError
from optimizer.gateway.failures import error_response

OWN_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names of this machine that nobody else can give to it."""
_FROM_HERE: Final = frozenset({"same-origin", "none"})
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts are files of this server only; Plotly writes styles."""
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_API: Final = ("/v1", "/console/")


class Guard:
    """Wraps an application: ``names`` are those that it answers to, any where there are none; ``origins`` may call."""

    def __init__(
        self, app: ASGIApp, names: Collection[str] = OWN_NAMES, origins: Collection[str] = (), scheme: str = "http"
    ) -> None:
        self._names, self._origins, self._scheme = names, origins, scheme
        if origins:
            app = CORSMiddleware(
                app,
                allow_origins=list(origins),
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["Authorization", "Content-Type"],
                expose_headers=["Retry-After"],
            )
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        api = scope["path"].startswith(_API)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers["Cache-Control"] = "no-store" if api else "no-cache"
            await send(message)

        told = self.refused(Headers(scope=scope))
        app = self._app if told is None else error_response(ServiceError(told, "PERMISSION_DENIED"))
        await app(scope, receive, send_guarded)

    def refused(self, headers: Mapping[str, str]) -> str | None:
        """Why a call with these headers is not answered; nothing if it is."""
        host = headers.get("host", "")
        name, _, port = host.rpartition(":")
        if self._names and (name if port.isdigit() else host) not in self._names:
            return f"this server is not called {host!r}; call it {self._scheme}://127.0.0.1"
        origin = headers.get("origin")
        if origin in self._origins:
            return None
        if origin is not None and origin != f"{self._scheme}://{host}":
            return f"a page of {origin} may not call this server"
        if headers.get("sec-fetch-site", "none") not in _FROM_HERE and headers.get("sec-fetch-mode") != "navigate":
            return "a page of another site may not call this server"
        return None
