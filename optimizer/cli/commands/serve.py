"""``optimizer serve``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.errors import InvalidInputError

if TYPE_CHECKING:
    from optimizer.gateway.server import HttpServer
    from optimizer.service.security import Security

    Front = Callable[[str], HttpServer]

_EVERYWHERE = frozenset({"0.0.0.0", "[::]"})
"""Hosts that stand for every address of a machine."""

STORE_OPTION = typer.Option(
    envvar="OPTIMIZER_STORE",
    metavar="URL",
    help="What outlives the server: sqlite:///FILE or postgresql://..., or 'temporary'.",
)
HTTP_OPTION = typer.Option(metavar="HOST:PORT", help="Take the same calls as JSON over HTTP here; port 0 picks one.")
ORIGIN_OPTION = typer.Option(metavar="ORIGIN", help="Pages of this origin may call there; repeatable.")
_METRICS_PORT = typer.Option(metavar="PORT", help="Metrics for Prometheus, on loopback; port 0 picks one.")
_KEEP_DAYS = typer.Option(metavar="DAYS", help="Delete plans so long after they ended; without it, never.")
_QUEUE_LIMIT = typer.Option(min=1, help="Plans that may wait; more are refused.")
_TENANT_QUOTA = typer.Option(min=1, help="Plans of one tenant that may wait or be computed; without it, any number.")
_JOB_MEMORY = typer.Option(metavar="GIB", help="Memory that the process of a plan may have; without it, what there is.")
_GRACE = typer.Option(min=0.0, metavar="SECONDS", help="What calls and plans have to end by themselves at the end.")


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
    metrics_port: Annotated[int | None, _METRICS_PORT] = None,
    keep_days: Annotated[float | None, _KEEP_DAYS] = None,
    queue_limit: Annotated[int, _QUEUE_LIMIT] = 64,
    tenant_quota: Annotated[int | None, _TENANT_QUOTA] = None,
    job_memory_gib: Annotated[float | None, _JOB_MEMORY] = None,
    grace_seconds: Annotated[float, _GRACE] = 5.0,
    log_level: Annotated[
        str, typer.Option(metavar="LEVEL", help="Log from here on: debug, info, warning or error.")
    ] = "info",
    insecure_listen: Annotated[
        bool, typer.Option("--insecure-listen", help="Allow an address that is not loopback, without TLS and tokens.")
    ] = False,
    console: Annotated[bool, typer.Option("--console", help="Serve the planning console to browsers here.")] = False,
    console_port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 picks one.")] = 8080,
    http: Annotated[str | None, HTTP_OPTION] = None,
    http_origin: Annotated[list[str] | None, ORIGIN_OPTION] = None,
) -> None:
    """Serve planning over gRPC, and HTTP if wanted, until interrupted; the log is on standard error, in lines of JSON.

    Examples:

      optimizer serve --listen 127.0.0.1:50051 --workers 2 --metrics-port 9464 --keep-days 90

      optimizer serve --console

      optimizer serve --http 127.0.0.1:8081 --http-origin https://planning.example.org
    """
    from optimizer.service.limits import Limits
    from optimizer.service.logs import write_logs
    from optimizer.service.security import Security
    from optimizer.service.server import serve as run

    write_logs(log_level)
    security = Security(tls_certificate, tls_key, tls_client_ca, tokens)
    fronts = _fronts(console_port if console else None, http, http_origin or [], security, insecure_listen)
    with ExitStack() as beside:
        run(
            listen,
            workers=workers,
            store=store,
            security=security,
            insecure_listen=insecure_listen,
            metrics_port=metrics_port,
            keep_days=keep_days,
            limits=Limits(queue_limit, tenant_quota, job_memory_gib),
            grace_s=grace_seconds,
            on_ready=lambda port: _open(fronts, listen, port, beside),
        )


def _fronts(
    console_port: int | None, http: str | None, origins: list[str], security: Security, insecure_listen: bool
) -> dict[str, Front]:
    """What serves HTTP in front of the service at a target, by what is told of it."""
    if console_port is not None and security.tls_client_ca is not None and not security.tokens:
        told = "the console would lend its own client certificate to everybody on this machine"
        raise InvalidInputError.single("console", told, "add --tokens: the browser then shows one", "server")
    if origins and http is None:
        raise InvalidInputError.single("http_origin", "nothing listens for HTTP", "add --http HOST:PORT", "server")
    fronts: dict[str, Front] = {}
    if console_port is not None:
        from optimizer.console import ConsoleServer

        fronts["console"] = lambda target: ConsoleServer(target, console_port)
    if http is not None:
        from optimizer.gateway import GatewayServer

        fronts["JSON over HTTP"] = lambda target: GatewayServer(
            target, http, security, origins=origins, insecure_listen=insecure_listen
        )
    return fronts


def _open(fronts: Mapping[str, Front], listen: str, port: int, beside: ExitStack) -> None:
    """Tell where the service listens, and serve what is in front of it."""
    host = listen.rpartition(":")[0]
    typer.echo(f"listening on {host}:{port}, Ctrl-C stops")
    target = listen if listen.startswith("unix:") else f"{'localhost' if host in _EVERYWHERE else host}:{port}"
    for name, front in fronts.items():
        typer.echo(f"{name} at {beside.enter_context(front(target)).address}")
