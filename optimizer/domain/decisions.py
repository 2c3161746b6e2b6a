"""Everything that a plan decides; the rest of it follows from these and the portfolio."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from optimizer.domain.base import Month, Name, Real, Value, add_months
from optimizer.units import USD_PER_MUSD


class ContractDecision(Value):
    """A contract to sign."""

    offer: Name
    """Name of the offer."""
    site: Name
    """Where."""
    sign_month: Month
    """When it is signed."""
    critical_mw: Real
    """MW of critical IT."""
    debt_usd: Real = 0.0
    """Project debt."""
    reconverted_mw: Real = 0.0
    """MW of critical IT whose halls are converted back at the end of the term."""
    re_leased_mw: Real = 0.0
    """MW of critical IT that are let again at the end of the term."""

    @property
    def told(self) -> str:
        """What to do, in words."""
        parts = [
            (self.debt_usd / USD_PER_MUSD, "million USD of debt"),
            (self.reconverted_mw, "MW converted back at the end"),
            (self.re_leased_mw, "MW let again at the end"),
        ]
        more = "".join(f", {value:,.1f} {what}" for value, what in parts if value)
        return f"Sign {self.critical_mw:,.1f} MW of {self.offer} at {self.site} in {self.sign_month:%Y-%m}{more}"


class ModeCount(Value):
    """Machines running up to a mode."""

    mode: int
    """Index of the ceiling mode in the ASIC model's list."""
    machine_count: Real
    """How many."""


class MachineDecision(Value):
    """What happens to one class of machines at one site in one period; machines are not rounded to whole ones."""

    site: Name
    """Site."""
    asic_model: Name
    """ASIC model."""
    condition_frac: Real = 1.0
    """Condition of the class."""
    month: Month
    """First month of the period."""
    running: tuple[ModeCount, ...] = ()
    """Machines running, by ceiling mode."""
    stock_count: Real = 0.0
    """Machines at the site, running or stored."""
    bought_count: Real = 0.0
    """Machines ordered."""
    sold_count: Real = 0.0
    """Machines sold."""
    moved_out_count: Real = 0.0
    """Machines that leave for another site."""
    moved_in_count: Real = 0.0
    """Machines that arrive from another site."""


class GpuOrder(Value):
    """GPU blocks to order."""

    gpu_option: Name
    """Name of the GPU option."""
    site: Name
    """Where they will stand."""
    order_month: Month
    """When they are ordered."""
    block_count: int
    """How many."""
    refreshed_block_count: int = 0
    """How many of them are replaced at the end of their life."""

    @property
    def told(self) -> str:
        """What to do, in words."""
        refreshed = (
            f", and replace {self.refreshed_block_count} at the end of life" if self.refreshed_block_count else ""
        )
        return f"Order {self.block_count} x {self.gpu_option} for {self.site} in {self.order_month:%Y-%m}{refreshed}"


class SiteOpening(Value):
    """A site to open."""

    site: Name
    """Name of the site."""
    month: Month
    """When the decision is taken."""

    @property
    def told(self) -> str:
        """What to do, in words."""
        return f"Open {self.site} in {self.month:%Y-%m}"


class Work(NamedTuple):
    """Something to do at a site."""

    site: str
    month: dt.date
    told: str
    """What, in words."""


class GridAdvance(Value):
    """A grid step to bring forward."""

    site: Name
    """Name of the site."""
    step_month: Month
    """Month of the step as stated."""
    advance_months: int
    """How many months earlier it comes."""

    @property
    def month(self) -> dt.date:
        """Month in which it comes."""
        return add_months(self.step_month, -self.advance_months)

    @property
    def told(self) -> str:
        """What to do, in words."""
        return f"Bring the grid step of {self.step_month:%Y-%m} at {self.site} forward to {self.month:%Y-%m}"


class HallOrder(Value):
    """Mining halls to add."""

    site: Name
    """Name of the site."""
    month: Month
    """When they are ordered."""
    hall_mw: Real
    """MW of machine power (before pue)."""

    @property
    def told(self) -> str:
        """What to do, in words."""
        return f"Order {self.hall_mw:,.1f} MW of mining halls for {self.site} in {self.month:%Y-%m}"


class PowerSale(Value):
    """Power to sell back in one period."""

    site: Name
    """Name of the site."""
    month: Month
    """First month of the period."""
    sold_mw: Real
    """MW at the meter, in all its hours in which the market pays more than the site's own price and the fee."""


class BuildingOrder(Value):
    """A data-centre building to build."""

    site: Name
    """Name of the site."""
    building: Name
    """Name of the building."""
    month: Month
    """When the decision is taken and building begins."""

    @property
    def told(self) -> str:
        """What to do, in words."""
        return f"Build {self.building} at {self.site} from {self.month:%Y-%m}"


class Decisions(Value):
    """Everything that is decided; the rest of a plan follows from it and the portfolio."""

    contracts: tuple[ContractDecision, ...] = ()
    """Contracts, in order of signing."""
    machines: tuple[MachineDecision, ...] = ()
    """Machines by site, class and period; absent means none."""
    gpu_orders: tuple[GpuOrder, ...] = ()
    """GPU blocks."""
    site_openings: tuple[SiteOpening, ...] = ()
    """Openings."""
    grid_advances: tuple[GridAdvance, ...] = ()
    """Grid steps brought forward."""
    hall_orders: tuple[HallOrder, ...] = ()
    """Mining halls added."""
    power_sales: tuple[PowerSale, ...] = ()
    """Power sold back, by site and period; absent means none."""
    building_orders: tuple[BuildingOrder, ...] = ()
    """Data-centre buildings."""

    @property
    def works(self) -> tuple[Work, ...]:
        """Works at sites."""
        works: tuple[GridAdvance | HallOrder | BuildingOrder, ...] = (
            *self.grid_advances,
            *self.hall_orders,
            *self.building_orders,
        )
        return tuple(Work(item.site, item.month, item.told) for item in works)
