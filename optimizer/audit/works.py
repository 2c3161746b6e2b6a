"""What is done to the sites themselves, resolved: grid steps brought forward, and the import limit that follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.audit.paths import FloatArray
from optimizer.domain import AdvanceTerms, Decisions, Portfolio, Site
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
    """The last step that has come, by site and month ``[S, T]``; 0 from the end of the lease on."""
    horizon = portfolio.horizon
    limit = np.zeros((len(portfolio.sites), horizon.month_count))
    for s, (site, months) in enumerate(zip(portfolio.sites, step_months(portfolio, advanced), strict=True)):
        for step, month in zip(site.grid, months, strict=True):
            limit[s, max(month, 0) :] = step.grid_mw
        if site.lease_end_month is not None:
            limit[s, max(horizon.index_of(site.lease_end_month), 0) :] = 0.0
    return limit


def work_problems(portfolio: Portfolio, decisions: Decisions) -> Iterator[Problem]:
    """Sites and steps that do not exist or were not offered, and statements made twice."""
    seen: set[tuple[object, ...]] = set()
    for i, decision in enumerate(decisions.grid_advances):
        path = f"grid_advances[{i}]"
        if decision.site not in portfolio.site_index:
            hint = did_you_mean(decision.site, portfolio.site_index).removeprefix("; ")
            yield Problem(f"{path}.site", f"no site is named {decision.site!r}", hint)
            continue
        offered = [step.from_month for step in portfolio.site(decision.site).grid if step.advance is not None]
        if decision.step_month not in offered:
            yield Problem(
                f"{path}.step_month",
                f"{decision.site} has no step of {decision.step_month:%Y-%m} that can be brought forward",
                f"it has {', '.join(f'{month:%Y-%m}' for month in offered) or 'none'}",
            )
        if (decision.site, decision.step_month) in seen:
            yield Problem(path, f"the step of {decision.step_month:%Y-%m} is brought forward twice", "state it once")
        seen.add((decision.site, decision.step_month))
