"""A plan's NPV, and its cash period by period, in every scenario.

What does not vary (capex, trades, fixed costs, debt) is in the expectation; what varies (machine margins, rents after
defaults, GPU rentals, power sold back) is evaluated scenario by scenario with the compiled kernels. An outcome is a few
rows of weighted months: one of discount factors for the NPV, one a period for cash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.curves.margin import accumulate_fleet_margin_usd
from optimizer.curves.market_paths import MarketPaths
from optimizer.curves.selling import sale_usd_per_mw
from optimizer.curves.site_fleet import SiteFleet
from optimizer.curves.throughput import accumulate_scenario_gpu_usd, scenario_gpu_billing_usd
from optimizer.domain.decisions import ContractDecision, Decisions, GpuOrder, MachineDecision, PowerSale
from optimizer.domain.offer import Offer
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.risk import SEED_COUNT
from optimizer.model.calendar import Calendar
from optimizer.model.expectations import block_paths, block_terms, site_fleet, site_paths
from optimizer.model.fates import Chosen, Fate, cases, rent_usd_per_kw, while_open
from optimizer.model.gpu_scale import lost_blocks
from optimizer.model.hosting import OfferAtSite
from optimizer.model.machine_classes import machine_classes
from optimizer.model.mining import mining_tail_weight
from optimizer.model.rent_levels import RentLevel, has_levels, locked_in, rent_levels
from optimizer.units import KW_PER_MW, USD_PER_MUSD

Floats = NDArray[np.float64]


def scenario_npv_usd(portfolio: Portfolio, futures: Futures, decisions: Decisions, expected_npv_usd: float) -> Floats:
    """NPV of the decisions in every scenario of ``futures``, ``[W]``.

    ``expected_npv_usd`` is their NPV in expectation over the same scenarios; what each of these adds is computed here.
    """
    varying = varying_npv_usd(portfolio, futures, decisions)
    return np.asarray(expected_npv_usd + varying - varying.mean())


def fresh_npv_usd(portfolio: Portfolio, futures: Futures, decisions: Decisions, npv_usd: Floats) -> Floats | None:
    """NPV of the decisions in as many scenarios that they were not chosen for, ``[W]``: those of another seed.

    ``npv_usd`` is their NPV in every scenario of ``futures``. What depends on expectations alone, as corporate tax and
    the price of carbon, stays what it was. None if nothing is drawn that matters to them.
    """
    known, fresh = (varying_npv_usd(portfolio, item, decisions) for item in (futures, of_another_seed(futures)))
    return None if np.array_equal(known, fresh) else np.asarray(npv_usd.mean() + fresh - known.mean())


def scenario_cash_usd(portfolio: Portfolio, futures: Futures, decisions: Decisions, cash_usd: Floats) -> Floats:
    """Cash at the end of every period in every scenario of ``futures``, ``[P, W]``.

    ``cash_usd`` is the same in expectation over these scenarios, ``[P]``. Nothing is decided otherwise when cash runs
    short; debt, carbon and tax stay what they are in expectation.
    """
    calendar = Calendar.of(portfolio, futures)
    varying = np.cumsum(_varying_usd(portfolio, futures, decisions, Weights.by_period(calendar)), axis=0)
    return np.asarray(cash_usd[:, None] + varying - varying.mean(axis=1, keepdims=True))


def of_another_seed(futures: Futures) -> Futures:
    """As many scenarios of the next seed."""
    risk = futures.portfolio.risk
    again = risk.model_copy(update={"seed": (risk.seed + 1) % SEED_COUNT})
    return replace(futures, portfolio=futures.portfolio.model_copy(update={"risk": again}))


@dataclass(frozen=True, eq=False)
class Weights:
    """What a dollar of each month counts in every row of an outcome, ``[R, T_ext]``, by business line."""

    mining: Floats
    gpu: Floats
    hosting: Floats
    """Of income from contracts."""
    contract_capex: Floats
    mining_tail: bool
    """Whether the margin of the last month counts after the horizon."""

    @classmethod
    def npv(cls, portfolio: Portfolio, calendar: Calendar) -> Weights:
        """One row: discount factors, and what counts after the horizon."""
        inside = np.arange(calendar.extended_month_count) < calendar.month_count
        counted = np.where(inside, 1.0, portfolio.finance.terminal.contract_tail_frac)
        mining, gpu, hosting = (calendar.discount(line)[None, :] for line in ("mining", "gpu", "hosting"))
        return cls(mining, gpu, hosting * counted, hosting, mining_tail=True)

    @classmethod
    def by_period(cls, calendar: Calendar) -> Weights:
        """A row a period: its months as they are."""
        months = np.arange(calendar.extended_month_count)
        ours = (months >= calendar.period_first[:, None]) & (months <= calendar.period_last[:, None])
        flow = ours.astype(float)
        return cls(flow, flow, flow, flow, mining_tail=False)

    @property
    def row_count(self) -> int:
        """R."""
        return len(self.mining)


def varying_npv_usd(portfolio: Portfolio, futures: Futures, decisions: Decisions) -> Floats:
    """What varies of the NPV, in every scenario, ``[W]``."""
    weights = Weights.npv(portfolio, Calendar.of(portfolio, futures))
    return np.asarray(_varying_usd(portfolio, futures, decisions, weights)[0])


def weighted_npv_usd(portfolio: Portfolio, futures: Futures, parts: Sequence[Decisions], weight: Floats) -> Floats:
    """What varies of the NPV of each of ``parts``, summed over scenarios that count ``weight`` ``[W]``."""
    calendar = Calendar.of(portfolio, futures)
    weights = Weights.npv(portfolio, calendar)
    mining = [_mining(portfolio, futures, calendar, part.machines, weights) for part in parts]
    found, first = np.zeros(len(parts)), 0
    for shard in futures.shards():
        counted = weight[first : first + shard.scenario_count]
        for number, (part, ours) in enumerate(zip(parts, mining, strict=True)):
            found[number] += _varying_in(portfolio, shard, calendar, part, ours, weights)[0] @ counted
        first += shard.scenario_count
    return found


def _varying_usd(portfolio: Portfolio, futures: Futures, decisions: Decisions, weights: Weights) -> Floats:
    """What varies of an outcome, in every scenario, ``[R, W]``."""
    calendar = Calendar.of(portfolio, futures)
    mining = _mining(portfolio, futures, calendar, decisions.machines, weights)
    parts = [_varying_in(portfolio, shard, calendar, decisions, mining, weights) for shard in futures.shards()]
    return np.concatenate(parts, axis=1)


class _SiteMining(NamedTuple):
    """The machines that run at a site, and how many of them, weighted, under each ceiling in each month, by row."""

    fleet: SiteFleet
    weights: list[Floats]
    """One a class, ``[R, J, T]``."""


def _mining(
    portfolio: Portfolio, futures: Futures, calendar: Calendar, machines: tuple[MachineDecision, ...], weights: Weights
) -> dict[str, _SiteMining]:
    classes = {item.key: item for item in machine_classes(portfolio)}
    horizon, months = portfolio.horizon, calendar.month_count
    first = {horizon.month_at(period.first): period for period in horizon.periods}
    found: dict[str, dict[tuple[str, float], Floats]] = {}
    for decision in machines:
        key = (decision.asic_model, decision.condition_frac)
        modes = classes[key].modes.tolist()
        empty = np.zeros((weights.row_count, len(modes), months))
        weight = found.setdefault(decision.site, {}).setdefault(key, empty)
        period = first[decision.month]
        span = slice(period.first, period.first + period.length)
        tail = mining_tail_weight(portfolio.site(decision.site), portfolio, calendar) if weights.mining_tail else 0.0
        for ran in decision.running:
            weight[:, modes.index(ran.mode), span] += ran.machine_count * weights.mining[:, span]
            if period.last == months - 1:
                weight[:, modes.index(ran.mode), -1] += ran.machine_count * tail
    return {
        name: _SiteMining(site_fleet(name, [classes[key] for key in by_class], futures), [*by_class.values()])
        for name, by_class in found.items()
    }


def _varying_in(
    portfolio: Portfolio,
    futures: Futures,
    calendar: Calendar,
    decisions: Decisions,
    mining: dict[str, _SiteMining],
    weights: Weights,
) -> Floats:
    varying = np.zeros((weights.row_count, futures.scenario_count))
    for name, ours in mining.items():
        _add_mining(varying, ours, site_paths(name, futures))
    for blocks, live in _live_blocks(portfolio, calendar, decisions.gpu_orders).items():
        _add_gpus(varying, portfolio, futures, weights.gpu[:, : calendar.month_count], blocks, live)
    for sale in decisions.power_sales:
        varying += _sale_usd(portfolio, futures, weights.mining, sale)
    for contract in decisions.contracts:
        varying += _contract_usd(portfolio, futures, calendar, contract, weights)
    return varying


def _add_mining(out: Floats, mining: _SiteMining, paths: MarketPaths) -> None:
    """Add the margin of a site's machines to every row, over the months that count in it."""
    for row, line in enumerate(out):
        counted = np.flatnonzero(np.any([weight[row].any(axis=0) for weight in mining.weights], axis=0))
        if len(counted):
            span = slice(int(counted[0]), int(counted[-1]) + 1)
            weights = [np.ascontiguousarray(weight[row, :, span]) for weight in mining.weights]
            accumulate_fleet_margin_usd(line, mining.fleet.in_months(span), paths.in_months(span), weights=weights)


