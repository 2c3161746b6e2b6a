"""What every call has to pass and every answer carries, against pages of others in the same browser.

A page elsewhere can make a browser call this machine, and by a name that it re-binds to this machine even read the
answer. So only names of this machine are answered, and calls that a page of another origin made are refused: browsers
say so in ``Origin`` and ``Sec-Fetch-Site``, which scripts cannot change. Nothing is kept in cookies.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from optimizer.console.failures import error_response
from optimizer.errors import ServiceError

OWN_NAMES: Final = frozenset({"127.0.0.1", "localhost"})
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


class Guard:
    """Wraps an application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        api = scope["path"].startswith("/v1/")

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers["Cache-Control"] = "no-store" if api else "no-cache"
            await send(message)

        told = refused(Headers(scope=scope))
        app = self._app if told is None else error_response(ServiceError(told, "PERMISSION_DENIED"))
        await app(scope, receive, send_guarded)


def refused(headers: Headers) -> str | None:
    """Why a call with these headers is not answered; nothing if it is."""
    host = headers.get("host", "")
    if host.partition(":")[0] not in OWN_NAMES:
        return f"this server is not called {host!r}; open it as http://127.0.0.1"
    origin = headers.get("origin")
    if origin is not None and origin != f"http://{host}":
        return f"a page of {origin} may not call this server"
    if headers.get("sec-fetch-site", "none") not in _FROM_HERE and headers.get("sec-fetch-mode") != "navigate":
        return "a page of another site may not call this server"
    return None
