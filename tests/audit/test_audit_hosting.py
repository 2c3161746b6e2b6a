"""Contracts and their debt against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from audit_cases import NEVER, market_of, month, offer, place, portfolio, site

from optimizer.audit import Claims, audit, recalculate
from optimizer.domain import ContractDecision, Decisions
from optimizer.errors import InvalidInputError


def signed(name="O", place="A", when="2027-02", critical_mw=10.0, debt_usd=0.0):
    contract = ContractDecision(
        offer=name, site=place, sign_month=month(when), critical_mw=critical_mw, debt_usd=debt_usd
    )
    return Decisions(contracts=(contract,))


def column(recalculation, name):
    return np.array([getattr(row, name) for row in recalculation.cash_flow])


# Signed in month 1, three months of building: 60 % energizes in month 4, 40 % in month 6; the term is months 4 to 27.
PHASED = offer(
    phases=[{"share_frac": 0.6}, {"share_frac": 0.4, "offset_months": 2}],
    escalator_per_year_frac=0.1,
    noi_margin_frac=None,
    landlord_opex_usd_per_kw_month=10.0,
    prepayment={"rent_months": 2, "credit_months": 4},
    sites=[place(tenant_capex_share_frac=0.2, halls_displaced_mw_per_critical_mw=0.5)],
)
# The owner pays 4.8 M for the first phase, in months 1 to 3, and 3.2 M for the second, in months 3 to 5.
PHASED_CAPEX = np.array([0, 1.6e6, 1.6e6, 1.6e6 + 3.2e6 / 3, 3.2e6 / 3, 3.2e6 / 3, 0, 0, 0, 0, 0, 0])
# 90 USD/kW-month on 6, then 10 MW; a tenth more from month 16.
PHASED_NOI = np.array([0, 0, 0, 0, 540e3, 540e3, *[900e3] * 6])


def test_phases_capex_escalator_prepayment():
    case = portfolio(offers=[PHASED], finance={"terminal": {"contract_tail_frac": 0.5}})
    found = recalculate(case, market_of(case), signed())
    assert column(found, "hosting_capex_usd") == pytest.approx(-PHASED_CAPEX)
    assert column(found, "hosting_noi_usd") == pytest.approx(PHASED_NOI)
    # 2 months x 100 USD x 10,000 kW at signing, back in four parts from full energization in month 6.
    assert column(found, "hosting_prepayments_usd") == pytest.approx([0, 2e6, 0, 0, 0, 0, *[-0.5e6] * 4, 0, 0])
    assert found.capex_usd == pytest.approx(PHASED_CAPEX)
    assert found.use.hosting_mw[0] == pytest.approx([0, 0, 0, 0, 9, 9, 15, 15, 15, 15, 15, 15])
    # Displaced from the start of building: 6 MW x 0.5 from month 1, all from month 3.
    assert found.use.displaced_hall_mw[0] == pytest.approx([0, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5])
    # Months 12 to 15 at 900,000 and 16 to 27 at 990,000, half of it counted.
    tail = 0.5 * (4 * 900e3 + 12 * 990e3)
    assert found.terminal_npv_usd["hosting"] == pytest.approx(tail)
    assert found.npv.hosting_usd == pytest.approx(PHASED_NOI.sum() - 8e6 + tail)
    assert found.objective_usd == pytest.approx(found.npv.hosting_usd)
    assert found.cash_usd[-1] == pytest.approx(1e8 + PHASED_NOI.sum() - 8e6)
    outcome = found.contracts[0]
    assert (outcome.build_start_month, outcome.energize_month) == (month("2027-02"), month("2027-05"))
    assert (outcome.full_energize_month, outcome.end_month) == (month("2027-07"), month("2029-05"))
    assert outcome.owner_capex_usd == pytest.approx(8e6)
    assert outcome.first_year_rent_usd == pytest.approx(12e6)
    assert outcome.grid_mw == pytest.approx(15.0)
    assert outcome.npv_usd == pytest.approx(found.npv.hosting_usd)


def test_discounting_at_the_end_of_months_also_in_the_tail():
    case = portfolio(
        months=2, discount_per_year_frac=0.12, offers=[offer(term_months=3, sites=[place(build_months=1)])]
    )
    found = recalculate(case, market_of(case), signed(when="2027-01"))
    # Signed and built in month 0, a million a month in months 1, 2 and 3; the last two are the tail.
    factor = 1.12 ** (-np.array([1, 2, 3, 4]) / 12)
    assert found.npv.hosting_usd == pytest.approx(factor @ np.array([-10e6, 1e6, 1e6, 1e6]))
    assert found.terminal_npv_usd["hosting"] == pytest.approx(factor[2:] @ np.array([1e6, 1e6]))


def test_capex_after_the_horizon_counts_in_full():
    late = offer(phases=[{"share_frac": 0.5}, {"share_frac": 0.5, "offset_months": 4}], sites=[place(build_months=2)])
    case = portfolio(months=4, offers=[late], finance={"terminal": {"contract_tail_frac": 0.0}})
    found = recalculate(case, market_of(case), signed(when="2027-01"))
    # Phases energize in months 2 and 6; 5 M each, in months 0 and 1, and in months 4 and 5, after the horizon.
    assert column(found, "hosting_capex_usd") == pytest.approx([-2.5e6, -2.5e6, 0, 0])
    assert found.terminal_npv_usd["hosting"] == pytest.approx(-5e6)


def test_nothing_to_build_is_paid_at_energization():
    case = portfolio(offers=[offer(sites=[place(build_months=0, earliest_energize_month="2027-06")])])
    found = recalculate(case, market_of(case), signed())
    assert column(found, "hosting_capex_usd") == pytest.approx([0, 0, 0, 0, 0, -10e6, *[0] * 6])
    assert column(found, "hosting_noi_usd") == pytest.approx([0, 0, 0, 0, 0, *[1e6] * 7])


def test_prepayment_is_credited_only_while_the_term_lasts():
    short = offer(term_months=3, prepayment={"rent_months": 1, "credit_months": 5}, sites=[place(build_months=1)])
    case = portfolio(offers=[short])
    found = recalculate(case, market_of(case), signed(when="2027-01"))
    # Received 1 M; a fifth credited in each of months 1, 2 and 3, then the term is over.
    assert column(found, "hosting_prepayments_usd") == pytest.approx([1e6, -0.2e6, -0.2e6, -0.2e6, *[0] * 8])


TERMS = {
    "loan_to_cost_frac": 0.5,
    "interest_per_year_frac": 0.12,
    "origination_fee_frac": 0.01,
    "amortization_months": 10,
    "minimum_dscr": 2.0,
    "maximum_debt_usd": 4e6,
}
# Half of the capex is drawn; instalments of 0.4 M from month 7, the one after full energization.
DRAWS = PHASED_CAPEX / 2
BALANCE = np.array([0, 0.8e6, 1.6e6, 2.4e6 + 1.6e6 / 3, 2.4e6 + 3.2e6 / 3, 4e6, 4e6, 3.6e6, 3.2e6, 2.8e6, 2.4e6, 2e6])


def test_debt_draws_interest_and_instalments():
    case = portfolio(offers=[PHASED], finance={"project_debt": TERMS})
    found = recalculate(case, market_of(case), signed(debt_usd=4e6))
    interest = 0.01 * np.concatenate([[0], BALANCE[:-1]])
    principal = np.array([0] * 7 + [0.4e6] * 5)
    assert column(found, "debt_draws_usd") == pytest.approx(DRAWS)
    assert found.debt_usd == pytest.approx(BALANCE)
    assert column(found, "debt_service_usd") == pytest.approx(-(0.01 * DRAWS + interest + principal))
    # Discounted at its own interest; the two million still owed are deducted at the end of the horizon.
    factor = 1.01 ** -(np.arange(12) + 1.0)  # 12 % a year, paid monthly
    cash = DRAWS - 0.01 * DRAWS - interest - principal
    assert found.npv.debt_usd == pytest.approx(factor @ cash - 2e6 / 1.01**12)


def test_the_rest_of_the_debt_falls_due_when_the_term_ends():
    case = portfolio(
        offers=[offer(term_months=4, sites=[place(build_months=1)])],
        finance={"project_debt": {**TERMS, "minimum_dscr": 0.0}},
    )
    found = recalculate(case, market_of(case), signed(when="2027-01", debt_usd=4e6))
    # Drawn in month 0, energized in month 1, 0.4 M in months 2 and 3, the remaining 3.2 M in month 4.
    assert found.debt_usd == pytest.approx([4e6, 4e6, 3.6e6, 3.2e6, *[0] * 8])
    assert column(found, "debt_service_usd")[4] == pytest.approx(-3.2e6 * 1.01)


@pytest.mark.parametrize(("minimum_dscr", "missing_usd"), [(2.0, 0.0), (2.1, 24e3)])
def test_debt_service_coverage(minimum_dscr, missing_usd):
    # Most is due in month 7: 40,000 of interest and 400,000 of principal against 900,000 of income.
    case = portfolio(offers=[PHASED], finance={"project_debt": {**TERMS, "minimum_dscr": minimum_dscr}})
    _, report = audit(case, market_of(case), signed(debt_usd=4e6), Claims())
    coverage = next(check for check in report.checks if check.name == "income covers debt service")
    assert coverage.largest_deviation == pytest.approx(missing_usd)
    assert coverage.passed == (missing_usd == 0.0)
    assert coverage.where == ("O at A, 2027-08" if missing_usd else "")


def test_default_backstop_vacancy_recovery_and_renewals():
    case = portfolio(
        months=24,
        offers=[
            offer(
                critical_mw=1.0,
                term_months=12,
                credit={
                    "default_hazard_per_year_frac": 0.1,
                    "recovery_frac": 0.25,
                    "backstop_share_frac": 0.5,
                    "backstopper": "G",
                    "vacancy_months": 2,
                },
                renewal={"option_count": 2, "term_months": 4, "probability_frac": 0.5, "rent_frac": 0.8},
                sites=[place(build_months=0)],
            )
        ],
    )
    market = market_of(case, scenario_count=4, re_lease_rent=40.0, defaults={"T1": [NEVER, 5, 2, 20]})
    found = recalculate(case, market, signed(when="2027-05", critical_mw=1.0))
    # In thousands of USD, months 4 to 23: the term is months 4 to 15, the renewals 16 to 19 and 20 to 23.
    never = [100] * 12 + [40] * 4 + [20] * 4
    # Default in month 5: half is backed, 0.5 x 0.25 x 12 x 100 = 150 recovered at once, the other half let again at 40
    # from month 7. In renewals the backed half earns 80 instead of 100, the other half still 40.
    fifth = [100, 200, 50] + [70] * 9 + [30] * 4 + [15] * 4
    # Default before energization: nothing to recover, let again two months after it.
    second = [50, 50] + [70] * 10 + [30] * 4 + [15] * 4
    # Default in the second renewal: no recovery, vacant for two months.
    late = [100] * 12 + [40] * 4 + [10, 10, 15, 15]
    expected = np.mean([never, fifth, second, late], axis=0) * 1e3
    assert column(found, "hosting_noi_usd")[4:] == pytest.approx(expected)
    assert found.use.hosting_mw[0] == pytest.approx([0] * 4 + [1.5] * 20)


def test_a_backstop_that_fails_is_let_again_like_the_rest():
    credit = {
        "default_hazard_per_year_frac": 0.1,
        "recovery_frac": 0.25,
        "backstop_share_frac": 0.6,
        "backstopper": "G",
        "backstop_hazard_per_year_frac": 0.02,
        "vacancy_months": 2,
    }
    case = portfolio(offers=[offer(critical_mw=1.0, term_months=8, credit=credit, sites=[place(build_months=0)])])
    market = market_of(
        case, scenario_count=4, re_lease_rent=40.0, defaults={"T1": [2, 4, 4, NEVER], "G": [5, 1, NEVER, 0]}
    )
    found = recalculate(case, market, signed(when="2027-01", critical_mw=1.0))
    # In thousands of USD, months 0 to 7. The tenant fails in month 2: 0.4 x 0.25 x 12 x 100 = 120 recovered, 60 backed,
    # 16 from month 4 on; the backstopper in month 5: 0.6 x 0.25 x 12 x 100 = 180 recovered, 24 more from month 7 on.
    first_tenant = [100, 100, 60 + 120, 60, 60 + 16, 16 + 180, 16, 16 + 24]
    first_backstopper = [100, 100, 100, 100, 300, 0, 40, 40]
    backed = [100, 100, 100, 100, 60 + 120, 60, 76, 76]
    solvent = [100] * 8
    expected = np.mean([first_tenant, first_backstopper, backed, solvent], axis=0) * 1e3
    assert column(found, "hosting_noi_usd")[:8] == pytest.approx(expected)


def test_rent_is_what_was_on_offer_at_signing_and_the_market_s_in_renewals():
    case = portfolio(
        months=24,
        offers=[
            offer(
                critical_mw=1.0,
                term_months=4,
                escalator_per_year_frac=0.5,
                rent_index={"exposure_frac": 0.5, "growth_per_year_frac": 0.21},
                credit={"default_hazard_per_year_frac": 0.1, "recovery_frac": 0.5, "vacancy_months": 3},
                prepayment={"rent_months": 2, "credit_months": 2},
                renewal={"option_count": 1, "term_months": 14, "probability_frac": 0.5, "market_rent_share_frac": 0.9},
                sites=[place(build_months=0)],
                sign_until_month="2027-12",
            )
        ],
    )
    market = market_of(
        case, scenario_count=2, re_lease_rent=80.0, rent_multiplier=[0.5, 2.0], defaults={"T1": [NEVER, 7]}
    )
    found = recalculate(case, market, signed(when="2027-07", critical_mw=1.0))
    # In thousands of USD. Signed in month 6: 100 grown by 1.21 ** 0.5 = 1.1 and half of what the market strays: 82.5 and
    # 165. The renewal is at 0.9 of 40 and 160, and half more from its month 13 on.
    never = [82.5] * 4 + [18.0] * 12 + [27.0] * 2
    # Default in month 7: half a year of 165 recovered, vacant in months 7 to 9, then let at 160 until the end.
    fell = [165.0, 990.0, 0.0, 0.0] + [80.0] * 14
    assert column(found, "hosting_noi_usd")[6:] == pytest.approx(np.mean([never, fell], axis=0) * 1e3)
    # Two months of 123.75 on average at signing, credited in the first two months.
    assert column(found, "hosting_prepayments_usd")[6:9] == pytest.approx([123.75e3, -123.75e3, 0.0])


def test_opex_is_due_after_a_default_and_knows_no_renewal_rent():
    lean = offer(
        critical_mw=1.0,
        term_months=6,
        noi_margin_frac=0.8,
        credit={"default_hazard_per_year_frac": 0.1},
        renewal={"option_count": 1, "term_months": 6, "probability_frac": 0.5, "rent_frac": 0.9},
        sites=[place(build_months=0)],
    )
    case = portfolio(offers=[lean])
    solvent = recalculate(case, market_of(case), signed(when="2027-01", critical_mw=1.0))
    # 100 less 20; in the renewal half of 90 less 20.
    assert column(solvent, "hosting_noi_usd") == pytest.approx([80e3] * 6 + [35e3] * 6)
    failed = recalculate(case, market_of(case, defaults={"T1": [0]}), signed(when="2027-01", critical_mw=1.0))
    assert column(failed, "hosting_noi_usd") == pytest.approx([-20e3] * 6 + [-10e3] * 6)


def test_a_renewal_nobody_counts_on_keeps_no_power():
    case = portfolio(
        offers=[offer(term_months=3, renewal={"option_count": 1, "term_months": 6}, sites=[place(build_months=0)])]
    )
    found = recalculate(case, market_of(case), signed(when="2027-01"))
    assert found.use.hosting_mw[0] == pytest.approx([15] * 3 + [0] * 9)


def test_landlord_pays_energy():
    pue = [1.1] * 6 + [1.4] * 6
    prices = [20.0, 40.0] + [30.0] * 11, [1, 1, *range(2, 13)]
    case = portfolio(
        sites=[site(hosting_pue_by_month=pue)],
        offers=[offer(critical_mw=1.0, power_payer="landlord", sites=[place(build_months=0)])],
    )
    market = market_of(case, scenario_count=2, level=[1.0, 2.0], adder=5.0, prices={"A": prices})
    found = recalculate(case, market, signed(when="2027-01", critical_mw=1.0))
    # Mean price 30, level 1.5 on average: 50 USD/MWh with the adder. January has 744 hours, July too.
    noi = column(found, "hosting_noi_usd")
    assert noi[0] == pytest.approx(100e3 - 1.1 * 744 * 50)
    assert noi[6] == pytest.approx(100e3 - 1.4 * 744 * 50)


def test_market_paths_that_end_too_soon_are_refused():
    case = portfolio(offers=[offer()])
    with pytest.raises(InvalidInputError, match="O at A runs to month 28, the market paths to 20"):
        recalculate(case, market_of(case, extra_months=8), signed())


ENDING = offer(
    term_months=3,
    escalator_per_year_frac=0.1,
    noi_margin_frac=None,
    landlord_opex_usd_per_kw_month=10.0,
    power_payer="landlord",
    sites=[
        place(
            build_months=1,
            pue=1.5,
            halls_displaced_mw_per_critical_mw=0.5,
            reconversion={"usd_per_hall_mw": 1e5, "months": 2},
            re_lease={
                "vacancy_months": 1,
                "refit_usd_per_critical_mw": 2e4,
                "rent_share_frac": 0.5,
                "term_months": 11,
            },
        )
    ],
)
# Signed in month 1, live in months 2 to 4; the end is month 5.


def at_its_end(reconverted_mw=4.0, re_leased_mw=6.0):
    contract = signed().contracts[0].model_copy(update={"reconverted_mw": reconverted_mw, "re_leased_mw": re_leased_mw})
    return Decisions(contracts=(contract,))


def test_halls_converted_back_and_mw_let_again():
    case = portfolio(offers=[ENDING], finance={"terminal": {"contract_tail_frac": 0.5}})
    market = market_of(case, re_lease_rent=200.0)
    found = recalculate(case, market, at_its_end())
    # 6 MW let from month 6 on at 100 USD/kW-month less 10 of opex, 11 from month 14 on, and energy at 40 USD/MWh, pue 1.5.
    energy = 6.0 * 1.5 * 40.0 * market.hours_in_month
    let = 6e3 * np.where(np.arange(17) < 14, 90.0, 89.0) - energy[:17]
    assert column(found, "hosting_noi_usd")[5] == 0.0
    assert column(found, "hosting_noi_usd")[6:] == pytest.approx(let[6:12])
    assert column(found, "hosting_capex_usd")[[0, 1, 5]] == pytest.approx([0.0, -1e7, -1.2e5])
    assert found.use.hosting_mw[0] == pytest.approx([0, 0, 15, 15, 15, *[9] * 7])
    # Half a MW of halls for each: 5 from the start of building, 2 of them back in month 7, paid in month 5.
    assert found.use.displaced_hall_mw[0] == pytest.approx([0, *[5] * 6, *[3] * 5])
    assert column(found, "hall_capex_usd") == pytest.approx([0, 0, 0, 0, 0, -2e5, *[0] * 6])
    assert found.capex_usd[5] == pytest.approx(3.2e5)
    # Let for eleven months from month 6, of which months 12 to 16 are after the horizon.
    assert found.terminal_npv_usd["hosting"] == pytest.approx(0.5 * let[12:17].sum())
    assert found.contracts[0].npv_usd == pytest.approx(found.npv.hosting_usd)
    assert (found.contracts[0].reconverted_mw, found.contracts[0].re_leased_mw) == (4.0, 6.0)


@pytest.mark.parametrize(
    ("reconverted_mw", "re_leased_mw", "changes", "deviation"),
    [
        (4.0, 6.5, {}, 0.5),
        (-1.0, 6.0, {}, 1.0),
        (4.0, -2.0, {}, 2.0),
        (4.0, 6.0, {"re_lease": None}, 6.0),
        (4.0, 6.0, {"reconversion": None}, 4.0),
        (4.0, 6.0, {"reconversion": {"usd_per_hall_mw": 1e5, "months": 7}}, 4.0),
    ],
)
def test_what_the_terms_do_not_allow_at_the_end_fails_its_check(reconverted_mw, re_leased_mw, changes, deviation):
    stated = {**ENDING, "sites": [{**ENDING["sites"][0], **changes}]}
    case = portfolio(offers=[stated])
    _, report = audit(case, market_of(case), at_its_end(reconverted_mw, re_leased_mw), Claims())
    assert [item.name for item in report.failures] == [
        "what is let again or converted back is of the contract, on its terms"
    ]
    assert report.failures[0].largest_deviation == pytest.approx(deviation)


def test_nothing_follows_a_term_that_ends_after_the_horizon():
    case = portfolio(offers=[{**ENDING, "term_months": 10}])
    found, report = audit(case, market_of(case), at_its_end(), Claims())
    assert [item.largest_deviation for item in report.failures] == [6.0]
    assert column(found, "hall_capex_usd").sum() == 0.0


def test_nothing_is_let_again_after_the_lease_of_the_site():
    case = portfolio(offers=[ENDING], sites=[site(lease_end_month="2027-10")])
    found = recalculate(case, market_of(case, re_lease_rent=200.0), at_its_end(0.0, 10.0))
    assert found.use.hosting_mw[0] == pytest.approx([0, 0, *[15] * 7, 0, 0, 0])
    assert column(found, "hosting_noi_usd")[9:].sum() == 0.0
    assert found.terminal_npv_usd["hosting"] == 0.0


def test_halls_are_out_of_use_while_each_phase_is_built():
    stated = {**PHASED, "sites": [{**PHASED["sites"][0], "halls_down_mw_per_critical_mw": 0.25}]}
    case = portfolio(offers=[stated])
    found = recalculate(case, market_of(case), signed())
    # 6 MW x 0.25 in months 1 to 3, 4 MW x 0.25 in months 3 to 5, on top of those displaced for good.
    assert found.use.displaced_hall_mw[0] == pytest.approx([0, 4.5, 4.5, 7.5, 6, 6, 5, 5, 5, 5, 5, 5])
