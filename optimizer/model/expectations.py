"""What the market is worth in expectation: machine margins, GPU margins, tenants' fates, power prices.

The scenarios are evaluated shard by shard and only their means are kept, so memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.curves.margin import MiningSums, MiningValues
from optimizer.curves.market_paths import MarketPaths
from optimizer.curves.selling import sale_usd_per_mw
from optimizer.curves.site_fleet import Machine, SiteFleet
from optimizer.curves.throughput import CAP_CURVES, GpuBlockSums, GpuValues
from optimizer.domain.gpu import GpuOption, GpuRefresh
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.site import Site
from optimizer.model.calendar import Floats
from optimizer.model.fates import BuildCase, Fate, add_cases, add_fates, add_locked_rents, while_open
from optimizer.model.machine_classes import MachineClass, machine_classes, machine_pairs
from optimizer.units import MONTHS_PER_YEAR


@dataclass(frozen=True, eq=False)
class Expectations:
    """Means over the scenarios of everything that the program's coefficients are made of."""

    mining: Mapping[tuple[str, str, float], MiningValues]
    """One machine by site, model and condition: ``[J, T]`` by ceiling mode and month."""
    gpus: Mapping[tuple[str, str], GpuValues]
    """One block by GPU option and site, ``[T]``."""
    refreshed_gpus: Mapping[tuple[str, str], GpuValues]
    """The same of a block that has been refreshed, of options that can be."""
    fates: Mapping[tuple[str, str, int], Fate]
    """What becomes of the rent, by offer, site and position of the case of building there, ``[T_ext]``."""
    locked_rents: Mapping[tuple[str, str], Floats]
    """Mean of the rent that is signed for over the price, by offer with an index and site, ``[N]`` by start."""
    build_cases: Mapping[str, tuple[BuildCase, ...]]
    """How building may turn out, by site; first as planned."""
    power_usd_per_mwh: Mapping[str, Floats]
    """Mean energy price by site, adders included, ``[T_ext]``."""
    open_power_usd_per_mwh: Mapping[str, Floats]
    """The same where nothing is used while the site is shut."""
    re_lease_usd_per_kw_month: Mapping[str, Floats]
    """Mean rent of what is let again at a site, nothing while it is shut, ``[T_ext]``."""
    sale_usd_per_mw: Mapping[str, Floats]
    """What a MW that is sold back earns, by site that can, ``[T]``."""

    @classmethod
    def of(cls, portfolio: Portfolio, futures: Futures) -> Expectations:
        """Evaluate everything in every scenario."""
        standing = classes_by_site(portfolio)
        mining = {name: MiningSums(site_fleet(name, classes, futures)) for name, classes in standing.items()}
        blocks = {
            (option, name, refresh): GpuBlockSums(**block_terms(option, portfolio.site(name), futures, refresh))
            for option in portfolio.gpu_options
            for name in option.sites
            for refresh in ([None, option.refresh] if option.refresh is not None else [None])
        }
        fates: dict[tuple[str, str, int], Fate] = {}
        locked: dict[tuple[str, str], Floats] = {}
        cases: dict[str, tuple[BuildCase, ...]] = {}
        power: dict[str, Floats] = {}
        open_power: dict[str, Floats] = {}
        re_lease: dict[str, Floats] = {}
        sales: dict[str, Floats] = {}
        for shard in futures.shards():
            share = shard.scenario_count / futures.scenario_count
            for name, paths in _sorted_paths(standing, shard):
                mining[name].add(paths)
            for (option, name, refresh), sums in blocks.items():
                sums.add(**block_paths(option, portfolio.site(name), shard, refresh))
            add_fates(fates, shard, futures.scenario_count)
            add_locked_rents(locked, shard, share)
            re_lease_rent = shard.re_lease_rent_usd_per_kw_month
            mean_rent = re_lease_rent.mean(axis=1)
            for site in portfolio.sites:
                price = shard.mean_power_usd_per_mwh(site.name)
                used, mean_price, rent = price, price.mean(axis=1), mean_rent
                power[site.name] = power.get(site.name, 0.0) + share * mean_price
                if shard.open_frac(site.name) is not None:
                    used = while_open(price, site.name, shard)
                    mean_price, rent = used.mean(axis=1), while_open(re_lease_rent, site.name, shard).mean(axis=1)
                open_power[site.name] = open_power.get(site.name, 0.0) + share * mean_price
                re_lease[site.name] = re_lease.get(site.name, 0.0) + share * rent
                add_cases(cases, site, shard, used, futures.scenario_count)
                if site.power.sell_back is not None:
                    earned = sale_usd_per_mw(shard, site.name, site.power.sell_back).mean(axis=1)
                    sales[site.name] = sales.get(site.name, 0.0) + share * earned
        values = {
            (name, *item.key): value
            for name, classes in standing.items()
            for item, value in zip(classes, mining[name].values(), strict=True)
        }
        gpus, refreshed = (
            {
                (option.name, name): sums.values()
                for (option, name, item), sums in blocks.items()
                if (item is not None) is new
            }
            for new in (False, True)
        )
        return cls(values, gpus, refreshed, fates, locked, cases, power, open_power, re_lease, sales)


