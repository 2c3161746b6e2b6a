"""A plan's NPV in every scenario.

What does not vary (capex, trades, fixed costs, debt) comes from the problem's coefficients; what varies (machine
margins, rents after
defaults, GPU rentals) is evaluated scenario by scenario with the compiled kernels. The mean over the scenarios is
the plan's objective.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.curves.power import accumulate_scenario_margin_usd
from optimizer.curves.throughput import CAP_CURVES, accumulate_scenario_gpu_usd
from optimizer.domain.decisions import ContractDecision, Decisions, MachineDecision
from optimizer.domain.portfolio import Portfolio
from optimizer.model.calendar import Calendar
from optimizer.model.hosting import hosting_pue
from optimizer.model.mining import machine_classes
from optimizer.units import KW_PER_MW, MONTHS_PER_YEAR

Floats = NDArray[np.float64]


def scenario_npv_usd(portfolio: Portfolio, futures: Futures, decisions: Decisions, expected_npv_usd: float) -> Floats:
    """NPV of the decisions in every scenario of ``futures``, ``[W]``.

    ``expected_npv_usd`` is the NPV in expectation over the portfolio's own scenarios; the difference to it of every
    scenario is computed here.
    """
    calendar = Calendar.of(portfolio, futures)
    varying = np.zeros(futures.scenario_count)
    _add_mining(varying, portfolio, futures, calendar, decisions.machines)
    for order in decisions.gpu_orders:
        option = portfolio.gpu_options_by_name[order.gpu_option]
        start = portfolio.horizon.index_of(order.order_month) + option.lead_months
        weight = np.zeros(calendar.month_count)
        end = min(start + option.life_months, calendar.month_count)
        weight[start:end] = order.block_count * calendar.discount("gpu")[start:end]
        site, months = portfolio.site(order.site), calendar.month_count
        rental = futures.path(option.rental_usd_per_gpu_hour, months)[:, None] * futures.gpu_rental_multiplier[:months]
        accumulate_scenario_gpu_usd(
            varying,
            gpu_count=option.block_gpu_count,
            power_kw_per_gpu=option.power_kw_per_gpu,
            rental_usd_per_gpu_hour=np.ascontiguousarray(rental),
            utilisation_frac=option.utilisation_frac,
            goodput_frac=option.goodput_frac,
            pue=hosting_pue(option.pue, site, futures)[:months],
            power_usd_per_mwh=np.ascontiguousarray(futures.mean_power_usd_per_mwh(site.name)[:months]),
            hours_in_month=futures.hours_in_month[:months],
            cap_curve=CAP_CURVES[option.cap_curve.value],
            weight=weight,
        )
    for contract in decisions.contracts:
        varying += _contract_npv(portfolio, futures, calendar, contract)
    return np.asarray(expected_npv_usd + varying - varying.mean())


def _add_mining(
    out: Floats, portfolio: Portfolio, futures: Futures, calendar: Calendar, machines: tuple[MachineDecision, ...]
) -> None:
    classes = {(item.model.name, item.condition_frac): item for item in machine_classes(portfolio)}
    horizon, months = portfolio.horizon, calendar.month_count
    first = {horizon.month_at(period.first): period for period in horizon.periods}
    discount = calendar.discount("mining")
    weights: dict[tuple[str, str, float], Floats] = {}
    for decision in machines:
        key = (decision.site, decision.asic_model, decision.condition_frac)
        modes = classes[key[1:]].modes.tolist()
        weight = weights.setdefault(key, np.zeros((len(modes), months)))
        period = first[decision.month]
        span = slice(period.first, period.first + period.length)
        for ran in decision.running:
            weight[modes.index(ran.mode), span] += ran.machine_count * discount[span]
            if period.last == months - 1:
                weight[modes.index(ran.mode), -1] += ran.machine_count * _tail_weight(
                    portfolio, calendar, decision.site
                )
    for (name, model, condition), weight in weights.items():
        item, site = classes[model, condition], portfolio.site(name)
        accumulate_scenario_margin_usd(
            out,
            futures.shape(name),
            calendar_month=futures.calendar_month[:months],
            hours_in_month=futures.hours_in_month[:months],
            hashprice_usd_per_ph_day=futures.hashprice_usd_per_ph_day,
            level=futures.power_level(name)[:months],
            adder_usd_per_mwh=futures.power_adder_usd_per_mwh(name)[:months],
            hashrate_th_s=[item.model.modes[mode].hashrate_th_s for mode in item.modes],
            power_w=[item.model.modes[mode].power_w for mode in item.modes],
            pue=site.mining_pue,
            uptime_frac=site.mining_uptime_frac,
            pool_fee_frac=portfolio.market.pool_fee_frac,
            weight=weight,
            hash_factor=condition,
        )


def _tail_weight(portfolio: Portfolio, calendar: Calendar, site_name: str) -> float:
    """Sum of discount factors over the months after the horizon in which the last month's margin is counted on."""
    months, count = calendar.month_count, portfolio.finance.terminal.mining_tail_months
    end = portfolio.site(site_name).lease_end_month
    if end is not None:
        count = min(count, portfolio.horizon.index_of(end) - months)
    return float(calendar.discount("mining")[months : months + max(count, 0)].sum())


