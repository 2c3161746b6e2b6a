"""``optimizer import``: parts of a portfolio out of files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.commands.plan import PORTFOLIO
from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.errors import InvalidInputError

if TYPE_CHECKING:
    from optimizer.domain.portfolio import Portfolio

app = typer.Typer(no_args_is_help=True, help="Take parts of a portfolio from files of other programs.")


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
    from optimizer.io import load_portfolio
    from optimizer.io.fleets import COLUMNS, FleetColumns, read_fleets

    columns = _pairs("column", column)
    strange = sorted(set(columns) - set(COLUMNS))
    if strange:
        raise InvalidInputError.single("--column", f"{strange[0]!r} is not read", f"one of {', '.join(COLUMNS)}")
    loaded = load_portfolio(portfolio)
    fleets = read_fleets(file, loaded, FleetColumns(columns, _pairs("site", site), _pairs("model", model)))
    stated = {"fleets": [item.model_dump(exclude_unset=True) for item in fleets]}
    count = sum(item.count for item in fleets)
    _show(portfolio, loaded, stated, f"{count:,} machines in {len(fleets)} fleets", out, as_json)


@app.command("forwards")
def forwards(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet with a row a month.")],
    portfolio: Annotated[str, PORTFOLIO],
    column: Annotated[str, typer.Option(help="Column of the quotes.")] = "hashprice",
    month_column: Annotated[str, typer.Option(help="Column of months or days.")] = "month",
    unit: Annotated[str, typer.Option(help="What is quoted: usd-per-ph-day or btc-per-ph-day.")] = "usd-per-ph-day",
    out: Annotated[
        Path | None, typer.Option(help="Write the portfolio with this network: .yaml, .json, .xlsx.")
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Turn hashprice forwards into the network hashrate that they imply, as a portfolio states it under market.

    In their months the mean hashprice over the portfolio's scenarios is then the quote. Bitcoin price, fees and
    halvings stay; afterwards the network keeps the shape of its stated path on the level of the last quote.

    Examples:

      optimizer import forwards forwards.csv portfolio.yaml --out portfolio-july.yaml

      optimizer import forwards strip.csv us-miner --column mid --month-column contract --unit btc-per-ph-day
    """
    from optimizer.app.forwards import HashpriceUnit, market_of_forwards
    from optimizer.io import load_portfolio
    from optimizer.io.factor_files import read_forwards

    if unit not in set(HashpriceUnit):
        raise InvalidInputError.single("--unit", f"is {unit!r}", f"one of {', '.join(HashpriceUnit)}")
    quotes, loaded = read_forwards(file, month_column, column), load_portfolio(portfolio)
    path = market_of_forwards(loaded, quotes, HashpriceUnit(unit)).network_eh_s
    stated = {"market": {"network_eh_s": path.model_dump(mode="json", exclude_unset=True)}}
    told = f"hashprice as quoted from {min(quotes):%Y-%m} to {max(quotes):%Y-%m}"
    _show(portfolio, loaded, stated, told, out, as_json)


def _show(
    portfolio: str, loaded: Portfolio, stated: dict[str, Any], told: str, out: Path | None, as_json: bool
) -> None:
    """Print what a portfolio is to state, or write the portfolio with it."""
    from optimizer.io import dump_portfolio, parse_portfolio, save_portfolio, yaml_text

    if out is not None:
        given = Path(portfolio)
        folder = given.parent if given.exists() else None
        whole = dump_portfolio(loaded)
        for name, part in stated.items():
            whole[name] = {**whole[name], **part} if isinstance(part, dict) else part
        save_portfolio(parse_portfolio(whole, folder, portfolio), out)
    if as_json:
        print_json(stated)
    elif out is None:
        typer.echo(yaml_text(stated), nl=False)
    else:
        console().print(f"{told}; portfolio written to {out}; next: optimizer plan {out}", markup=False, soft_wrap=True)


def _pairs(option: str, stated: list[str] | None) -> dict[str, str]:
    pairs = [item.partition("=") for item in stated or ()]
    for index, (name, _, value) in enumerate(pairs):
        if not (name and value):
            raise InvalidInputError.single(f"--{option}[{index}]", "has no two sides", "write NAME=VALUE")
    return {name: value for name, _, value in pairs}
