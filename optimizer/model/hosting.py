"""Coefficients of contracts: what a critical MW of every possible start pays, costs, reserves and displaces by month.

Follows "Hosting" and "Project debt" in ``docs/explanation/economics.md``. Money in million USD per critical MW.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.domain.construction import ConstructionOutcome
from optimizer.domain.finance import ProjectDebt
from optimizer.domain.offer import Offer, OfferSite, PowerPayer
from optimizer.domain.portfolio import Portfolio, energization, sign_months
from optimizer.model.calendar import Calendar, Floats, Ints
from optimizer.model.expectations import Expectations, hosting_pue
from optimizer.model.fates import BuildCase, Fate
from optimizer.units import KW_PER_MW, MONTHS_PER_YEAR, USD_PER_MUSD

MUSD_PER_MW_OF_USD_PER_KW = KW_PER_MW / USD_PER_MUSD


@dataclass(frozen=True, eq=False)
class Starts:
    """All (offer, site, sign month) that the terms allow; N of them, T_ext months."""

    offer: Ints
    """Index of the offer, ``[N]``."""
    site: Ints
    """Index of the site, ``[N]``."""
    sign_month: Ints
    """Month of signing, ``[N]``."""
    build_month: Ints
    """First month of building, ``[N]``."""
    energize_month: Ints
    """First energization, ``[N]``."""
    full_month: Ints
    """Energization of the last phase, ``[N]``."""
    minimum_mw: Floats
    """Least critical MW, ``[N]``."""
    maximum_mw: Floats
    """Most critical MW, ``[N]``."""
    reserved_mw: Floats
    """Grid MW reserved per critical MW, ``[N, T]``."""
    displaced_mw: Floats
    """Hall MW displaced, or out of use while it is built, per critical MW, ``[N, T]``."""
    space_mw: Floats
    """Critical MW that need space in a building per critical MW, ``[N, T]``."""
    noi_musd: Floats
    """Expected rents less opex and energy per critical MW, ``[N, T_ext]``."""
    prepayment_musd: Floats
    """Prepayment less its credits per critical MW, ``[N, T_ext]``."""
    capex_musd: Floats
    """The owner's capex per critical MW, ``[N, T_ext]``."""
    debt_limit_musd: Floats
    """Most debt per critical MW: loan to cost, and what the contracted income carries, ``[N]``; 0 without
    project debt."""
    debt_draw: Floats
    """Draw of each month per dollar of debt, ``[N, T]``."""
    debt_service: Floats
    """Fee, interest and principal of each month per dollar of debt, ``[N, T]``."""
    debt_balance: Floats
    """Balance at the end of each month per dollar of debt, ``[N, T]``."""

    @property
    def count(self) -> int:
        """Number of starts, N."""
        return len(self.offer)

    @property
    def scalable(self) -> NDArray[np.bool_]:
        """Which starts have their MW to decide, ``[N]``."""
        return self.minimum_mw < self.maximum_mw


def build_starts(portfolio: Portfolio, futures: Futures, calendar: Calendar, expected: Expectations) -> Starts:
    """Every start that the terms allow, in the order of offers, then sites, then months."""
    parts = []
    for offer in portfolio.offers:
        for place in offer.sites:
            months = sign_months(offer, place, portfolio.site(place.site), portfolio.horizon)
            if months:
                placed = OfferAtSite(portfolio, futures, calendar, offer, place)
                parts.append(placed.starts(np.array(months), expected))
    parts = parts or [_no_starts(calendar)]
    joined: dict[str, Any] = {
        item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Starts)
    }
    return Starts(**joined)


def _no_starts(calendar: Calendar) -> Starts:
    indices = ("offer", "site", "sign_month", "build_month", "energize_month", "full_month")
    extended = ("noi_musd", "prepayment_musd", "capex_musd")
    vectors = ("minimum_mw", "maximum_mw", "debt_limit_musd")
    empty: dict[str, Any] = {item.name: np.zeros((0, calendar.month_count)) for item in fields(Starts)}
    empty |= {name: np.zeros(0, dtype=np.int64) for name in indices}
    empty |= {name: np.zeros(0) for name in vectors}
    empty |= {name: np.zeros((0, calendar.extended_month_count)) for name in extended}
    return Starts(**empty)


