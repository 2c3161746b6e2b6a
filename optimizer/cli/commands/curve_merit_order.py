"""``optimizer curve merit-order``: what a site's fleet is worth over MW."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.curve_options import OUT, PLOT, given
from optimizer.cli.curve_output import MERIT_ORDER_COLUMNS, Answer, Output
from optimizer.cli.output import JSON_OPTION
from optimizer.domain.base import validated
from optimizer.domain.merit_order import MeritOrderSpec


def merit_order(
    portfolio: Annotated[str, typer.Option(help="Portfolio file or example: its sites, fleets and market.")],
    site: Annotated[str, typer.Option(help="Site of the portfolio.")],
    month: Annotated[str | None, typer.Option(help="Month of the horizon, as 2027-06; else the first.")] = None,
    hashprice: Annotated[
        float | None, typer.Option(help="USD/PH/day; else that of the portfolio's base paths in the month.")
    ] = None,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show what a month is worth by the MW that a site leaves to its machines, the best ones first.

    Each step is a model and mode of the fleet that stands there at the start; it stops in every hour that does not pay.
    Prices are those of the portfolio's base paths in the month. Operating cost and load income by MW count.

    Examples:

      optimizer curve merit-order --portfolio us-miner --site "Ward County"

      optimizer curve merit-order --portfolio us-miner --site "Ward County" --month 2027-06 --hashprice 40

      optimizer curve merit-order --portfolio empire.yaml --site Odessa --plot merit.png
    """
    output = Output(as_json, plot, out)
    from optimizer.app.curve_inputs import find_site
    from optimizer.app.merit_order import site_merit_order
    from optimizer.io import load_portfolio

    loaded = load_portfolio(portfolio)
    question = {"site": find_site(loaded, site).name, **given({"month": month, "hashprice_usd_per_ph_day": hashprice})}
    spec = validated(MeritOrderSpec, {"portfolio": loaded, **question}, "question")
    order = site_merit_order(spec)
    title = f"{spec.site} of {loaded.name} in {order.month:%Y-%m}"
    source = "of the base paths" if hashprice is None else "as stated"
    subtitle = (
        f"hashprice {order.hashprice_usd_per_ph_day:,.2f} USD/PH/day {source}, mean power price "
        f"{order.mean_power_usd_per_mwh:,.2f} USD/MWh"
    )
    data = order.model_dump(mode="json")
    output.show(
        Answer(
            title=title,
            subtitle=subtitle,
            data={"question": {"portfolio": loaded.name, **question}, "merit_order": data},
            records=data["steps"],
            columns=MERIT_ORDER_COLUMNS,
            notes=[
                f"{order.paying_grid_mw:,.1f} of {order.fleet_grid_mw:,.1f} MW pay; connection and halls allow "
                f"{order.limit_grid_mw:,.1f} MW",
                f"in the values by MW and month: {order.load_income_usd_per_mw_month:,.0f} USD load income, "
                f"{order.opex_usd_per_mw_month:,.0f} USD operating cost",
            ],
            chart=lambda charts: charts.merit_order_chart(order, title, subtitle),
        )
    )
