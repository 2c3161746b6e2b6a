"""What can be wrong between the owner's rules and the rest of a portfolio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.domain.decisions import GpuOrder
from optimizer.domain.findings import Finding, Location, known
from optimizer.domain.policy import Placement

if TYPE_CHECKING:
    from optimizer.domain.portfolio import Portfolio

_CHANGES = ("policy", "contract_changes")


def policy_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """Offers, sites, regions, models and orders that rules name and that do not exist, or cannot be where they say."""
    policy = portfolio.policy
    offers = [offer.name for offer in portfolio.offers]
    tenants = sorted({offer.tenant for offer in portfolio.offers})
    regions = sorted({site.region for site in portfolio.sites})
    countries = sorted({site.country for site in portfolio.sites})
    for kind in ("exclusive_groups", "all_or_nothing_groups"):
        for i, group in enumerate(getattr(policy, kind)):
            for j, name in enumerate(group.offers):
                yield from known(("policy", kind, i, "offers", j), name, offers, "offer")
    for kind in ("mandatory", "forbidden"):
        for i, item in enumerate(getattr(policy, kind)):
            yield from _placement(("policy", kind, i), item, portfolio)
    for i, item in enumerate(policy.mandatory):
        yield from _possible(("policy", "mandatory", i), item, portfolio)
    if policy.contract_changes is not None:
        for i, item in enumerate(policy.contract_changes.previous):
            yield from _placement(("policy", "contract_changes", "previous", i), item, portfolio)
        for i, order in enumerate(policy.contract_changes.previous_gpu_orders):
            yield from _order((*_CHANGES, "previous_gpu_orders", i), order, portfolio)
        for i, opened in enumerate(policy.contract_changes.previous_openings):
            yield from known(
                (*_CHANGES, "previous_openings", i, "site"), opened.site, _closed(portfolio), "closed site"
            )
    for i, order in enumerate(policy.mandatory_gpu_orders):
        yield from _order(("policy", "mandatory_gpu_orders", i), order, portfolio)
    for i, opened in enumerate(policy.mandatory_openings):
        yield from known(("policy", "mandatory_openings", i, "site"), opened.site, _closed(portfolio), "closed site")
    yield from _works(portfolio)
    for i, build in enumerate(policy.parallel_builds):
        if build.region is not None:
            yield from known(("policy", "parallel_builds", i, "region"), build.region, regions, "region")
    for i, tenant in enumerate(policy.tenant_limits):
        yield from known(("policy", "tenant_limits", i, "tenant"), tenant.tenant, tenants, "tenant")
    for i, country in enumerate(policy.country_limits):
        yield from known(("policy", "country_limits", i, "country"), country.country, countries, "country")
    models = list(portfolio.asic_models_by_name)
    makers = sorted({model.manufacturer for model in portfolio.asic_models if model.manufacturer is not None})
    for i, technology in enumerate(policy.technology_limits):
        if technology.manufacturer is not None:
            location: Location = ("policy", "technology_limits", i, "manufacturer")
            yield from known(location, technology.manufacturer, makers, "manufacturer of an ASIC model")
        for j, name in enumerate(technology.asic_models):
            yield from known(("policy", "technology_limits", i, "asic_models", j), name, models, "ASIC model")
    if policy.domestic_share is not None:
        yield from known(("policy", "domestic_share", "country"), policy.domestic_share.country, countries, "country")


def _closed(portfolio: Portfolio) -> list[str]:
    """Names of the sites that can be opened."""
    return [site.name for site in portfolio.sites if site.opening is not None]


def _works(portfolio: Portfolio) -> Iterator[Finding]:
    """Works that are mandatory where they are not offered."""
    policy, sites = portfolio.policy, portfolio.sites
    halls = [site.name for site in sites if site.hall_expansion is not None]
    steps = [(site.name, step.from_month) for site in sites for step in site.grid if step.advance is not None]
    buildings = [(site.name, item.name) for site in sites for item in site.buildings]
    for i, order in enumerate(policy.mandatory_hall_orders):
        yield from known(
            ("policy", "mandatory_hall_orders", i, "site"), order.site, halls, "site with a hall_expansion"
        )
    for i, step in enumerate(policy.mandatory_grid_advances):
        if (step.site, step.step_month) not in steps:
            told = f"{step.site!r} has no step of {step.step_month:%Y-%m} that can be brought forward"
            fix = f"steps are {', '.join(f'{name} {month:%Y-%m}' for name, month in steps) or 'none'}"
            yield ("policy", "mandatory_grid_advances", i), told, fix, step.site
    for i, building in enumerate(policy.mandatory_building_orders):
        if (building.site, building.building) not in buildings:
            told = f"{building.site!r} has no building named {building.building!r}"
            fix = f"buildings are {', '.join(f'{name} {item}' for name, item in buildings) or 'none'}"
            yield ("policy", "mandatory_building_orders", i), told, fix, building.building


def _order(location: Location, order: GpuOrder, portfolio: Portfolio) -> Iterator[Finding]:
    option = portfolio.gpu_options_by_name.get(order.gpu_option)
    if option is None:
        yield from known((*location, "gpu_option"), order.gpu_option, list(portfolio.gpu_options_by_name), "GPU option")
    elif order.site not in option.sites:
        told = f"{option.name} cannot stand at {order.site!r}"
        yield (*location, "site"), told, f"it can at {', '.join(option.sites)}", order.site
    elif order.refreshed_block_count and option.refresh is None:
        told = f"{option.name} has no terms of refresh"
        yield (
            (*location, "refreshed_block_count"),
            told,
            "state its refresh, or leave it out",
            order.refreshed_block_count,
        )


def _placement(location: Location, item: Placement, portfolio: Portfolio) -> Iterator[Finding]:
    offer = portfolio.offers_by_name.get(item.offer)
    if offer is None:
        yield from known((*location, "offer"), item.offer, list(portfolio.offers_by_name), "offer")
    elif item.site is not None and item.site not in [place.site for place in offer.sites]:
        places = ", ".join(place.site for place in offer.sites)
        yield (*location, "site"), f"{item.offer} cannot be placed at {item.site!r}", f"it can at {places}", item.site


def _possible(location: Location, item: Placement, portfolio: Portfolio) -> Iterator[Finding]:
    """A contract that must be signed in a month that is not in its window, not on the grid or not in the horizon."""
    offer, month, horizon = portfolio.offers_by_name.get(item.offer), item.sign_month, portfolio.horizon
    if offer is None or month is None:
        return
    index = horizon.index_of(month)
    in_window = offer.sign_from_month <= month <= offer.sign_until_month
    if not in_window or not 0 <= index < horizon.month_count or index % horizon.sign_every_months:
        yield (
            (*location, "sign_month"),
            f"{item.offer} cannot be signed in {month:%Y-%m}",
            f"it can from {offer.sign_from_month:%Y-%m} until {offer.sign_until_month:%Y-%m}, every "
            f"{horizon.sign_every_months} months from {horizon.start_month:%Y-%m}",
            month,
        )