class _Blocks(NamedTuple):
    """Blocks of one option and generation at one site."""

    option: str
    site: str
    refreshed: bool


def _live_blocks(portfolio: Portfolio, calendar: Calendar, orders: tuple[GpuOrder, ...]) -> dict[_Blocks, Floats]:
    """Blocks that earn, by month ``[T]``."""
    found: dict[_Blocks, Floats] = {}
    time = np.arange(calendar.month_count)

    def add(blocks: _Blocks, count: int, start: int, life: int) -> None:
        found[blocks] = found.get(blocks, 0.0) + count * ((time >= start) & (time < start + life)).astype(float)

    for order in orders:
        option = portfolio.gpu_options_by_name[order.gpu_option]
        start = portfolio.horizon.index_of(order.order_month) + option.lead_months
        add(_Blocks(option.name, order.site, False), order.block_count, start, option.life_months)
        if option.refresh is not None and order.refreshed_block_count:
            again = start + option.life_months + option.refresh.downtime_months
            refreshed = _Blocks(option.name, order.site, True)
            add(refreshed, order.refreshed_block_count, again, option.refresh.life_months)
    return found


def _add_gpus(
    out: Floats, portfolio: Portfolio, futures: Futures, weights: Floats, blocks: _Blocks, live: Floats
) -> None:
    """Add the margin of live blocks to every row, less the billing that they lose to scale; weights ``[R, T]``."""
    option, site = portfolio.gpu_options_by_name[blocks.option], portfolio.site(blocks.site)
    refresh = option.refresh if blocks.refreshed else None
    terms, paths = block_terms(option, site, futures, refresh), block_paths(option, site, futures, refresh)
    for row, weight in zip(out, weights, strict=True):
        accumulate_scenario_gpu_usd(row, **terms, **paths, weight=live * weight)
    if option.scale_curve:
        out -= (lost_blocks(option, live) * weights) @ scenario_gpu_billing_usd(**terms, **paths)


