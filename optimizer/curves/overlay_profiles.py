"""What the overlays of a portfolio do by month since they began, as arrays."""

from __future__ import annotations

import numpy as np

from optimizer.curves._checks import Float64Array
from optimizer.domain.uncertainty import Factor, Overlay
from optimizer.errors import InvalidInputError


def factor_profiles(overlay: Overlay, month_count: int) -> Float64Array:
    """Multipliers by factor and months since the beginning, ``[5, T]``: geometric between points, then held.

    Raises:
        InvalidInputError: for a preset whose effects have not been filled in.
    """
    if overlay.preset is not None and not (overlay.effects or overlay.default_hazard):
        fix = "load the portfolio with optimizer.io.load_portfolio, which fills them in"
        raise InvalidInputError.single(f"market.overlays[{overlay.name}].effects", "are not read from the library", fix)
    months, order = np.arange(month_count), list(Factor)
    profiles = np.ones((len(order), month_count))
    for effect in overlay.effects:
        offsets = [point.month_offset for point in effect.points]
        logs = np.log([point.multiplier for point in effect.points])
        profiles[order.index(effect.factor)] = np.exp(np.interp(months, offsets, logs))
    return profiles


def hazard_profile(overlay: Overlay, month_count: int) -> Float64Array:
    """Multipliers of the default hazard by months since the beginning, ``[T]``: held between points and after them."""
    if not overlay.default_hazard:
        return np.ones(1)
    offsets = [point.month_offset for point in overlay.default_hazard]
    held = np.searchsorted(offsets, np.arange(month_count), side="right") - 1
    return np.array([point.multiplier for point in overlay.default_hazard])[held]
