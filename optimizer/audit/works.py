"""What is done to the sites themselves, resolved, and the import limits and halls that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.audit.paths import FloatArray
from optimizer.domain import (
    AdvanceTerms,
    Building,
    BuildingOrder,
    Decisions,
    GridAdvance,
    HallExpansion,
    HallOrder,
    Portfolio,
    Site,
)
from optimizer.errors import Problem, did_you_mean


@dataclass(frozen=True, slots=True)
class AdvancedStep:
    """A grid step that comes earlier than stated; dates are month indices."""

    site: Site
    site_index: int
    step: int
    """Position in the site's grid."""
    terms: AdvanceTerms
    stated: int
    advance_months: int

    @property
    def month(self) -> int:
        """Month in which it comes."""
        return self.stated - self.advance_months

    @property
    def decided(self) -> int:
        """Month in which it is decided and paid."""
        return self.month - self.terms.notice_months

    @property
    def price_usd(self) -> float:
        """What it costs."""
        return self.terms.fixed_usd + self.advance_months * self.terms.usd_per_month

    @property
    def label(self) -> str:
        """Site and step."""
        return f"step of {self.site.grid[self.step].from_month:%Y-%m} at {self.site.name}"


@dataclass(frozen=True, slots=True)
class AddedHalls:
    """Mining halls ordered together; dates are month indices."""

    site: Site
    site_index: int
    terms: HallExpansion
    order: int
    hall_mw: float

    @property
    def ready(self) -> int:
        """First month in which they can be used."""
        return self.order + self.terms.lead_months

    @property
    def price_usd(self) -> float:
        """What they cost."""
        return self.hall_mw * self.terms.capex_usd_per_mw


def added_halls(portfolio: Portfolio, decisions: Decisions) -> tuple[AddedHalls, ...]:
    """The halls added, all of whose sites exist and offer them."""
    found = []
    for decision in decisions.hall_orders:
        site = portfolio.site(decision.site)
        assert site.hall_expansion is not None
        order = portfolio.horizon.index_of(decision.month)
        found.append(AddedHalls(site, portfolio.site_index[site.name], site.hall_expansion, order, decision.hall_mw))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class BuildingWork:
    """A data-centre building that is built; dates are month indices."""

    site: Site
    site_index: int
    terms: Building
    order: int

    @property
    def ready(self) -> int:
        """First month in which it has space."""
        return self.order + self.terms.build_months

    @property
    def payments(self) -> list[tuple[int, float]]:
        """Months and parts of its cost."""
        months = range(self.order, max(self.ready, self.order + 1))
        return [(month, self.terms.capex_usd / len(months)) for month in months]

    @property
    def label(self) -> str:
        """Building and site."""
        return f"{self.terms.name} at {self.site.name}"


def buildings(portfolio: Portfolio, decisions: Decisions) -> tuple[BuildingWork, ...]:
    """The buildings built, all of which exist at their sites."""
    found = []
    for decision in decisions.building_orders:
        site = portfolio.site(decision.site)
        terms = next(item for item in site.buildings if item.name == decision.building)
        order = portfolio.horizon.index_of(decision.month)
        found.append(BuildingWork(site, portfolio.site_index[site.name], terms, order))
    return tuple(found)


def space_mw(portfolio: Portfolio, built: tuple[BuildingWork, ...]) -> FloatArray:
    """Critical MW that finished buildings have space for, by site and month ``[S, T]``."""
    space = np.zeros((len(portfolio.sites), portfolio.horizon.month_count))
    for item in built:
        space[item.site_index, max(item.ready, 0) :] += item.terms.critical_mw
    return space


def halls_mw(portfolio: Portfolio, added: tuple[AddedHalls, ...]) -> FloatArray:
    """Mining halls by site and month ``[S, T]``, as if the site could be used."""
    halls = np.repeat([[site.hall_mw] for site in portfolio.sites], portfolio.horizon.month_count, axis=1)
    for item in added:
        halls[item.site_index, max(item.ready, 0) :] += item.hall_mw
    return halls