def _energize(sign: Ints, place: OfferSite, portfolio: Portfolio) -> Ints:
    return np.array([energization(int(month), place, portfolio.horizon) for month in sign], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class RentTerms:
    """What a live contract earns and costs in USD per critical kW, ``[N, T_ext]``, linear in the tenant's fate."""

    rent: Floats
    """Contract rent, over its levels if it has any, weighted with the probability of renewals."""
    weight: Floats
    """Live share times the probability that the contract still runs: times energy, the landlord's energy."""
    let_weight: Floats
    """The same from the end of a vacancy that begins with the contract: times the re-lease rent."""
    recovery: Floats
    """Contract rent of the initial term: times months recovered."""
    opex: Floats
    """Landlord's operating cost without energy."""

    def revenue(self, fate: Fate) -> Floats:
        """Expected revenue ``[N, T_ext]`` under an expected fate."""
        return np.asarray(
            self.rent * fate.paid + self.let_weight * fate.let_usd_per_kw + self.recovery * fate.recovered
        )


@dataclass(frozen=True, eq=False)
class OfferAtSite:
    """One offer at one site; everything is vectorised over sign months."""

    portfolio: Portfolio
    futures: Futures
    calendar: Calendar
    offer: Offer
    place: OfferSite

    def age(self, sign: Ints) -> Ints:
        """Months since the first energization, ``[N, T_ext]``."""
        months = np.arange(self.calendar.extended_month_count)
        return months[None, :] - _energize(sign, self.place, self.portfolio)[:, None]

    def terms(self, age: Ints, built: BuildCase | ConstructionOutcome | None = None) -> RentTerms:
        """Rents and costs by month, where building turns out so, or as planned."""
        offer, since = self.offer, age if built is None else self._since_energized(age, built)
        live = self._live_share(age, built)
        weight, rent_weight = self._renewal_weights(age)
        rent = self._rent_usd_per_kw(age)
        in_term = (age >= 0) & (age < offer.term_months)
        return RentTerms(
            rent=live * rent_weight * rent,
            weight=live * weight,
            let_weight=live * weight * (since >= offer.credit.vacancy_months),
            recovery=live * rent * in_term,
            opex=live * weight * self.opex(age),
        )

    def _rent_usd_per_kw(self, age: Ints) -> Floats:
        """Contract rent, over its levels where it has any, ``[N, T_ext]``."""
        offer, renewal, after = self.offer, self.offer.renewal, age - self.offer.term_months
        rent = offer.price_usd_per_kw_month * self._escalation(age)
        if renewal is None or renewal.market_rent_share_frac is None:
            return rent
        renewed = renewal.market_rent_share_frac * self._escalation(after % renewal.term_months)
        return np.where(after >= 0, renewed, rent)

    def _escalation(self, age: Ints) -> Floats:
        escalator = self.offer.escalator_per_year_frac
        return np.asarray((1.0 + escalator) ** np.maximum(age // MONTHS_PER_YEAR, 0))

    def opex(self, age: Ints) -> Floats:
        """Landlord's operating cost without energy in USD per kW and month, if it is live, ``[N, T_ext]``."""
        offer = self.offer
        if offer.noi_margin_frac is not None:
            return (1.0 - offer.noi_margin_frac) * offer.price_usd_per_kw_month * self._escalation(age)
        return (offer.landlord_opex_usd_per_kw_month or 0.0) * self._escalation(age)

    def re_let(self, age: Ints) -> Floats:
        """1 in the months in which MW are let again after a term that ends inside the horizon, ``[N, T_ext]``."""
        terms, horizon, months = self.place.re_lease, self.calendar.month_count, np.arange(age.shape[1])
        if terms is None:
            return np.zeros(age.shape)
        since = age - self.offer.term_months - terms.vacancy_months
        ended = (age[:, horizon - 1] >= self.offer.term_months)[:, None]
        lasting = (months < horizon) | (since < terms.term_months)
        return (ended & (since >= 0) & lasting & (months < self._lease_end())).astype(float)

    def energy_mwh_per_kw(self) -> Floats:
        """Energy per live kW and month that the landlord pays, ``[T_ext]``; 0 if the tenant does."""
        if self.offer.power_payer is PowerPayer.TENANT:
            return np.zeros(self.calendar.extended_month_count)
        pue = hosting_pue(self.place.pue, self.portfolio.site(self.place.site), self.futures)
        return np.asarray(pue * self.futures.hours_in_month / KW_PER_MW)

    def starts(self, sign: Ints, expected: Expectations) -> Starts:
        """Coefficients of signing in each of these months."""
        offer, place, horizon = self.offer, self.place, self.calendar.month_count
        age, energize = self.age(sign), _energize(sign, place, self.portfolio)
        full = energize + offer.phases[-1].offset_months
        noi, contracted = self._noi(age, expected)
        planned, halls = self._building(age)
        cases = expected.build_cases[place.site]
        count, live = len(sign), self._live_share(age)[:, :horizon]
        debt = _debt_profile(
            self.portfolio.finance.project_debt, planned, contracted, full - energize, age, offer.term_months
        )
        return Starts(
            offer=np.full(count, self.portfolio.offer_index[offer.name]),
            site=np.full(count, self.portfolio.site_index[place.site]),
            sign_month=sign,
            build_month=energize - place.build_months,
            energize_month=energize,
            full_month=full,
            minimum_mw=np.full(count, offer.minimum_mw),
            maximum_mw=np.full(count, offer.maximum_mw),
            reserved_mw=live * place.grid_mw_per_critical_mw,
            space_mw=live * bool(place.needs_building),
            displaced_mw=halls[:, :horizon],
            noi_musd=noi,
            prepayment_musd=self.prepayment_musd(sign, age) * self._locked_in(expected),
            capex_musd=planned * (1.0 + sum(case.share_frac * case.capex_overrun_frac for case in cases)),
            debt_limit_musd=debt.limit,
            debt_draw=debt.draw[:, :horizon],
            debt_service=debt.service[:, :horizon],
            debt_balance=debt.balance[:, :horizon],
        )

    def _live_share(self, age: Ints, built: BuildCase | ConstructionOutcome | None = None) -> Floats:
        """Share of the contract's MW that is energized, renewals included; the term does not end later for a delay."""
        offer = self.offer
        live = (self._renewal_number(age) > 0).astype(float)
        for phase in offer.phases:
            since = (
                age - phase.offset_months if built is None else self._since_energized(age, built, phase.offset_months)
            )
            live += phase.share_frac * ((since >= 0) & (age < offer.term_months))
        return live

    def _since_energized(self, age: Ints, built: BuildCase | ConstructionOutcome, offset_months: int = 0) -> Ints:
        """Months since a phase has energized, ``[N, T_ext]``: late itself, or waiting for an interconnect that is."""
        since, earliest = age - offset_months - built.delay_months, self.place.earliest_energize_month
        if earliest is None:
            return since
        connected = self.portfolio.horizon.index_of(earliest) + built.interconnect_slip_months
        return np.minimum(since, np.arange(age.shape[1]) - connected)

    def _renewal_number(self, age: Ints) -> Ints:
        """0 in the initial term, k in the k-th renewal, -1 outside."""
        renewal, term = self.offer.renewal, self.offer.term_months
        number = np.where((age >= 0) & (age < term), 0, -1)
        if renewal is not None and renewal.probability_frac > 0:
            k = (age - term) // renewal.term_months + 1
            energize = np.arange(age.shape[1])[None, :] - age
            counted = (k <= renewal.option_count) & (energize + term + k * renewal.term_months <= self._lease_end())
            number = np.where((age >= term) & counted, k, number)
        return number

    def _lease_end(self) -> int:
        """First month in which the site can no longer be used; after all months where its lease is open-ended."""
        end = self.portfolio.site(self.place.site).lease_end_month
        return self.portfolio.horizon.index_of(end) if end is not None else 2**31

    def _renewal_weights(self, age: Ints) -> tuple[Floats, Floats]:
        """Probability that the contract still runs, and the same times the share of the rent."""
        renewal, number = self.offer.renewal, self._renewal_number(age)
        if renewal is None:
            weight = (number >= 0).astype(float)
            return weight, weight
        weight = np.where(number >= 0, renewal.probability_frac ** np.maximum(number, 0), 0.0)
        return weight, np.where(number > 0, weight * renewal.rent_frac, weight)

    def _noi(self, age: Ints, expected: Expectations) -> tuple[Floats, Floats]:
        """Expected NOI, and the NOI of the initial term if the tenant always pays, in million USD per critical MW."""
        site, energy = self.place.site, self.energy_mwh_per_kw()
        terms, noi = self.terms(age), np.zeros(age.shape)
        in_term = (age >= 0) & (age < self.offer.term_months)
        cost = terms.opex + terms.weight * energy * expected.power_usd_per_mwh[site]
        contracted = np.where(in_term, terms.rent * self._locked_in(expected) - cost, 0.0)
        for position, case in enumerate(expected.build_cases[site]):
            late = self.terms(age, case) if case.delay_months or case.interconnect_slip_months else terms
            cost = late.opex * case.share_frac + late.weight * energy * case.power_usd_per_mwh
            noi += late.revenue(expected.fates[self.offer.name, site, position]) - cost
        return noi * MUSD_PER_MW_OF_USD_PER_KW, contracted * MUSD_PER_MW_OF_USD_PER_KW

    def _locked_in(self, expected: Expectations) -> Floats:
        """Expected rent that is signed for over the price, ``[N, 1]``; 1 without an index."""
        return expected.locked_rents.get((self.offer.name, self.place.site), np.ones(1))[:, None]

    def prepayment_musd(self, sign: Ints, age: Ints) -> Floats:
        """Prepayment less its credits per critical MW at the stated price, ``[N, T_ext]``."""
        offer, terms = self.offer, self.offer.prepayment
        flow = np.zeros(age.shape)
        if terms is not None:
            amount = terms.rent_months * offer.price_usd_per_kw_month * MUSD_PER_MW_OF_USD_PER_KW
            since_full = age - offer.phases[-1].offset_months
            credited = (since_full >= 0) & (since_full < terms.credit_months) & (age < offer.term_months)
            flow -= credited * amount / terms.credit_months
            flow[np.arange(len(sign)), sign] += amount
        return flow

    def capex_musd(self, age: Ints) -> Floats:
        """Owner's capex as planned per critical MW, ``[N, T_ext]``."""
        return self._building(age)[0]

    def _building(self, age: Ints) -> tuple[Floats, Floats]:
        """Owner's capex in million USD, and MW of halls displaced or out of use, per critical MW."""
        place = self.place
        owner = place.capex_usd_per_critical_mw * (1.0 - place.tenant_capex_share_frac) / USD_PER_MUSD
        displaced, down = place.halls_displaced_mw_per_critical_mw, place.halls_down_mw_per_critical_mw or 0.0
        capex, halls = np.zeros(age.shape), np.zeros(age.shape)
        for phase in self.offer.phases:
            since = age - phase.offset_months
            begun, built = since >= -place.build_months, since >= 0
            paid = begun & ~built if place.build_months else since == 0
            capex += owner * phase.share_frac * paid / max(place.build_months, 1)
            halls += phase.share_frac * (displaced * begun + down * (begun & ~built))
        return capex, halls


@dataclass(frozen=True, eq=False)
class _DebtProfile:
    limit: Floats
    draw: Floats
    service: Floats
    balance: Floats


def _debt_profile(
    terms: ProjectDebt | None, capex: Floats, contracted: Floats, ramp: Ints, age: Ints, term: int
) -> _DebtProfile:
    """Flows per dollar that is drawn, and the most of it per critical MW; ``ramp`` is months to full energization."""
    total = capex.sum(axis=1)
    if terms is None or not total.any():
        zeros = np.zeros(capex.shape)
        return _DebtProfile(np.zeros(len(capex)), zeros, zeros, zeros)
    draw = capex / np.maximum(total, 1e-300)[:, None]
    since_full, rate = age - ramp[:, None], terms.interest_per_year_frac / MONTHS_PER_YEAR
    added = _capitalised(draw, since_full <= 0, rate) if terms.capitalise_interest else np.zeros(draw.shape)
    full = 1.0 + added.sum(axis=1)
    instalment = ((since_full >= 1) & (since_full <= terms.amortization_months) & (age < term)) / float(
        terms.amortization_months
    )
    instalment = instalment * full[:, None]
    repaid = np.cumsum(instalment, axis=1)
    balloon = (age == term - 1) * (full[:, None] - repaid)
    principal = instalment + balloon
    balance = np.cumsum(draw + added - principal, axis=1)
    opening = np.concatenate([np.zeros((len(draw), 1)), balance[:, :-1]], axis=1)
    interest = opening * rate
    service = draw * terms.origination_fee_frac + interest - added + principal
    limit = terms.loan_to_cost_frac * total / (full - terms.loan_to_cost_frac * (full - 1.0))
    if terms.minimum_dscr > 0:
        due = np.where((since_full >= 1) & (age < term) & (opening > 1e-12), interest + instalment, 0.0)
        carried = np.where(due > 0, contracted / np.where(due > 0, terms.minimum_dscr * due, 1.0), np.inf)
        limit = np.minimum(limit, carried.min(axis=1))
    return _DebtProfile(np.maximum(limit, 0.0), draw, service, balance)


def _capitalised(draw: Floats, building: NDArray[np.bool_], rate: float) -> Floats:
    """Interest that is added to the balance in each month of building, per dollar that is drawn, ``[N, T_ext]``."""
    added, balance = np.zeros(draw.shape), np.zeros(len(draw))
    for month in range(draw.shape[1]):
        added[:, month] = rate * balance * building[:, month]
        balance += draw[:, month] + added[:, month]
    return added
