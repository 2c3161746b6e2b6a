"""When the sites of a country are shut: spells of a stated length that begin with a hazard, again and again."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from optimizer.curves import _sampling as sampling
from optimizer.curves import _scenarios
from optimizer.curves._checks import Float64Array
from optimizer.domain.uncertainty import CountryRisk
from optimizer.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from optimizer.curves.futures import Futures

SHUTDOWN: Final = 6 << 16
"""What is drawn, in the counter of the random words: how long a country stays open."""


def open_frac(futures: Futures, risk: CountryRisk) -> Float64Array:
    """1 in the months in which the sites of a country are open and 0 in those in which they are shut, ``[T_ext, W]``.

    On a known path they are what they were, and a spell that lasts goes on to its end.
    """
    months = futures.extended_month_count
    known = futures.known
    if known is None:
        return _drawn(futures, risk, months)
    past = known.path.open_frac[risk.country]
    begin = known.month + _months_left(past[: known.month], risk.shut_months)
    found = np.zeros((months, futures.scenario_count))
    found[: known.month] = past[: known.month, None]
    if begin < months:
        found[begin:] = _drawn(futures, risk, months - begin)
    return found


def _drawn(futures: Futures, risk: CountryRisk, month_count: int) -> Float64Array:
    """From an open month on: geometric times between the spells, as those to a default, ``[month_count, W]``."""
    key = sampling.checked_seed(futures.portfolio.risk.seed)
    first, count = sampling.scenario_range(futures.first_scenario, futures.scenario_count)
    stream, log_open = zlib.crc32(risk.country.encode()), np.log1p(-risk.hazard_per_year_frac) / MONTHS_PER_YEAR
    found, month = np.ones((month_count, count)), np.arange(month_count)[:, None]
    spell, since = 0, np.zeros(count)
    while log_open and (since < month_count).any():
        uniform = _scenarios.uniforms(key, first, count, spell, stream, SHUTDOWN)[0]
        begin = since + np.floor(np.log(uniform) / log_open)
        since = begin + risk.shut_months
        found[(month >= begin) & (month < since)] = 0.0
        spell += 1
    return found


def _months_left(past: Float64Array, shut_months: int) -> int:
    """Months that a spell still lasts at the end of a past, ``[month]``: 0 if none does."""
    shut = len(past) - int(np.flatnonzero(np.concatenate([[1.0], past]))[-1])
    return -shut % shut_months
