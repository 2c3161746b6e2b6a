"""``optimizer curve network``: difficulty and hashprice by the rule of the protocol, and what an exit does to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from optimizer.cli.curve_options import OUT, PLOT, given, portfolio_of
from optimizer.cli.curve_output import EXIT_COLUMNS, NETWORK_COLUMNS, Answer, Output
from optimizer.cli.output import JSON_OPTION
from optimizer.domain.base import validated
from optimizer.domain.network_curves import NetworkCurve, NetworkCurveSpec
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError

START_MONTH = "2027-01"
ROWS_SHOWN_AT_MOST = 24


def network(
    # Long, as every option of the command is a parameter.
    portfolio: Annotated[str | None, typer.Option(help="Portfolio file or example: its market and horizon.")] = None,
    network_eh_s: Annotated[
        float | None, typer.Option(help="Hashrate of the network in the first month, EH/s.")
    ] = None,
    growth: Annotated[float | None, typer.Option(help="Growth of it a year, 0.2 is 20 %.")] = None,
    start: Annotated[str | None, typer.Option(help=f"First month; {START_MONTH} without a portfolio.")] = None,
    months: Annotated[int | None, typer.Option(help="Months; 60 without a portfolio.")] = None,
    height: Annotated[int | None, typer.Option(help="Block height at the start.")] = None,
    difficulty: Annotated[float | None, typer.Option(help="Difficulty at the start; else ten minutes a block.")] = None,
    fee_share: Annotated[float | None, typer.Option(help="Share of fees in the reward, 0.01 is 1 %.")] = None,
    exit_eh_s: Annotated[float | None, typer.Option(help="Hashrate that leaves the network, EH/s.")] = None,
    exit_month: Annotated[str | None, typer.Option(help="First month without it, as 2028-01.")] = None,
    elasticity: Annotated[
        float | None, typer.Option(help="d ln hashrate / d ln hashprice of the others when somebody leaves.")
    ] = None,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show difficulty, blocks, subsidy and hashprice of a network month by month, and what an exit does to them.

    Difficulty follows hashrate every 2,016 blocks. What leaves is gone at once; the others add a part of it back.

    Examples:

      optimizer curve network --portfolio us-miner

      optimizer curve network --network-eh-s 1000 --growth 0.2 --months 60 --height 982000

      optimizer curve network --portfolio us-miner --exit-eh-s 20 --exit-month 2028-01 --plot exit.png
    """
    output = Output(as_json, plot, out)
    if (portfolio is None) == (network_eh_s is None):
        told = "--portfolio and --network-eh-s exclude each other" if portfolio else "no network is given"
        raise InvalidInputError.single("network", told, "give one of --portfolio and --network-eh-s", "question")
    if growth is not None and network_eh_s is None:
        raise InvalidInputError.single("growth", "the portfolio has its own", "give --network-eh-s with it", "question")
    found = portfolio_of(portfolio)
    path = None if network_eh_s is None else {"value": network_eh_s, **given({"growth_per_year_frac": growth})}
    own_exit = given({"exit_eh_s": exit_eh_s, "from_month": exit_month, "elasticity": elasticity})
    stated = {
        "start_month": start, "month_count": months, "network_eh_s": path, "block_height_at_start": height,
        "difficulty_at_start": difficulty, "fee_share_frac": fee_share, "own_exit": own_exit or None,
    }  # fmt: skip
    data = (_of_portfolio(found) if found is not None else {"start_month": START_MONTH, "month_count": 60}) | given(
        stated
    )
    if found is not None and own_exit:
        data["own_exit"] = {"elasticity": found.market.network_price_elasticity} | own_exit
    spec = validated(NetworkCurveSpec, data, "question")
    from optimizer.app.network_curves import network_curve

    curve = network_curve(spec)
    title = f"Network of {found.name}" if found is not None else "Network"
    subtitle = f"{spec.month_count} months from {spec.start_month:%Y-%m} at height {spec.block_height_at_start:,}"
    if spec.own_exit is not None:
        subtitle += f"; {spec.own_exit.exit_eh_s:g} EH/s leave in {spec.own_exit.from_month:%Y-%m}"
    output.show(
        Answer(
            title=title,
            subtitle=subtitle,
            data={"question": spec.model_dump(mode="json"), "curve": curve.model_dump(mode="json")},
            records=list(_records(curve)),
            columns=NETWORK_COLUMNS if spec.own_exit is None else (*NETWORK_COLUMNS, *EXIT_COLUMNS),
            notes=_exit_notes(curve),
            chart=lambda charts: charts.network_chart(curve, title, subtitle),
            shown_every=next(n for n in (1, 3, 6, 12, 36) if spec.month_count <= n * ROWS_SHOWN_AT_MOST),
        )
    )


def _of_portfolio(portfolio: Portfolio) -> dict[str, Any]:
    market, horizon = portfolio.market, portfolio.horizon
    return {
        "start_month": horizon.start_month,
        "month_count": horizon.month_count,
        "network_eh_s": market.network_eh_s,
        "block_height_at_start": market.block_height_at_start,
        "fee_share_frac": market.fee_share_frac,
    }


def _records(curve: NetworkCurve) -> Iterator[Mapping[str, Any]]:
    for row in curve.months:
        record = {"month": f"{row.month:%Y-%m}", **row.before.model_dump()}
        if row.after is not None:
            record |= {f"{name}_after": value for name, value in row.after.model_dump().items()}
            record["hashprice_change_frac"] = row.hashprice_change_frac
        yield record


def _exit_notes(curve: NetworkCurve) -> list[str]:
    changes = [(row.hashprice_change_frac, row.month) for row in curve.months if row.hashprice_change_frac is not None]
    if not changes:
        return []
    most, month = max(changes)
    return [f"the exit lifts hashprice by at most {most:.2%}, in {month:%Y-%m}; {changes[-1][0]:.2%} in the last month"]
