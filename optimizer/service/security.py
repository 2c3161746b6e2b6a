"""Where a server listens, and what has to be shown to call it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from optimizer.errors import InvalidInputError

PORTS: Final = 2**16
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, slots=True)
class Security:
    """Certificates and tokens; by default neither."""

    tls_certificate: Path | None = None
    """Of the server, with what signed it, as PEM."""
    tls_key: Path | None = None
    """Its private key, as PEM."""
    tls_client_ca: Path | None = None
    """Who signs the certificates that clients have to show; none: they show none."""
    tokens: bool = False
    """Whether every call needs a token."""

    def credentials(self) -> grpc.ServerCredentials | None:
        """Of the server; none without TLS.

        Raises:
            InvalidInputError: a file is missing or cannot be read.
        """
        if self.tls_certificate is None or self.tls_key is None:
            named = {"tls_certificate": self.tls_certificate, "tls_key": self.tls_key}
            missing = next((name for name, path in named.items() if path is None), "")
            if any(named.values()) or self.tls_client_ca is not None:
                raise InvalidInputError.single(missing, "is missing", "TLS needs a certificate and its key", "server")
            return None
        pair = (_read("tls_key", self.tls_key), _read("tls_certificate", self.tls_certificate))
        ca = None if self.tls_client_ca is None else _read("tls_client_ca", self.tls_client_ca)
        return grpc.ssl_server_credentials([pair], root_certificates=ca, require_client_auth=ca is not None)

    @property
    def enough(self) -> bool:
        """Whether strangers can neither read nor call."""
        return self.tls_certificate is not None and (self.tokens or self.tls_client_ca is not None)


def split_address(listen: str, name: str = "listen") -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, which the setting ``name`` states.

    Raises:
        InvalidInputError: it is something else.
    """
    host, _, port = listen.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and int(port) < PORTS):
        told = f"{listen!r} is not a host and a port below {PORTS}"
        raise InvalidInputError.single(name, told, "write it as 127.0.0.1:50051", "server")
    return host, int(port)


def only_here(listen: str) -> bool:
    """Whether an address can only be reached from this machine."""
    return listen.startswith("unix:") or listen.rpartition(":")[0] in _LOOPBACK


def refuse_beyond_loopback(listen: str, security: Security, name: str = "listen") -> None:
    """Raise unless ``listen`` is an address, and can only be reached from this machine or is protected."""
    if not listen.startswith("unix:"):
        split_address(listen, name)
    if not only_here(listen) and not security.enough:
        raise InvalidInputError.single(
            name,
            f"{listen} can be reached from other machines, without encryption or login",
            "give TLS and tokens, listen on 127.0.0.1, or pass insecure_listen=True if something else protects it",
            "server",
        )


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError.single(name, f"{path}: {error.strerror}", "name a PEM file", "server") from error
