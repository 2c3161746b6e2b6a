"""The decisions of a plan in the order of the calendar: names resolved, dates turned into month indices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from optimizer.audit.contract import Contract
from optimizer.audit.paths import BoolArray, FloatArray, IntArray
from optimizer.audit.selling import sale_problems, sold_mw
from optimizer.audit.works import (
    AddedHalls,
    AdvancedStep,
    BuildingWork,
    added_halls,
    advanced_steps,
    buildings,
    work_problems,
)
from optimizer.domain import AsicModel, Decisions, GpuOption, GpuOrder, GpuRefresh, MachineDecision, Portfolio, Site
from optimizer.errors import InvalidInputError, Problem, did_you_mean

NEVER: Final = 1_000_000
"""Month index of what does not happen."""


@dataclass(frozen=True, slots=True, eq=False)
class MachineClass:
    """Machines of one model and condition, by site and period ``[S, P]``."""

    model: AsicModel
    condition_frac: float
    initial: FloatArray
    """Fleet of the portfolio, ``[S]``."""
    stock: FloatArray
    bought: FloatArray
    sold: FloatArray
    moved_out: FloatArray
    moved_in: FloatArray
    running: FloatArray
    """By ceiling mode, ``[S, P, J]``."""

    @property
    def label(self) -> str:
        """Model, and condition where it is not new."""
        return self.model.name if self.condition_frac == 1.0 else f"{self.model.name} at {self.condition_frac:g}"


@dataclass(frozen=True, slots=True)
class GpuBlocks:
    """Blocks ordered together; with ``refresh`` the new GPUs in the place of their old ones."""

    option: GpuOption
    site: Site
    site_index: int
    order: int
    """Month index of the order."""
    block_count: int
    refresh: GpuRefresh | None = None

    @property
    def paid(self) -> int:
        """Month in which the GPUs are paid: that of the order, or the one after the last of the old ones."""
        return self.order if self.refresh is None else self.order + self.option.lead_months + self.option.life_months

    @property
    def first(self) -> int:
        """First month in which they earn."""
        return self.paid + (self.option.lead_months if self.refresh is None else self.refresh.downtime_months)

    @property
    def life_months(self) -> int:
        """Months in which they earn."""
        return self.option.life_months if self.refresh is None else self.refresh.life_months

    @property
    def end(self) -> int:
        """First month after their life."""
        return self.first + self.life_months

    @property
    def gpus_usd(self) -> float:
        """Price of the GPUs, without fit-out."""
        each = self.option.capex_usd_per_gpu if self.refresh is None else self.refresh.capex_usd_per_gpu
        return self.gpu_count * each

    @property
    def throughput_factor(self) -> float:
        """What a GPU bills over what one of the order does."""
        return 1.0 if self.refresh is None else self.refresh.throughput_factor

    @property
    def power_factor(self) -> float:
        """What a GPU draws over what one of the order does."""
        return 1.0 if self.refresh is None else self.refresh.power_factor

    @property
    def gpu_count(self) -> int:
        """GPUs in all of them."""
        return self.block_count * self.option.block_gpu_count

    @property
    def critical_mw(self) -> float:
        """Critical IT MW of all of them as they were ordered."""
        return self.block_count * self.option.block_critical_mw

    @property
    def label(self) -> str:
        """Name and place."""
        return f"{self.option.name} at {self.site.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """All decisions, resolved."""

    portfolio: Portfolio
    decisions: Decisions
    contracts: tuple[Contract, ...]
    machines: tuple[MachineClass, ...]
    gpu_blocks: tuple[GpuBlocks, ...]
    """As ordered."""
    refreshed_blocks: tuple[GpuBlocks, ...]
    """Those of them whose GPUs are replaced."""
    sold_mw: FloatArray
    """Power sold back, ``[S, T]``."""
    opened: IntArray
    """Month index of the opening decision of each site; ``NEVER`` without one."""
    usable_from: IntArray
    """First month in which each site can be used; ``NEVER`` if it is not opened."""
    usable_until: IntArray
    """First month in which it no longer can; ``NEVER`` without an end."""
    grid_advances: tuple[AdvancedStep, ...]
    added_halls: tuple[AddedHalls, ...]
    buildings: tuple[BuildingWork, ...]

    def usable(self) -> BoolArray:
        """Whether each site can be used in each month of the horizon, ``[S, T]``."""
        months = np.arange(self.portfolio.horizon.month_count)
        return (months >= self.usable_from[:, None]) & (months < self.usable_until[:, None])

    def where(self, site_index: int, month: int) -> str:
        """``Corsicana 2028-03``."""
        return f"{self.portfolio.sites[site_index].name} {self.month_name(month)}"

    def month_name(self, month: int) -> str:
        """``2028-03``."""
        return f"{self.portfolio.horizon.month_at(month):%Y-%m}"


def read_decisions(portfolio: Portfolio, decisions: Decisions) -> Book:
    """Resolve every name and month.

    Raises:
        InvalidInputError: for names that do not exist, places that were not offered and statements made twice.
    """
    problems = [
        *_contract_problems(portfolio, decisions),
        *_machine_problems(portfolio, decisions),
        *_gpu_problems(portfolio, decisions),
        *_opening_problems(portfolio, decisions),
        *work_problems(portfolio, decisions),
        *sale_problems(portfolio, decisions),
    ]
    if problems:
        raise InvalidInputError(problems, "decisions")
    opened, usable_from, usable_until = _use_of_sites(portfolio, decisions)
    return Book(
        portfolio=portfolio,
        decisions=decisions,
        contracts=tuple(Contract.of(portfolio, decision) for decision in decisions.contracts),
        machines=_machine_classes(portfolio, decisions),
        gpu_blocks=tuple(_blocks(portfolio, order, order.block_count) for order in decisions.gpu_orders),
        refreshed_blocks=tuple(
            _blocks(
                portfolio, order, order.refreshed_block_count, portfolio.gpu_options_by_name[order.gpu_option].refresh
            )
            for order in decisions.gpu_orders
            if order.refreshed_block_count
        ),
        opened=opened,
        usable_from=usable_from,
        usable_until=usable_until,
        grid_advances=advanced_steps(portfolio, decisions),
        added_halls=added_halls(portfolio, decisions),
        sold_mw=sold_mw(portfolio, decisions),
        buildings=buildings(portfolio, decisions),
    )


def _blocks(portfolio: Portfolio, order: GpuOrder, block_count: int, refresh: GpuRefresh | None = None) -> GpuBlocks:
    return GpuBlocks(
        option=portfolio.gpu_options_by_name[order.gpu_option],
        site=portfolio.site(order.site),
        site_index=portfolio.site_index[order.site],
        order=portfolio.horizon.index_of(order.order_month),
        block_count=block_count,
        refresh=refresh,
    )


def _use_of_sites(portfolio: Portfolio, decisions: Decisions) -> tuple[IntArray, IntArray, IntArray]:
    horizon, sites = portfolio.horizon, portfolio.sites
    decided = {opening.site: horizon.index_of(opening.month) for opening in decisions.site_openings}
    opened = np.array([decided.get(site.name, NEVER) for site in sites])
    usable_from = np.array(
        [
            0
            if site.opening is None
            else decided[site.name] + site.opening.lead_months
            if site.name in decided
            else NEVER
            for site in sites
        ]
    )
    ends = [NEVER if site.lease_end_month is None else horizon.index_of(site.lease_end_month) for site in sites]
    return opened, usable_from, np.array(ends)


def _machine_classes(portfolio: Portfolio, decisions: Decisions) -> tuple[MachineClass, ...]:
    site_count, periods = len(portfolio.sites), portfolio.horizon.periods
    period_of = {portfolio.horizon.month_at(period.first): period.index for period in periods}
    classes: dict[tuple[str, float], MachineClass] = {}

    def class_of(model_name: str, condition_frac: float) -> MachineClass:
        if (model_name, condition_frac) not in classes:
            model = portfolio.asic_models_by_name[model_name]
            stock, bought, sold, moved_out, moved_in = np.zeros((5, site_count, len(periods)))
            classes[model_name, condition_frac] = MachineClass(
                model=model,
                condition_frac=condition_frac,
                initial=np.zeros(site_count),
                stock=stock,
                bought=bought,
                sold=sold,
                moved_out=moved_out,
                moved_in=moved_in,
                running=np.zeros((site_count, len(periods), len(model.modes))),
            )
        return classes[model_name, condition_frac]

    for fleet in portfolio.fleets:
        class_of(fleet.asic_model, fleet.condition_frac).initial[portfolio.site_index[fleet.site]] += fleet.count
    for row in decisions.machines:
        machines = class_of(row.asic_model, row.condition_frac)
        at = portfolio.site_index[row.site], period_of[row.month]
        machines.stock[at] = row.stock_count
        machines.bought[at] = row.bought_count
        machines.sold[at] = row.sold_count
        machines.moved_out[at] = row.moved_out_count
        machines.moved_in[at] = row.moved_in_count
        for item in row.running:
            machines.running[(*at, item.mode)] += item.machine_count
    return tuple(classes.values())


# ------------------------------------------------------------------------------------------------------------- problems


def _unknown(path: str, kind: str, name: str, known: Iterable[str]) -> list[Problem]:
    known = list(known)
    if name in known:
        return []
    return [Problem(path, f"no {kind} is named {name!r}", did_you_mean(name, known).removeprefix("; "))]


def _contract_problems(portfolio: Portfolio, decisions: Decisions) -> Iterable[Problem]:
    for i, decision in enumerate(decisions.contracts):
        path = f"contracts[{i}]"
        offer = portfolio.offers_by_name.get(decision.offer)
        yield from _unknown(f"{path}.offer", "offer", decision.offer, portfolio.offers_by_name)
        yield from _unknown(f"{path}.site", "site", decision.site, portfolio.site_index)
        places = [place.site for place in offer.sites] if offer else [decision.site]
        if decision.site in portfolio.site_index and decision.site not in places:
            yield Problem(
                f"{path}.site",
                f"{decision.offer} cannot be placed at {decision.site}",
                f"it can at {', '.join(places)}",
            )


def _machine_problems(portfolio: Portfolio, decisions: Decisions) -> Iterable[Problem]:
    firsts = {portfolio.horizon.month_at(period.first) for period in portfolio.horizon.periods}
    seen: set[tuple[str, str, float, dt.date]] = set()
    for i, row in enumerate(decisions.machines):
        path = f"machines[{i}]"
        yield from _unknown(f"{path}.site", "site", row.site, portfolio.site_index)
        yield from _unknown(f"{path}.asic_model", "ASIC model", row.asic_model, portfolio.asic_models_by_name)
        if row.month not in firsts:
            yield Problem(
                f"{path}.month",
                f"{row.month:%Y-%m} is not the first month of a period",
                "use the months of the horizon's periods",
            )
        yield from _mode_problems(portfolio, row, path)
        key = (row.site, row.asic_model, row.condition_frac, row.month)
        if key in seen:
            yield Problem(path, f"{row.asic_model} at {row.site} in {row.month:%Y-%m} is stated twice", "state it once")
        seen.add(key)


def _mode_problems(portfolio: Portfolio, row: MachineDecision, path: str) -> Iterable[Problem]:
    model = portfolio.asic_models_by_name.get(row.asic_model)
    for j, item in enumerate(row.running):
        if model is not None and not 0 <= item.mode < len(model.modes):
            yield Problem(
                f"{path}.running[{j}].mode",
                f"{model.name} has no mode {item.mode}",
                f"it has modes 0 to {len(model.modes) - 1}",
            )


def _gpu_problems(portfolio: Portfolio, decisions: Decisions) -> Iterable[Problem]:
    for i, order in enumerate(decisions.gpu_orders):
        path = f"gpu_orders[{i}]"
        yield from _unknown(f"{path}.gpu_option", "GPU option", order.gpu_option, portfolio.gpu_options_by_name)
        yield from _unknown(f"{path}.site", "site", order.site, portfolio.site_index)
        option = portfolio.gpu_options_by_name.get(order.gpu_option)
        if option is not None and option.refresh is None and order.refreshed_block_count:
            told = f"{option.name} has no terms of refresh"
            yield Problem(f"{path}.refreshed_block_count", told, "leave it out")


def _opening_problems(portfolio: Portfolio, decisions: Decisions) -> Iterable[Problem]:
    seen: set[str] = set()
    for i, decision in enumerate(decisions.site_openings):
        path = f"site_openings[{i}].site"
        yield from _unknown(path, "site", decision.site, portfolio.site_index)
        if decision.site in portfolio.site_index and portfolio.site(decision.site).opening is None:
            yield Problem(path, f"{decision.site} has no terms of opening", "it is open already; leave it out")
        if decision.site in seen:
            yield Problem(path, f"{decision.site} is opened twice", "state it once")
        seen.add(decision.site)
