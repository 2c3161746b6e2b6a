"""One signed contract: its dates, its live MW and its money month by month, in expectation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optimizer.audit.building import Built, built
from optimizer.audit.paths import EnergyPrices, FloatArray
from optimizer.audit.rents import locked_in_frac, rent_usd_per_kw
from optimizer.domain import ContractDecision, Offer, OfferSite, Portfolio, PowerPayer, Site
from optimizer.errors import InvalidInputError
from optimizer.units import KW_PER_MW, MONTHS_PER_YEAR


class Live(NamedTuple):
    """State of a contract in one month."""

    share_frac: float
    """Live share of its MW."""
    weight_frac: float
    """Probability that its renewal was taken up; 1 in the initial term."""
    rent_frac: float
    """Contract rent over the escalated rent."""


@dataclass(frozen=True, slots=True)
class Contract:
    """A signed contract; dates are month indices."""

    offer: Offer
    place: OfferSite
    site: Site
    site_index: int
    lease_end: int | None
    """First month in which the site can no longer be used."""
    sign: int
    latest_sign: int
    """Last month of the signing window."""
    energize: int
    earliest: int | None
    """Month before which the place cannot energize, as stated."""
    critical_mw: float
    debt_usd: float
    reconverted_mw: float
    """Critical MW whose halls are converted back at the end of the term."""
    re_leased_mw: float
    """Critical MW let again at the end of the term."""
    horizon_end: int
    """First month after the horizon."""

    @classmethod
    def of(cls, portfolio: Portfolio, decision: ContractDecision) -> Contract:
        """The contract that a decision makes of its offer."""
        offer = portfolio.offers_by_name[decision.offer]
        place = next(place for place in offer.sites if place.site == decision.site)
        sign = portfolio.horizon.index_of(decision.sign_month)
        lease_end = portfolio.site(decision.site).lease_end_month
        stated = place.earliest_energize_month
        earliest = portfolio.horizon.index_of(stated) if stated is not None else None
        energize = sign + place.build_months
        if earliest is not None:
            energize = max(energize, earliest)
        return cls(
            offer=offer,
            place=place,
            site=portfolio.site(decision.site),
            site_index=portfolio.site_index[decision.site],
            lease_end=portfolio.horizon.index_of(lease_end) if lease_end is not None else None,
            sign=sign,
            latest_sign=portfolio.horizon.index_of(offer.sign_until_month),
            energize=energize,
            earliest=earliest,
            critical_mw=decision.critical_mw,
            debt_usd=decision.debt_usd,
            reconverted_mw=decision.reconverted_mw,
            re_leased_mw=decision.re_leased_mw,
            horizon_end=portfolio.horizon.month_count,
        )

    @property
    def label(self) -> str:
        """Offer and place."""
        return f"{self.offer.name} at {self.site.name}"

    @property
    def build_start(self) -> int:
        """First month of building, or of energization if there is nothing to build."""
        return self.energize - self.place.build_months

    @property
    def full(self) -> int:
        """Month in which the last phase energizes."""
        return self.energize + max(phase.offset_months for phase in self.offer.phases)

    @property
    def end(self) -> int:
        """First month after the initial term."""
        return self.energize + self.offer.term_months

    @property
    def reserved_until(self) -> int:
        """First month after the last renewal that is counted on: one that the site's lease does not cut short."""
        renewal = self.offer.renewal
        if renewal is None or renewal.probability_frac == 0.0:
            return self.end
        count = renewal.option_count
        if self.lease_end is not None:
            count = min(count, max(self.lease_end - self.end, 0) // renewal.term_months)
        return self.end + count * renewal.term_months

    @property
    def owner_capex_usd(self) -> float:
        """Capex without the tenant's share."""
        return (
            self.critical_mw * self.place.capex_usd_per_critical_mw * (1.0 - self.place.tenant_capex_share_frac)
        ) * sum(phase.share_frac for phase in self.offer.phases)

    @property
    def stands_until(self) -> float:
        """First month in which the site can no longer be used."""
        return float("inf") if self.lease_end is None else self.lease_end

    @property
    def halls_back(self) -> int | None:
        """First month in which halls converted back can be used; None where the terms have none."""
        return self.end + self.place.reconversion.months if self.place.reconversion is not None else None

    @property
    def most_reconverted_mw(self) -> float:
        """Critical MW whose halls can be of use again in the horizon: all or none."""
        in_time = self.halls_back is not None and self.halls_back < min(self.horizon_end, self.stands_until)
        return self.critical_mw if in_time else 0.0

    @property
    def let_again(self) -> range:
        """Months in which MW let again earn rent; none unless the term ends in the horizon."""
        terms = self.place.re_lease
        if terms is None or self.end >= self.horizon_end:
            return range(0)
        first = self.end + terms.vacancy_months
        return range(first, int(min(max(self.horizon_end, first + terms.term_months), self.stands_until)))

    def re_leased_grid_mw(self, month: int) -> float:
        """Grid MW reserved in a month for what is let again, also while it is vacant."""
        held = self.end <= month < self.stands_until
        return held * self.re_leased_mw * self.place.grid_mw_per_critical_mw

    def live(self, month: int) -> Live:
        """What is live in a month."""
        if not self.energize <= month < self.reserved_until:
            return Live(0.0, 0.0, 0.0)
        share = sum(p.share_frac for p in self.offer.phases if self.energize + p.offset_months <= month)
        if month < self.end:
            return Live(share, 1.0, 1.0)
        renewal = self.offer.renewal
        assert renewal is not None
        count = (month - self.end) // renewal.term_months + 1
        return Live(share, renewal.probability_frac**count, renewal.rent_frac)

    def grid_mw(self, month: int) -> float:
        """Grid MW reserved for the tenant in a month."""
        return self.critical_mw * self.live(month).share_frac * self.place.grid_mw_per_critical_mw

    def in_buildings_mw(self, month: int) -> float:
        """Critical MW that need space in a building in a month, those let again included."""
        if not self.place.needs_building:
            return 0.0
        again = self.re_leased_mw if self.end <= month < self.stands_until else 0.0
        return self.critical_mw * self.live(month).share_frac + again

    def displaced_halls_mw(self, month: int) -> float:
        """Mining halls displaced, or out of use while a phase is built, in a month."""
        begun = sum(p.share_frac for p in self.offer.phases if month >= self.build_start + p.offset_months)
        back = self.reconverted_mw if self.halls_back is not None and month >= self.halls_back else 0.0
        energized = sum(p.share_frac for p in self.offer.phases if month >= self.energize + p.offset_months)
        down = self.critical_mw * (begun - energized) * (self.place.halls_down_mw_per_critical_mw or 0.0)
        return (self.critical_mw * begun - back) * self.place.halls_displaced_mw_per_critical_mw + down

    def under_construction(self, month: int) -> bool:
        """Whether it is being built in a month."""
        return self.build_start <= month < self.full

    def escalation(self, month: int) -> float:
        """Rent over the first year's."""
        return float((1.0 + self.offer.escalator_per_year_frac) ** ((month - self.energize) // MONTHS_PER_YEAR))


@dataclass(frozen=True, slots=True, eq=False)
class ContractMoney:
    """Expected cash of one contract in each month up to the end of the paths; costs are negative."""

    noi_usd: FloatArray
    """Rents, re-lease and recovery less opex and energy."""
    prepayment_usd: FloatArray
    """Received, less credits."""
    capex_usd: FloatArray
    """The owner's."""
    contracted_noi_usd: FloatArray
    """Net operating income of the initial term if the tenant never defaults."""
    re_lease_usd: FloatArray
    """Rent of what is let again less opex and energy."""
    refit_usd: FloatArray
    """What preparing it costs."""
    locked_in_frac: float
    """Expected rent that was signed for over the stated price."""


def contract_money(contract: Contract, energy: EnergyPrices) -> ContractMoney:
    """Expected cash of a contract; one of dates that are not permitted is computed as far as the market paths go.

    Raises:
        InvalidInputError: if the market paths end before a contract of permitted dates does.
    """
    length = energy.paths.extended_month_count
    in_time = contract.energize < energy.paths.month_count and contract.sign <= contract.latest_sign
    until = max(contract.reserved_until, contract.let_again.stop if contract.re_leased_mw else 0)
    if in_time and until > length:
        raise InvalidInputError.single(
            "contracts", f"{contract.label} runs to month {until}, the market paths to {length}",
            "extend the market paths to the end of every contract, its renewals and re-leases",
        )  # fmt: skip
    noi, contracted = np.zeros(length), np.zeros(length)
    how = built(contract, energy)
    locked_in = float(locked_in_frac(contract, energy.paths).mean()) if in_time else 1.0
    for month in range(max(contract.energize, 0), min(contract.reserved_until, length)):
        live = contract.live(month)
        delivered = _delivered_frac(contract, month, how)
        used = energy.at(contract.site.name).open_frac(month)
        cost = float(np.mean(_cost_usd(contract, contract.critical_mw * delivered, month, energy, used)))
        noi[month] = _rent_usd(contract, month, delivered, how, energy) - live.weight_frac * cost
        if month < contract.end:
            planned = _cost_usd(contract, contract.critical_mw * live.share_frac, month, energy)
            contracted[month] = _full_rent_usd(contract, month) * locked_in - float(np.mean(planned))
    return ContractMoney(
        noi_usd=noi,
        prepayment_usd=_prepayment_usd(contract, length) * locked_in,
        capex_usd=-_owner_capex_usd(contract, length) * (1.0 + float(how.dearer_frac.mean())),
        contracted_noi_usd=contracted,
        re_lease_usd=_re_lease_usd(contract, energy),
        refit_usd=_refit_usd(contract, length),
        locked_in_frac=locked_in,
    )


def _delivered_frac(contract: Contract, month: int, how: Built) -> FloatArray:
    """Share of the contract's MW that is delivered in a month, by scenario, ``[W]``; all of it after the term."""
    if month >= contract.end:
        return np.full(how.late_months.shape, contract.live(month).share_frac)
    delivered = np.zeros(how.late_months.shape)
    for phase in contract.offer.phases:
        delivered += phase.share_frac * (month >= how.energized(contract, phase.offset_months))
    return delivered


def _full_rent_usd(contract: Contract, month: int) -> float:
    """Escalated rent of the kW that are to be live at the stated price."""
    return contract.critical_mw * contract.live(month).share_frac * KW_PER_MW * _usd_per_kw(contract, month)


def _usd_per_kw(contract: Contract, month: int) -> float:
    return contract.offer.price_usd_per_kw_month * contract.escalation(month)


def _rent_usd(contract: Contract, month: int, delivered: FloatArray, how: Built, energy: EnergyPrices) -> float:
    """Expected rent, backstop, re-lease and recovery of a month; what is delivered by scenario."""
    credit, live = contract.offer.credit, contract.live(month)
    default = np.asarray(energy.paths.default_month(contract.offer.tenant), dtype=np.int64)
    backed = credit.backstop_share_frac
    rent = rent_usd_per_kw(contract, month, energy.paths)
    paid, unpaid = np.where(default > month, 1.0, backed), [(1.0 - backed, default)]
    if credit.failing_backstopper is not None:
        # The backstopper pays from the tenant's default on, if it has not failed by then, until it does.
        gone = np.asarray(energy.paths.default_month(credit.failing_backstopper), dtype=np.int64)
        both = np.where(gone > default, gone, default)
        paid[both <= month] = 0.0
        unpaid.append((backed, both))
    is_open = energy.at(contract.site.name).open_frac(month)
    per_kw = rent * paid * is_open
    for share, since in unpaid:
        let_again = month >= np.maximum(since, how.energized(contract)) + credit.vacancy_months
        market = energy.paths.re_lease_rent_usd_per_kw_month[month] * is_open
        per_kw += share * np.where(let_again, market, 0.0)
        if month < contract.end:
            per_kw += (since == month) * (share * credit.recovery_frac * MONTHS_PER_YEAR * rent)
    return live.weight_frac * contract.critical_mw * KW_PER_MW * float(np.mean(delivered * per_kw))


def _cost_usd(
    contract: Contract,
    live_mw: float | FloatArray,
    month: int,
    energy: EnergyPrices,
    used: float | FloatArray = 1.0,
) -> FloatArray:
    """Landlord's opex, and the energy used if the landlord pays it, of live critical MW in a month, by scenario."""
    offer = contract.offer
    if offer.landlord_opex_usd_per_kw_month is not None:
        each = offer.landlord_opex_usd_per_kw_month
    else:
        each = (1.0 - (offer.noi_margin_frac or 0.0)) * offer.price_usd_per_kw_month
    cost = np.asarray(live_mw * KW_PER_MW * each * contract.escalation(month))
    if offer.power_payer is PowerPayer.LANDLORD:
        drawn_mwh = live_mw * used * _pue(contract, energy, month) * float(energy.paths.hours_in_month[month])
        cost = cost + drawn_mwh * energy.at(contract.site.name).mean_usd_per_mwh(month)
    return cost


def energy_mwh(contract: Contract, month: int, energy: EnergyPrices) -> float:
    """Energy in a month that the landlord pays, with the probability of renewals, and of what is let again."""
    if contract.offer.power_payer is not PowerPayer.LANDLORD:
        return 0.0
    live = contract.live(month)
    used = energy.at(contract.site.name).open_frac(month)
    delivered = float(np.mean(used * _delivered_frac(contract, month, built(contract, energy))))
    live_mw = contract.critical_mw * delivered * live.weight_frac
    if month in contract.let_again:
        live_mw += contract.re_leased_mw * float(np.mean(used))
    return live_mw * _pue(contract, energy, month) * float(energy.paths.hours_in_month[month])


def _re_lease_usd(contract: Contract, energy: EnergyPrices) -> FloatArray:
    """Expected rent of what is let again, at its share of the market's, less opex and energy."""
    cash, terms = np.zeros(energy.paths.extended_month_count), contract.place.re_lease
    if terms is None or not contract.re_leased_mw:
        return cash
    for month in contract.let_again:
        if month < cash.size:
            used = energy.at(contract.site.name).open_frac(month)
            market = float(np.mean(used * energy.paths.re_lease_rent_usd_per_kw_month[month]))
            rent = contract.re_leased_mw * KW_PER_MW * terms.rent_share_frac * market
            cash[month] = rent - float(np.mean(_cost_usd(contract, contract.re_leased_mw, month, energy, used)))
    return cash


def _refit_usd(contract: Contract, length: int) -> FloatArray:
    """Paid in the first month after the term, negative."""
    cash, terms = np.zeros(length), contract.place.re_lease
    if terms is not None and 0 <= contract.end < length:
        cash[contract.end] -= contract.re_leased_mw * terms.refit_usd_per_critical_mw
    return cash


def _pue(contract: Contract, energy: EnergyPrices, month: int) -> float:
    """Grid draw over critical IT power."""
    if contract.place.pue is not None:
        return contract.place.pue
    by_month = contract.site.hosting_pue_by_month
    return by_month[int(energy.paths.calendar_month[month]) - 1] if by_month else contract.site.hosting_pue


def _prepayment_usd(contract: Contract, length: int) -> FloatArray:
    """Received in the month of signing, credited from full energization while the initial term lasts."""
    cash = np.zeros(length)
    prepayment = contract.offer.prepayment
    if prepayment is None:
        return cash
    paid = prepayment.rent_months * contract.offer.price_usd_per_kw_month * contract.critical_mw * KW_PER_MW
    if 0 <= contract.sign < length:
        cash[contract.sign] += paid
    for month in range(max(contract.full, 0), min(contract.full + prepayment.credit_months, contract.end, length)):
        cash[month] -= paid / prepayment.credit_months
    return cash


def _owner_capex_usd(contract: Contract, length: int) -> FloatArray:
    """The owner's capex by month, positive: each phase's spread over the months of its building."""
    spent = np.zeros(length)
    total = contract.critical_mw * contract.place.capex_usd_per_critical_mw
    owner = total * (1.0 - contract.place.tenant_capex_share_frac)
    build = contract.place.build_months
    for phase in contract.offer.phases:
        energized = contract.energize + phase.offset_months
        months = range(energized - build, energized) if build else range(energized, energized + 1)
        for month in months:
            if 0 <= month < length:
                spent[month] += owner * phase.share_frac / len(months)
    return spent
