"""HPC/AI contracts that can be signed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import (
    Frac,
    GrowthPerYear,
    Month,
    Months,
    Mw,
    Name,
    Pue,
    Quantity,
    UsdPerCriticalMw,
    UsdPerKwMonth,
    Value,
    problem,
)
from optimizer.domain.uncertainty import Factor


class PowerPayer(StrEnum):
    """Who pays the energy of a hosted load."""

    TENANT = "tenant"
    LANDLORD = "landlord"


class Credit(Value):
    """How good the tenant's promise is."""

    default_hazard_per_year_frac: Annotated[float, Quantity("1/year", 0.0, 0.9)] = 0.0
    """Probability a year that the tenant defaults; the same in every offer of one tenant."""
    recovery_frac: Frac = 0.0
    """Share of twelve months' unbacked rent that is recovered once, in the month of default."""
    backstop_share_frac: Frac = 0.0
    """Share of the rent that a stronger party goes on paying after a default, renewals included."""
    backstopper: Name | None = None
    """Who that is."""
    backstop_hazard_per_year_frac: Annotated[float, Quantity("1/year", 0.0, 0.9)] | None = None
    """Probability a year that the backstopper defaults itself, the same wherever it is named; absent if it cannot."""
    vacancy_months: Months = 9
    """Months from a default until the unbacked share is let again at the market's re-lease rent."""

    @model_validator(mode="after")
    def _named_backstop(self) -> Credit:
        if self.backstop_share_frac > 0 and self.backstopper is None:
            raise problem("backstop", "a backstop share without a backstopper", "name the backstopper")
        if self.backstop_hazard_per_year_frac is not None and not self.backstop_share_frac:
            raise problem(
                "backstop", "a hazard of a backstop that pays nothing", "state backstop_share_frac, or drop it"
            )
        return self

    @property
    def failing_backstopper(self) -> str | None:
        """Who backs the tenant, if it can fail itself."""
        return self.backstopper if self.backstop_hazard_per_year_frac is not None else None


class Phase(Value):
    """A part of a contract that energizes together."""

    share_frac: Annotated[float, Quantity("fraction", 1e-6, 1.0, "a fraction: 40 % is 0.4")]
    """Share of the contract's critical MW."""
    offset_months: Months = 0
    """Months after the first energization."""


class Prepayment(Value):
    """Rent that the tenant pays at signing."""

    rent_months: Annotated[int, Quantity("months", 1, 120)]
    """Paid at signing, in months of the first year's full rent."""
    credit_months: Annotated[int, Quantity("months", 1, 360)] = 12
    """Credited against the rent in equal parts over so many months from full energization."""


class RentIndex(Value):
    """How the rent on offer moves with the market until it is signed for; from then on it is what it was."""

    factor: Factor = Factor.RE_LEASE_RENT
    """Factor of the market that it follows: the rent of halls, or GPU rental."""
    exposure_frac: Frac = 1.0
    """Share of the factor's deviation from its base path that the rent follows."""
    growth_per_year_frac: GrowthPerYear = 0.0
    """Growth of the rent on offer from the start of the horizon to the month of signing."""

    @model_validator(mode="after")
    def _of_rents(self) -> RentIndex:
        if self.factor not in (Factor.RE_LEASE_RENT, Factor.GPU_RENTAL):
            fix = f"choose {Factor.RE_LEASE_RENT} or {Factor.GPU_RENTAL}"
            raise problem("factor", f"a rent that follows {self.factor}", fix)
        return self


class Renewal(Value):
    """The tenant's options to stay when the term ends."""

    option_count: Annotated[int, Quantity("1", 1, 10)]
    """How many options follow one another."""
    term_months: Annotated[int, Quantity("months", 1, 360)]
    """Length of each."""
    probability_frac: Frac = 0.0
    """Probability that each one is used, given the one before; at 0 renewals are not counted on and keep no power."""
    rent_frac: Annotated[float, Quantity("fraction", 0.0, 3.0)] = 1.0
    """Rent in a renewal as a share of what the escalated rent would be."""
    market_rent_share_frac: Annotated[float, Quantity("fraction", 0.0, 3.0)] | None = None
    """Rent in a renewal as a share of the market's re-lease rent in its first month instead, escalated from then on."""

    @model_validator(mode="after")
    def _one_rent(self) -> Renewal:
        if self.market_rent_share_frac is not None and self.rent_frac != 1.0:
            told = "a renewal has both a rent_frac and a market_rent_share_frac"
            raise problem("rent_frac", told, "let it follow the contract or the market: drop one of the two")
        return self


