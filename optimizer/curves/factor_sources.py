"""Where multipliers of the factors come from besides a process: blocks of history, a table of scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import bootstrap
from optimizer.domain.uncertainty import Bootstrap, Factor, ScenarioTable, TableUnit
from optimizer.errors import InvalidInputError, SeriesError

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


def _unread(path: str) -> InvalidInputError:
    fix = "load the portfolio with optimizer.io.load_portfolio, which reads it"
    return SeriesError.single(path, "is not read from its file", fix)
