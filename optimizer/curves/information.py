"""What is known at a month on one path of the market, and what can follow from there.

The factors are Markov, so that the past counts by where it has led: given the log-deviation ``x`` of the last known
month, that of a later one is ``x`` decayed plus what the shocks since then add, and the expectation of its multiplier

    exp(x a**n + (var(n) - var(t + n)) / 2),    a = exp(-kappa / 12), n steps after ``t``

with ``var`` of :func:`~optimizer.curves.scenarios.factor_multipliers`. A factor without volatility that has strayed all
the same (in history, nothing keeps to a base path) stays where it is, or reverts as stated. Blocks of history go on
from a new block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.curves import scenarios, shutdowns
from optimizer.domain.market import Market
from optimizer.units import MONTHS_PER_YEAR

if TYPE_CHECKING:
    from optimizer.curves.futures import Futures

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class MarketPath:
    """One path of everything that is drawn."""

    driven: Floats
    """Multipliers of the factors before overlays, ``[5, T_ext]``."""
    overlay_start: Ints
    """Month in which each overlay begins, ``[K]``; :data:`~optimizer.curves.NEVER` if none does."""
    default_month: Mapping[str, int]
    """Month in which each tenant, and each backstopper that can, defaults."""
    construction_outcome: Mapping[str, int]
    """How building turns out at each site."""
    open_frac: Mapping[str, Floats]
    """1 in the months in which the sites of a country that may be shut are open, by country, ``[T_ext]``."""

    @classmethod
    def of(cls, futures: Futures) -> MarketPath:
        """The path of futures with one scenario."""
        portfolio = futures.portfolio
        return cls(
            driven=futures.driven_multipliers[:, :, 0],
            overlay_start=futures.overlay_starts[:, 0],
            default_month={name: int(futures.default_month(name)[0]) for name in portfolio.default_hazards},
            construction_outcome={s.name: int(futures.construction_outcome(s.name)[0]) for s in portfolio.sites},
            open_frac={
                risk.country: shutdowns.open_frac(futures, risk)[:, 0] for risk in portfolio.market.country_risks
            },
        )


@dataclass(frozen=True, eq=False)
class Known:
    """A path as far as it is known: the months before one."""

    path: MarketPath
    """The path; what comes later on it is not looked at."""
    month: int
    """First month that is not known, at least 1."""
    built: frozenset[str] = frozenset()
    """Sites where it has shown how building turns out."""

    def continue_multipliers(self, drawn: Floats, market: Market) -> None:
        """Turn multipliers ``[5, T_ext, W]`` that start from nothing into what follows from the path, in place."""
        volatility, reversion = np.array(market.volatilities()), np.array(market.mean_reversions())
        now, months = self.month, drawn.shape[1]
        steps = np.arange(1, months - now + 1)
        variance = scenarios.ou_variance(volatility, reversion, np.arange(1, months + 1))
        decay = np.exp(-reversion[:, None] * steps / MONTHS_PER_YEAR)
        strayed = np.log(self.path.driven[:, now - 1]) + variance[:, now - 1] / 2.0
        led = np.exp(strayed[:, None] * decay + (variance[:, : months - now] - variance[:, now:]) / 2.0)
        drawn[:, now:] = drawn[:, : months - now] * led[:, :, None]
        drawn[:, :now] = self.path.driven[:, :now, None]

    def still_to_begin(self, probability_frac: float, first: int, last: int) -> tuple[float, int, int]:
        """Probability and window of an overlay that has not begun yet; none is left of one that is over."""
        left = last - max(first, self.month) + 1
        if left <= 0:
            return 0.0, self.month, self.month
        share = probability_frac * left / (last - first + 1)
        return share / (1.0 - probability_frac + share), max(first, self.month), last

    def begun(self, drawn: Ints) -> Ints:
        """Months in which overlays begin, ``[K, W]``, where those of the path that have begun did."""
        began = self.path.overlay_start < self.month
        return np.asarray(np.where(began[:, None], self.path.overlay_start[:, None], drawn), dtype=np.int32)

    def hazard_from_now(self, multiplier: Floats | None, month_count: int, scenario_count: int) -> Floats:
        """Multipliers of the default hazard ``[T_ext, W]``: who has come so far cannot have defaulted earlier."""
        found = np.ones((month_count, scenario_count)) if multiplier is None else multiplier.copy()
        found[: self.month] = 0.0
        return found

    def defaulted(self, drawn: dict[str, Ints]) -> dict[str, Ints]:
        """Default months ``[W]`` by name, where those who have defaulted on the path did."""
        past = {name: month for name, month in self.path.default_month.items() if month < self.month}
        return {
            name: np.full_like(months, past.get(name, 0)) if name in past else months for name, months in drawn.items()
        }