class Reconversion(Value):
    """Terms on which displaced halls become mining halls again when the term has ended inside the horizon."""

    usd_per_hall_mw: Annotated[float, Quantity("USD/MW", 0.0, 2e7, "in dollars, not millions")]
    """Price per MW of halls, paid in the first month after the term."""
    months: Months
    """Months from the end of the term until the halls can be used."""


class ReLease(Value):
    """Terms on which MW are let again when the term has ended inside the horizon, at the market's re-lease rent."""

    vacancy_months: Months
    """Months from the end of the term until they are let."""
    refit_usd_per_critical_mw: UsdPerCriticalMw
    """Cost of preparing them, per MW of critical IT, paid in the first month after the term."""
    rent_share_frac: Annotated[float, Quantity("fraction", 0.0, 3.0)] = 1.0
    """Rent as a share of the market's re-lease rent."""
    term_months: Annotated[int, Quantity("months", 1, 480)]
    """Months for which they are let; they stay let to the end of the horizon, after it as long as this term lasts."""


class OfferSite(Value):
    """A site at which an offer can be placed, with what it takes there."""

    site: Name
    """Name of a site."""
    capex_usd_per_critical_mw: UsdPerCriticalMw
    """Cost of building, per MW of critical IT."""
    tenant_capex_share_frac: Frac = 0.0
    """Share of it that the tenant pays."""
    build_months: Months = 12
    """Months of building before each phase energizes; the phase's capex is spread evenly over them."""
    pue: Pue | None = None
    """Grid draw over critical IT power; the site's hosting pue if absent."""
    grid_mw_per_critical_mw: Annotated[float, Quantity("MW/MW", 1.0, 3.0)] = 1.43
    """Grid capacity reserved per MW of critical IT (interconnect sizing, not energy)."""
    halls_displaced_mw_per_critical_mw: Annotated[float, Quantity("MW/MW", 0.0, 5.0)] = 0.0
    """Mining hall MW that each MW of critical IT takes, from the start of its building on."""
    halls_down_mw_per_critical_mw: Annotated[float, Quantity("MW/MW", 0.0, 5.0)] | None = None
    """Mining hall MW out of use per MW of critical IT only while it is built, on top of those taken for good, as for
    the cut-over of feeders; none if absent."""
    earliest_energize_month: Month | None = None
    """Earliest month in which the site can energize this offer."""
    needs_building: bool | None = None
    """Whether its critical MW need space in a finished building of the site; not if absent."""
    reconversion: Reconversion | None = None
    """Terms of taking halls back at the end of the term; absent if they stay displaced."""
    re_lease: ReLease | None = None
    """Terms of letting MW again at the end of the term; absent if they are not."""

    @model_validator(mode="after")
    def _halls_to_take_back(self) -> OfferSite:
        if self.reconversion is not None and not self.halls_displaced_mw_per_critical_mw:
            raise problem("reconversion", "a reconversion where no halls are displaced", "drop it, or state the halls")
        return self


