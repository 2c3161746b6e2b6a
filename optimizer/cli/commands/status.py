"""``optimizer status``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.output import JSON_OPTION, ExitCode, console, print_json
from optimizer.cli.progress import progress_line

if TYPE_CHECKING:
    from optimizer.domain.server_status import ServerStatus

_BYTES_PER_MIB = 2**20


def status(
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="The service.")] = "127.0.0.1:50051",
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """How a service does: version, store, queue, and what is being computed. Exit code 5 if it is not ready.

    Examples:

      optimizer status

      optimizer status --server planning.example.org:50051 --json
    """
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        found = client.server_status()
    if as_json:
        print_json(found.model_dump_json(indent=2))
    else:
        _show(found)
    raise typer.Exit(int(ExitCode.SERVICE if found.missing else ExitCode.GOOD))


def _show(found: ServerStatus) -> None:
    target = console()
    uptime = dt.timedelta(seconds=round(found.uptime_s))
    lines = [
        f"optimizer {found.version}, up {uptime}, {f'not ready: {found.missing}' if found.missing else 'ready'}",
        f"store    {found.store}",
        f"workers  {found.worker_count}, with {found.worker_memory_bytes / _BYTES_PER_MIB:,.0f} MiB",
    ]
    if not found.missing:
        oldest = "" if found.oldest_wait_s is None else f", the oldest for {found.oldest_wait_s:,.0f} s"
        lines += [
            f"queue    {found.queued_count} of {found.queue_limit} waiting{oldest}",
            f"running  {found.running_count}",
        ]
    for plan in found.running:
        told = "" if plan.progress is None else f"   {progress_line(plan.progress)}"
        lines.append(f"  {plan.name}   {plan.running_s:,.0f} s{told}")
    for line in lines:
        target.print(line, markup=False, soft_wrap=True)
