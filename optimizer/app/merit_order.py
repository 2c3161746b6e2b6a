"""What a site's fleet is worth over the MW it may take, in one month of a portfolio's base paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.app.curves import ModeArrays
from optimizer.curves import Machine, MarketPaths, SiteFleet, fleet_month_values, merit_order
from optimizer.curves.futures import Futures
from optimizer.domain.fleet import Fleet, OperatingMode
from optimizer.domain.merit_order import MeritOrder, MeritOrderSpec, MeritOrderStep
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.site import Site


def site_merit_order(spec: MeritOrderSpec) -> MeritOrder:
    """Steps of the fleet in falling value of a MW: every machine at its best use of every hour of the month.

    Prices are those of the base paths, all uncertainty left out: the site's hours of that calendar month, at the
    month's power level and escalation. What a MW earns or costs whether it hashes or not (load income, operating cost)
    is in the values, as in a plan. Formula: :mod:`optimizer.curves.merit_order`.

    Raises:
        SeriesError: the site's hourly prices have not been loaded.
    """
    portfolio, site = spec.portfolio, spec.portfolio.site(spec.site)
    month = spec.month or portfolio.horizon.start_month
    t = portfolio.horizon.index_of(month)
    futures = _base_futures(portfolio)
    hashprice = spec.hashprice_usd_per_ph_day
    if hashprice is None:
        hashprice = float(futures.hashprice_usd_per_ph_day[t, 0])
    fleets = [fleet for fleet in portfolio.fleets if fleet.site == site.name and fleet.count]
    modes = [_modes_worth_running(portfolio, fleet) for fleet in fleets]
    machines = _site_fleet(futures, site, fleets, modes, t)
    paths = MarketPaths.of(
        hashprice_usd_per_ph_day=[[hashprice]], level=[[float(futures.power_level(site.name)[t, 0])]]
    )
    income = site.load_income_usd_per_mw(month)
    grid_mw = [np.cumsum(machines.step_mw[first:last]) for first, last in machines.spans]
    values = fleet_month_values(machines, paths)
    order = merit_order(
        margin_usd=[
            value.margin_usd[:, 0] + (income - site.mining_opex_usd_per_mw_month) * mw
            for value, mw in zip(values, grid_mw, strict=True)
        ],
        grid_mw=grid_mw,
        machine_count=[fleet.count for fleet in fleets],
    )
    places = zip(order.class_index.tolist(), order.mode_index.tolist(), strict=True)
    return MeritOrder(
        month=month,
        hashprice_usd_per_ph_day=hashprice,
        mean_power_usd_per_mwh=float(futures.mean_power_usd_per_mwh(site.name)[t, 0]),
        load_income_usd_per_mw_month=income,
        opex_usd_per_mw_month=site.mining_opex_usd_per_mw_month,
        paying_grid_mw=order.paying_mw,
        fleet_grid_mw=float(order.mw[-1]),
        limit_grid_mw=min(site.grid_mw_at(month), site.hall_mw * site.mining_pue),
        steps=tuple(
            MeritOrderStep(
                asic_model=fleets[k].asic_model,
                condition_frac=fleets[k].condition_frac,
                mode=modes[k][j].label or f"{modes[k][j].power_w:,.0f} W",
                machine_count=fleets[k].count,
                grid_mw=float(order.mw[i + 1] - order.mw[i]),
                cumulative_grid_mw=float(order.mw[i + 1]),
                usd_per_mw_month=float(order.usd_per_mw[i]),
                cumulative_usd_per_month=float(order.value_usd[i + 1]),
            )
            for i, (k, j) in enumerate(places)
        ),
    )


def _base_futures(portfolio: Portfolio) -> Futures:
    """The one future in which everything stays on its base path."""
    certain = {"uncertainty": (), "correlations": (), "bootstrap": None, "scenario_table": None, "overlays": ()}
    market = portfolio.market.model_copy(update=certain)
    return Futures.of(portfolio.model_copy(update={"market": market}), scenario_count=1)


def _modes_worth_running(portfolio: Portfolio, fleet: Fleet) -> tuple[OperatingMode, ...]:
    modes = portfolio.asic_models_by_name[fleet.asic_model].modes
    return tuple(modes[i] for i in ModeArrays.of(modes).kept)


def _site_fleet(
    futures: Futures, site: Site, fleets: Sequence[Fleet], modes: Sequence[Sequence[OperatingMode]], t: int
) -> SiteFleet:
    """The fleets at the site in the one month ``t``."""
    return SiteFleet.of(
        futures.shape(site.name),
        [
            Machine([mode.hashrate_th_s for mode in own], [mode.power_w for mode in own], fleet.condition_frac)
            for fleet, own in zip(fleets, modes, strict=True)
        ],
        calendar_month=futures.calendar_month[t : t + 1],
        hours_in_month=futures.hours_in_month[t : t + 1],
        adder_usd_per_mwh=futures.power_adder_usd_per_mwh(site.name)[t : t + 1],
        pue=site.mining_pue,
        uptime_frac=site.mining_uptime_frac,
        pool_fee_frac=futures.portfolio.market.pool_fee_frac,
    )
