"""Rules that the owner sets. Each is optional and is one constraint family of the model."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Frac, Month, Name, PathOf, Quantity, Real, Value, ValuePath, problem
from optimizer.domain.decisions import BuildingOrder, GpuOrder, GridAdvance, HallOrder, SiteOpening


class DomesticBasis(StrEnum):
    """What a domestic share is a share of."""

    POWER = "power"
    HASHRATE = "hashrate"


class PowerUse(StrEnum):
    """What grid power is used for."""

    MINING = "mining"
    HOSTING = "hosting"
    GPU = "gpu"


class OfferGroup(Value):
    """Offers bound together."""

    name: Name
    """Unique name among the groups."""
    offers: tuple[Name, ...] = Field(min_length=2)
    """Names of the offers."""


class ExclusiveGroup(OfferGroup):
    """Offers of which only some may be signed."""

    maximum_count: Annotated[int, Quantity("1", 1, 10_000)] = 1
    """Most of them that may be signed."""


class Placement(Value):
    """A contract at a place and time; open where a field is absent."""

    offer: Name
    """Name of an offer."""
    site: Name | None = None
    """Name of a site; any eligible one if absent."""
    sign_month: Month | None = None
    """Month of signing; any month of the window if absent."""


class ParallelBuildLimit(Value):
    """A limit on contracts under construction at the same time."""

    region: Name | None = None
    """Region of the sites; all sites together if absent."""
    maximum_count: Annotated[int, Quantity("1", 0, 10_000)]
    """Most contracts that are being built in any month."""


class TenantLimit(Value):
    """A limit on dependence on one tenant."""

    tenant: Name
    """Name of the tenant."""
    maximum_share_frac: Frac
    """Most grid MW reserved for it, as a share of the import limit of all open sites together."""


class CountryLimit(Value):
    """A limit on dependence on one country."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """ISO 3166 code of two letters."""
    maximum_share_frac: Frac
    """Most MW in use there, as a share of the import limit of all open sites together."""


class TechnologyLimit(Value):
    """A limit on dependence on one use of power, or on mining machines of one sort."""

    use: PowerUse | None = None
    """Mining, hosting or own GPUs; give this, ``asic_models`` or ``manufacturer``."""
    asic_models: tuple[Name, ...] = ()
    """Names of ASIC models that count together."""
    manufacturer: Name | None = None
    """Manufacturer whose ASIC models count together, all that say it is theirs."""
    maximum_share_frac: Frac
    """Of a use: most MW in use for it, as a share of the import limit of all open sites together. Of machines: most of
    the running hashrate of all machines."""
    from_month: Month | None = None
    """First month in which it holds; the start if absent."""

    @model_validator(mode="after")
    def _one_of_two(self) -> TechnologyLimit:
        if (self.use is not None) + bool(self.asic_models) + (self.manufacturer is not None) != 1:
            told = "a technology is either a use, a list of ASIC models or a manufacturer"
            raise problem("technology", told, "give one of the three")
        if len(set(self.asic_models)) != len(self.asic_models):
            raise problem("technology", "an ASIC model is listed twice", "one entry a model")
        return self


class DomesticShare(Value):
    """A least share of what runs that must run at home."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """ISO 3166 code of two letters."""
    basis: DomesticBasis = DomesticBasis.POWER
    """Share of MW in use, or of running hashrate."""
    minimum_share_frac: Frac
    """Least share."""
    from_month: Month | None = None
    """First month in which it is required; from the start if absent."""


class MinimumHashrate(Value):
    """A least hashrate that must be kept running."""

    minimum_eh_s: Annotated[float, Quantity("EH/s", 0.0, 1e5)]
    """Least nameplate hashrate of the machines in operation, in the mode they may reach."""
    from_month: Month | None = None
    """First month; the start if absent."""
    until_month: Month | None = None
    """Last month; the end if absent."""


class ContractChanges(Value):
    """How far the contracts may depart from a previous plan, or what that must bring."""

    previous: tuple[Placement, ...]
    """Contracts of the previous plan, each with offer, site and month."""
    maximum_count: Annotated[int, Quantity("1", 0, 10_000)] | None = None
    """Most contracts that may be dropped, added or changed in site or month; each counts once."""
    cost_usd_per_change: Annotated[float, Quantity("USD", 0.0, 1e9)] = 0.0
    """What a change must bring in the objective: so much is taken off it for each, without any cash."""

    counts_orders: bool = False
    """Whether GPU blocks, their refreshes and openings count too: each that is dropped, added or changed once."""
    previous_gpu_orders: tuple[GpuOrder, ...] = ()
    """GPU orders of the previous plan."""
    previous_openings: tuple[SiteOpening, ...] = ()
    """Openings of the previous plan."""

    @model_validator(mode="after")
    def _complete(self) -> ContractChanges:
        if any(item.site is None or item.sign_month is None for item in self.previous):
            raise problem("previous", "a previous contract lacks its site or month", "state offer, site and sign_month")
        if self.maximum_count is None and not self.cost_usd_per_change:
            raise problem("contract_changes", "neither limits changes nor prices them", "state maximum_count or a cost")
        offers = [item.offer for item in self.previous]
        if len(offers) != len(set(offers)):
            raise problem("previous", "an offer is listed twice", "one entry a contract")
        if not self.counts_orders and (self.previous_gpu_orders or self.previous_openings):
            raise problem("previous", "previous orders are stated, but do not count", "set counts_orders: true")
        _refuse_orders_twice(self.previous_gpu_orders, self.previous_openings)
        return self


class ChangeHurdle(Value):
    """What changes against a previous plan took off the objective; no cash."""

    change_count: int
    """Changes, as the rule counts them."""
    cost_usd_per_change: Real
    """Taken off for each."""

    @property
    def cost_usd(self) -> float:
        """Taken off for all."""
        return self.change_count * self.cost_usd_per_change


class CarbonCap(Value):
    """The most carbon of one calendar year."""

    year: Annotated[int, Quantity("calendar year", 2009, 2200)]
    """Calendar year."""
    maximum_t: Annotated[float, Quantity("t", 0.0, 1e9)]
    """Most that may be caused in its months in the horizon."""


class CarbonRule(Value):
    """Carbon of the energy that the owner pays for and uses: what it costs, and the most of it."""

    price_usd_per_t: Annotated[ValuePath, PathOf("USD/t", 0.0, 5_000.0)] | None = None
    """Price of a tonne; it costs nothing if absent."""
    caps: tuple[CarbonCap, ...] = ()
    """Limits by calendar year."""

    @model_validator(mode="after")
    def _complete(self) -> CarbonRule:
        if self.price_usd_per_t is None and not self.caps:
            raise problem("carbon", "a rule on carbon without a price and caps", "state one of them")
        years = [cap.year for cap in self.caps]
        if len(years) != len(set(years)):
            raise problem("caps", "a year has two caps", "one entry a year")
        return self


def _refuse_orders_twice(orders: tuple[GpuOrder, ...], openings: tuple[SiteOpening, ...]) -> None:
    """Each option, site and month once, each site once; no order of nothing."""
    keys = [(item.gpu_option, item.site, item.order_month) for item in orders]
    if len(set(keys)) != len(keys) or len({item.site for item in openings}) != len(openings):
        raise problem("orders", "an order or an opening is listed twice", "one entry an option, site and month")
    if any(item.block_count < 1 for item in orders):
        raise problem("orders", "an order is of no block", "state block_count, 1 or more")
    if any(not 0 <= item.refreshed_block_count <= item.block_count for item in orders):
        raise problem(
            "orders", "an order refreshes more blocks than it has, or less than none", "state 0 to block_count"
        )


def _refuse_works_twice(policy: Policy) -> None:
    """Each step and building once, halls once a site and month; no halls of nothing."""
    keys: list[tuple[object, ...]] = [(item.site, item.step_month) for item in policy.mandatory_grid_advances]
    keys += [(item.site, item.building) for item in policy.mandatory_building_orders]
    keys += [(item.site, item.month, "halls") for item in policy.mandatory_hall_orders]
    if len(set(keys)) != len(keys):
        raise problem("works", "a work is listed twice", "one entry a step, a building, a site and month of halls")
    if any(item.hall_mw <= 0.0 for item in policy.mandatory_hall_orders):
        raise problem("works", "halls of no MW are mandatory", "state hall_mw, more than 0")


class Policy(Value):
    """All rules of the owner."""

    exclusive_groups: tuple[ExclusiveGroup, ...] = ()
    """Groups of which at most some offers may be signed."""
    all_or_nothing_groups: tuple[OfferGroup, ...] = ()
    """Groups that are signed whole or not at all."""
    mandatory: tuple[Placement, ...] = ()
    """Contracts that must be signed."""
    forbidden: tuple[Placement, ...] = ()
    """Contracts that must not be signed; without site and month, the whole offer."""
    parallel_builds: tuple[ParallelBuildLimit, ...] = ()
    """Limits on contracts under construction."""
    tenant_limits: tuple[TenantLimit, ...] = ()
    """Limits on single tenants."""
    country_limits: tuple[CountryLimit, ...] = ()
    """Limits on single countries."""
    technology_limits: tuple[TechnologyLimit, ...] = ()
    """Limits on single uses of power and sorts of machines."""
    domestic_share: DomesticShare | None = None
    """Least share at home."""
    minimum_hashrate: tuple[MinimumHashrate, ...] = ()
    """Hashrate to be kept."""
    freeze_until_month: Month | None = None
    """Before this month nothing may be signed but what is mandatory with a month."""
    carbon: CarbonRule | None = None
    """Price of carbon and limits on it."""
    contract_changes: ContractChanges | None = None
    """Budget of changes against a previous plan."""
    mandatory_gpu_orders: tuple[GpuOrder, ...] = ()
    """GPU blocks that must be ordered, and refreshed, at least so many at that site in that month."""
    mandatory_openings: tuple[SiteOpening, ...] = ()
    """Sites that must be opened in that month."""
    mandatory_grid_advances: tuple[GridAdvance, ...] = ()
    """Grid steps that must be brought forward by so many months."""
    mandatory_hall_orders: tuple[HallOrder, ...] = ()
    """Mining halls that must be ordered, at least so many MW at that site in that month."""
    mandatory_building_orders: tuple[BuildingOrder, ...] = ()
    """Buildings that must be begun in that month."""
    freeze_works_until_month: Month | None = None
    """Before this month no work at a site is decided but those that are mandatory."""
    freeze_orders_until_month: Month | None = None
    """Before this month no GPU blocks are ordered or replaced and no sites opened but those that are mandatory."""

    @model_validator(mode="after")
    def _orders_once(self) -> Policy:
        _refuse_orders_twice(self.mandatory_gpu_orders, self.mandatory_openings)
        _refuse_works_twice(self)
        return self
