"""The root of everything a planner states."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, model_validator

from optimizer.domain.base import Name, Value, raise_problems
from optimizer.domain.finance import Finance
from optimizer.domain.findings import Finding, Location, findings_between_parts
from optimizer.domain.findings import known as _known
from optimizer.domain.fleet import AsicModel, Fleet
from optimizer.domain.gpu import GpuOption
from optimizer.domain.horizon import Horizon
from optimizer.domain.market import Market
from optimizer.domain.offer import Offer, OfferSite
from optimizer.domain.policy import Policy
from optimizer.domain.policy_findings import policy_findings
from optimizer.domain.risk import RiskSpec
from optimizer.domain.series import HourlySeries
from optimizer.domain.site import Site
from optimizer.domain.uncertainty import TableUnit
from optimizer.units import TH_PER_EH

FARTHEST_FROM_BASE = 100.0
"""How many times its base path a stated scenario may be in the first month, or the path the scenario."""


class Portfolio(Value):
    """Sites, machines, offers, market, money and rules: one planning question."""

    name: Name
    """Name of the portfolio."""
    description: str = ""
    """What it is, for people."""
    horizon: Horizon
    """Months and periods."""
    sites: tuple[Site, ...] = Field(min_length=1)
    """Sites."""
    asic_models: tuple[AsicModel, ...] = ()
    """Models of mining machines."""
    fleets: tuple[Fleet, ...] = ()
    """Machines at the start."""
    offers: tuple[Offer, ...] = ()
    """Contracts that can be signed."""
    gpu_options: tuple[GpuOption, ...] = ()
    """Own GPU clusters that can be bought."""
    market: Market
    """Base paths and their uncertainty."""
    finance: Finance
    """Money."""
    policy: Policy = Policy()
    """Rules."""
    risk: RiskSpec = RiskSpec()
    """Scenarios."""
    series: tuple[HourlySeries, ...] = ()
    """Hourly price series."""

    @model_validator(mode="wrap")
    @classmethod
    def _collect(cls, data: Any, handler: ValidatorFunctionWrapHandler) -> Portfolio:
        """Validate every part; where a part is wrong, still report what can be said about the whole."""
        try:
            portfolio: Portfolio = handler(data)
        except ValidationError as error:
            if isinstance(data, dict):
                findings = list(_duplicate_names(data))
                if findings:
                    raise_problems_with(error, findings)
            raise
        raise_problems(
            "Portfolio", [*_duplicate_names(portfolio), *_dangling_references(portfolio), *_impossible(portfolio)]
        )
        return portfolio

    @cached_property
    def site_index(self) -> dict[str, int]:
        """Position of each site by name."""
        return {site.name: index for index, site in enumerate(self.sites)}

    def site(self, name: str) -> Site:
        """The site of that name."""
        return self.sites[self.site_index[name]]

    @cached_property
    def offer_index(self) -> dict[str, int]:
        """Position of each offer by name."""
        return {offer.name: index for index, offer in enumerate(self.offers)}

    @cached_property
    def offers_by_name(self) -> dict[str, Offer]:
        """Offers by name."""
        return {offer.name: offer for offer in self.offers}

    @property
    def default_hazards(self) -> dict[str, float]:
        """Probability a year of a default, by name: of tenants, and of backstoppers that can fail."""
        return {name: hazard for _, name, hazard in _stated_hazards(self)}

    @cached_property
    def asic_models_by_name(self) -> dict[str, AsicModel]:
        """ASIC models by name."""
        return {model.name: model for model in self.asic_models}

    @cached_property
    def gpu_options_by_name(self) -> dict[str, GpuOption]:
        """GPU options by name."""
        return {option.name: option for option in self.gpu_options}

    @property
    def initial_hashrate_eh_s(self) -> float:
        """Hashrate of the fleets at the start in their rated modes, condition included."""
        models = self.asic_models_by_name
        rates = (
            fleet.count * fleet.condition_frac * models[fleet.asic_model].rated.hashrate_th_s for fleet in self.fleets
        )
        return sum(rates) / TH_PER_EH

    @cached_property
    def series_by_name(self) -> dict[str, HourlySeries]:
        """Hourly series by name."""
        return {item.name: item for item in self.series}


def raise_problems_with(error: ValidationError, findings: Sequence[Finding]) -> None:
    """Raise the problems of ``error`` together with ``findings``."""
    from pydantic_core import InitErrorDetails

    from optimizer.domain.base import problem

    earlier: list[InitErrorDetails] = []
    for item in error.errors(include_url=False):
        kept: Any = {"type": item["type"], "loc": item["loc"], "input": item["input"]}
        context = item.get("ctx") or {}
        if "fix" in context or item["type"] not in _STANDARD_TYPES:
            kept["type"] = problem(item["type"], item["msg"], str(context.get("fix", "")))
        elif context:
            kept["ctx"] = context
        earlier.append(kept)
    later = [
        InitErrorDetails(type=problem("reference", message, fix), loc=location, input=value)
        for location, message, fix, value in findings
    ]
    raise ValidationError.from_exception_data("Portfolio", [*earlier, *later])


_STANDARD_TYPES = frozenset(
    {
        "extra_forbidden", "missing", "float_type", "int_type", "int_from_float", "model_type", "dict_type",
        "tuple_type", "enum", "literal_error", "model_attributes_type",
    }
)  # fmt: skip

_NAMED = (
    ("sites",), ("asic_models",), ("offers",), ("gpu_options",), ("series",), ("finance", "capex_budgets"),
    ("finance", "stresses"), ("market", "overlays"), ("policy", "exclusive_groups"),
    ("policy", "all_or_nothing_groups"),
)  # fmt: skip


def _get(item: object, key: str) -> Any:
    return item.get(key) if isinstance(item, dict) else getattr(item, key, None)


def _duplicate_names(portfolio: object) -> Iterator[Finding]:
    for location in _NAMED:
        items = portfolio
        for part in location:
            items = _get(items, part)
        names = [_get(item, "name") for item in items] if isinstance(items, list | tuple) else []
        counts = Counter(name for name in names if isinstance(name, str))
        seen: set[str] = set()
        for index, name in enumerate(names):
            if isinstance(name, str) and counts[name] > 1 and name in seen:
                yield (*location, index, "name"), f"{name!r} is used twice", "give every one its own name", name
            seen.add(name)


def _dangling_references(portfolio: Portfolio) -> Iterator[Finding]:
    sites = [site.name for site in portfolio.sites]
    models = [model.name for model in portfolio.asic_models]
    series = [item.name for item in portfolio.series]
    for i, site in enumerate(portfolio.sites):
        if site.power.hourly_series is not None:
            yield from _known(("sites", i, "power", "hourly_series"), site.power.hourly_series, series, "series")
        if site.power.sell_back is not None:
            market = site.power.sell_back.hourly_series
            yield from _known(("sites", i, "power", "sell_back", "hourly_series"), market, series, "series")
    for i, fleet in enumerate(portfolio.fleets):
        yield from _known(("fleets", i, "site"), fleet.site, sites, "site")
        yield from _known(("fleets", i, "asic_model"), fleet.asic_model, models, "ASIC model")
    for i, offer in enumerate(portfolio.offers):
        for j, place in enumerate(offer.sites):
            yield from _known(("offers", i, "sites", j, "site"), place.site, sites, "site")
    for i, option in enumerate(portfolio.gpu_options):
        for j, name in enumerate(option.sites):
            yield from _known(("gpu_options", i, "sites", j), name, sites, "site")
    yield from policy_findings(portfolio)


def _impossible(portfolio: Portfolio) -> Iterator[Finding]:
    """Windows that nothing in the horizon can meet, and tenants with two hazards."""
    horizon, sites = portfolio.horizon, portfolio.site_index
    hazards: dict[str, float] = {}
    for location, name, hazard in _stated_hazards(portfolio):
        if hazards.setdefault(name, hazard) != hazard:
            yield (
                location,
                f"{name!r} has a hazard of {hazard:g} here and {hazards[name]:g} before",
                "who is a tenant or a backstopper defaults once: state the same hazard everywhere",
                hazard,
            )
    for i, offer in enumerate(portfolio.offers):
        if offer.sign_until_month < horizon.start_month or offer.sign_from_month >= horizon.end_month:
            yield (
                ("offers", i, "sign_until_month"),
                f"{offer.name} can be signed from {offer.sign_from_month:%Y-%m} until {offer.sign_until_month:%Y-%m}, "
                f"outside the horizon {horizon.start_month:%Y-%m}..{horizon.months[-1]:%Y-%m}",
                "move the window or the horizon, or drop the offer",
                offer.sign_until_month,
            )
            continue
        first, last = horizon.index_of(offer.sign_from_month), horizon.index_of(offer.sign_until_month)
        if not any(month % horizon.sign_every_months == 0 for month in range(max(first, 0), last + 1)):
            yield (
                ("offers", i, "sign_until_month"),
                f"{offer.name} can be signed from {offer.sign_from_month:%Y-%m} until {offer.sign_until_month:%Y-%m}, "
                f"but contracts are signed every {horizon.sign_every_months} months from {horizon.start_month:%Y-%m}",
                "widen the window, or lower horizon.sign_every_months",
                offer.sign_until_month,
            )
        for j, place in enumerate(offer.sites):
            earliest = earliest_energization(offer, place, horizon)
            if offer.energize_by_month is not None and place.site in sites and earliest > offer.energize_by_month:
                yield (
                    ("offers", i, "sites", j),
                    f"{offer.name} must energize by {offer.energize_by_month:%Y-%m} but cannot at {place.site} "
                    f"before {earliest:%Y-%m}",
                    "shorten build_months, move earliest_energize_month or energize_by_month, or drop the site",
                    place.site,
                )
    yield from _market_findings(portfolio)
    yield from findings_between_parts(portfolio)
    for i, option in enumerate(portfolio.gpu_options):
        if option.order_until_month < horizon.start_month or option.order_from_month >= horizon.end_month:
            yield (
                ("gpu_options", i, "order_until_month"),
                f"{option.name} can be ordered from {option.order_from_month:%Y-%m} until "
                f"{option.order_until_month:%Y-%m}, outside the horizon",
                "move the window or the horizon, or drop the option",
                option.order_until_month,
            )


def _stated_hazards(portfolio: Portfolio) -> Iterator[tuple[Location, str, float]]:
    """Who can default, and with which hazard, wherever that is stated."""
    for i, offer in enumerate(portfolio.offers):
        credit, here = offer.credit, ("offers", i, "credit")
        yield (*here, "default_hazard_per_year_frac"), offer.tenant, credit.default_hazard_per_year_frac
        if credit.failing_backstopper is not None and credit.backstop_hazard_per_year_frac is not None:
            yield (
                (*here, "backstop_hazard_per_year_frac"),
                credit.failing_backstopper,
                credit.backstop_hazard_per_year_frac,
            )


def _market_findings(portfolio: Portfolio) -> Iterator[Finding]:
    """Overlays that can never begin, tables that do not fit, and a network smaller than the fleets in it."""
    horizon = portfolio.horizon
    for i, overlay in enumerate(portfolio.market.overlays):
        if overlay.begin_from_month < horizon.start_month:
            yield (
                ("market", "overlays", i, "begin_from_month"),
                f"{overlay.name} can begin in {overlay.begin_from_month:%Y-%m}, before the horizon",
                f"begin in {horizon.start_month:%Y-%m} or later",
                overlay.begin_from_month,
            )
        if overlay.begin_from_month >= horizon.end_month:
            yield (
                ("market", "overlays", i, "begin_from_month"),
                f"{overlay.name} cannot begin before {overlay.begin_from_month:%Y-%m}, after the horizon",
                f"begin before {horizon.end_month:%Y-%m}, or drop it",
                overlay.begin_from_month,
            )
    yield from scenario_findings(portfolio.market, portfolio.risk, horizon)
    models = portfolio.asic_models_by_name
    if portfolio.market.own_hashrate_feedback and all(fleet.asic_model in models for fleet in portfolio.fleets):
        for month in horizon.months:
            network_eh_s = portfolio.market.network_eh_s.at(horizon.start_month, month)
            if portfolio.initial_hashrate_eh_s > network_eh_s:
                yield (
                    ("market", "network_eh_s"),
                    f"is {network_eh_s:,.4g} EH/s in {month:%Y-%m}, less than the fleets' own "
                    f"{portfolio.initial_hashrate_eh_s:,.4g} EH/s, which are part of it",
                    "state the hashrate of the whole network, in EH/s",
                    network_eh_s,
                )
                break


def scenario_findings(market: Market, risk: RiskSpec, horizon: Horizon) -> Iterator[Finding]:
    """A table whose scenarios would not be equally likely in the plan, or whose numbers are of another unit."""
    table = market.scenario_table
    count = table.scenario_count if table is not None else 0
    if count and risk.scenario_count % count:
        nearest = max(round(risk.scenario_count / count), 1) * count
        told = f"{risk.scenario_count:,} scenarios do not take each of the {count:,} of the table equally often"
        yield ("risk", "scenario_count"), told, f"use a multiple of it, as {nearest}", risk.scenario_count
    for i, item in enumerate(table.paths if table is not None else ()):
        assert table is not None
        base = market.base_path(item.factor).at(horizon.start_month, horizon.start_month)
        scale = base if table.unit is TableUnit.LEVEL and base > 0.0 else 1.0
        ratio = item.scenarios[0].values[0] / scale
        if not 1.0 / FARTHEST_FROM_BASE <= ratio <= FARTHEST_FROM_BASE:
            other = TableUnit.MULTIPLIER if table.unit is TableUnit.LEVEL else TableUnit.LEVEL
            yield (
                ("market", "scenario_table", "paths", i),
                f"{item.factor} begins at {ratio:,.4g} times its base path of {base:,.6g}",
                f"state unit: {other}, or correct the numbers",
                item.scenarios[0].values[0],
            )


def sign_months(offer: Offer, place: OfferSite, site: Site, horizon: Horizon) -> list[int]:
    """Months from the start of the horizon in which the terms allow signing ``offer`` for ``place``."""
    first = max(horizon.index_of(offer.sign_from_month), 0)
    last = min(horizon.index_of(offer.sign_until_month), horizon.month_count - 1)
    by = horizon.index_of(offer.energize_by_month) if offer.energize_by_month is not None else horizon.month_count
    lease = horizon.index_of(site.lease_end_month) if site.lease_end_month is not None else None
    months = []
    for month in range(first, last + 1):
        energize = energization(month, place, horizon)
        leased = lease is None or energize + offer.term_months <= lease
        if month % horizon.sign_every_months == 0 and energize < horizon.month_count and energize <= by and leased:
            months.append(month)
    return months


def energization(sign_month: int, place: OfferSite, horizon: Horizon) -> int:
    """Month of the first energization of a contract signed in a month, both from the start of the horizon."""
    earliest = place.earliest_energize_month
    return max(sign_month + place.build_months, horizon.index_of(earliest) if earliest is not None else 0)


def earliest_energization(offer: Offer, place: OfferSite, horizon: Horizon) -> dt.date:
    """Earliest month of first energization of ``offer`` at ``place`` if it is signed as soon as it can be."""
    return horizon.month_at(energization(max(horizon.index_of(offer.sign_from_month), 0), place, horizon))
