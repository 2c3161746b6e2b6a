"""What there could be more of: each with the portfolio in which there is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from optimizer.app.changes import changed
from optimizer.domain.base import add_months
from optimizer.domain.one_more import OneMoreSpec, Scarce
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.site import Site
from optimizer.units import USD_PER_MUSD


@dataclass(frozen=True)
class More:
    """One thing that there could be more of."""

    of: Scarce
    what: str
    """In words, with its place and time."""
    changes: dict[str, object]
    """Paths and values by which the portfolio with more of it differs."""
    site: str | None = None
    year: int | None = None

    def portfolio(self, stated: Portfolio) -> Portfolio:
        """The portfolio with more of it."""
        return changed(stated, {}, self.changes)


def all_asked(spec: OneMoreSpec) -> list[More]:
    """Everything that a question asks about, by kind, site and time."""
    wanted = spec.of or tuple(Scarce)
    found = [more for kind in Scarce if kind in wanted for more in KINDS[kind](spec.portfolio, spec.step)]
    return [
        more
        for more in found
        if (more.site is None or not spec.sites or more.site in spec.sites)
        and (more.year is None or not spec.years or more.year in spec.years)
    ]


def _grid(portfolio: Portfolio, step: float) -> Iterator[More]:
    months = portfolio.horizon.months
    for site in _connected_as_stated(portfolio):
        for year in sorted({month.year for month in months}):
            first = max(dt.date(year, 1, 1), months[0])
            if site.grid_mw_at(first) > 0.0 or any(item.from_month.year == year for item in site.grid):
                steps = _raised(site, first, dt.date(year + 1, 1, 1), step)
                what = f"grid at {site.name} in {year}"
                yield More(Scarce.GRID, what, {f"sites[{site.name}].grid": steps}, site.name, year)


def _raised(site: Site, first: dt.date, after: dt.date, step: float) -> list[dict[str, object]]:
    """The grid with more MW from a month until before another."""
    months = sorted({item.from_month for item in site.grid} | {first, after})
    raised = [step if first <= month < after else 0.0 for month in months]
    return [
        {"from_month": month, "grid_mw": _stated_mw(site, month) + more}
        for month, more in zip(months, raised, strict=True)
    ]


def _stated_mw(site: Site, month: dt.date) -> float:
    return max([0.0, *[item.grid_mw for item in site.grid if item.from_month <= month][-1:]])


def _earlier_grid(portfolio: Portfolio, step: float) -> Iterator[More]:
    for site in _connected_as_stated(portfolio):
        for item, added in zip(site.grid, site.added_grid_mw, strict=True):
            if added <= 0.0 or item.from_month <= portfolio.horizon.start_month:
                continue
            month = add_months(item.from_month, -round(step))
            steps = [other for other in site.grid if other.from_month < month or other.from_month > item.from_month]
            moved = [{"from_month": other.from_month, "grid_mw": other.grid_mw} for other in steps]
            moved.append({"from_month": month, "grid_mw": item.grid_mw})
            moved.sort(key=lambda one: str(one["from_month"]))
            what = f"the grid step of {site.name} in {item.from_month:%Y-%m}, earlier"
            changes: dict[str, object] = {f"sites[{site.name}].grid": moved}
            yield More(Scarce.EARLIER_GRID, what, changes, site.name, item.from_month.year)


def _connected_as_stated(portfolio: Portfolio) -> list[Site]:
    """Sites whose interconnect comes when it comes: where a step can be brought forward, that is a decision itself."""
    return [site for site in portfolio.sites if not any(item.advance is not None for item in site.grid)]


def _halls(portfolio: Portfolio, step: float) -> Iterator[More]:
    for site in portfolio.sites:
        if site.hall_mw > 0.0:
            changes: dict[str, object] = {f"sites[{site.name}].hall_mw": site.hall_mw + step}
            yield More(Scarce.HALLS, f"halls at {site.name}", changes, site.name)


def _budget(portfolio: Portfolio, step: float) -> Iterator[More]:
    for item in portfolio.finance.capex_budgets:
        most = item.maximum_capex_usd + step * USD_PER_MUSD
        changes: dict[str, object] = {f"finance.capex_budgets[{item.name}].maximum_capex_usd": most}
        yield More(Scarce.BUDGET, f"capex budget {item.name}", changes, year=item.from_month.year)


def _debt(portfolio: Portfolio, step: float) -> Iterator[More]:
    terms = portfolio.finance.project_debt
    if terms is not None and terms.maximum_debt_usd is not None:
        most = terms.maximum_debt_usd + step * USD_PER_MUSD
        yield More(Scarce.DEBT, "project debt", {"finance.project_debt.maximum_debt_usd": most})


def _liquidity(portfolio: Portfolio, step: float) -> Iterator[More]:
    least = portfolio.finance.minimum_liquidity_usd - step * USD_PER_MUSD
    if least >= 0.0:
        yield More(Scarce.LIQUIDITY, "cash that need not be kept", {"finance.minimum_liquidity_usd": least})


def _machines(portfolio: Portfolio, step: float) -> Iterator[More]:
    for i, fleet in enumerate(portfolio.fleets):
        what = f"{fleet.asic_model} at {fleet.site}"
        if fleet.condition_frac != 1.0:
            what += f", {fleet.condition_frac:.0%} of nameplate"
        yield More(Scarce.MACHINES, what, {f"fleets[{i}].count": fleet.count + round(step)}, fleet.site)


KINDS: dict[Scarce, Any] = {
    Scarce.GRID: _grid,
    Scarce.EARLIER_GRID: _earlier_grid,
    Scarce.HALLS: _halls,
    Scarce.BUDGET: _budget,
    Scarce.DEBT: _debt,
    Scarce.LIQUIDITY: _liquidity,
    Scarce.MACHINES: _machines,
}
"""How more of each kind is stated."""
