"""The owner's own GPU clusters."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from optimizer.domain.base import (
    Frac,
    Month,
    Months,
    Name,
    Pue,
    Quantity,
    UsdPerCriticalMw,
    UsdPerGpuHour,
    Value,
    problem,
)
from optimizer.units import KW_PER_MW


class CapCurve(StrEnum):
    """How throughput answers to a power cap."""

    UNCAPPED = "uncapped"
    A100_TRAINING = "a100-training"
    V100_TRAINING = "v100-training"
    A40_TRAINING = "a40-training"
    RTX6000_TRAINING = "rtx6000-training"
    RTX_PRO_6000_INFERENCE = "rtx-pro-6000-inference"


class ScaleTranche(Value):
    """Blocks of one option at one site that bill the same share of what the first bills."""

    from_block: Annotated[int, Quantity("blocks", 1, 10_000)]
    """Number of the first block of the tranche; it ends where the next begins."""
    share_frac: Annotated[float, Quantity("fraction", 1e-6, 1.0, "a fraction, not a percentage: 80 % is 0.8")]
    """Billed GPU-hours of each of its blocks over those of the first block."""


class GpuRefresh(Value):
    """New GPUs in the place of a block's old ones, once, at the end of its life."""

    capex_usd_per_gpu: Annotated[float, Quantity("USD", 0.0, 1e6)]
    """Purchase and installation per GPU, paid in the month after the last of the old ones."""
    downtime_months: Months = 0
    """Months after the life of the old ones until the block earns again."""
    life_months: Annotated[int, Quantity("months", 1, 240)]
    """Months during which the new ones earn; afterwards they are scrapped."""
    throughput_factor: Annotated[
        float, Quantity("1", 0.01, 1_000.0, "billing over that of an old GPU: 3 bills threefold")
    ]
    """What a new GPU bills in an hour over what an old one would at the same time."""
    power_factor: Annotated[float, Quantity("1", 0.05, 20.0, "power over that of an old GPU: 1.2 draws a fifth more")]
    """Critical IT power of a new GPU over that of an old one."""


class GpuOption(Value):
    """GPU clusters that can be bought in blocks and rented out by the hour."""

    name: Name
    """Unique name."""
    gpu_model: Name
    """Model, as ``GB300``."""
    sites: tuple[Name, ...] = Field(min_length=1)
    """Names of the sites at which a block can stand."""
    block_gpu_count: Annotated[int, Quantity("GPUs", 1, 1_000_000)]
    """GPUs in one block."""
    maximum_block_count: Annotated[int, Quantity("blocks", 1, 10_000)]
    """Most blocks that can be ordered over the horizon, all sites together."""
    order_from_month: Month
    """First month in which a block can be ordered."""
    order_until_month: Month
    """Last month in which a block can be ordered."""
    capex_usd_per_gpu: Annotated[float, Quantity("USD", 0.0, 1e6)]
    """Purchase with network and storage, per GPU, paid at the order."""
    fit_out_usd_per_critical_mw: UsdPerCriticalMw
    """Building and cooling per MW of critical IT, paid at the order."""
    power_kw_per_gpu: Annotated[float, Quantity("kW", 0.05, 20.0, "critical IT power per GPU, in kW")]
    """Critical IT power per GPU including its share of the server and network."""
    pue: Pue | None = None
    """Grid draw over critical IT power; the site's hosting pue if absent."""
    grid_mw_per_critical_mw: Annotated[float, Quantity("MW/MW", 1.0, 3.0)] = 1.43
    """Grid capacity reserved per MW of critical IT."""
    halls_displaced_mw_per_critical_mw: Annotated[float, Quantity("MW/MW", 0.0, 5.0)] = 0.0
    """Mining hall MW that each MW of critical IT takes, from the order on."""
    lead_months: Months
    """Months from the order until the block earns."""
    life_months: Annotated[int, Quantity("months", 1, 240)]
    """Months during which it earns; afterwards it is scrapped."""
    rental_usd_per_gpu_hour: UsdPerGpuHour
    """Rental price per GPU and hour over time."""
    utilisation_frac: Frac
    """Share of GPU-hours that are rented."""
    goodput_frac: Frac = 1.0
    """Share of rented hours that are billed after failures and restarts."""
    opex_usd_per_gpu_month: Annotated[float, Quantity("USD", 0.0, 1e5)] = 0.0
    """Operating cost without energy, per GPU and month."""
    cap_curve: CapCurve = CapCurve.UNCAPPED
    """How throughput answers to a power cap; the best cap is chosen each month against the power price."""
    residual_frac: Frac = 0.0
    """Value at the end of the life as a share of the purchase; in between it falls on a straight line."""
    scale_curve: tuple[ScaleTranche, ...] = ()
    """What more blocks at one site bill, the first in full; each bills as much if absent."""
    refresh: GpuRefresh | None = None
    """Terms on which a block can be replaced at the end of its life; it cannot if absent."""

    @model_validator(mode="after")
    def _window(self) -> GpuOption:
        if self.order_until_month < self.order_from_month:
            raise problem("window", f"order window of {self.name} ends before it starts", "swap the months")
        if len(set(self.sites)) != len(self.sites):
            raise problem("sites", f"{self.name} lists a site twice", "one entry a site")
        return self

    @model_validator(mode="after")
    def _scale(self) -> GpuOption:
        blocks = [tranche.from_block for tranche in self.scale_curve]
        shares = [tranche.share_frac for tranche in self.scale_curve]
        if self.scale_curve and (blocks[0] != 1 or shares[0] != 1.0):
            raise problem(
                "scale_curve",
                f"scale curve of {self.name} begins with a share of {shares[0]:g} from block {blocks[0]}",
                "begin with a share of 1 from block 1",
            )
        if blocks != sorted(set(blocks)) or shares != sorted(shares, reverse=True):
            raise problem(
                "scale_curve",
                f"tranches of {self.name} begin at blocks {blocks} with shares {shares}",
                "blocks ascend, and no block bills more than the one before it",
            )
        return self

    @property
    def block_critical_mw(self) -> float:
        """Critical IT MW of one block."""
        return self.block_gpu_count * self.power_kw_per_gpu / KW_PER_MW
