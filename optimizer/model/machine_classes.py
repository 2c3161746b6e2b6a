"""Machine classes, that is models in a condition, and the sites at which they can stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.curves.site_fleet import envelope
from optimizer.domain.fleet import AsicModel
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Floats, Ints
from optimizer.units import TH_PER_EH, W_PER_MW

MACHINES_PER_UNIT = 1e3
"""Machines are counted in thousands inside the program, which keeps coefficients near 1."""


@dataclass(frozen=True, eq=False)
class MachineClass:
    """Machines of one model in one condition."""

    model: AsicModel
    """Their model."""
    condition_frac: float
    """Share of nameplate hashrate that they reach."""
    modes: Ints
    """Indices of the modes worth running, ascending in power."""

    @property
    def key(self) -> tuple[str, float]:
        """Model and condition."""
        return self.model.name, self.condition_frac

    @property
    def power_mw(self) -> Floats:
        """Machine power of a thousand at each mode, before pue, in MW."""
        return np.array([self.model.modes[mode].power_w for mode in self.modes]) * MACHINES_PER_UNIT / W_PER_MW

    @property
    def hashrate_eh_s(self) -> Floats:
        """Hashrate of a thousand at each mode, condition included."""
        rates = np.array([self.model.modes[mode].hashrate_th_s for mode in self.modes])
        return rates * self.condition_frac * MACHINES_PER_UNIT / TH_PER_EH

    @property
    def can_be_bought(self) -> bool:
        """Whether a purchase arrives in this class: new machines have condition 1."""
        return self.model.purchasable and self.condition_frac == 1.0


def machine_classes(portfolio: Portfolio) -> tuple[MachineClass, ...]:
    """Every (model, condition) that is owned or can be bought, in the order of the models, best condition first."""
    classes = []
    for model in portfolio.asic_models:
        conditions = {fleet.condition_frac for fleet in portfolio.fleets if fleet.asic_model == model.name}
        if model.purchasable:
            conditions.add(1.0)
        modes = envelope([mode.hashrate_th_s for mode in model.modes], [mode.power_w for mode in model.modes])
        classes += [MachineClass(model, condition, modes) for condition in sorted(conditions, reverse=True)]
    return tuple(classes)


def machine_pairs(portfolio: Portfolio, classes: Sequence[MachineClass]) -> list[tuple[int, int]]:
    """Indices of site and class of every pair that can hold machines: at sites that can mine, and where fleets are."""
    fleets = {(fleet.site, fleet.asic_model, fleet.condition_frac) for fleet in portfolio.fleets}
    return [
        (s, k)
        for s, site in enumerate(portfolio.sites)
        for k, item in enumerate(classes)
        if site.can_mine or (site.name, *item.key) in fleets
    ]
