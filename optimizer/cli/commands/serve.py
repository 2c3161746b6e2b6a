"""``optimizer serve``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.errors import InvalidInputError

if TYPE_CHECKING:
    from optimizer.console import ConsoleServer

_EVERYWHERE = frozenset({"0.0.0.0", "[::]"})
"""Hosts that stand for every address of a machine."""

STORE_OPTION = typer.Option(
    envvar="OPTIMIZER_STORE",
    metavar="URL",
    help="What outlives the server: sqlite:///FILE or postgresql://..., or 'temporary'.",
)


def serve(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Address; port 0 picks one.")] = "127.0.0.1:50051",
    workers: Annotated[int | None, typer.Option(min=1, help="Solves at a time, each in its own process.")] = None,
    store: Annotated[str, STORE_OPTION] = "sqlite:///optimizer.db",
    tls_certificate: Annotated[Path | None, typer.Option(metavar="PEM", help="Certificate of the server.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Clients need a certificate that this one signed.")
    ] = None,
    tokens: Annotated[bool, typer.Option("--tokens", help="Every call needs a token of 'optimizer token'.")] = False,
    metrics_port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Metrics for Prometheus, on loopback; port 0 picks one.")
    ] = None,
    keep_days: Annotated[
        float | None, typer.Option(metavar="DAYS", help="Delete plans so long after they ended; without it, never.")
    ] = None,
    log_level: Annotated[
        str, typer.Option(metavar="LEVEL", help="Log from here on: debug, info, warning or error.")
    ] = "info",
    insecure_listen: Annotated[
        bool, typer.Option("--insecure-listen", help="Allow an address that is not loopback, without TLS and tokens.")
    ] = False,
    console: Annotated[bool, typer.Option("--console", help="Serve the planning console to browsers here.")] = False,
    console_port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 picks one.")] = 8080,
) -> None:
    """Serve planning over gRPC until interrupted; the log goes to standard error, one JSON object a line.

    Examples:

      optimizer serve --listen 127.0.0.1:50051 --workers 2 --metrics-port 9464 --keep-days 90

      optimizer serve --console
    """
    from optimizer.service.logs import write_logs
    from optimizer.service.security import Security
    from optimizer.service.server import serve as run

    write_logs(log_level)
    host = listen.rpartition(":")[0]
    security = Security(tls_certificate, tls_key, tls_client_ca, tokens)
    if console and tls_client_ca is not None and not tokens:
        _refuse_console_without_tokens()
    with ExitStack() as beside:

        def ready(port: int) -> None:
            typer.echo(f"listening on {host}:{port}, Ctrl-C stops")
            if console:
                address = beside.enter_context(_console(listen, port, console_port)).address
                typer.echo(f"console at {address}")

        run(
            listen,
            workers=workers,
            store=store,
            security=security,
            insecure_listen=insecure_listen,
            metrics_port=metrics_port,
            keep_days=keep_days,
            on_ready=ready,
        )


def _console(listen: str, port: int, console_port: int) -> ConsoleServer:
    """The console in front of the server at ``listen``, which took ``port``."""
    from optimizer.console import ConsoleServer

    host = listen.rpartition(":")[0]
    target = listen if listen.startswith("unix:") else f"{'localhost' if host in _EVERYWHERE else host}:{port}"
    return ConsoleServer(target, console_port)


def _refuse_console_without_tokens() -> None:
    told = "the console would lend its own client certificate to everybody on this machine"
    raise InvalidInputError.single("console", told, "add --tokens: the browser then shows one", "server")
