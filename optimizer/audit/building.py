"""How the building of a contract turns out in every scenario: late, dearer, or waiting for an interconnect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optimizer.audit.paths import EnergyPrices, FloatArray

if TYPE_CHECKING:
    from optimizer.audit.contract import Contract


class Built(NamedTuple):
    """How building turns out, by scenario, ``[W]`` each."""

    late_months: FloatArray
    """Months by which its phases are late."""
    dearer_frac: FloatArray
    """The overrun as a share of the capex."""
    connected: FloatArray
    """Month before which nothing energizes; before the horizon where no interconnect is waited for."""

    def energized(self, contract: Contract, offset_months: int = 0) -> FloatArray:
        """Month in which a phase energizes, ``[W]``."""
        return np.maximum(contract.energize + offset_months + self.late_months, self.connected)


def built(contract: Contract, energy: EnergyPrices) -> Built:
    """How building of a contract turns out."""
    outcomes, earliest = contract.site.construction_outcomes, contract.earliest
    if not outcomes:
        planned = np.zeros(energy.paths.scenario_count)
        return Built(planned, planned, planned - np.inf)
    found = np.asarray(energy.paths.construction_outcome(contract.site.name), dtype=np.int64)
    # The last entry, which -1 takes, is that of all as planned.
    late = np.array([*(item.delay_months for item in outcomes), 0], dtype=float)
    dearer = np.array([*(item.capex_overrun_frac for item in outcomes), 0.0])
    slip = np.array([*(item.interconnect_slip_months for item in outcomes), 0], dtype=float)
    waits = -np.inf if earliest is None else earliest
    return Built(late[found], dearer[found], waits + slip[found])