def _sale_usd(portfolio: Portfolio, futures: Futures, weights: Floats, sale: PowerSale) -> Floats:
    """Power sold back in a period, ``[R, W]``."""
    terms, first = portfolio.site(sale.site).power.sell_back, portfolio.horizon.index_of(sale.month)
    assert terms is not None
    period = next(item for item in portfolio.horizon.periods if item.first == first)
    span = slice(period.first, period.last + 1)
    return np.asarray(sale.sold_mw * weights[:, span] @ sale_usd_per_mw(futures, sale.site, terms)[span])


def _contract_usd(
    portfolio: Portfolio, futures: Futures, calendar: Calendar, contract: ContractDecision, weights: Weights
) -> Floats:
    """What varies of a contract: rents, prepayment, recovery, re-lease, delay, overrun, energy, ``[R, W]``."""
    offer = portfolio.offers_by_name[contract.offer]
    place = next(item for item in offer.sites if item.site == contract.site)
    placed = OfferAtSite(portfolio, futures, calendar, offer, place)
    sign = np.array([portfolio.horizon.index_of(contract.sign_month)])
    age, levels = placed.age(sign), [*rent_levels(offer, place, sign, futures)] if has_levels(offer) else []
    energy = placed.energy_mwh_per_kw()
    value = weights.hosting * contract.critical_mw * KW_PER_MW
    price = futures.mean_power_usd_per_mwh(contract.site) if energy.any() else np.zeros((value.shape[1], 1))
    price = while_open(price, contract.site, futures)
    capex_usd = weights.contract_capex @ placed.capex_musd(age)[0] * contract.critical_mw * USD_PER_MUSD
    found = np.zeros((weights.row_count, futures.scenario_count))
    for outcome, chosen in cases(portfolio.site(contract.site), futures):
        terms = placed.terms(age, outcome)
        weighted = {"paid": terms.rent, "let": terms.let_weight, "recovered": terms.recovery}
        rents = {name: value * weight[0] for name, weight in weighted.items()}
        found[:, chosen] = _rent_usd_per_kw(offer, contract.site, futures, chosen, levels, **rents)
        found[:, chosen] -= (value @ terms.opex[0])[:, None]
        if energy.any():
            found[:, chosen] -= (value * terms.weight[0] * energy) @ price[:, chosen]
        if outcome is not None:
            found[:, chosen] -= capex_usd[:, None] * outcome.capex_overrun_frac
    if offer.rent_index is not None and offer.prepayment is not None:
        paid_usd = weights.hosting @ placed.prepayment_musd(sign, age)[0] * contract.critical_mw * USD_PER_MUSD
        found += paid_usd[:, None] * locked_in(offer, sign, futures)
    if place.re_lease is not None and contract.re_leased_mw:
        let = placed.re_let(age)[0] * contract.re_leased_mw / contract.critical_mw
        found += (value * let * place.re_lease.rent_share_frac) @ while_open(
            futures.re_lease_rent_usd_per_kw_month, contract.site, futures
        )
        found -= (value * let * energy) @ price
    return found


