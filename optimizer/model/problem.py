"""The planning problem between the portfolio and the program: index sets and coefficient arrays, no solver in sight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.domain.finance import Objective
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.carbon import Carbon, build_carbon
from optimizer.model.expectations import Expectations
from optimizer.model.gpu import GpuOrders, build_gpu_orders
from optimizer.model.gpu_refresh import GpuRefreshes, build_gpu_refreshes
from optimizer.model.gpu_scale import ScaledBlocks, build_scaled_blocks
from optimizer.model.hosting import Starts, build_starts
from optimizer.model.lease_ends import Reconversions, ReLeases, build_re_leases, build_reconversions
from optimizer.model.mining import Machines, build_machines, standing
from optimizer.model.selling import Sales, build_sales
from optimizer.model.site_works import (
    BuildingOrders,
    GridAdvances,
    HallOrders,
    build_building_orders,
    build_grid_advances,
    build_hall_orders,
)
from optimizer.units import MONTHS_PER_YEAR, USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class PlanningProblem:
    """Everything the constraint families read."""

    portfolio: Portfolio
    """What the planner stated."""
    calendar: Calendar
    """Months and periods."""
    starts: Starts
    """Possible contract starts."""
    machines: Machines
    """Machines by site and class."""
    gpu_orders: GpuOrders
    """Possible GPU orders."""
    gpu_refreshes: GpuRefreshes
    """Those of them whose blocks can be refreshed."""
    scaled_blocks: ScaledBlocks
    """Tranches of GPU blocks that bill less than the first."""
    scaled_refreshed_blocks: ScaledBlocks
    """The same of refreshed blocks."""
    grid_advances: GridAdvances
    """Grid steps that can be brought forward."""
    hall_orders: HallOrders
    """Possible orders of mining halls."""
    building_orders: BuildingOrders
    """Possible orders of buildings."""
    reconversions: Reconversions
    """Starts whose halls can be taken back."""
    re_leases: ReLeases
    """Starts whose MW can be let again."""
    sales: Sales
    """Power that can be sold back."""
    carbon: Carbon | None
    """Carbon of all that can be decided, where there is a rule on it."""
    stresses: tuple[PlanningProblem, ...] = ()
    """The same problem in each stress: what can be decided is the same, what it is worth is not."""

    @classmethod
    def of(cls, portfolio: Portfolio, futures: Futures) -> PlanningProblem:
        """Evaluate all coefficients of a portfolio in its futures."""
        problem = cls._evaluated(portfolio, futures)
        paths = [futures.under(stress) for stress in portfolio.finance.stresses]
        return replace(problem, stresses=tuple(problem._under(cls._evaluated(path.portfolio, path)) for path in paths))

    @classmethod
    def _evaluated(cls, portfolio: Portfolio, futures: Futures) -> PlanningProblem:
        """The same without the stresses."""
        calendar, expected = Calendar.of(portfolio, futures), Expectations.of(portfolio, futures)
        starts = build_starts(portfolio, futures, calendar, expected)
        machines = build_machines(portfolio, futures, calendar, expected)
        orders = build_gpu_orders(portfolio, calendar, expected)
        refreshes = build_gpu_refreshes(portfolio, calendar, expected, orders)
        again = build_re_leases(portfolio, futures, calendar, expected, starts)
        return cls(
            portfolio=portfolio,
            calendar=calendar,
            starts=starts,
            machines=machines,
            gpu_orders=orders,
            gpu_refreshes=refreshes,
            scaled_blocks=build_scaled_blocks(portfolio, calendar, expected.gpus, orders),
            scaled_refreshed_blocks=build_scaled_blocks(portfolio, calendar, expected.refreshed_gpus, refreshes),
            grid_advances=build_grid_advances(portfolio, calendar),
            hall_orders=build_hall_orders(portfolio, calendar),
            building_orders=build_building_orders(portfolio, calendar),
            reconversions=build_reconversions(portfolio, calendar, starts),
            re_leases=again,
            sales=build_sales(portfolio, calendar, expected),
            carbon=build_carbon(portfolio, futures, calendar, expected, starts, again, orders, refreshes, machines),
        )

    def over(self, futures: Futures) -> PlanningProblem:
        """The problem over some of its scenarios; carbon is priced by what is expected over all of them."""
        return replace(self._under(self._evaluated(self.portfolio, futures)), carbon=self.carbon)

    def limited(self, portfolio: Portfolio) -> PlanningProblem:
        """The problem of a portfolio that has other limits or more machines standing, and is else the same.

        Nothing is evaluated again: grid, halls, budgets, the debt cap and liquidity are read where they are stated, and
        what decisions pay in a stress does not depend on them.
        """
        machines = replace(self.machines, initial=standing(portfolio, self.machines.classes))
        return replace(self, portfolio=portfolio, machines=machines)

    def _under(self, stressed: PlanningProblem) -> PlanningProblem:
        """The problem in a stress, or some scenarios; what a lender lends is agreed on expectations, not on those."""
        starts = replace(stressed.starts, debt_limit_musd=self.starts.debt_limit_musd)
        return replace(stressed, starts=starts)

    @cached_property
    def month_keys(self) -> tuple[str, ...]:
        """Months of the horizon as ``2027-04``, ``[T]``."""
        return tuple(f"{month:%Y-%m}" for month in self.portfolio.horizon.months)

    @cached_property
    def tax_year(self) -> Ints:
        """Position of each month's calendar year, ``[T]``."""
        years = np.array([month.year for month in self.portfolio.horizon.months])
        return np.asarray(years - years[0])

    @cached_property
    def tax_years(self) -> tuple[str, ...]:
        """Calendar years of the horizon as ``2027``, ``[Y]``."""
        return tuple(dict.fromkeys(f"{month:%Y}" for month in self.portfolio.horizon.months))

    @cached_property
    def value_year(self) -> Floats:
        """1 in the months whose earnings make an enterprise value that is the objective, ``[T]``; else 0."""
        finance, months = self.portfolio.finance, self.portfolio.horizon.months
        if finance.objective is not Objective.ENTERPRISE_VALUE or finance.multiples is None:
            return np.zeros(len(months))
        return np.array([float(month.year == finance.multiples.year) for month in months])

    def year_sum(self, monthly: Floats) -> Floats:
        """Sums over the months of each calendar year: ``[..., T]`` to ``[..., Y]``."""
        first = np.searchsorted(self.tax_year, np.arange(len(self.tax_years)))
        return np.asarray(np.add.reduceat(monthly, first, axis=-1))

    @cached_property
    def grid_mw(self) -> Floats:
        """Import limit of each site by month as stated, were it open, ``[S, T]``."""
        months = self.portfolio.horizon.months
        return np.array([[site.grid_mw_at(month) for month in months] for site in self.portfolio.sites])

    @cached_property
    def hall_mw(self) -> Floats:
        """Mining halls of the start, were the site open, ``[S, T]``; after a lease it is the power that is gone."""
        halls = np.array([site.hall_mw for site in self.portfolio.sites])
        return np.repeat(halls[:, None], self.calendar.month_count, axis=1)

    @cached_property
    def openings(self) -> tuple[Ints, Ints]:
        """Sites that can be opened and the months in which they can, two arrays ``[N]``."""
        pairs = [
            (s, int(month))
            for s, site in enumerate(self.portfolio.sites)
            if site.opening is not None
            for month in self.calendar.sign_months
            if month >= self.portfolio.horizon.index_of(site.opening.earliest_month)
        ]
        keys = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return keys[:, 0], keys[:, 1]

    def opened_by(self, site: int, month: int) -> Ints:
        """Positions, among the openings, of those after which a site can be used in ``month``."""
        opened, decided = self.openings
        opening = self.portfolio.sites[site].opening
        lead = opening.lead_months if opening is not None else 0
        return np.flatnonzero((opened == site) & (decided + lead <= month))

    @cached_property
    def open_from_start(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which sites need no opening, ``[S]``."""
        return np.array([site.opening is None for site in self.portfolio.sites])

    @cached_property
    def fixed_cash_musd(self) -> Floats:
        """Overhead and fixed costs of sites that are open from the start, by month, negative, ``[T]``."""
        finance, time = self.portfolio.finance, np.arange(self.calendar.month_count)
        growth = (1.0 + finance.overhead_growth_per_year_frac) ** (time / MONTHS_PER_YEAR)
        cash = -finance.overhead_usd_per_month * growth
        for index, site in enumerate(self.portfolio.sites):
            if site.opening is None:
                cash -= self.site_cost_usd(index)
        return np.asarray(cash / USD_PER_MUSD)

    def site_cost_usd(self, site: int) -> Floats:
        """Fixed cost of a site by month while its lease lasts, were it open, ``[T]``."""
        item, time = self.portfolio.sites[site], np.arange(self.calendar.month_count)
        end = item.lease_end_month
        leased = time < (self.portfolio.horizon.index_of(end) if end is not None else len(time))
        return np.asarray(item.fixed_opex_usd_per_month * leased)

    def after_opening(self, site: int, month: int) -> Floats:
        """1 in the months in which a site can be used that is opened in ``month``, ``[T]``."""
        opening = self.portfolio.sites[site].opening
        lead = opening.lead_months if opening is not None else 0
        return (np.arange(self.calendar.month_count) >= month + lead).astype(float)
