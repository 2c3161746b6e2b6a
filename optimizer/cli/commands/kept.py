"""``optimizer plans`` and ``optimizer portfolios``: what a service keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.errors import InvalidInputError

if TYPE_CHECKING:
    import datetime as dt

    from optimizer.client import PlanRecord, PlanState

plans = typer.Typer(no_args_is_help=True, help="Plans that a service keeps: list, stop, cancel, delete.")
portfolios = typer.Typer(no_args_is_help=True, help="Portfolios that a service keeps: list, delete.")

_SERVER = typer.Option(metavar="HOST:PORT", help="The service.")
_PLAN = typer.Argument(metavar="NAME", help="plans/ and the id, as 'optimizer plans list' says.")
_DEFAULT = "127.0.0.1:50051"
_TENANT = "default"


@plans.command("list")
def list_plans(
    portfolio: Annotated[str, typer.Option(metavar="NAME", help="Only plans of this portfolio.")] = "",
    state: Annotated[list[str] | None, typer.Option(help="Only plans in this state; may be repeated.")] = None,
    server: Annotated[str, _SERVER] = _DEFAULT,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Print the plans of a service, newest first.

    Examples:

      optimizer plans list --state queued --state running
    """
    from optimizer.client import OptimizerClient

    states = _states(state or [])
    with OptimizerClient.from_environment(server) as client:
        rows = [_plan_row(record) for record in client.list_plans(portfolio_name=portfolio, states=states)]
    if as_json:
        print_json(rows)
        return
    shown = {"name": "name", "portfolio": "portfolio", "state": "state"}
    shown |= {"create_time": "created", "end_time": "ended", "expire_time": "expires"}
    _print_table("Plans (UTC)", rows, shown)


@plans.command("stop")
def stop(name: Annotated[str, _PLAN], server: Annotated[str, _SERVER] = _DEFAULT) -> None:
    """End a search now and keep the best plan so far; a plan that waits still is cancelled.

    Examples:

      optimizer plans stop plans/0123456789abcdef0123456789abcdef
    """
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        typer.echo(f"{name} is {client.stop(name).state.value}")


@plans.command("cancel")
def cancel(name: Annotated[str, _PLAN], server: Annotated[str, _SERVER] = _DEFAULT) -> None:
    """End a plan and discard what there is.

    Examples:

      optimizer plans cancel plans/0123456789abcdef0123456789abcdef
    """
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        typer.echo(f"{name} is {client.cancel(name).state.value}")


@plans.command("delete")
def delete_plan(
    name: Annotated[str, _PLAN],
    etag: Annotated[str, typer.Option(help="Delete it only if it is as it was at this etag.")] = "",
    server: Annotated[str, _SERVER] = _DEFAULT,
) -> None:
    """Delete a plan that has ended.

    Examples:

      optimizer plans delete plans/0123456789abcdef0123456789abcdef
    """
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        client.delete_plan(name, etag=etag)
    typer.echo(f"{name} is deleted")


@portfolios.command("list")
def list_portfolios(server: Annotated[str, _SERVER] = _DEFAULT, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Print the portfolios of a service, newest first.

    Examples:

      optimizer portfolios list
    """
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        heads = list(client.list_portfolios())
    rows = [{"name": head.name, "create_time": _told(head.create_time), "tenant": head.tenant} for head in heads]
    if as_json:
        print_json(rows)
        return
    _print_table("Portfolios (UTC)", rows, {"name": "name", "create_time": "created"})


@portfolios.command("delete")
def delete_portfolio(
    name: Annotated[str, typer.Argument(metavar="NAME", help="portfolios/ and the id.")],
    server: Annotated[str, _SERVER] = _DEFAULT,
) -> None:
    """Delete a portfolio of which there are no plans.

    Examples:

      optimizer portfolios delete portfolios/0123456789abcdef0123456789abcdef
    """
    from optimizer.client import OptimizerClient

    with OptimizerClient.from_environment(server) as client:
        client.delete_portfolio(name)
    typer.echo(f"{name} is deleted")


def _print_table(title: str, rows: list[dict[str, Any]], columns: dict[str, str]) -> None:
    """Rows with the headings of some of their columns; whose they are only where one is not of the usual tenant."""
    from rich.table import Table

    if any(row["tenant"] != _TENANT for row in rows):
        columns = columns | {"tenant": "tenant"}
    table = Table(*columns.values(), title=title)
    for row in rows:
        table.add_row(*(row[name] or "" for name in columns))
    console().print(table)


def _states(asked: list[str]) -> list[PlanState]:
    from optimizer.client import PlanState

    wrong = [name for name in asked if name not in list(PlanState)]
    if wrong:
        fix = f"write {', '.join(PlanState)}"
        raise InvalidInputError.single("state", f"{wrong[0]!r} is not a state", fix, "question")
    return [PlanState(name) for name in asked]


def _plan_row(record: PlanRecord) -> dict[str, Any]:
    said = {"name": record.name, "portfolio": record.portfolio_name, "state": record.state.value}
    times = {name: _told(getattr(record, name)) for name in ("create_time", "end_time", "expire_time")}
    more = {name: getattr(record, name) for name in ("etag", "tenant", "reused_from", "priority")}
    return said | times | more


def _told(time: dt.datetime | None) -> str | None:
    return None if time is None else f"{time:%Y-%m-%d %H:%M}"
