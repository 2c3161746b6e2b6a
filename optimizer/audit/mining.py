"""Mining: MW, hashrate, margins, and the money of buying, selling and moving machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optimizer.audit.book import Book, MachineClass
from optimizer.audit.paths import EnergyPrices, FloatArray
from optimizer.domain import OperatingMode, Period
from optimizer.units import HOURS_PER_DAY, KW_PER_MW, MONTHS_PER_YEAR, TH_PER_EH, TH_PER_PH, W_PER_MW


@dataclass(frozen=True, slots=True, eq=False)
class MiningMoney:
    """Use and expected cash of mining; costs are negative."""

    mining_mw: FloatArray
    """At the meter, ``[S, T]``."""
    hall_mw: FloatArray
    """Power of the running machines, ``[S, T]``."""
    hashrate_eh_s: FloatArray
    """At the ceiling mode, with condition, ``[S, T]``."""
    margin_usd: FloatArray
    """With demand response and opex, ``[S, T]``."""
    revenue_usd: FloatArray
    """After the pool's fee, ``[S, T]``."""
    power_usd: FloatArray
    """Energy with adders, positive, ``[S, T]``."""
    energy_mwh: FloatArray
    """At the meter, ``[S, T]``."""
    mined_btc: FloatArray
    """After the pool's fee, ``[S, T]``."""
    purchases_usd: FloatArray
    """``[T]``, as the two below."""
    sales_usd: FloatArray
    moves_usd: FloatArray
    resale_at_end_usd: float
    """Counted value of the stock after the last period."""


def worthwhile_modes(modes: Sequence[OperatingMode]) -> tuple[int, ...]:
    """Indices of the modes on the upper concave envelope of hashrate over power through the origin.

    A mode is on it if every step up to it, from a weaker mode or from off, yields more hashrate per watt than every
    step from it to a stronger one.
    """
    points = [(0.0, 0.0), *((mode.power_w, mode.hashrate_th_s) for mode in modes)]

    def slope(low: int, high: int) -> float:
        return (points[high][1] - points[low][1]) / (points[high][0] - points[low][0])

    return tuple(
        at - 1
        for at in range(1, len(points))
        if all(slope(low, at) > slope(at, high) for low in range(at) for high in range(at + 1, len(points)))
    )


def arrival_period(periods: Sequence[Period], leaves: int, wait_months: int, *, later: bool) -> int | None:
    """First period that starts ``wait_months`` or more after period ``leaves`` does; ``None`` after the horizon.

    With ``later`` it is not period ``leaves`` itself.
    """
    earliest = periods[leaves].first + wait_months
    for period in periods[leaves + 1 if later else leaves :]:
        if period.first >= earliest:
            return period.index
    return None


def purchase_arrives(machines: MachineClass, periods: Sequence[Period], ordered: int) -> int | None:
    """Period in which machines ordered in period ``ordered`` come into stock."""
    return arrival_period(periods, ordered, machines.model.delivery_lead_months, later=False)


def move_arrives(machines: MachineClass, periods: Sequence[Period], leaves: int) -> int | None:
    """Period in which machines that leave in period ``leaves`` arrive."""
    wait = machines.model.move_downtime_months
    return arrival_period(periods, leaves, wait, later=wait > 0)


def mining_money(book: Book, energy: EnergyPrices) -> MiningMoney:
    """Use and expected cash of all machines."""
    horizon, sites = book.portfolio.horizon, book.portfolio.sites
    mining_mw, hall_mw, hashrate = np.zeros((3, len(sites), horizon.month_count))
    running_usd = np.zeros((len(MachineMonth._fields), len(sites), horizon.month_count))
    trade = np.zeros((3, horizon.month_count))
    resale = 0.0
    for machines in book.machines:
        resale += _trade(book, machines, *trade)
        for s, site in enumerate(sites):
            running = machines.running[s][list(horizon.period_of_month)]
            power_mw = running @ np.array([mode.power_w for mode in machines.model.modes]) / W_PER_MW
            hash_th_s = running @ np.array([mode.hashrate_th_s for mode in machines.model.modes])
            hall_mw[s] += power_mw
            mining_mw[s] += power_mw * site.mining_pue
            hashrate[s] += hash_th_s * machines.condition_frac / TH_PER_EH
            for month in np.flatnonzero(running.any(axis=1)):
                ceiling = int(np.flatnonzero(running[month])[-1])
                per_machine = machine_month(book, machines, s, int(month), energy, ceiling)
                running_usd[:, s, month] += np.array(per_machine) @ running[month]
    revenue, power, energy_mwh, mined = running_usd
    margin = revenue - power + mining_mw * _standing_usd_per_mw(book)
    purchases, sales, moves = trade
    return MiningMoney(
        mining_mw, hall_mw, hashrate, margin, revenue, power, energy_mwh, mined, purchases, sales, moves, resale
    )