def _contract_npv(portfolio: Portfolio, futures: Futures, calendar: Calendar, contract: ContractDecision) -> Floats:
    """What varies of a contract's NPV by scenario: rents, backstop, re-lease, recovery, the landlord's energy."""
    offer = portfolio.offers_by_name[contract.offer]
    place = next(item for item in offer.sites if item.site == contract.site)
    horizon = portfolio.horizon
    energize = horizon.index_of(contract.sign_month) + place.build_months
    if place.earliest_energize_month is not None:
        energize = max(energize, horizon.index_of(place.earliest_energize_month))
    months = np.arange(calendar.extended_month_count)
    age = months - energize
    term, renewal, credit = offer.term_months, offer.renewal, offer.credit
    live = np.zeros(len(months))
    for phase in offer.phases:
        live += phase.share_frac * ((age >= phase.offset_months) & (age < term))
    weight, rent_share = np.where((age >= 0) & (age < term), 1.0, 0.0), np.ones(len(months))
    if renewal is not None and renewal.probability_frac > 0:
        number = (age - term) // renewal.term_months + 1
        lease_end = portfolio.site(contract.site).lease_end_month
        last = horizon.index_of(lease_end) if lease_end is not None else 2**31
        counted = (number <= renewal.option_count) & (energize + term + number * renewal.term_months <= last)
        staying = (age >= term) & counted
        weight = np.where(staying, renewal.probability_frac ** np.maximum(number, 0), weight)
        live = live + staying
        rent_share = np.where(staying, renewal.rent_frac, 1.0)
    counted = np.where(months < horizon.month_count, 1.0, portfolio.finance.terminal.contract_tail_frac)
    value = calendar.discount("hosting") * counted * live * contract.critical_mw * KW_PER_MW
    rent = offer.price_usd_per_kw_month * (1.0 + offer.escalator_per_year_frac) ** np.maximum(age // MONTHS_PER_YEAR, 0)

    default = futures.default_month(offer.tenant).astype(np.int64)
    failed = months[:, None] >= default[None, :]
    let = (months[:, None] >= default[None, :] + credit.vacancy_months) & (age >= credit.vacancy_months)[:, None]
    backed = credit.backstop_share_frac
    paid = np.where(failed, backed, 1.0)
    in_term = (age >= 0) & (age < term)
    recovered = (months[:, None] == default[None, :]) & in_term[:, None]
    lump = (1.0 - backed) * credit.recovery_frac * MONTHS_PER_YEAR
    npv = (value * weight * rent_share * rent) @ paid
    npv += (value * weight) @ ((1.0 - backed) * np.where(let, futures.re_lease_rent_usd_per_kw_month, 0.0))
    npv += (value * lump * rent) @ recovered.astype(float)
    if offer.power_payer.value == "landlord":
        site = portfolio.site(contract.site)
        energy = hosting_pue(place.pue, site, futures) * futures.hours_in_month / KW_PER_MW
        npv -= (value * weight * energy) @ futures.mean_power_usd_per_mwh(site.name)
    return np.asarray(npv)
