"""What can be wrong between the parts of a portfolio: references that lead nowhere, months outside the horizon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from optimizer.domain.finance import Objective
from optimizer.errors import did_you_mean

if TYPE_CHECKING:
    from optimizer.domain.portfolio import Portfolio

Location = tuple[int | str, ...]
Finding = tuple[Location, str, str, object]
"""Where, what, the fix, and the value."""


def known(location: Location, name: str, names: Sequence[str], kind: str) -> Iterator[Finding]:
    """A finding unless there is a ``kind`` of that name."""
    if name not in names:
        hint = did_you_mean(name, names).removeprefix("; ") or f"add a {kind} of that name"
        yield location, f"no {kind} is named {name!r}", hint, name


def findings_between_parts(portfolio: Portfolio) -> Iterator[Finding]:
    """All that follows."""
    yield from building_findings(portfolio)
    yield from stress_findings(portfolio)
    yield from objective_findings(portfolio)
    yield from carbon_findings(portfolio)
    yield from country_findings(portfolio)


def stress_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """Who does not exist, or cannot fail; shocks that begin, and tenants that default, outside the horizon."""
    horizon = portfolio.horizon
    parties = sorted(portfolio.default_hazards)
    for i, stress in enumerate(portfolio.finance.stresses):
        here: Location = ("finance", "stresses", i)
        dates = [((*here, "shocks", j, "begin_month"), item.begin_month) for j, item in enumerate(stress.shocks)]
        for j, default in enumerate(stress.defaults):
            dates.append(((*here, "defaults", j, "default_month"), default.default_month))
            if default.tenant is not None:
                yield from known((*here, "defaults", j, "tenant"), default.tenant, parties, "tenant")
        for j, built in enumerate(stress.construction):
            if built.site is not None:
                yield from known((*here, "construction", j, "site"), built.site, [*portfolio.site_index], "site")
        for location, month in dates:
            if not horizon.start_month <= month < horizon.end_month:
                told = f"{stress.name} has something happen in {month:%Y-%m}, outside the horizon"
                fix = f"give a month from {horizon.start_month:%Y-%m} to before {horizon.end_month:%Y-%m}"
                yield location, told, fix, month


def objective_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """An enterprise value of a year that is not whole in the horizon, or ends inside a period."""
    finance, horizon = portfolio.finance, portfolio.horizon
    if finance.objective is not Objective.ENTERPRISE_VALUE or finance.multiples is None:
        return
    year = finance.multiples.year
    first, last = horizon.index_of(dt.date(year, 1, 1)), horizon.index_of(dt.date(year, 12, 1))
    location: Location = ("finance", "multiples", "year")
    if first < 0 or last >= horizon.month_count:
        yield location, f"{year} is not whole in the horizon", "choose a year of which all months are planned", year
    elif last not in [period.last for period in horizon.periods]:
        yield location, f"December {year} is inside a period", "let a period end with it, or choose another year", year


def building_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """Contracts that need a building where none can be built."""
    bare = [site.name for site in portfolio.sites if not site.buildings]
    for i, offer in enumerate(portfolio.offers):
        for j, place in enumerate(offer.sites):
            if place.needs_building and place.site in bare:
                yield (
                    ("offers", i, "sites", j, "needs_building"),
                    f"{offer.name} needs a building at {place.site}, which can have none",
                    "add buildings to the site, or drop needs_building",
                    True,
                )


def carbon_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """A rule on carbon where no site causes any, and caps of years that are not planned."""
    rule, years = portfolio.policy.carbon, {month.year for month in portfolio.horizon.months}
    if rule is None:
        return
    if all(site.carbon_t_per_mwh is None for site in portfolio.sites):
        fix = "state carbon_t_per_mwh of the sites, or drop the rule"
        yield ("policy", "carbon"), "a rule on carbon, but no site says how much a MWh causes", fix, None
    for i, cap in enumerate(rule.caps):
        if cap.year not in years:
            told = f"{cap.year} is not in the horizon"
            yield ("policy", "carbon", "caps", i, "year"), told, f"choose from {min(years)} to {max(years)}", cap.year


def country_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """Countries without a site, and sites that would be paid while they are shut."""
    for i, risk in enumerate(portfolio.market.country_risks):
        here: Location = ("market", "country_risks", i, "country")
        sites = [site for site in portfolio.sites if site.country == risk.country]
        if not sites:
            yield from known(
                here, risk.country, sorted({site.country for site in portfolio.sites}), "country of a site"
            )
        for site in sites:
            series = portfolio.series_by_name.get(site.power.hourly_series or "")
            hours = series.hours.usd_per_mwh if series is not None and series.hours is not None else ()
            lowest = min([site.power.flat_usd_per_mwh or 0.0, *hours])
            if site.demand_response is not None or site.transmission_credit is not None:
                told = f"{site.name} may be shut, and is paid for its load in every month"
                yield here, told, "drop its demand_response and transmission_credit, or the risk", risk.country
            elif min(lowest, site.power.adder_usd_per_mwh) < 0.0:
                told = f"{site.name} may be shut, and has energy that costs less than nothing"
                yield here, told, "state prices and adder of 0 or more there, or drop the risk", risk.country
