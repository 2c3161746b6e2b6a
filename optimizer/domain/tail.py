"""What drives the tail of a plan: the parts of its NPV that vary, each by what it lacks in the worst scenarios."""

from __future__ import annotations

from enum import StrEnum

from optimizer.domain.base import Name, Real, Value


class DriverKind(StrEnum):
    """What varies."""

    MACHINES = "machines"
    GPUS = "gpus"
    POWER_SALES = "power_sales"
    CONTRACT = "contract"


class TailDriver(Value):
    """A part of the plan, and its part in the difference between CVaR and mean; all parts add up to it."""

    kind: DriverKind
    """What varies: margins of machines or of own GPUs, power sold back, or what a contract pays and costs."""
    site: Name
    """Site."""
    offer: Name | None = None
    """Offer of the contract."""
    gpu_option: Name | None = None
    """GPU option of the blocks."""
    difference_usd: Real
    """NPV that it adds on average over the tail, less that over all scenarios: negative where it makes the tail."""

    @property
    def told(self) -> str:
        """What it is, in words."""
        if self.offer is not None:
            return f"{self.offer} at {self.site}"
        what = {DriverKind.MACHINES: "mining", DriverKind.POWER_SALES: "power sold back"}
        return f"{self.gpu_option or what[self.kind]} at {self.site}"
