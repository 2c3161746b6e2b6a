"""What is read, not drawn: multipliers from blocks of history or a table of scenarios, and prices of hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import bootstrap
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.uncertainty import Bootstrap, Factor, ScenarioTable, TableUnit
from optimizer.errors import InvalidInputError, SeriesError
from optimizer.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from optimizer.curves.futures import Futures

_ORDER = list(Factor)


def history_multipliers(futures: Futures, drawn: Bootstrap) -> NDArray[np.float64]:
    """Multipliers ``[5, T_ext, W]`` from blocks of history.

    Raises:
        SeriesError: when the file of the history has not been read.
    """
    if not drawn.history:
        raise _unread("market.bootstrap.history")
    return bootstrap.bootstrap_multipliers(
        seed=futures.portfolio.risk.seed,
        first_scenario=futures.first_scenario,
        scenario_count=futures.scenario_count,
        month_count=futures.extended_month_count,
        log_changes=np.diff(np.log([item.values for item in drawn.history]), axis=1),
        factor_index=[_ORDER.index(item.factor) for item in drawn.history],
        mean_block_months=drawn.mean_block_months,
    )


def stated_multipliers(futures: Futures, stated: ScenarioTable) -> NDArray[np.float64]:
    """Multipliers ``[5, T_ext, W]`` of a table of scenarios; a level is taken over the base path.

    Raises:
        SeriesError: when the file of the table has not been read.
    """
    if not stated.paths:
        raise _unread("market.scenario_table.paths")
    rows = np.array([[path.values for path in item.scenarios] for item in stated.paths])
    months = futures.extended_month_count
    held = np.minimum(np.arange(months), rows.shape[2] - 1)
    table = np.ones((len(_ORDER), months, rows.shape[1]))
    for item, values in zip(stated.paths, rows[:, :, held], strict=True):
        base = (
            futures.path(futures.portfolio.market.base_path(item.factor))
            if stated.unit is TableUnit.LEVEL
            else np.ones(months)
        )
        table[_ORDER.index(item.factor)] = values.T / base[:, None]
    return bootstrap.table_multipliers(
        first_scenario=futures.first_scenario,
        scenario_count=futures.scenario_count,
        month_count=months,
        table=table,
    )


def hourly_prices(portfolio: Portfolio, site_name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Energy prices of a site's hours in USD/MWh and the calendar month of each; a flat price is one hour a month.

    Raises:
        SeriesError: when the site's series has not been loaded.
    """
    power = portfolio.site(site_name).power
    if power.flat_usd_per_mwh is not None:
        return np.full(MONTHS_PER_YEAR, power.flat_usd_per_mwh), np.arange(1, MONTHS_PER_YEAR + 1)
    assert power.hourly_series is not None
    hours = portfolio.series_by_name[power.hourly_series].hours
    if hours is None:
        names = [item.name for item in portfolio.series]
        raise SeriesError.single(
            f"series[{names.index(power.hourly_series)}].hours",
            f"the hours of {power.hourly_series!r} are not loaded",
            "load the portfolio with optimizer.io.load_portfolio, which reads its series",
        )
    return np.array(hours.usd_per_mwh), np.array(hours.month_of_year)


def _unread(path: str) -> InvalidInputError:
    fix = "load the portfolio with optimizer.io.load_portfolio, which reads it"
    return SeriesError.single(path, "is not read from its file", fix)