def advanced_steps(portfolio: Portfolio, decisions: Decisions) -> tuple[AdvancedStep, ...]:
    """The steps brought forward, all of whose names and months exist."""
    found = []
    for decision in decisions.grid_advances:
        site = portfolio.site(decision.site)
        position = [step.from_month for step in site.grid].index(decision.step_month)
        terms = site.grid[position].advance
        assert terms is not None
        found.append(
            AdvancedStep(
                site=site,
                site_index=portfolio.site_index[site.name],
                step=position,
                terms=terms,
                stated=portfolio.horizon.index_of(decision.step_month),
                advance_months=decision.advance_months,
            )
        )
    return tuple(found)


def step_months(portfolio: Portfolio, advanced: tuple[AdvancedStep, ...]) -> list[list[int]]:
    """Month in which every step of every site comes, in the order of the steps."""
    months = [[portfolio.horizon.index_of(step.from_month) for step in site.grid] for site in portfolio.sites]
    for item in advanced:
        months[item.site_index][item.step] = item.month
    return months


def import_limit_mw(portfolio: Portfolio, advanced: tuple[AdvancedStep, ...]) -> FloatArray:
    """The last step that has come, by site and month ``[S, T]``, as if the site could be used."""
    limit = np.zeros((len(portfolio.sites), portfolio.horizon.month_count))
    for s, (site, months) in enumerate(zip(portfolio.sites, step_months(portfolio, advanced), strict=True)):
        for step, month in zip(site.grid, months, strict=True):
            limit[s, max(month, 0) :] = step.grid_mw
    return limit


def work_problems(portfolio: Portfolio, decisions: Decisions) -> Iterator[Problem]:
    """Sites and works that do not exist or were not offered, and statements made twice."""
    seen: set[tuple[object, ...]] = set()
    for kind in ("grid_advances", "hall_orders", "building_orders"):
        for i, decision in enumerate(getattr(decisions, kind)):
            path = f"{kind}[{i}]"
            if decision.site not in portfolio.site_index:
                hint = did_you_mean(decision.site, portfolio.site_index).removeprefix("; ")
                yield Problem(f"{path}.site", f"no site is named {decision.site!r}", hint)
                continue
            yield from _not_offered(path, portfolio.site(decision.site), decision)
            key = (kind, decision.site, _once_a(decision))
            if key in seen:
                yield Problem(path, f"is stated twice for {decision.site}: {key[-1]}", "state it once")
            seen.add(key)


def _once_a(decision: GridAdvance | HallOrder | BuildingOrder) -> str:
    """What of a site can be stated once: a step, the halls of a month, a building."""
    if isinstance(decision, BuildingOrder):
        return decision.building
    return f"{decision.step_month if isinstance(decision, GridAdvance) else decision.month:%Y-%m}"


def _not_offered(path: str, site: Site, decision: GridAdvance | HallOrder | BuildingOrder) -> Iterator[Problem]:
    if isinstance(decision, GridAdvance):
        offered = [step.from_month for step in site.grid if step.advance is not None]
        if decision.step_month not in offered:
            yield Problem(
                f"{path}.step_month",
                f"{site.name} has no step of {decision.step_month:%Y-%m} that can be brought forward",
                f"it has {', '.join(f'{month:%Y-%m}' for month in offered) or 'none'}",
            )
    elif isinstance(decision, BuildingOrder):
        names = [item.name for item in site.buildings]
        if decision.building not in names:
            hint = did_you_mean(decision.building, names).removeprefix("; ") or "leave it out"
            yield Problem(f"{path}.building", f"{site.name} has no building named {decision.building!r}", hint)
    elif site.hall_expansion is None:
        yield Problem(f"{path}.site", f"{site.name} has no terms of adding halls", "leave it out")