def _rent_usd_per_kw(
    offer: Offer, site_name: str, futures: Futures, chosen: Chosen, levels: Sequence[RentLevel], **months: Floats
) -> Floats:
    """As :func:`rent_usd_per_kw`, of a contract whose rent may have levels, at a site that may be shut, ``[R, W]``."""
    if futures.open_frac(site_name) is not None:
        fate = Fate.by_scenario(offer, futures).while_open(site_name, futures).of(chosen)
        found = months["let"] @ fate.let_usd_per_kw
        if not levels:
            return np.asarray(found + months["paid"] @ fate.paid + months["recovered"] @ fate.recovered)
        for item in levels:
            rent = (item.months * months["paid"]) @ fate.paid + (item.months * months["recovered"]) @ fate.recovered
            found += item.level[:, chosen] * rent
        return np.asarray(found)
    if not levels:
        return rent_usd_per_kw(offer, futures, chosen, **months)
    nothing = np.zeros_like(months["let"])
    found = rent_usd_per_kw(offer, futures, chosen, paid=nothing, let=months["let"], recovered=nothing)
    for item in levels:
        paid, recovered = item.months * months["paid"], item.months * months["recovered"]
        rent = rent_usd_per_kw(offer, futures, chosen, paid=paid, let=nothing, recovered=recovered)
        found += item.level[:, chosen] * rent
    return found
