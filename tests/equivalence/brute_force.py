"""All combinations of whole decisions, tried by the audit alone."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from optimizer.audit import Claims, audit, recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import (
    BuildingOrder,
    ContractDecision,
    Decisions,
    GpuOrder,
    GridAdvance,
    OfferSite,
    Portfolio,
    Site,
    SiteOpening,
    add_months,
)


def best_that_passes_usd(case: Portfolio) -> float | None:
    """Expected NPV of the best combination that the audit lets pass; None if it lets none."""
    futures = Futures.of(case)
    for decisions in by_worth(case, futures):
        found, report = audit(case, futures, decisions, Claims())
        if report.passed:
            return found.objective_usd
    return None


def candidates(case: Portfolio) -> list[list[tuple[Any, ...]]]:
    """For each offer, GPU option, site and month: all that can be decided, nothing first. Dates are only roughly possible."""
    horizon = case.horizon
    grid = [horizon.month_at(index) for index in range(0, horizon.month_count, horizon.sign_every_months)]
    choices: list[list[tuple[Any, ...]]] = []
    for offer in case.offers:
        months = [month for month in grid if offer.sign_from_month <= month <= offer.sign_until_month]
        choices.append([()])
        for place, month in itertools.product(offer.sites, months):
            if add_months(month, place.build_months) < horizon.end_month:
                signed = ContractDecision(
                    offer=offer.name, site=place.site, sign_month=month, critical_mw=offer.maximum_mw
                )
                choices[-1] += [(item,) for item in _with_ends(case, signed, place)]
    for option in case.gpu_options:
        for site, month in itertools.product(option.sites, grid):
            if option.order_from_month <= month <= option.order_until_month:
                orders = [
                    GpuOrder(gpu_option=option.name, site=site, order_month=month, block_count=count)
                    for count in range(1, option.maximum_block_count + 1)
                ]
                choices.append([(), *[(order,) for order in orders]])
    return choices + [[*itertools.starmap(_together, itertools.product(*of_site(site, grid)))] for site in case.sites]


def _with_ends(case: Portfolio, signed: ContractDecision, place: OfferSite) -> list[ContractDecision]:
    """The contract, and where it ends in the horizon with all whole numbers of MW let again."""
    offer = case.offers_by_name[signed.offer]
    end = add_months(signed.sign_month, place.build_months + offer.term_months)
    most = int(signed.critical_mw) if place.re_lease is not None and end < case.horizon.end_month else 0
    return [signed.model_copy(update={"re_leased_mw": float(mw)}) for mw in range(most + 1)]


def of_site(site: Site, grid: list[dt.date]) -> list[list[Any]]:
    """Opening, steps brought forward and buildings, nothing first: they act together, so their combinations are one choice."""
    choices: list[list[Any]] = []
    if site.opening is not None:
        # An opening is never worth waiting for longer than a contract can be.
        months = [month for month in grid if month >= site.opening.earliest_month]
        choices.append([None, *[SiteOpening(site=site.name, month=month) for month in months]])
    for step in site.grid:
        if step.advance is not None:
            earlier = range(1, step.advance.maximum_months + 1)
            steps = [GridAdvance(site=site.name, step_month=step.from_month, advance_months=k) for k in earlier]
            choices.append([None, *steps])
    for building in site.buildings:
        months = [month for month in grid if month >= building.earliest_month]
        orders = [BuildingOrder(site=site.name, building=building.name, month=month) for month in months]
        choices.append([None, *orders])
    return choices


def _together(*chosen: Any) -> tuple[Any, ...]:
    return tuple(item for item in chosen if item is not None)


def decisions_of(chosen: Iterable[Any]) -> Decisions:
    items = list(chosen)
    return Decisions(
        contracts=tuple(item for item in items if isinstance(item, ContractDecision)),
        gpu_orders=tuple(item for item in items if isinstance(item, GpuOrder)),
        site_openings=tuple(item for item in items if isinstance(item, SiteOpening)),
        grid_advances=tuple(item for item in items if isinstance(item, GridAdvance)),
        building_orders=tuple(item for item in items if isinstance(item, BuildingOrder)),
    )


def by_worth(case: Portfolio, futures: Futures) -> Iterator[Decisions]:
    """Combinations in descending order of NPV, less those that the audit's own figures show to lack power, cash or budget.

    Without machines and debt every choice adds its own to the NPV, the cash and the power in use, whatever the others are.
    """

    def figures(chosen: tuple[Any, ...]) -> np.ndarray:
        found = recalculate(case, futures, decisions_of(chosen))
        months = np.arange(case.horizon.month_count)
        inside = [
            (months >= case.horizon.index_of(item.from_month)) & (months <= case.horizon.index_of(item.until_month))
            for item in case.finance.capex_budgets
        ]
        left = [
            item.maximum_capex_usd - found.capex_usd[mask].sum() for item, mask in zip(budgets, inside, strict=True)
        ]
        room = [*(found.use.grid_mw - found.use.used_mw).ravel()]
        room += [*(found.use.space_mw - found.use.in_buildings_mw).ravel()]
        return np.array([found.objective_usd, *room, *(found.cash_usd - case.finance.minimum_liquidity_usd), *left])

    budgets, choices = case.finance.capex_budgets, candidates(case)
    nothing = figures(())
    total = nothing[None, :]
    for items in choices:
        added = np.array([figures(item) - nothing for item in items])
        total = (total[:, None, :] + added[None, :, :]).reshape(-1, len(nothing))
    possible = np.flatnonzero((total[:, 1:] >= -1e-3).all(axis=1))
    shape = [len(items) for items in choices]
    for flat in possible[np.argsort(-total[possible, 0], kind="stable")]:
        at = np.unravel_index(flat, shape)
        yield decisions_of(itertools.chain(*[items[index] for items, index in zip(choices, at, strict=True)]))