class Offer(Value):
    """An HPC/AI contract that can be signed, once and at one site."""

    name: Name
    """Unique name."""
    tenant: Name
    """Who would sign; offers of one tenant default together."""
    credit: Credit = Credit()
    """The tenant's credit."""
    critical_mw: Mw | None = None
    """Contracted MW of critical IT; give this, or minimum and maximum."""
    minimum_critical_mw: Mw | None = None
    """Least MW of a scalable offer."""
    maximum_critical_mw: Mw | None = None
    """Most MW of a scalable offer."""
    price_usd_per_kw_month: UsdPerKwMonth
    """Rent in the first year, per kW of critical IT and month."""
    rent_index: RentIndex | None = None
    """How that rent moves until it is signed for; it stays what it is if absent."""
    escalator_per_year_frac: GrowthPerYear = 0.0
    """Growth of rent and of landlord opex, on each anniversary of the first energization."""
    term_months: Annotated[int, Quantity("months", 1, 480)]
    """Months from the first energization to the end."""
    phases: tuple[Phase, ...] = (Phase(share_frac=1.0),)
    """Parts that energize one after another; shares sum to 1, the first has offset 0."""
    sign_from_month: Month
    """First month in which it can be signed."""
    sign_until_month: Month
    """Last month in which it can be signed."""
    energize_by_month: Month | None = None
    """Latest month of the first energization."""
    power_payer: PowerPayer = PowerPayer.TENANT
    """Who pays the energy."""
    landlord_opex_usd_per_kw_month: UsdPerKwMonth | None = None
    """Landlord's operating cost in the first year; give this or ``noi_margin_frac``."""
    noi_margin_frac: Frac | None = None
    """Net operating income over contract rent, before energy; the rest is the landlord's operating cost."""
    prepayment: Prepayment | None = None
    """Rent paid at signing."""
    renewal: Renewal | None = None
    """The tenant's options to stay."""
    sites: tuple[OfferSite, ...] = Field(min_length=1)
    """Where it can be placed."""

    @model_validator(mode="after")
    def _consistent(self) -> Offer:
        fixed, scalable = self.critical_mw is not None, self.maximum_critical_mw is not None
        if fixed == scalable or (self.minimum_critical_mw is not None) != scalable:
            raise problem(
                "critical_mw",
                f"offer {self.name} needs critical_mw, or both minimum_critical_mw and maximum_critical_mw",
                "give one or the other",
            )
        if not 0.0 < self.minimum_mw <= self.maximum_mw:
            raise problem(
                "critical_mw",
                f"offer {self.name} has {self.minimum_mw:g} MW at least and {self.maximum_mw:g} MW at most",
                "the least must be positive, a contract of 0 MW is none, and the most no less than it",
            )
        if (self.landlord_opex_usd_per_kw_month is None) == (self.noi_margin_frac is None):
            raise problem(
                "landlord_opex",
                f"offer {self.name} needs exactly one of landlord_opex_usd_per_kw_month and noi_margin_frac",
                "state the landlord's cost in one way",
            )
        self._check_phases()
        if self.sign_until_month < self.sign_from_month:
            raise problem(
                "window",
                f"offer {self.name} can be signed from {self.sign_from_month:%Y-%m} "
                f"until {self.sign_until_month:%Y-%m}",
                "the end of the window must not be before its start",
            )
        stays = self.renewal is not None and self.renewal.probability_frac > 0.0
        if stays and any(item.reconversion or item.re_lease for item in self.sites):
            raise problem(
                "lease_end",
                f"offer {self.name} has renewals that are counted on, and terms for the end of the lease",
                "what is the tenant's to renew is not the owner's to let or convert: drop one of the two",
            )
        names = [item.site for item in self.sites]
        if len(names) != len(set(names)):
            raise problem("sites", f"offer {self.name} lists a site twice", "one entry a site")
        return self

    def _check_phases(self) -> None:
        total = sum(phase.share_frac for phase in self.phases)
        if not self.phases or abs(total - 1.0) > 1e-9:
            raise problem("phases", f"shares of the phases of {self.name} sum to {total:g}", "they must sum to 1")
        offsets = [phase.offset_months for phase in self.phases]
        if offsets[0] != 0 or offsets != sorted(offsets) or offsets[-1] >= self.term_months:
            raise problem(
                "phases",
                f"phase offsets of {self.name} are {offsets} months in a term of {self.term_months}",
                "start at 0, ascend, and end before the term does",
            )

    @property
    def minimum_mw(self) -> float:
        """Least critical MW that can be signed."""
        return (self.critical_mw if self.critical_mw is not None else self.minimum_critical_mw) or 0.0

    @property
    def maximum_mw(self) -> float:
        """Most critical MW that can be signed."""
        return (self.critical_mw if self.critical_mw is not None else self.maximum_critical_mw) or 0.0

    @property
    def scalable(self) -> bool:
        """Whether the MW are a decision."""
        return self.critical_mw is None and self.minimum_mw < self.maximum_mw
