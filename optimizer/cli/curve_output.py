"""What ``optimizer curve``, ``market`` and ``frontier`` print and write.

A table for people, JSON and CSV for programs, a picture for both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from optimizer.cli.output import console, print_json

if TYPE_CHECKING:
    from optimizer.report.chart import Chart

Record = Mapping[str, Any]
Column = tuple[str, Callable[[Record], str]]
"""Title, and cell of a record."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to say about one question."""

    title: str
    subtitle: str
    data: Record
    """For programs."""
    records: Sequence[Record]
    """Rows of the table."""
    columns: Sequence[Column]
    notes: Sequence[str]
    """Lines below the table."""
    chart: Callable[[ModuleType], Chart] | None = None
    """The picture, if there can be one, made with :mod:`optimizer.report.curve_charts`, which is slow to load."""
    shown_every: int = 1
    """One row in so many is shown to people."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where an answer goes."""

    as_json: bool
    plot: Path | None
    out: Path | None

    def __post_init__(self) -> None:
        """Refuse files that cannot be written, before the work."""
        if self.out is not None:
            from optimizer.io import check_writable

            check_writable(self.out)
        if self.plot is not None:
            from optimizer.report.curve_charts import check_chart_file

            check_chart_file(self.plot)

    def show(self, answer: Answer) -> None:
        """Print the answer, write its files."""
        notes = [*answer.notes]
        if self.out is not None:
            from optimizer.io import write_text

            write_text(self.out, _csv(answer.records))
            notes.append(f"table written to {self.out}")
        if self.plot is not None and answer.chart is not None:
            from optimizer.report import curve_charts

            curve_charts.write_chart(answer.chart(curve_charts), self.plot)
            notes.append(f"picture written to {self.plot}")
        if self.as_json:
            print_json(dict(answer.data))
            return
        target = console()
        target.print(Text(answer.title, style="bold"))
        target.print(Text(answer.subtitle))
        target.print(_table(answer.records[:: answer.shown_every], answer.columns))
        for note in notes:
            target.print(note, markup=False, soft_wrap=True)


def number(name: str, digits: int = 0, scale: float = 1.0) -> Callable[[Record], str]:
    """Cell of a number."""

    def cell(record: Record) -> str:
        value = record[name]
        return "-" if value is None else f"{value * scale:,.{digits}f}"

    return cell


HASHING_COLUMNS: tuple[Column, ...] = (
    ("hashprice\nUSD/PH/day", number("hashprice_usd_per_ph_day", 2)),
    ("margin\nUSD/machine", number("margin_usd_per_machine_month", 2)),
    ("margin\nUSD/MW", number("margin_usd_per_mw_month")),
    ("hours on\n%", number("running_hours_frac", 1, 100.0)),
    ("energy\nMWh", number("energy_mwh_per_machine_month", 3)),
    ("realised\nUSD/MWh", number("realised_power_usd_per_mwh", 2)),
)
"""One machine in the mean month of a year."""
BTC_COLUMN: Column = ("earned\nBTC", number("btc_per_machine_month", 6))
THROUGHPUT_COLUMNS: tuple[Column, ...] = (
    ("cap\n%", number("cap_frac", 1, 100.0)),
    ("throughput\n%", number("throughput_frac", 1, 100.0)),
    ("power\n%", number("power_frac", 1, 100.0)),
    ("critical\nMW", number("critical_mw", 3)),
    ("grid\nMW", number("grid_mw", 3)),
    ("effective\nGPUs", number("effective_gpu_count", 1)),
)
BREAKEVEN_COLUMNS: tuple[Column, ...] = (
    ("hashprice\nUSD/PH/day", number("hashprice_usd_per_ph_day", 2)),
    ("mode", lambda record: str(record["mode"] or "-")),
    ("hashrate\nTH/s", number("hashrate_th_s", 1)),
    ("power\nW", number("power_w")),
    ("loses money\nUSD/MWh", number("breakeven_usd_per_mwh", 2)),
    ("step down\nUSD/MWh", number("step_usd_per_mwh", 2)),
)

MERIT_ORDER_COLUMNS: tuple[Column, ...] = (
    ("model", lambda record: str(record["asic_model"])),
    ("mode", lambda record: str(record["mode"])),
    ("condition\n%", number("condition_frac", 0, 100.0)),
    ("step\nMW", number("grid_mw", 1)),
    ("so far\nMW", number("cumulative_grid_mw", 1)),
    ("value\nUSD/MW", number("usd_per_mw_month")),
    ("so far\nUSD", number("cumulative_usd_per_month")),
)
"""One site in one month."""
CLUSTER_COLUMNS: tuple[Column, ...] = (
    ("GPUs", number("gpu_count")),
    ("grid\nMW", number("grid_mw", 2)),
    ("scaling\n%", number("scaling_efficiency_frac", 1, 100.0)),
    ("goodput\n%", number("goodput_frac", 1, 100.0)),
    ("checkpoint\nevery s", number("checkpoint_interval_s")),
    ("effective\nGPUs", number("effective_gpu_count")),
    ("one more\nadds", number("marginal_effective_gpu_frac", 3)),
)
CLUSTER_VALUE_COLUMNS: tuple[Column, ...] = (
    ("critical\nMW", number("critical_mw", 3)),
    ("GPUs", number("gpu_count")),
    ("value\nUSD/month", number("usd_per_month")),
    ("piece\nUSD/MW", number("usd_per_mw_month")),
)
NETWORK_COLUMNS: tuple[Column, ...] = (
    ("month", lambda record: str(record["month"])),
    ("network\nEH/s", number("network_eh_s", 1)),
    ("difficulty\n10^12", number("difficulty", 2, 1e-12)),
    ("blocks", number("blocks", 1)),
    ("subsidy\nBTC", number("subsidy_btc", 4)),
    ("hashprice\nBTC/PH/day", number("hashprice_btc_per_ph_day", 8)),
)
EXIT_COLUMNS: tuple[Column, ...] = (
    ("with exit\nEH/s", number("network_eh_s_after", 1)),
    ("hashprice\nBTC/PH/day", number("hashprice_btc_per_ph_day_after", 8)),
    ("change\n%", number("hashprice_change_frac", 2, 100.0)),
)
_TEXT_COLUMNS = frozenset({"mode", "model", "month"})


def _table(records: Sequence[Record], columns: Sequence[Column]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, _ in columns:
        table.add_column(Text(title), justify="left" if title in _TEXT_COLUMNS else "right", overflow="fold")
    for record in records:
        table.add_row(*(Text(cell(record)) for _, cell in columns))
    return table


def _csv(records: Sequence[Record]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
