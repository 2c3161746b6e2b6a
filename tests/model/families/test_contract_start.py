"""Contracts: when they can be signed, once, for how many MW, and what a signature is worth."""

from __future__ import annotations

import pytest
from support import (
    asic,
    best,
    binding,
    close,
    fleet,
    hours,
    offer,
    opening,
    place,
    portfolio,
    problem_of,
    scalable,
    signed,
    site,
    worth,
)


def sign_months(months=12, sign_every_months=1, sites=None, **terms):
    """Months in which an offer can be signed, as the model sees them."""
    terms = {"sign_until_month": "2027-12", **terms}
    starts = problem_of(
        portfolio(months, sign_every_months=sign_every_months, sites=sites or [site()], offers=[offer(**terms)])
    ).starts
    return starts.sign_month.tolist()


def test_an_offer_is_signed_once_at_one_site():
    case = portfolio(
        6, sites=[site("A"), site("B")], offers=[offer(sign_until_month="2027-03", sites=[place("A"), place("B")])]
    )
    answer = best(case)
    assert close(answer.termination.objective_usd, 1e6)
    assert len(answer.decisions.contracts) == 1
    assert binding(case) == {"offer_signed_at_most_once"}


def test_a_contract_that_loses_money_is_not_signed():
    assert best(portfolio(offers=[offer(price_usd_per_kw_month=49.0)])).decisions.contracts == ()
    assert close(worth(portfolio(offers=[offer(price_usd_per_kw_month=51.0)])), 2 * 510e3 - 1e6)


def test_the_better_site_is_chosen():
    cheap = place("B", capex_usd_per_critical_mw=5e4)
    answer = best(portfolio(sites=[site("A"), site("B")], offers=[offer(sites=[place("A"), cheap])]))
    assert signed(answer) == {"O1": ("B", "2027-01")}
    assert close(answer.termination.objective_usd, 1.5e6)


def test_money_is_discounted_by_month_and_the_tail_counts_in_part():
    case = portfolio(
        2,
        discount_per_year_frac=0.1,
        finance={"terminal": {"contract_tail_frac": 0.5}},
        offers=[offer(term_months=3, escalator_per_year_frac=0.5)],
    )

    def worth_of(month):
        return 1.1 ** (-(month + 1) / 12)

    # Built in month 0, rent in months 1 to 3, of which 2 and 3 lie after the horizon; the first anniversary never comes.
    expected = 1e6 * (-worth_of(0) + worth_of(1) + 0.5 * (worth_of(2) + worth_of(3)))
    assert close(worth(case), expected)


def test_capex_after_the_horizon_counts_in_full():
    # The second phase is built in month 2, after a horizon of two months, and earns only in month 3.
    phases = [{"share_frac": 0.5, "offset_months": 0}, {"share_frac": 0.5, "offset_months": 2}]
    case = portfolio(2, finance={"terminal": {"contract_tail_frac": 0.5}}, offers=[offer(term_months=3, phases=phases)])
    assert close(worth(case), -0.5e6 - 0.5e6 + 0.5e6 + 0.5 * (0.5e6 + 1e6))


def test_rent_escalates_on_each_anniversary_and_opex_with_it():
    terms = offer(
        term_months=25,
        escalator_per_year_frac=0.1,
        noi_margin_frac=None,
        landlord_opex_usd_per_kw_month=20.0,
    )
    net = 0.8e6 * (12 * 1.0 + 12 * 1.1 + 1.21)
    assert close(worth(portfolio(30, offers=[terms])), net - 1e6)


def test_a_prepayment_comes_at_signing_and_is_credited_from_full_energization():
    terms = offer(prepayment={"rent_months": 1, "credit_months": 2})
    case = portfolio(4, offers=[terms], finance={"opening_cash_usd": 0.0})
    cash = [round(row.cash_usd) for row in best(case).cash_flow]
    assert cash == [0, 500_000, 1_000_000, 1_000_000]


def test_a_prepayment_longer_than_the_term_is_credited_in_part():
    terms = offer(prepayment={"rent_months": 1, "credit_months": 4})
    assert close(worth(portfolio(4, offers=[terms])), 1e6 + 0.5e6)


def test_a_renewal_counts_with_its_probability_and_its_rent():
    terms = offer(renewal={"option_count": 2, "term_months": 1, "probability_frac": 0.5, "rent_frac": 0.8})
    assert close(worth(portfolio(6, offers=[terms])), 1e6 + 0.8e6 * (0.5 + 0.25))


def test_a_renewal_that_would_outlast_the_lease_is_not_counted_on():
    terms = offer(renewal={"option_count": 2, "term_months": 1, "probability_frac": 0.5})
    leased = portfolio(6, sites=[site(lease_end_month="2027-05")], offers=[terms])
    assert close(worth(leased), 1e6 + 0.5e6)
    assert [row.hosting_mw for row in best(leased).capacity] == [0, 10, 10, 10, 0, 0]
    longer = {**terms, "renewal": {**terms["renewal"], "term_months": 2}}
    assert close(worth(portfolio(6, sites=[site(lease_end_month="2027-05")], offers=[longer])), 1e6)


def test_a_renewal_keeps_its_power_whether_it_is_used_or_not():
    terms = offer(renewal={"option_count": 1, "term_months": 1, "probability_frac": 0.5})
    rows = best(portfolio(6, offers=[terms])).capacity
    assert [row.hosting_mw for row in rows] == [0, 10, 10, 10, 0, 0]


