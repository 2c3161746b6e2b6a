"""Hourly power prices to measure with."""

from __future__ import annotations

import numpy as np

from optimizer.bench.measure import Floats, Ints
from optimizer.units import HOURS_PER_DAY, MONTHS_PER_YEAR


def drawn_prices(hours: int) -> Floats:
    """Hourly prices ``[12, hours]``, USD/MWh to the cent: dear evenings, spikes, a few hours below zero."""
    random = np.random.default_rng(5)
    evening = 1.0 + 0.35 * np.sin(2.0 * np.pi * (np.arange(hours) % HOURS_PER_DAY - 13.0) / HOURS_PER_DAY)
    price = 27.0 * evening * random.lognormal(0.0, 0.45, (MONTHS_PER_YEAR, hours)) - 4.0
    spikes = random.random(price.shape) < 0.01
    return np.asarray(np.round(np.where(spikes, price * random.uniform(5.0, 60.0, price.shape), price), 2))


def month_of_year(hours: int) -> Ints:
    """Calendar month of each of those hours, one after the other, ``[12 * hours]``."""
    return np.repeat(np.arange(1, MONTHS_PER_YEAR + 1), hours)
