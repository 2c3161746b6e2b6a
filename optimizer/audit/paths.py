"""What the audit reads of the market, and the energy price of a site computed from its hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.domain import Stress
from optimizer.units import MONTHS_PER_YEAR

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class MarketPaths(Protocol):
    """The market in every month and scenario; ``optimizer.curves.futures.Futures`` is one.

    ``T`` months of the horizon, ``T_ext`` months up to the end of the last contract, ``W`` equally likely scenarios.
    """

    @property
    def month_count(self) -> int:
        """T."""

    @property
    def extended_month_count(self) -> int:
        """T_ext."""

    @property
    def scenario_count(self) -> int:
        """W."""

    @property
    def calendar_month(self) -> NDArray[np.integer]:
        """1 to 12, ``[T_ext]``."""

    @property
    def hours_in_month(self) -> FloatArray:
        """Hours, ``[T_ext]``."""

    @property
    def hashprice_usd_per_ph_day(self) -> FloatArray:
        """Expected revenue of hashrate, ``[T, W]``."""

    @property
    def own_hashprice_multiplier(self) -> FloatArray:
        """What is in hashprice of the market's answer to the plan's own hashrate, ``[T]``."""

    @property
    def btc_usd(self) -> FloatArray:
        """Price of a bitcoin, ``[T, W]``."""

    @property
    def market_power_level(self) -> FloatArray:
        """Level of the market's energy prices, ``[T_ext, W]``."""

    @property
    def gpu_rental_multiplier(self) -> FloatArray:
        """Multiplier of every rental price of GPUs, ``[T_ext, W]``."""

    @property
    def re_lease_rent_multiplier(self) -> FloatArray:
        """Multiplier of the rent of halls, ``[T_ext, W]``."""

    @property
    def re_lease_rent_usd_per_kw_month(self) -> FloatArray:
        """Rent of halls that are let again, ``[T_ext, W]``."""

    def shards(self) -> Iterator[MarketPaths]:
        """The same scenarios in parts that fit in memory."""

    def under(self, stress: Stress) -> MarketPaths:
        """The one path of a stress, with the defaults that it states."""

    def default_month(self, party: str) -> NDArray[np.int32]:
        """Month of default of a tenant or backstopper by scenario, ``[W]``; far beyond every horizon for never."""

    def construction_outcome(self, site_name: str) -> NDArray[np.integer]:
        """Position, by scenario, in the outcomes of construction that a site states, ``[W]``; negative as planned."""

    def open_frac(self, site_name: str) -> FloatArray | None:
        """1 in the months in which a site is open and 0 where it is shut, ``[T_ext, W]``; None if it never is."""

    def hourly_prices(self, site_name: str) -> tuple[FloatArray, NDArray[np.integer]]:
        """Hourly prices in USD/MWh and the calendar month of each."""

    def power_level(self, site_name: str) -> FloatArray:
        """Multiplier of the hourly price, ``[T_ext, W]``."""

    def power_adder_usd_per_mwh(self, site_name: str) -> FloatArray:
        """Charges on top of every MWh, ``[T_ext]``."""


@dataclass(frozen=True, slots=True, eq=False)
class SiteEnergy:
    """Energy price of one site: sorted hours of each calendar month, their running sums, level and adder."""

    calendar_month: IntArray
    sorted_usd_per_mwh: tuple[FloatArray, ...]
    """Ascending prices, January first."""
    running_sum_usd_per_mwh: tuple[FloatArray, ...]
    """Sum of the ``k`` cheapest hours at position ``k``."""
    level: FloatArray
    adder_usd_per_mwh: FloatArray
    is_open: FloatArray | None

    @classmethod
    def of(cls, paths: MarketPaths, site_name: str) -> SiteEnergy:
        """The energy price of the site of that name."""
        prices, month_of_year = (np.asarray(array) for array in paths.hourly_prices(site_name))
        pools = tuple(np.sort(prices[month_of_year == month]) for month in range(1, MONTHS_PER_YEAR + 1))
        return cls(
            calendar_month=np.asarray(paths.calendar_month, dtype=np.int64),
            sorted_usd_per_mwh=pools,
            running_sum_usd_per_mwh=tuple(np.concatenate([[0.0], np.cumsum(pool)]) for pool in pools),
            level=paths.power_level(site_name),
            adder_usd_per_mwh=paths.power_adder_usd_per_mwh(site_name),
            is_open=paths.open_frac(site_name),
        )

    def open_frac(self, month: int) -> FloatArray | float:
        """1 in the scenarios in which the site is open in a month, and 0 in those in which it is shut, ``[W]``."""
        return 1.0 if self.is_open is None else self.is_open[month]

    def mean_usd_per_mwh(self, month: int) -> FloatArray:
        """Mean price of a month's hours in every scenario, ``[W]``."""
        pool = self.sorted_usd_per_mwh[self.calendar_month[month] - 1]
        return np.asarray(self.level[month] * pool.mean() + self.adder_usd_per_mwh[month])

    def below(self, month: int, limit_usd_per_mwh: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Share of the hours whose price is below a limit, and their part of the mean price; limits ``[..., W]``."""
        pool = self.sorted_usd_per_mwh[self.calendar_month[month] - 1]
        running_sum = self.running_sum_usd_per_mwh[self.calendar_month[month] - 1]
        raw_limit = (limit_usd_per_mwh - self.adder_usd_per_mwh[month]) / self.level[month]
        cheaper = np.searchsorted(pool, raw_limit)
        share = cheaper / pool.size
        return share, self.level[month] * running_sum[cheaper] / pool.size + self.adder_usd_per_mwh[month] * share


@dataclass(frozen=True, slots=True, eq=False)
class EnergyPrices:
    """The energy prices of all sites, each computed when it is first asked for."""

    paths: MarketPaths
    _known: dict[str, SiteEnergy] = field(default_factory=dict)

    def at(self, site_name: str) -> SiteEnergy:
        """Those of the site of that name."""
        if site_name not in self._known:
            self._known[site_name] = SiteEnergy.of(self.paths, site_name)
        return self._known[site_name]
