"""Public AI leases of miners, priced again: closed formulas from the rows of the library against the audit's months.

Each deal is one contract at one site, signed in the first month, at 9 % a year; rents beyond the five years of the
horizon count in full. What a row leaves open is filled in as follows, here and in nothing else:

- escalator: 3 % a year and the row's first-year price for it; where the row states none at all (0), its average price;
- capex and margin: the middle of the row's range, and the landlord pays the capex that the row names;
- building: the months to the first MW, or else to full power, one phase, capex in equal monthly parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from support import best, offer, place, portfolio, site

from optimizer.audit.recalculate import recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import ContractDecision, Decisions, Portfolio
from optimizer.library.tables import DealRow, deal, deals

DISCOUNT_PER_YEAR_FRAC = 0.09
ASSUMED_ESCALATOR_PER_YEAR = 0.03


@dataclass(frozen=True)
class Terms:
    """A deal in the numbers that decide its worth."""

    critical_kw: float
    price_usd_per_kw_month: float
    """First year."""
    escalator_per_year: float
    term_years: int
    noi_margin_frac: float
    capex_usd: float
    build_months: int

    @classmethod
    def of(cls, row: DealRow) -> Terms:
        escalator = ASSUMED_ESCALATOR_PER_YEAR if row.escalator_per_year is None else row.escalator_per_year
        at_start = row.price_year1_at_3pct_usd_per_kw_month if escalator else row.price_usd_per_kw_month
        build_months = row.months_to_full if row.months_to_first_mw is None else row.months_to_first_mw
        assert row.term_months % 12 == 0
        return cls(
            critical_kw=1000.0 * row.critical_mw,
            price_usd_per_kw_month=at_start,
            escalator_per_year=escalator,
            term_years=row.term_months // 12,
            noi_margin_frac=(row.noi_margin_low_frac + row.noi_margin_high_frac) / 2.0,
            capex_usd=row.critical_mw * (row.capex_low_usd_per_critical_mw + row.capex_high_usd_per_critical_mw) / 2.0,
            build_months=build_months,
        )

    @property
    def first_year_rent_usd(self) -> float:
        return 12.0 * self.price_usd_per_kw_month * self.critical_kw

    @property
    def all_rents_usd(self) -> float:
        """Rents of the whole term: a geometric series of years."""
        growth = 1.0 + self.escalator_per_year
        years = (growth**self.term_years - 1.0) / (growth - 1.0) if growth != 1.0 else float(self.term_years)
        return self.first_year_rent_usd * years

    @property
    def yield_on_cost_frac(self) -> float:
        """Net operating income of the first year of rent over capex."""
        return self.first_year_rent_usd * self.noi_margin_frac / self.capex_usd

    @property
    def npv_usd(self) -> float:
        """Two geometric series for the rents, months in a year and years in the term, and one for the capex.

        River Bend (Hut 8 and Fluidstack) by hand: 245,000 kW at 128 USD in the first year, 3 % more each year, 15 years,
        98.6 % margin, 13.3 MUSD a MW, 17 months of building; at 9 % a year v = 1.09^(-1/12) = 0.9928443.

        - Rent of the first year 12 x 128 x 245,000 = 376.32 MUSD; NOI 371.052, or 30.9210 a month.
          Capex 245 x 13.3 = 3,258.5 MUSD. Yield on cost 371.052 / 3,258.5 = 11.387 %.
        - Twelve months of NOI are worth v (1 - v^12) / (1 - v) = 11.45624 of them at the start of their year: 354.238.
          Years grow by 1.03 / 1.09 = 0.9449541; fifteen are worth (1 - 0.9449541^15) / 0.0550459 = 10.39640 of the first.
          That makes 3,682.80 in month 17, of which v^17 = 0.8850731 counts today: 3,259.55.
        - Capex is 3,258.5 / 17 = 191.6765 a month; 17 of them are worth v (1 - v^17) / (1 - v) = 15.94585: 3,056.45.
        - NPV 3,259.55 - 3,056.45 = 203.1 MUSD.
        """
        month = (1.0 + DISCOUNT_PER_YEAR_FRAC) ** (-1.0 / 12.0)
        year = (1.0 + self.escalator_per_year) / (1.0 + DISCOUNT_PER_YEAR_FRAC)
        noi_a_month = self.first_year_rent_usd * self.noi_margin_frac / 12.0
        rents = noi_a_month * annuity(month, 12) * (1.0 - year**self.term_years) / (1.0 - year)
        build = self.build_months
        capex = self.capex_usd / build * annuity(month, build) if build else self.capex_usd * month
        return rents * month**build - capex


def annuity(factor: float, count: int) -> float:
    """Worth of a dollar at the end of each of ``count`` months."""
    return factor * (1.0 - factor**count) / (1.0 - factor)


def complete(row: DealRow) -> bool:
    """Whether a row says what it takes to price it."""
    needed = (row.critical_mw, row.price_usd_per_kw_month, row.term_months)
    ranges = (row.capex_low_usd_per_critical_mw, row.noi_margin_low_frac)
    return row.kind == "colocation" and None not in (*needed, *ranges)


PRICED = [row.name for row in deals() if complete(row)]


def portfolio_of(terms: Terms) -> Portfolio:
    """The deal alone, mandatory in the first month."""
    critical_mw = terms.critical_kw / 1000.0
    lease = offer(
        "deal",
        critical_mw=critical_mw,
        price_usd_per_kw_month=terms.price_usd_per_kw_month,
        escalator_per_year_frac=terms.escalator_per_year,
        term_months=12 * terms.term_years,
        noi_margin_frac=terms.noi_margin_frac,
        sites=[place(capex_usd_per_critical_mw=terms.capex_usd / critical_mw, build_months=terms.build_months)],
    )
    return portfolio(
        60,
        sites=[site(grid_mw=1000.0)],
        offers=[lease],
        policy={"mandatory": [{"offer": "deal"}]},
        finance={"opening_cash_usd": 1e11},
        discount_per_year_frac=DISCOUNT_PER_YEAR_FRAC,
    )


@pytest.mark.parametrize("name", PRICED)
def test_npv_and_yield_on_cost_by_closed_formula(name):
    terms = Terms.of(deal(name))
    case = portfolio_of(terms)
    decision = ContractDecision(
        offer="deal", site="A", sign_month=case.horizon.start_month, critical_mw=terms.critical_kw / 1000.0
    )
    told = recalculate(case, Futures.of(case), Decisions(contracts=(decision,)))

    first_year = slice(terms.build_months, terms.build_months + 12)
    (outcome,), (money,) = told.contracts, told.contract_money
    assert told.objective_usd == pytest.approx(terms.npv_usd, rel=1e-9)
    assert outcome.npv_usd == pytest.approx(terms.npv_usd, rel=1e-9)
    assert outcome.first_year_rent_usd == pytest.approx(terms.first_year_rent_usd, rel=1e-9)
    assert np.sum(money.noi_usd) == pytest.approx(terms.all_rents_usd * terms.noi_margin_frac, rel=1e-9)
    yield_on_cost = np.sum(money.noi_usd[first_year]) / outcome.owner_capex_usd
    assert yield_on_cost == pytest.approx(terms.yield_on_cost_frac, rel=1e-9)


@pytest.mark.parametrize("name", PRICED)
def test_the_planner_values_it_alike(name):
    terms = Terms.of(deal(name))
    assert best(portfolio_of(terms)).termination.objective_usd == pytest.approx(terms.npv_usd, rel=1e-9)


def test_the_deal_worked_out_by_hand():
    terms = Terms.of(deal("hut8-fluidstack-river-bend"))
    assert terms.npv_usd == pytest.approx(203.1e6, abs=0.05e6)
    assert terms.yield_on_cost_frac == pytest.approx(0.11387, abs=5e-6)


@pytest.mark.parametrize("name", PRICED)
def test_rents_add_up_to_the_published_contract_value(name):
    """The rows round prices to 0.1 USD/kW-month, values to a few digits."""
    assert Terms.of(deal(name)).all_rents_usd == pytest.approx(deal(name).contract_value_usd, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "critical_mw", "noi_margin_frac", "published_usd_per_year", "within"),
    [
        ("core-scientific-coreweave-200", 200.0, 1.0, 290e6, 0.01),
        ("core-scientific-coreweave-590", 243.0, 1.0, 350e6, 0.01),
        ("hut8-fluidstack-river-bend", 245.0, 0.986, 454e6, 0.02),
    ],
)
def test_a_year_of_rent_or_noi_as_published(name, critical_mw, noi_margin_frac, published_usd_per_year, within):
    """Yearly figures that companies or analysts gave beside the contract value: see the notes of the rows."""
    a_year = 12.0 * deal(name).price_usd_per_kw_month * 1000.0 * critical_mw * noi_margin_frac
    assert a_year == pytest.approx(published_usd_per_year, rel=within)


def test_which_deals_can_be_priced():
    assert len(PRICED) == 9
    assert {"terawulf-fluidstack-abernathy", "hyperscale-data-michigan"}.isdisjoint(PRICED)  # no margin known


def test_the_page_shows_these_figures():
    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "external-truth.md").read_text("utf-8")
    for terms in map(Terms.of, map(deal, PRICED)):
        shown = f"| {terms.critical_kw / 1e3:g} | {terms.npv_usd / 1e6:,.0f} | {100 * terms.yield_on_cost_frac:.1f} % |"
        assert shown in page
