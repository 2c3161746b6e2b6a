"""``optimizer curve``: what a machine, a site, a cluster or the network does over a range, without a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from optimizer.cli.commands import curve_cluster, curve_merit_order, curve_network
from optimizer.cli.curve_options import (
    CHECKPOINT_SAVE_S,
    FAILURES,
    GPU,
    OUT,
    PLOT,
    PORTFOLIO,
    POWER_KW_PER_GPU,
    PUE,
    RESTART_S,
    given,
    gpu_power_kw,
    levels,
    portfolio_of,
)
from optimizer.cli.curve_output import (
    BREAKEVEN_COLUMNS,
    BTC_COLUMN,
    HASHING_COLUMNS,
    THROUGHPUT_COLUMNS,
    Answer,
    Output,
)
from optimizer.cli.output import JSON_OPTION
from optimizer.domain.base import validated
from optimizer.domain.curves import BreakevenSpec, HashingCurveSpec, ThroughputCurveSpec
from optimizer.domain.gpu import CapCurve
from optimizer.domain.portfolio import Portfolio
from optimizer.errors import InvalidInputError

app = typer.Typer(no_args_is_help=True, help="Curves of mining, sites, GPU clusters and the network.")

MODEL = typer.Option(help="Machine, as 'S21 XP': the portfolio's own, else one of: optimizer library list asics.")
MODE = typer.Option(help="Mode or firmware, repeatable; else all modes of the portfolio, or the library's nameplate.")
HASHPRICE = typer.Option(help="Hashprices in USD/PH/day: low:high:step, or a list with commas.")
POOL_FEE = typer.Option(help="What the pool keeps, 0.01 is 1 %.")


@app.command("hashing")
def hashing(
    # Long, as every option of the command is a parameter.
    model: Annotated[str, MODEL],
    mode: Annotated[list[str] | None, MODE] = None,
    portfolio: Annotated[str | None, PORTFOLIO] = None,
    site: Annotated[str | None, typer.Option(help="Site of the portfolio: its power prices and terms.")] = None,
    price_series: Annotated[
        str | None, typer.Option(metavar="FILE", help="Hourly USD/MWh: CSV, Parquet, or a library series by name.")
    ] = None,
    time_column: Annotated[str, typer.Option(help="Column of hour starts in that file.")] = "time",
    value_column: Annotated[str, typer.Option(help="Column of prices in that file.")] = "price_usd_per_mwh",
    flat: Annotated[float | None, typer.Option(help="The same USD/MWh in every hour.")] = None,
    hashprice: Annotated[str, HASHPRICE] = "20:80:5",
    adder: Annotated[float | None, typer.Option(help="USD/MWh on top of every price: delivery, losses, taxes.")] = None,
    pue: Annotated[float | None, PUE] = None,
    uptime: Annotated[float | None, typer.Option(help="Share of hours a machine works, 0.97 is 97 %.")] = None,
    pool_fee: Annotated[float | None, POOL_FEE] = None,
    btc_usd: Annotated[float | None, typer.Option(help="USD per bitcoin, to see what is earned in bitcoin.")] = None,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show what a machine earns over a range of hashprices, stopping in every hour that does not pay.

    The power price comes from one of --site (with --portfolio), --price-series and --flat. What is stated here
    replaces what the site says.

    Examples:

      optimizer curve hashing --model "S21 XP" --site "Ward County" --portfolio us-miner

      optimizer curve hashing --model s21 --mode DCENT_OS --price-series ercot-west --adder 12 --plot curve.png

      optimizer curve hashing --model "M60S" --flat 42 --hashprice 30,40,50 --btc-usd 95000 --json
    """
    output = Output(as_json, plot, out)
    hashprices = levels(hashprice)
    from optimizer.app.curve_inputs import find_machine
    from optimizer.app.curves import hashing_curve

    found = portfolio_of(portfolio)
    machine = find_machine(model, mode or (), found)
    where, terms = _power_terms(site, found, price_series, flat, {"time": time_column, "value": value_column})
    stated = {"adder_usd_per_mwh": adder, "pue": pue, "uptime_frac": uptime, "pool_fee_frac": pool_fee}
    data = terms | {"modes": machine.modes, "hashprice_usd_per_ph_day": hashprices, "btc_usd": btc_usd} | given(stated)
    spec = validated(HashingCurveSpec, data, "question")
    curve = hashing_curve(spec)
    title, subtitle = f"{machine.name} at {where}", _modes_told(machine.modes)
    answer = curve.model_dump(mode="json")
    question = {"model": machine.name, "power": where, **spec.model_dump(mode="json", exclude={"hours"})}
    breakeven = (
        f"mean power price {curve.mean_power_usd_per_mwh:,.2f} USD/MWh with adders; at it, running without stops, the "
        f"machine breaks even at a hashprice of {curve.breakeven_hashprice_usd_per_ph_day:,.2f} USD/PH/day"
    )
    output.show(
        Answer(
            title=f"{title}, one machine in the mean month",
            subtitle=subtitle,
            data={"question": question, "curve": answer},
            records=answer["points"],
            columns=HASHING_COLUMNS if btc_usd is None else (*HASHING_COLUMNS, BTC_COLUMN),
            notes=[breakeven] + ["add --btc-usd to see what is earned in bitcoin"] * (btc_usd is None),
            chart=lambda charts: charts.hashing_chart(curve, title, subtitle),
        )
    )


