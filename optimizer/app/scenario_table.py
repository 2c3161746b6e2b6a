"""The scenarios of a portfolio as a table for other programs: a row a scenario and month of the horizon.

What is drawn is written shard by shard, so that memory does not grow with the number of scenarios. A portfolio reads
the columns of market factors back as its ``scenario_table``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.curves.futures import Floats, Futures, Ints
from optimizer.domain.portfolio import Portfolio
from optimizer.io.table_files import write_parts


def save_scenarios(portfolio: Portfolio, path: str | Path) -> int:
    """Write every scenario that ``portfolio`` asks for as Parquet or CSV; the number of rows.

    ``solvent`` columns, one for each tenant and each backstopper that can fail, say whether it still pays, and
    ``open`` columns whether the sites of a country that may shut them are open; where hashprice answers to the owner's
    machines, it is the one of the fleets of the start.

    Raises:
        InvalidInputError: for a file that cannot be written or is neither, and for Parquet without pyarrow.
        SeriesError: when a history or table of the market has not been read.
    """
    return write_parts(Path(path), _parts(portfolio))


def _parts(portfolio: Portfolio) -> Iterator[pd.DataFrame]:
    futures, first = Futures.of(portfolio), 0
    for shard in futures.shards():
        yield _table(shard, np.arange(first, first + shard.scenario_count))
        first += shard.scenario_count


def _table(futures: Futures, numbers: Ints) -> pd.DataFrame:
    """The rows of some scenarios, all months of one before those of the next."""
    months, count = futures.month_count, futures.scenario_count
    paths: dict[str, Floats] = {
        "btc_usd": futures.btc_usd,
        "network_eh_s": futures.network_eh_s,
        "hashprice_usd_per_ph_day": futures.hashprice_usd_per_ph_day,
        "power_level": futures.market_power_level,
        "gpu_rental_multiplier": futures.gpu_rental_multiplier,
        "re_lease_rent_usd_per_kw_month": futures.re_lease_rent_usd_per_kw_month,
    }
    names = [f"{month:%Y-%m}" for month in futures.portfolio.horizon.months]
    columns: dict[str, object] = {"scenario": np.repeat(numbers, months), "month": names * count}
    columns |= {name: path[:months].T.ravel() for name, path in paths.items()}
    for name in sorted(futures.portfolio.default_hazards):
        solvent = np.arange(months)[None, :] < futures.default_month(name)[:, None]
        columns[f"solvent {name}"] = solvent.ravel()
    for country in sorted(risk.country for risk in futures.portfolio.market.country_risks):
        site = next(site for site in futures.portfolio.sites if site.country == country)
        columns[f"open {country}"] = (np.asarray(futures.open_frac(site.name))[:months] > 0.0).T.ravel()
    return pd.DataFrame(columns)
