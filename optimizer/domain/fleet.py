"""Mining machines: models with operating modes, and fleets of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import Count, Frac, Months, Name, Quantity, UsdPerTh, Value, problem

EFFICIENCY_RANGE_J_PER_TH = (4.0, 150.0)
"""Plausible efficiency: the best announced machines of 2026 are at 9.5 J/TH, machines of 2016 at about 100."""


class OperatingMode(Value):
    """A way to run a machine."""

    hashrate_th_s: Annotated[float, Quantity("TH/s", 0.01, 10_000.0)]
    """Hashrate of one machine."""
    power_w: Annotated[float, Quantity("W", 1.0, 100_000.0)]
    """Power of one machine at the wall, before pue."""
    efficiency_j_per_th: Annotated[float, Quantity("J/TH", *EFFICIENCY_RANGE_J_PER_TH)] | None = None
    """Stated efficiency; optional, checked against the other two within 2 %."""
    label: str = ""
    """Name of the preset, and whether it was measured."""

    @model_validator(mode="after")
    def _plausible(self) -> OperatingMode:
        low, high = EFFICIENCY_RANGE_J_PER_TH
        efficiency = self.power_w / self.hashrate_th_s
        told = f"{self.power_w:,g} W over {self.hashrate_th_s:,g} TH/s is {efficiency:,.4g} J/TH"
        if not low <= efficiency <= high:
            raise problem("efficiency", f"{told}, outside {low:g}..{high:g}", "check W and TH/s (1 PH/s is 1000 TH/s)")
        if self.efficiency_j_per_th is not None and abs(efficiency / self.efficiency_j_per_th - 1.0) > 0.02:
            raise problem("efficiency", f"{told}, not {self.efficiency_j_per_th:g}", "correct one of the three")
        return self


class AsicModel(Value):
    """A model of mining machine, with what it costs to buy, sell and move."""

    name: Name
    """Unique name."""
    modes: tuple[OperatingMode, ...] = Field(min_length=1)
    """Operating modes in ascending order of power; the last is the rated one."""
    price_usd_per_th: UsdPerTh
    """Price of a new machine per TH/s of its rated mode, over time."""
    purchasable: bool = False
    """Whether the plan may buy more of them."""
    delivery_lead_months: Months = 3
    """Months from order and payment to the first hash."""
    resale_frac: Frac = 0.6
    """What a used machine in full condition fetches, as a share of the price of a new one in the same month."""
    move_usd_per_machine: Annotated[float, Quantity("USD", 0.0, 10_000.0)] = 60.0
    """De-racking, freight and re-racking of one machine."""
    move_downtime_months: Months = 1
    """Months from leaving one site to hashing at another."""
    manufacturer: Name | None = None
    """Who makes it, as limits on technologies name it; the library's table of machines tells."""

    @model_validator(mode="after")
    def _ascending(self) -> AsicModel:
        powers = [mode.power_w for mode in self.modes]
        rates = [mode.hashrate_th_s for mode in self.modes]
        if powers != sorted(set(powers)) or rates != sorted(set(rates)):
            raise problem(
                "modes",
                f"modes of {self.name} do not rise in both power and hashrate",
                "sort them by power_w and drop modes that draw more for less",
            )
        return self

    @property
    def rated(self) -> OperatingMode:
        """The mode of highest power."""
        return self.modes[-1]


class Fleet(Value):
    """Machines of one model that stand at a site when the plan starts."""

    asic_model: Name
    """Name of an ASIC model."""
    site: Name
    """Name of a site."""
    count: Count
    """Number of machines."""
    condition_frac: Annotated[float, Quantity("fraction", 0.2, 1.0)] = 1.0
    """Share of nameplate hashrate that they still reach; resale falls by it too."""
