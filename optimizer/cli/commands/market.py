"""``optimizer market``: its uncertainty from history, its paths as a fan and as a table, its prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from optimizer.cli.curve_options import OUT, PLOT
from optimizer.cli.curve_output import Answer, Output
from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.cli.risk_options import with_risk
from optimizer.domain.base import validated
from optimizer.domain.market_answers import MarketCalibrationSpec, MarketFanSpec, MarketQuantity
from optimizer.domain.series import MarketOperator
from optimizer.domain.uncertainty import FactorFile
from optimizer.errors import InvalidInputError

app = typer.Typer(
    no_args_is_help=True, help="The market alone: calibrate it from history, draw where it may go, read its prices."
)


@app.command("calibrate")
def calibrate(
    history: Annotated[Path, typer.Argument(help="CSV or Parquet with one row a day or month.")],
    column: Annotated[list[str], typer.Option(metavar="FACTOR=COLUMN", help="Which column holds which factor.")],
    month_column: Annotated[str, typer.Option(help="Column of days or months.")] = "month",
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Fit volatility, mean reversion and correlations to history, as a portfolio states them under market.

    Of days the last of each month counts: means would look calmer. Volatility is that of monthly log changes; reversion
    is used where a Dickey-Fuller test with trend finds it at 5 %.

    Examples:

      optimizer market calibrate history.csv --column btc_price=price --column network_hashrate=hashrate
    """
    output = Output(as_json, None, out)
    pairs = [item.partition("=") for item in column]
    for index, (factor, equals, named) in enumerate(pairs):
        if not (factor and equals and named):
            raise InvalidInputError.single(f"--column[{index}]", f"is {column[index]!r}", "write btc_price=price")
    columns = [{"factor": factor, "column": named} for factor, _, named in pairs]
    spec = validated(FactorFile, {"path": history.name, "columns": columns, "month_column": month_column}, "question")
    from optimizer.app.market import calibrate_market
    from optimizer.io.factor_files import read_history

    values = read_history(history, spec, str(history), month_ends=True)
    question = {"history": [{"factor": factor, "values": months} for factor, months in values.items()]}
    found = calibrate_market(validated(MarketCalibrationSpec, question, history.name))
    stated = found.model_dump(mode="json", include={"uncertainty", "correlations"})
    output.show(
        Answer(
            title=f"{history.name}: {found.month_count} months",
            subtitle="monthly log changes; standard error in brackets",
            data=found.model_dump(mode="json"),
            records=[item.model_dump(mode="json") for item in found.factors],
            columns=[
                ("factor", lambda row: str(row["factor"])),
                ("volatility", lambda row: _with_error(row, "volatility")),
                ("growth", lambda row: f"{row['growth_per_year_frac']:.0%}"),
                ("reversion found", lambda row: f"{row['mean_reversion_per_year']:.2f}"),
                ("estimated", lambda row: f"{row['estimated_reversion_per_year']:.2f}"),
                ("Dickey-Fuller t", lambda row: f"{row['dickey_fuller_t']:.2f}"),
            ],
            notes=["to be put under market in a portfolio:", *_yaml_lines(stated)],
        )
    )


