"""How a client shows who it is, and knows the server."""

from __future__ import annotations

import os
from pathlib import Path

import grpc

from optimizer.errors import InvalidInputError

TOKEN, TLS_CA, TLS_CERTIFICATE, TLS_KEY = (
    f"OPTIMIZER_{name}" for name in ("TOKEN", "TLS_CA", "TLS_CERTIFICATE", "TLS_KEY")
)
"""Environment variables that the commands read."""


def tls_credentials(
    ca: str | Path | None = None, certificate: str | Path | None = None, key: str | Path | None = None
) -> grpc.ChannelCredentials:
    """TLS to a server whose certificate ``ca`` signed, or whom the system trusts; with a certificate of one's own."""
    contents = [None if path is None else _read(Path(path)) for path in (ca, key, certificate)]
    return grpc.ssl_channel_credentials(*contents)


def with_token(credentials: grpc.ChannelCredentials | None, token: str) -> grpc.ChannelCredentials:
    """``credentials`` that carry a token with every call; without TLS it goes to this machine only."""
    channel = grpc.local_channel_credentials() if credentials is None else credentials
    return grpc.composite_channel_credentials(channel, grpc.access_token_call_credentials(token))


def environment_credentials() -> tuple[grpc.ChannelCredentials | None, str]:
    """TLS and token as the environment says; ``OPTIMIZER_TLS_CA=system`` trusts whom the system trusts."""
    named = {name: os.environ.get(name, "") for name in (TLS_CA, TLS_CERTIFICATE, TLS_KEY)}
    if not any(named.values()):
        return None, os.environ.get(TOKEN, "")
    if bool(named[TLS_CERTIFICATE]) != bool(named[TLS_KEY]):
        missing = TLS_KEY if named[TLS_CERTIFICATE] else TLS_CERTIFICATE
        raise InvalidInputError.single(missing, "is missing", "a certificate needs its key", "environment")
    if named[TLS_CA] == "system":
        named[TLS_CA] = ""
    paths = [Path(value) if value else None for value in named.values()]
    return tls_credentials(*paths), os.environ.get(TOKEN, "")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError.single("", f"{path}: {error.strerror}", "name a PEM file", "client") from error