@app.command("throughput")
def throughput(
    gpu: Annotated[str, GPU],
    count: Annotated[int, typer.Option(help="GPUs of the cluster.")],
    cap_curve: Annotated[CapCurve, typer.Option(help="How throughput answers to a power cap.")] = CapCurve.UNCAPPED,
    power_kw_per_gpu: Annotated[float | None, POWER_KW_PER_GPU] = None,
    pue: Annotated[float | None, PUE] = None,
    mtbf_hours: Annotated[float | None, typer.Option(help="Hours between failures of the whole cluster.")] = None,
    failures_per_1000_gpu_days: Annotated[float | None, FAILURES] = None,
    checkpoint_save_s: Annotated[float | None, CHECKPOINT_SAVE_S] = None,
    restart_s: Annotated[float | None, RESTART_S] = None,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show what a GPU cluster gets done, and draws, under each power cap.

    Failures count if one of --mtbf-hours and --failures-per-1000-gpu-days is given, with --checkpoint-save-s and
    --restart-s.

    Examples:

      optimizer curve throughput --gpu GB300 --count 1024 --cap-curve a100-training

      optimizer curve throughput --gpu H100 --count 4096 --mtbf-hours 30 --checkpoint-save-s 60 --restart-s 600
    """
    output = Output(as_json, plot, out)
    from optimizer.app.curve_inputs import find_gpu
    from optimizer.app.curves import throughput_curve

    found = find_gpu(gpu)
    power_kw = gpu_power_kw(found, power_kw_per_gpu)
    failures = {
        "mtbf_hours": mtbf_hours, "failures_per_1000_gpu_days": failures_per_1000_gpu_days,
        "checkpoint_save_s": checkpoint_save_s, "restart_s": restart_s,
    }  # fmt: skip
    data = {"gpu_count": count, "power_kw_per_gpu": power_kw, "cap_curve": cap_curve, **given({"pue": pue})}
    spec = validated(ThroughputCurveSpec, data | {"checkpointing": given(failures) or None}, "question")
    curve = throughput_curve(spec)
    notes = [f"goodput {curve.goodput_frac:.2%}: the share of time not lost to failures, restarts and checkpoints"]
    if curve.checkpoint_interval_s is not None:
        notes.append(f"best interval from one checkpoint to the next: {curve.checkpoint_interval_s:,.0f} s")
    title = f"{count:,} {found.name}"
    subtitle = f"cap curve {cap_curve.value}, {power_kw:g} kW per GPU, PUE {spec.pue:g}"
    answer = curve.model_dump(mode="json")
    output.show(
        Answer(
            title=title,
            subtitle=subtitle,
            data={"question": {"gpu": found.name, **spec.model_dump(mode="json")}, "curve": answer},
            records=answer["points"],
            columns=THROUGHPUT_COLUMNS,
            notes=notes,
            chart=lambda charts: charts.throughput_chart(curve, title, f"{subtitle}, goodput {curve.goodput_frac:.1%}"),
        )
    )


@app.command("breakeven")
def breakeven(
    model: Annotated[str, MODEL],
    hashprice: Annotated[str, HASHPRICE],
    mode: Annotated[list[str] | None, MODE] = None,
    portfolio: Annotated[str | None, PORTFOLIO] = None,
    pue: Annotated[float, PUE] = 1.05,
    pool_fee: Annotated[float, POOL_FEE] = 0.01,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show the power price, with all adders, at which each mode of a machine stops paying.

    Examples:

      optimizer curve breakeven --model "S21 XP" --hashprice 38

      optimizer curve breakeven --model s19j-pro --mode LuxOS --hashprice 20:60:5 --plot breakeven.svg
    """
    output = Output(as_json, plot, out)
    hashprices = levels(hashprice)
    from optimizer.app.curve_inputs import find_machine
    from optimizer.app.curves import mode_breakevens

    machine = find_machine(model, mode or (), portfolio_of(portfolio))
    question = {"hashprice_usd_per_ph_day": hashprices, "pue": pue, "pool_fee_frac": pool_fee}
    points = mode_breakevens(validated(BreakevenSpec, {"modes": machine.modes, **question}, "question")).points
    records = [
        {
            "hashprice_usd_per_ph_day": item.hashprice_usd_per_ph_day,
            "mode": machine.modes[item.mode_index].label,
            "hashrate_th_s": machine.modes[item.mode_index].hashrate_th_s,
            "power_w": machine.modes[item.mode_index].power_w,
            "breakeven_usd_per_mwh": item.breakeven_usd_per_mwh,
            "step_usd_per_mwh": item.step_usd_per_mwh,
        }
        for item in points
    ]
    title, subtitle = (
        f"{machine.name}: break-even power price",
        f"with all adders, PUE {pue:g}, pool fee {pool_fee:.1%}",
    )

    def chart(charts: Any) -> Any:
        lines = [
            charts.Line(
                _mode_told(mode), hashprices, [item.step_usd_per_mwh for item in points[i :: len(machine.modes)]]
            )
            for i, mode in enumerate(machine.modes)
            if points[i].step_usd_per_mwh is not None
        ]
        return charts.breakeven_chart(lines, title, f"up to each line its mode earns most, {subtitle}")

    note = "above 'loses money' a mode costs more than it earns; above 'step down' a lower one, or none, earns more"
    data = {"question": {"model": machine.name, **question}, "breakevens": records}
    output.show(Answer(title, subtitle, data, records, BREAKEVEN_COLUMNS, [note], chart))


app.command("merit-order")(curve_merit_order.merit_order)
app.command("cluster")(curve_cluster.cluster)
app.command("cluster-value")(curve_cluster.cluster_value)
app.command("network")(curve_network.network)

# --------------------------------------------------------------------------------------------------------------- inputs


def _power_terms(
    site: str | None, portfolio: Portfolio | None, price_series: str | None, flat: float | None, column: dict[str, str]
) -> tuple[str, dict[str, Any]]:
    """Where power comes from, in words, and as fields of the question."""
    from optimizer.app.curve_inputs import hourly_prices, site_terms

    sources = list(given({"--site": site, "--price-series": price_series, "--flat": flat}))
    if len(sources) != 1:
        told = f"{' and '.join(sources)} exclude each other" if sources else "no power price is given"
        raise InvalidInputError.single("power price", told, "give one of --site, --price-series and --flat", "question")
    if site is not None:
        if portfolio is None:
            raise InvalidInputError.single("site", f"{site} of which portfolio?", "add --portfolio", "question")
        return f"{site} of {portfolio.name}", site_terms(portfolio, site)
    if price_series is not None:
        columns = {f"{name}_column": value for name, value in column.items()}
        return f"prices of {Path(price_series).name}", {"hours": hourly_prices(price_series, columns)}
    return f"{flat:g} USD/MWh", {"flat_usd_per_mwh": flat}


def _mode_told(mode: Any) -> str:
    return str(mode.label) or f"{mode.power_w:,.0f} W"


def _modes_told(modes: Sequence[Any]) -> str:
    told = "; ".join(f"{_mode_told(mode)}: {mode.hashrate_th_s:g} TH/s, {mode.power_w:,.0f} W" for mode in modes[:2])
    return told + (f"; and {len(modes) - 2} more modes" if len(modes) > 2 else "")
