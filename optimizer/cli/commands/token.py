"""``optimizer token``: who may call a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.commands.serve import STORE_OPTION
from optimizer.cli.output import JSON_OPTION, console, print_json

if TYPE_CHECKING:
    from optimizer.service.tokens import Token

app = typer.Typer(no_args_is_help=True, help="Tokens of a service: who may call it, what for, and until when.")


@app.command("create")
def create(
    label: Annotated[str, typer.Argument(help="Whose token it is, in words.")],
    scope: Annotated[
        str,
        typer.Option(
            help="'read' to look at a tenant's portfolios and plans, 'plan' for all calls, 'admin' for all tenants."
        ),
    ] = "read",
    tenant: Annotated[str, typer.Option(help="Whose portfolios and plans it is for.")] = "default",
    days: Annotated[float | None, typer.Option(help="Valid for so many days; without it, until revoked.")] = None,
    store: Annotated[str, STORE_OPTION] = "sqlite:///optimizer.db",
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Make a token and print it: it is shown now and never again.

    Examples:

      optimizer token create "planning team" --scope plan --days 90

      optimizer token create "east planners" --scope plan --tenant east
    """
    from optimizer.errors import InvalidInputError
    from optimizer.service.database import Database
    from optimizer.service.tokens import Scope, Tokens

    if scope not in list(Scope):
        raise InvalidInputError.single("scope", f"{scope!r} is not a scope", "write read, plan or admin", "token")
    with Database(store, exclusive=False) as database:
        token, secret = Tokens(database).create(label, Scope(scope), days, tenant)
    if as_json:
        print_json({"id": token.id, "token": secret})
    else:
        typer.echo(secret)


@app.command("list")
def list_tokens(
    store: Annotated[str, STORE_OPTION] = "sqlite:///optimizer.db", as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Print all tokens, without their secrets.

    Examples:

      optimizer token list
    """
    from rich.table import Table

    from optimizer.service.database import Database
    from optimizer.service.tokens import Tokens

    with Database(store, exclusive=False) as database:
        tokens = Tokens(database).all()
    if as_json:
        print_json([_row(token) for token in tokens])
        return
    table = Table("id", "label", "tenant", "scope", "usable", "created", "expires", "revoked", title="Tokens (UTC)")
    for token in tokens:
        table.add_row(*(item or "" for item in (_row(token) | {"usable": "yes" if token.usable else "no"}).values()))
    console().print(table)


def _row(token: Token) -> dict[str, Any]:
    said: dict[str, Any] = {"id": token.id, "label": token.label, "tenant": token.tenant, "scope": token.scope.value}
    said["usable"] = token.usable
    times = {name: getattr(token, name) for name in ("create_time", "expire_time", "revoke_time")}
    return said | {name: time and f"{time:%Y-%m-%d %H:%M}" for name, time in times.items()}


@app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As 'optimizer token list' says.")],
    store: Annotated[str, STORE_OPTION] = "sqlite:///optimizer.db",
) -> None:
    """End a token; a running server refuses it from the next call on, and ends its streams.

    Examples:

      optimizer token revoke 0123456789ab
    """
    from optimizer.service.database import Database
    from optimizer.service.tokens import Tokens

    with Database(store, exclusive=False) as database:
        token = Tokens(database).revoke(token_id)
    typer.echo(f"{token.id} ({token.label}) is revoked")