class MachineMonth(NamedTuple):
    """What one machine does in a month in expectation, by ceiling mode, ``[J]`` each."""

    revenue_usd: FloatArray
    power_usd: FloatArray
    energy_mwh: FloatArray
    mined_btc: FloatArray


def machine_month(
    book: Book, machines: MachineClass, site_index: int, month: int, energy: EnergyPrices, highest_mode: int
) -> MachineMonth:
    """Expected revenue, energy and bitcoin of one machine in a month, by ceiling mode up to the highest asked for.

    From one worthwhile mode to the next a machine gains hashrate and draws more power; it takes the step in every hour
    whose price is below what the step earns per MWh. A ceiling allows the steps up to it.
    """
    site, modes = book.portfolio.sites[site_index], machines.model.modes
    usd_per_th_hour = (
        energy.paths.hashprice_usd_per_ph_day[month]
        / (HOURS_PER_DAY * TH_PER_PH)
        * machines.condition_frac
        * (1.0 - book.portfolio.market.pool_fee_frac)
    )
    hours = float(energy.paths.hours_in_month[month]) * site.mining_uptime_frac
    steps = np.zeros((len(MachineMonth._fields), len(modes)))
    power_w = hashrate_th_s = 0.0
    for j in worthwhile_modes(modes):
        if j > highest_mode:
            break
        step_mw = (modes[j].power_w - power_w) / W_PER_MW * site.mining_pue
        usd_per_hour = usd_per_th_hour * (modes[j].hashrate_th_s - hashrate_th_s)
        share, price_part = energy.at(site.name).below(month, usd_per_hour / step_mw)
        is_open = energy.at(site.name).open_frac(month)
        share, price_part = share * is_open, price_part * is_open
        earned_usd = hours * usd_per_hour * share
        steps[:, j] = (
            earned_usd.mean(),
            hours * step_mw * price_part.mean(),
            hours * step_mw * share.mean(),
            (earned_usd / energy.paths.btc_usd[month]).mean(),
        )
        power_w, hashrate_th_s = modes[j].power_w, modes[j].hashrate_th_s
    return MachineMonth(*np.cumsum(steps, axis=1))


def _standing_usd_per_mw(book: Book) -> FloatArray:
    """Demand response and transmission credits less opex per MW of mining load, ``[S, T]``."""
    months = book.portfolio.horizon.months
    standing = np.zeros((len(book.portfolio.sites), len(months)))
    for s, site in enumerate(book.portfolio.sites):
        standing[s] -= site.mining_opex_usd_per_mw_month
        response = site.demand_response
        if response is not None:
            paid = [response.until_month is None or month < response.until_month for month in months]
            standing[s] += response.usd_per_mw_month * np.array(paid)
        credit = site.transmission_credit
        if credit is not None:
            saved = [credit.until_month is None or month < credit.until_month for month in months]
            standing[s] += credit.usd_per_kw_year * KW_PER_MW / MONTHS_PER_YEAR * np.array(saved)
    return standing


def _trade(book: Book, machines: MachineClass, purchases: FloatArray, sales: FloatArray, moves: FloatArray) -> float:
    """Post the trades of a class to the months and return the counted value of its stock at the end."""
    horizon, model = book.portfolio.horizon, machines.model
    duty = 1.0 + np.array([site.import_duty_frac for site in book.portfolio.sites])

    def new_usd(month: int) -> float:
        price = model.price_usd_per_th.at(horizon.start_month, horizon.month_at(month))
        return price * model.rated.hashrate_th_s

    def used_usd(month: int) -> float:
        return model.resale_frac * new_usd(month) * machines.condition_frac

    for period in horizon.periods:
        p, month = period.index, period.first
        purchases[month] -= new_usd(month) * float(machines.bought[:, p] @ duty)
        sales[month] += used_usd(month) * float(machines.sold[:, p].sum())
        moves[month] -= model.move_usd_per_machine * float(machines.moved_out[:, p].sum())
        moves[month] -= used_usd(month) * float(machines.moved_in[:, p] @ (duty - 1.0))
    counted = book.portfolio.finance.terminal.machine_resale_frac
    return counted * used_usd(horizon.month_count - 1) * float(machines.stock[:, -1].sum())