@app.command("fan")
def fan(
    portfolio: Annotated[str, typer.Argument(help="Portfolio file or example.")],
    quantity: Annotated[MarketQuantity, typer.Option(help="What to draw.")] = MarketQuantity.HASHPRICE,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show where the market of a portfolio may go: quantiles over its scenarios, by month.

    Examples:

      optimizer market fan us-miner

      optimizer market fan empire --quantity gpu-rental --plot fan.png
    """
    output = Output(as_json, plot, out)
    from optimizer.app.market import market_fan
    from optimizer.io import load_portfolio

    found = market_fan(MarketFanSpec(portfolio=load_portfolio(portfolio), quantity=quantity))
    names = [f"{probability:.0%}" for probability in found.probabilities]
    rows = [
        {"month": f"{row.month:%Y-%m}", "mean": row.mean, **dict(zip(names, row.quantiles, strict=True))}
        for row in found.months
    ]
    output.show(
        Answer(
            title=f"{portfolio}: {quantity.value}, {found.unit}",
            subtitle=f"quantiles over {found.scenario_count:,} scenarios",
            data=found.model_dump(mode="json"),
            records=rows,
            columns=[("month", lambda row: str(row["month"])), *[_number_column(name) for name in [*names, "mean"]]],
            notes=[],
            chart=lambda charts: charts.fan_chart(found, f"{portfolio}: {quantity.value}"),
            shown_every=12,
        )
    )


@app.command("scenarios")
def scenarios(
    portfolio: Annotated[str, typer.Argument(help="Portfolio file or example.")],
    out: Annotated[Path, typer.Option(help="Write them here: .parquet or .csv.")],
    count: Annotated[int | None, typer.Option("--scenarios", help="Scenarios, instead of the portfolio's.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Write the scenarios of a portfolio as a table: a row a scenario and month.

    Columns: prices, network, hashprice, rents, and whether each tenant still pays. A portfolio reads it back as its
    scenario_table.

    Examples:

      optimizer market scenarios us-miner --out scenarios.parquet
    """
    from optimizer.app.scenario_table import save_scenarios
    from optimizer.io import check_writable, load_portfolio

    check_writable(out)
    stated = with_risk(load_portfolio(portfolio), count, None)
    rows, scenario_count = save_scenarios(stated, out), stated.risk.scenario_count
    if as_json:
        print_json({"file": str(out), "scenario_count": scenario_count, "row_count": rows})
    else:
        console().print(f"{scenario_count:,} scenarios, {rows:,} rows written to {out}", markup=False, soft_wrap=True)


@app.command("prices")
def prices(
    files: Annotated[list[Path], typer.Argument(help="Exports of a market operator, CSV or Parquet.")],
    operator: Annotated[MarketOperator, typer.Option(help="Who handed them out.")],
    place: Annotated[str, typer.Option(help="Settlement point, pricing node, hub or bidding zone, as it is in them.")],
    out: Annotated[Path, typer.Option(help="Write whole hours here, as a CSV that portfolios read.")],
    usd_per_eur: Annotated[float | None, typer.Option(min=0.01, max=100.0, help="For the euros of ENTSO-E.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Turn exports of ERCOT, PJM, CAISO or ENTSO-E into hourly prices in local standard time.

    Examples:

      optimizer market prices da_hrl_lmps_*.csv --operator pjm --place "WESTERN HUB" --out prices.csv

      optimizer market prices dam_fr.csv --operator entso-e --place "BZN|FR" --usd-per-eur 1.08 --out prices.csv
    """
    from optimizer.io import check_writable, write_text
    from optimizer.io.market_exports import missing_hours_of, read_market_export

    check_writable(out)
    hours = read_market_export(files, operator, place, usd_per_eur)
    write_text(out, hours.to_csv(index=False))
    first, last, missing = hours["time"].iloc[0], hours["time"].iloc[-1], missing_hours_of(hours)
    if as_json:
        told = {"first_hour": first, "last_hour": last, "hour_count": len(hours), "missing_hour_count": missing}
        print_json({"file": str(out), **told})
        return
    target = console()
    target.print(f"{len(hours):,} hours at {place}, {first} to {last}, {missing:,} missing", markup=False)
    how = {"missing_hours": "typical-hour"} if missing else {}
    target.print("to be put into a portfolio beside the file:", markup=False)
    stated = {"series": [{"name": out.stem, "file": {"path": out.name, **how}}]}
    target.print("\n".join(_yaml_lines(stated)), markup=False, soft_wrap=True)


def _with_error(row: Any, name: str) -> str:
    return f"{row[f'{name}_per_year_frac']:.1%} ({row[f'{name}_standard_error_frac']:.1%})"


def _yaml_lines(stated: dict[str, Any]) -> list[str]:
    return yaml.safe_dump(stated, sort_keys=False, default_flow_style=None, width=110).splitlines()


def _number_column(name: str) -> tuple[str, Any]:
    return name, lambda row: f"{row[name]:,.4g}" if abs(row[name]) < 1e4 else f"{row[name]:,.0f}"