def classes_by_site(portfolio: Portfolio) -> dict[str, list[MachineClass]]:
    """Machine classes that can stand at each site, by its name; sites for none are left out."""
    classes = machine_classes(portfolio)
    found: dict[str, list[MachineClass]] = {}
    for s, k in machine_pairs(portfolio, classes):
        found.setdefault(portfolio.sites[s].name, []).append(classes[k])
    return found


def site_fleet(site_name: str, classes: Sequence[MachineClass], futures: Futures) -> SiteFleet:
    """One machine of each class at a site, over the horizon."""
    site, months = futures.portfolio.site(site_name), futures.month_count
    machines = [
        Machine(
            [item.model.modes[mode].hashrate_th_s for mode in item.modes],
            [item.model.modes[mode].power_w for mode in item.modes],
            item.condition_frac,
        )
        for item in classes
    ]
    return SiteFleet.of(
        futures.shape(site_name),
        machines,
        calendar_month=futures.calendar_month[:months],
        hours_in_month=futures.hours_in_month[:months],
        adder_usd_per_mwh=futures.power_adder_usd_per_mwh(site_name)[:months],
        pue=site.mining_pue,
        uptime_frac=site.mining_uptime_frac,
        pool_fee_frac=futures.portfolio.market.pool_fee_frac,
    )


def _sorted_paths(site_names: Iterable[str], futures: Futures) -> Iterator[tuple[str, MarketPaths]]:
    """Market paths of each site; sorted, once for all, where power level and hashprice are not the site's own."""
    ordered: MarketPaths | None = None
    for name in site_names:
        if futures.portfolio.site(name).power.exposure_frac > 0.0 or futures.open_frac(name) is not None:
            yield name, site_paths(name, futures)
        else:
            ordered = ordered.at_level(_level(name, futures)) if ordered else site_paths(name, futures, ordered=True)
            yield name, ordered


def site_paths(site_name: str, futures: Futures, *, ordered: bool = False) -> MarketPaths:
    """Market paths of a site's machines over the horizon."""
    return MarketPaths.of(
        hashprice_usd_per_ph_day=while_open(futures.hashprice_usd_per_ph_day, site_name, futures),
        level=_level(site_name, futures),
        ordered=ordered,
        plausible=False,  # a market that is worth nothing can be planned for
    )


def _level(site_name: str, futures: Futures) -> Floats:
    return np.ascontiguousarray(futures.power_level(site_name, futures.month_count))


def block_terms(option: GpuOption, site: Site, futures: Futures, refresh: GpuRefresh | None = None) -> dict[str, Any]:
    """What the GPU kernels need to know of a block, or a refreshed one, at a site, the same in all scenarios."""
    months = futures.month_count
    return {
        "gpu_count": option.block_gpu_count,
        "power_kw_per_gpu": option.power_kw_per_gpu * (refresh.power_factor if refresh is not None else 1.0),
        "utilisation_frac": option.utilisation_frac,
        "goodput_frac": option.goodput_frac,
        "pue": hosting_pue(option.pue, site, futures)[:months],
        "hours_in_month": futures.hours_in_month[:months],
        "cap_curve": CAP_CURVES[option.cap_curve.value],
    }


def block_paths(option: GpuOption, site: Site, futures: Futures, refresh: GpuRefresh | None = None) -> dict[str, Any]:
    """Rental and power prices of a block at a site, ``[T, W]``; a new GPU rents out as so many old ones."""
    months, factor = futures.month_count, refresh.throughput_factor if refresh is not None else 1.0
    rental = futures.path(option.rental_usd_per_gpu_hour, months)[:, None] * futures.gpu_rental_multiplier[:months]
    rental = while_open(rental, site.name, futures)
    return {
        "rental_usd_per_gpu_hour": np.ascontiguousarray(factor * rental),
        "power_usd_per_mwh": np.ascontiguousarray(futures.mean_power_usd_per_mwh(site.name)[:months]),
    }


def hosting_pue(stated: float | None, site: Site, futures: Futures) -> Floats:
    """Energy pue by month ``[T_ext]``: the one stated, or the site's, by calendar month where it says so."""
    if stated is not None:
        return np.full(futures.extended_month_count, stated)
    by_month = np.array(site.hosting_pue_by_month or (site.hosting_pue,) * MONTHS_PER_YEAR)
    return np.asarray(by_month[futures.calendar_month - 1])
