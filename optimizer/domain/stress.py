"""Named stresses that the cash must survive: what happens to the market, to tenants and to the rules of the grid."""

from __future__ import annotations

from pydantic import model_validator

from optimizer.domain.base import Month, Months, Name, Usd, Value, problem
from optimizer.domain.construction import Overrun
from optimizer.domain.uncertainty import OverlayEffect


class Shock(Value):
    """An overlay of the market that comes for certain."""

    begin_month: Month
    """Month in which it begins."""
    preset: Name | None = None
    """Name of an overlay of the reference library, which states its effects; give this or ``effects``."""
    effects: tuple[OverlayEffect, ...] = ()
    """What it does to the market; filled from ``preset`` when the portfolio is loaded."""

    @model_validator(mode="after")
    def _complete(self) -> Shock:
        if self.preset is None and not self.effects:
            raise problem("effects", "a shock has no effect", "name a preset, or state effects")
        factors = [effect.factor for effect in self.effects]
        if len(factors) != len(set(factors)):
            raise problem("effects", "a shock states a factor twice", "one entry a factor")
        return self


class StressDefault(Value):
    """A default that comes for certain."""

    tenant: Name | None = None
    """Name of a tenant, or of a backstopper that can fail; all tenants that are not named otherwise if absent."""
    default_month: Month
    """When it does."""


class StressConstruction(Value):
    """Building that turns out so for certain."""

    site: Name | None = None
    """Name of a site; all that are not named otherwise if absent."""
    delay_months: Months = 0
    """Months by which every phase of a contract there energizes late."""
    capex_overrun_frac: Overrun = 0.0
    """What the owner pays on top, as a share of the owner's capex."""
    interconnect_slip_months: Months = 0
    """Months by which the interconnect is late: nothing energizes before an ``earliest_energize_month`` and so many."""


class Stress(Value):
    """One future, without chance, in which cash must stay above a floor: a crypto winter, an AI bust, both."""

    name: Name
    """Unique name."""
    minimum_liquidity_usd: Usd = 0.0
    """Least cash at the end of every period."""
    shocks: tuple[Shock, ...] = ()
    """What happens to the market; shocks on the same factor multiply."""
    defaults: tuple[StressDefault, ...] = ()
    """Tenants that default; all others pay to the end."""
    construction: tuple[StressConstruction, ...] = ()
    """How building turns out; as planned at all other sites."""
    demand_response_end_month: Month | None = None
    """First month in which no site is paid for demand response any more; as stated for the sites if absent."""
    transmission_credit_end_month: Month | None = None
    """First month in which no site saves transmission charges any more; as stated for the sites if absent."""

    @model_validator(mode="after")
    def _once(self) -> Stress:
        tenants = [item.tenant for item in self.defaults]
        if len(tenants) != len(set(tenants)):
            raise problem("defaults", f"a tenant of stress {self.name} defaults twice", "one entry a tenant")
        sites = [item.site for item in self.construction]
        if len(sites) != len(set(sites)):
            raise problem("construction", f"stress {self.name} states building at a site twice", "one entry a site")
        return self
