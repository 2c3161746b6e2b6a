"""What the market is worth in expectation: machine margins, GPU margins, tenants' fates, power prices.

The scenarios are evaluated shard by shard and only their means are kept, so memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.curves.power import MiningValues, mining_month_values
from optimizer.curves.throughput import CAP_CURVES, GpuValues, gpu_block_values
from optimizer.domain.gpu import GpuOption
from optimizer.domain.offer import Offer
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.site import Site
from optimizer.model.calendar import Floats
from optimizer.model.machine_classes import MachineClass, machine_classes, machine_pairs
from optimizer.units import MONTHS_PER_YEAR

_Key = TypeVar("_Key")
_Means = TypeVar("_Means", MiningValues, GpuValues, "Fate")


@dataclass(frozen=True, eq=False)
class Fate:
    """What becomes of a tenant's rent, by month: in expectation ``[T_ext]``, or in every scenario ``[T_ext, W]``."""

    paid: Floats
    """Share of the contract rent that is paid, by the tenant or after a default by the backstopper."""
    let_usd_per_kw: Floats
    """Re-lease rent of the unbacked share, where the vacancy after a default is over."""
    recovered: Floats
    """Months of contract rent that are recovered at once in the month of default."""

    @classmethod
    def by_scenario(cls, offer: Offer, futures: Futures) -> Fate:
        """The fate in every scenario."""
        credit, unbacked = offer.credit, 1.0 - offer.credit.backstop_share_frac
        default = futures.default_month(offer.tenant).astype(np.int64)
        months = np.arange(futures.extended_month_count)[:, None]
        let = months >= default + credit.vacancy_months
        return cls(
            paid=np.where(months < default, 1.0, credit.backstop_share_frac),
            let_usd_per_kw=np.where(let, unbacked * futures.re_lease_rent_usd_per_kw_month, 0.0),
            recovered=(months == default) * (unbacked * credit.recovery_frac * MONTHS_PER_YEAR),
        )

    @property
    def mean(self) -> Fate:
        """The mean over the scenarios."""
        return Fate(self.paid.mean(axis=1), self.let_usd_per_kw.mean(axis=1), self.recovered.mean(axis=1))


@dataclass(frozen=True, eq=False)
class Expectations:
    """Means over the scenarios of everything that the program's coefficients are made of."""

    mining: Mapping[tuple[str, str, float], MiningValues]
    """One machine by site, model and condition: ``[J, T]`` by ceiling mode and month."""
    gpus: Mapping[tuple[str, str], GpuValues]
    """One block by GPU option and site, ``[T]``."""
    fates: Mapping[str, Fate]
    """What becomes of the rent, by offer, ``[T_ext]``."""
    power_usd_per_mwh: Mapping[str, Floats]
    """Mean energy price by site, adders included, ``[T_ext]``."""

    @classmethod
    def of(cls, portfolio: Portfolio, futures: Futures) -> Expectations:
        """Evaluate everything in every scenario."""
        mining: dict[tuple[str, str, float], MiningValues] = {}
        gpus: dict[tuple[str, str], GpuValues] = {}
        fates: dict[str, Fate] = {}
        power: dict[str, Floats] = {}
        classes = machine_classes(portfolio)
        pairs = [(portfolio.sites[s], classes[k]) for s, k in machine_pairs(portfolio, classes)]
        for shard in futures.shards():
            share = shard.scenario_count / futures.scenario_count
            for site, item in pairs:
                values = mining_month_values(shard.shape(site.name), **margin_arguments(site, item, shard))
                _add(mining, (site.name, *item.key), values, share)
            for option in portfolio.gpu_options:
                for name in option.sites:
                    block = gpu_block_values(**block_arguments(option, portfolio.site(name), shard))
                    _add(gpus, (option.name, name), block, share)
            for offer in portfolio.offers:
                _add(fates, offer.name, Fate.by_scenario(offer, shard).mean, share)
            for site in portfolio.sites:
                price = shard.mean_power_usd_per_mwh(site.name).mean(axis=1)
                power[site.name] = power.get(site.name, 0.0) + share * price
        return cls(mining, gpus, fates, power)


def _add(means: dict[_Key, _Means], key: _Key, values: _Means, share: float) -> None:
    """Add a shard's means, weighted with its share of the scenarios."""
    before = means.get(key)
    sums: dict[str, Any] = {}
    for item in fields(values):
        part = getattr(values, item.name)
        rest = 0.0 if before is None else getattr(before, item.name)
        sums[item.name] = None if part is None else rest + share * part
    means[key] = type(values)(**sums)


def margin_arguments(site: Site, item: MachineClass, futures: Futures) -> dict[str, Any]:
    """What the margin kernels need to know of a class at a site, besides its price structure."""
    months = futures.month_count
    return {
        "calendar_month": futures.calendar_month[:months],
        "hours_in_month": futures.hours_in_month[:months],
        "hashprice_usd_per_ph_day": futures.hashprice_usd_per_ph_day,
        "level": futures.power_level(site.name)[:months],
        "adder_usd_per_mwh": futures.power_adder_usd_per_mwh(site.name)[:months],
        "hashrate_th_s": [item.model.modes[mode].hashrate_th_s for mode in item.modes],
        "power_w": [item.model.modes[mode].power_w for mode in item.modes],
        "pue": site.mining_pue,
        "uptime_frac": site.mining_uptime_frac,
        "pool_fee_frac": futures.portfolio.market.pool_fee_frac,
        "hash_factor": item.condition_frac,
    }


def block_arguments(option: GpuOption, site: Site, futures: Futures) -> dict[str, Any]:
    """What the GPU kernels need to know of a block at a site."""
    months = futures.month_count
    rental = futures.path(option.rental_usd_per_gpu_hour, months)[:, None] * futures.gpu_rental_multiplier[:months]
    return {
        "gpu_count": option.block_gpu_count,
        "power_kw_per_gpu": option.power_kw_per_gpu,
        "rental_usd_per_gpu_hour": np.ascontiguousarray(rental),
        "utilisation_frac": option.utilisation_frac,
        "goodput_frac": option.goodput_frac,
        "pue": hosting_pue(option.pue, site, futures)[:months],
        "power_usd_per_mwh": np.ascontiguousarray(futures.mean_power_usd_per_mwh(site.name)[:months]),
        "hours_in_month": futures.hours_in_month[:months],
        "cap_curve": CAP_CURVES[option.cap_curve.value],
    }


def hosting_pue(stated: float | None, site: Site, futures: Futures) -> Floats:
    """Energy pue by month ``[T_ext]``: the one stated, or the site's, by calendar month where it says so."""
    if stated is not None:
        return np.full(futures.extended_month_count, stated)
    by_month = np.array(site.hosting_pue_by_month or (site.hosting_pue,) * MONTHS_PER_YEAR)
    return np.asarray(by_month[futures.calendar_month - 1])
