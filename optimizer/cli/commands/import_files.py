"""``optimizer import``: parts of a portfolio out of files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.commands.plan import PORTFOLIO
from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.errors import InvalidInputError

app = typer.Typer(no_args_is_help=True, help="Take parts of a portfolio from files of other programs.")


@app.callback()
def _group() -> None:
    """Keep the name of the only command."""


@app.command("fleet")
def fleet(
    file: Annotated[Path, typer.Argument(help="CSV of a fleet manager: a row a machine, or a group with its count.")],
    portfolio: Annotated[str, PORTFOLIO],
    column: Annotated[
        list[str] | None, typer.Option(metavar="WHAT=COLUMN", help="Which column holds site, model or count.")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(metavar="NAME=SITE", help="A site of the portfolio by its name in the file.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME=MODEL", help="An ASIC model by its name in the file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the portfolio with these fleets: .yaml, .json, .xlsx.")
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Count the machines of an export by site and model, as a portfolio states them under fleets.

    Machines that are switched off stand at their site too, and count.

    Examples:

      optimizer import fleet miners.csv portfolio.yaml --out portfolio-july.yaml

      optimizer import fleet miners.csv portfolio.yaml --column site=Container --site WTX-1=Pecos
    """
    from optimizer.io import dump_portfolio, load_portfolio, parse_portfolio, save_portfolio, yaml_text
    from optimizer.io.fleets import COLUMNS, FleetColumns, read_fleets

    columns = _pairs("column", column)
    strange = sorted(set(columns) - set(COLUMNS))
    if strange:
        raise InvalidInputError.single("--column", f"{strange[0]!r} is not read", f"one of {', '.join(COLUMNS)}")
    loaded = load_portfolio(portfolio)
    fleets = read_fleets(file, loaded, FleetColumns(columns, _pairs("site", site), _pairs("model", model)))
    stated = {"fleets": [item.model_dump(exclude_unset=True) for item in fleets]}
    if out is not None:
        folder = Path(portfolio).parent if Path(portfolio).exists() else None
        save_portfolio(parse_portfolio({**dump_portfolio(loaded), **stated}, folder, file.name), out)
    if as_json:
        print_json(stated)
    elif out is None:
        typer.echo(yaml_text(stated), nl=False)
    else:
        count = sum(item.count for item in fleets)
        told = f"{count:,} machines in {len(fleets)} fleets; portfolio written to {out}; next: optimizer plan {out}"
        console().print(told, markup=False, soft_wrap=True)


def _pairs(option: str, stated: list[str] | None) -> dict[str, str]:
    pairs = [item.partition("=") for item in stated or ()]
    for index, (name, _, value) in enumerate(pairs):
        if not (name and value):
            raise InvalidInputError.single(f"--{option}[{index}]", "has no two sides", "write NAME=VALUE")
    return {name: value for name, _, value in pairs}
