"""The best plan so far, in short: what a watcher sees while the rest is still searched for."""

from __future__ import annotations

import numpy as np

from optimizer.domain.plan import Incumbent, SiteUse
from optimizer.model.calendar import Floats
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program
from optimizer.model.read import LEAST_MW, read_use


class IncumbentSummary:
    """Says what the last plan that it was shown does; it reads a plan only when it is asked."""

    def __init__(self, program: Program, problem: PlanningProblem) -> None:
        self._program, self._problem = program, problem
        self._values: Floats | None = None
        self._told: Incumbent | None = None

    def show(self, values: Floats) -> None:
        """Take note of a better plan."""
        self._values = values

    def tell(self) -> Incumbent | None:
        """The plan that was shown last, in short; None if there is none yet."""
        values, self._values = self._values, None
        if values is not None:
            self._told = self._summary(values[: self._program.column_count])
        return self._told

    def _summary(self, values: Floats) -> Incumbent:
        contracts, by_kind = read_use(self._program, self._problem, values)
        horizon, calendar = self._problem.portfolio.horizon, self._problem.calendar
        years = np.array([month.year for month in horizon.months])
        period = np.repeat(np.arange(calendar.period_count), calendar.period_length)
        named = np.unique(years)
        monthly = np.stack(by_kind)[:, :, period]
        yearly = np.stack([monthly[:, :, years == year].mean(axis=2) for year in named], axis=2)
        return Incumbent(
            contracts=contracts,
            use=tuple(
                SiteUse(
                    site=site.name,
                    year=int(year),
                    mining_mw=float(yearly[0, s, y]),
                    hosting_mw=float(yearly[1, s, y]),
                    gpu_mw=float(yearly[2, s, y]),
                )
                for s, site in enumerate(self._problem.portfolio.sites)
                for y, year in enumerate(named)
                if yearly[:, s, y].max() > LEAST_MW
            ),
        )
