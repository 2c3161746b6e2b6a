"""The rent that a contract asks for, by scenario: what was on offer when it was signed, or the market at a renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimizer.audit.paths import FloatArray, MarketPaths
from optimizer.domain import Factor
from optimizer.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from optimizer.audit.contract import Contract


def locked_in_frac(contract: Contract, paths: MarketPaths) -> FloatArray:
    """What was on offer in the month of signing over the stated price, ``[W]``."""
    index = contract.offer.rent_index
    if index is None:
        return np.ones(paths.scenario_count)
    if index.factor is Factor.GPU_RENTAL:
        market = paths.gpu_rental_multiplier[contract.sign]
    else:
        market = paths.re_lease_rent_multiplier[contract.sign]
    drift = (1.0 + index.growth_per_year_frac) ** (contract.sign / MONTHS_PER_YEAR)
    return np.asarray(drift * ((1.0 - index.exposure_frac) + index.exposure_frac * market))


def rent_usd_per_kw(contract: Contract, month: int, paths: MarketPaths) -> FloatArray:
    """Contract rent of a month, escalated, with what a renewal makes of it, ``[W]``."""
    renewal = contract.offer.renewal
    if renewal is not None and renewal.market_rent_share_frac is not None and month >= contract.end:
        begun = month - (month - contract.end) % renewal.term_months
        years = (month - begun) // MONTHS_PER_YEAR
        market = paths.re_lease_rent_usd_per_kw_month[begun]
        growth = (1.0 + contract.offer.escalator_per_year_frac) ** years
        return np.asarray(renewal.market_rent_share_frac * market * growth)
    stated = contract.offer.price_usd_per_kw_month * contract.escalation(month)
    return contract.live(month).rent_frac * stated * locked_in_frac(contract, paths)
