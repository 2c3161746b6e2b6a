"""``optimizer library``: machines, GPUs, deals, tariffs, price series and example portfolios, with their sources."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from optimizer.cli.output import JSON_OPTION, console, print_json
from optimizer.errors import NotFoundError
from optimizer.library import tables
from optimizer.library.overlays import DEFAULT_HAZARD, OverlayPreset, overlays
from optimizer.library.portfolios import example_names, example_path
from optimizer.library.series import price_profiles

app = typer.Typer(no_args_is_help=True, help="Look things up in the reference library; every row has its source.")


class Kind(StrEnum):
    """What the library holds."""

    ASICS = "asics"
    GPUS = "gpus"
    DEALS = "deals"
    TARIFFS = "tariffs"
    GPU_RENTAL = "gpu-rental"
    DEBT = "debt"
    SERIES = "series"
    OVERLAYS = "overlays"
    PORTFOLIOS = "portfolios"


COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.ASICS: ("name", "display_name", "hashrate_th_s", "power_w", "efficiency_j_per_th", "confidence"),
    Kind.GPUS: ("name", "display_name", "tdp_w", "rated_kw_per_gpu", "price_usd_per_gpu", "confidence"),
    Kind.DEALS: ("name", "company", "tenant", "critical_mw", "term_months", "price_usd_per_kw_month", "confidence"),
    Kind.TARIFFS: ("name", "display_name", "country", "price_usd_per_mwh", "confidence"),
    Kind.GPU_RENTAL: ("name", "family", "date", "price_usd_per_gpu_hour", "confidence"),
    Kind.DEBT: ("name", "issuer", "date", "coupon_per_year", "tenor_years", "confidence"),
    Kind.SERIES: ("name", "display_name", "confidence"),
    Kind.OVERLAYS: ("name", "confidence", "source"),
    Kind.PORTFOLIOS: ("name",),
}
"""Columns of the list of each kind; ``show`` has them all."""

_ROWS: dict[Kind, Callable[[], Sequence[Any]]] = {
    Kind.ASICS: tables.asics,
    Kind.GPUS: tables.gpus,
    Kind.DEALS: tables.deals,
    Kind.TARIFFS: tables.tariffs,
    Kind.GPU_RENTAL: tables.gpu_rentals,
    Kind.DEBT: tables.debts,
    Kind.SERIES: price_profiles,
    Kind.OVERLAYS: overlays,
}


def _records(kind: Kind) -> list[dict[str, Any]]:
    if kind is Kind.PORTFOLIOS:
        return [{"name": name} for name in example_names()]
    if kind is Kind.OVERLAYS:
        return [_overlay_record(preset) for preset in overlays()]
    return [_plain(dataclasses.asdict(row)) for row in _ROWS[kind]()]


def _overlay_record(preset: OverlayPreset) -> dict[str, Any]:
    """An overlay with the points of each factor in words."""
    profiles = {effect.factor.value: effect.points for effect in preset.effects}
    profiles |= {DEFAULT_HAZARD: preset.default_hazard} if preset.default_hazard else {}
    told = {
        target: ", ".join(f"{point.multiplier:g} in month {point.month_offset}" for point in points)
        for target, points in profiles.items()
    }
    return {"name": preset.name, **told, "confidence": preset.confidence, "source": preset.source, "note": preset.note}


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, bool | int | float | None) else str(value) for key, value in record.items()}


@app.command("list")
def list_rows(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List what the library holds of one kind.

    Examples:

      optimizer library list asics
    """
    records = _records(kind)
    if as_json:
        print_json(records)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = [column for column in COLUMNS[kind] if records and column in records[0]]
    for column in columns:
        table.add_column(column, overflow="fold")
    for record in records:
        table.add_row(*[Text("" if record[column] is None else str(record[column])) for column in columns])
    console().print(table)


@app.command("show")
def show_row(
    name: Annotated[str, typer.Argument(help="Name of a row, a series or an example portfolio.")],
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show everything about one thing in the library, with its source. An example portfolio is printed as its file.

    Examples:

      optimizer library show s21-xp

      optimizer library show us-miner > portfolio.yaml
    """
    if name in example_names():
        text = example_path(name).read_text(encoding="utf-8")
        if as_json:
            from optimizer.io import dump_portfolio, load_portfolio

            print_json(dump_portfolio(load_portfolio(name)))
        else:
            typer.echo(text, nl=False)
        return
    known: list[str] = []
    for kind in _ROWS:
        for record in _records(kind):
            if record["name"] == name:
                rows = tables.asic_modes(name) if kind is Kind.ASICS else ()
                modes = [_plain(dataclasses.asdict(mode)) for mode in rows]
                _print_record(record | ({"modes": modes} if modes else {}), as_json=as_json)
                return
            known.append(str(record["name"]))
    raise NotFoundError("library row", name, known + example_names())


def _print_record(record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    target = console()
    for key, value in record.items():
        if isinstance(value, list):
            target.print(f"{key}:")
            for mode in value:
                told = f"{mode['hashrate_th_s']} TH/s, {mode['power_w']} W, {mode['efficiency_j_per_th']} J/TH"
                target.print(f"  {mode['mode']}: {told} ({mode['confidence']})", markup=False)
        elif value not in (None, ""):
            target.print(f"{key}: {value}", markup=False)
