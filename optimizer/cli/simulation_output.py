"""What ``optimizer simulate`` and ``optimizer backtest`` print and draw."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from optimizer.cli.curve_output import Answer, Column, number
from optimizer.domain.backtest import Backtest
from optimizer.domain.simulation import Simulation, Strategy, StrategyOutcome
from optimizer.units import USD_PER_MUSD

if TYPE_CHECKING:
    from optimizer.report.chart import Chart

SIMULATED: tuple[Column, ...] = (
    ("strategy", lambda record: Strategy(record["strategy"]).told),
    ("mean NPV\nM USD", number("mean_usd", 1, 1.0 / USD_PER_MUSD)),
    ("± (95 %)\nM USD", number("error_usd", 1, 1.0 / USD_PER_MUSD)),
    ("CVaR\nM USD", number("cvar_usd", 1, 1.0 / USD_PER_MUSD)),
    ("paths below\nthe floor, %", number("below_floor_frac", 0, 100.0)),
)


def simulation_answer(name: str, found: Simulation) -> Answer:
    """The strategies as a table, what they differ by as notes, and their distributions as a picture."""
    title = f"{name}: a plan on {len(found.paths):,} simulated paths"
    subtitle = f"planned again on {len(found.dates)} dates" if found.dates else ""
    records = [_record(item) for item in found.strategies]
    offers = [
        f"{item.offer}: planned {'not at all' if item.held_month is None else f'{item.held_month:%Y-%m}'}, "
        f"signed on {item.replanned_frac:.0%} of the paths, in the planned month on {item.same_month_frac:.0%}"
        for item in found.offers
    ]

    def drawn(charts: ModuleType) -> Chart:
        chart: Chart = charts.simulation_chart(found, title, subtitle)
        return chart

    chart = drawn if found.strategies else None
    return Answer(title, subtitle, found.model_dump(mode="json"), records, SIMULATED, [*found.told, *offers], chart)


def _record(item: StrategyOutcome) -> dict[str, object]:
    spread = item.distribution
    return {
        "strategy": item.strategy.value,
        "mean_usd": spread.mean_usd,
        "error_usd": spread.mean_interval_usd[1] - spread.mean_usd,
        "cvar_usd": spread.cvar_usd,
        "below_floor_frac": item.below_floor_frac,
    }


def backtest_answer(name: str, found: Backtest) -> Answer:
    """Cash by year and strategy as a table, changes of mind as notes, and both with hashprice as a picture."""
    title = f"{name}: a plan in a known past"
    subtitle = "cash at the end of each year, million USD"
    records = [
        {
            "year": row.year,
            "btc_usd": row.btc_usd,
            "hashprice_usd_per_ph_day": row.hashprice_usd_per_ph_day,
            **dict(zip((item.strategy.value for item in found.outcomes), row.cash_usd, strict=True)),
        }
        for row in found.years
    ]
    columns: tuple[Column, ...] = (
        ("year", lambda record: str(record["year"])),
        ("BTC\nUSD", number("btc_usd")),
        ("hashprice\nUSD/PH/day", number("hashprice_usd_per_ph_day", 1)),
        *((item.strategy.value, number(item.strategy.value, 1, 1.0 / USD_PER_MUSD)) for item in found.outcomes),
    )
    notes = [f"{date.month:%Y-%m}: {'; '.join(date.changed)}" for date in found.dates if date.changed]

    def drawn(charts: ModuleType) -> Chart:
        chart: Chart = charts.backtest_chart(found, title, subtitle)
        return chart

    data = found.model_dump(mode="json")
    return Answer(title, subtitle, data, records, columns, [*notes, found.told], drawn if found.outcomes else None)