def test_energy_is_the_landlords_where_he_pays():
    from support import hours

    terms = offer(power_payer="landlord", sites=[place(pue=1.2)])
    assert close(worth(portfolio(4, offers=[terms])), 1e6 - 10.0 * 1.2 * 40.0 * hours(1, 2))


def test_scalable_megawatts_take_what_there_is():
    case = portfolio(sites=[site(grid_mw=6.0)], offers=[scalable()])
    answer = best(case)
    assert answer.decisions.contracts[0].critical_mw == pytest.approx(6.0)
    assert close(answer.termination.objective_usd, 0.6e6)
    assert binding(case) == {"site_power_within_limit"}


def test_scalable_megawatts_are_none_or_at_least_the_least():
    case = portfolio(sites=[site(grid_mw=6.0)], offers=[scalable(least=7.0)])
    assert best(case).decisions.contracts == ()
    # Without the rows MW could be had without a signature.
    assert binding(case) >= {"critical_mw_within_offer"}


def test_scalable_megawatts_end_at_the_most():
    assert close(worth(portfolio(offers=[scalable()])), 1e6)


def test_what_is_obliged_is_signed_at_its_least():
    loss = scalable(price_usd_per_kw_month=0.0)
    answer = best(portfolio(offers=[loss], policy={"mandatory": [{"offer": "O1"}]}))
    assert answer.decisions.contracts[0].critical_mw == pytest.approx(2.0)
    assert close(answer.termination.objective_usd, -0.2e6)


def test_a_contract_is_built_at_an_open_site_only():
    closed = site("B", opening=opening(0.0, 1))
    too_early = portfolio(sites=[closed], offers=[offer(sites=[place("B")])])
    assert close(worth(too_early), 0.0)
    # The site is open by the time there is power to reserve; only the building comes too early.
    assert binding(too_early) == {"contract_at_open_site"}


@pytest.mark.parametrize(
    ("expected", "terms"),
    [
        ([0, 1, 2, 3, 4, 5], {"months": 7}),
        ([0, 3, 6, 9], {"sign_every_months": 3}),
        ([2, 3, 4], {"sign_from_month": "2027-03", "sign_until_month": "2027-05"}),
        ([0, 1, 2], {"sign_from_month": "2026-06", "sign_until_month": "2027-03"}),
        ([0, 1, 2], {"energize_by_month": "2027-04"}),
        ([0, 1, 2, 3, 4, 5], {"sites": [site(lease_end_month="2027-09")]}),
    ],
    ids=["horizon", "grid", "window", "window already open", "energize by", "lease"],
)
def test_the_months_in_which_a_contract_can_be_signed(expected, terms):
    assert sign_months(**terms) == expected


def test_a_late_interconnect_delays_the_building_and_not_the_signature():
    late = place(earliest_energize_month="2027-06", build_months=2)
    starts = problem_of(portfolio(12, offers=[offer(sites=[late], sign_until_month="2027-06")])).starts
    assert starts.sign_month.tolist() == [0, 1, 2, 3, 4, 5]
    assert starts.energize_month.tolist() == [5, 5, 5, 5, 6, 7]
    assert starts.build_month.tolist() == [3, 3, 3, 3, 4, 5]


def down(months=6, hall_mw=5.0, **changes):
    """10 MW built in two months for a million, 0.3 MW of halls out of use for each while they are."""
    where = place(build_months=2, halls_down_mw_per_critical_mw=0.3, **changes)
    return portfolio(
        months,
        sites=[site(hall_mw=hall_mw)],
        offers=[offer(sites=[where])],
        asic_models=[asic()],
        fleets=[fleet()],
    )


def test_halls_are_out_of_use_while_a_contract_is_built_and_come_back():
    answer = best(down())
    assert [row.mining_mw for row in answer.capacity] == pytest.approx([2, 2, 5, 5, 5, 5])
    assert close(answer.termination.objective_usd, 1e6 + 200.0 * hours(*range(6)) - 120.0 * hours(0, 1))
    both = best(down(halls_displaced_mw_per_critical_mw=0.1))
    assert [row.mining_mw for row in both.capacity] == pytest.approx([1, 1, 4, 4, 4, 4])


def test_halls_that_are_out_of_use_must_be_there():
    assert best(down(hall_mw=2.9)).decisions.contracts == ()
    assert len(best(down(hall_mw=3.0)).decisions.contracts) == 1
    assert "site_halls_within_limit" in binding(down(hall_mw=2.9))


def test_each_phase_keeps_its_own_halls_out_of_use():
    phases = [{"share_frac": 0.4, "offset_months": 0}, {"share_frac": 0.6, "offset_months": 1}]
    case = down()
    lease = {**case.offers[0].model_dump(exclude_unset=True), "phases": phases, "term_months": 3}
    phased = portfolio(6, sites=[site(hall_mw=5.0)], offers=[lease], asic_models=[asic()], fleets=[fleet()])
    assert [row.mining_mw for row in best(phased).capacity] == pytest.approx([3.8, 2.0, 3.2, 5, 5, 5])
    # In quarters the most of a quarter counts: all three MW in the first.
    coarse = portfolio(
        segments=[(3, 2)], sites=[site(hall_mw=5.0)], offers=[lease], asic_models=[asic()], fleets=[fleet()]
    )
    assert [row.mining_mw for row in best(coarse).capacity] == pytest.approx([2.0] * 3 + [5.0] * 3)
