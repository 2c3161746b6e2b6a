"""Halls: machines fit beside what contracts and GPU blocks have taken."""

from __future__ import annotations

import pytest
from support import asic, best, binding, close, fleet, hours, offer, opening, place, portfolio, reason, site, worth


def test_machines_fit_in_the_halls():
    case = portfolio(sites=[site(hall_mw=2.0, mining_pue=1.25)], asic_models=[asic()], fleets=[fleet()])
    assert close(worth(case), 400.0 * (0.4 - 0.25) * hours(0, 1, 2, 3))
    assert binding(case) == {"site_halls_within_limit"}


def test_halls_are_displaced_from_the_start_of_building_for_good():
    taking = offer(sites=[place(halls_displaced_mw_per_critical_mw=0.3, build_months=1)], sign_from_month="2027-02",
                   sign_until_month="2027-02", term_months=1, price_usd_per_kw_month=300.0)  # fmt: skip
    case = portfolio(5, sites=[site(hall_mw=5.0)], asic_models=[asic()], fleets=[fleet()], offers=[taking])
    answer = best(case)
    assert [row.mining_mw for row in answer.capacity] == pytest.approx([5.0, 2.0, 2.0, 2.0, 2.0])
    assert close(answer.termination.objective_usd, 2e6 + 40.0 * (5.0 * hours(0) + 2.0 * hours(1, 2, 3, 4)))


def test_a_lease_that_ends_takes_the_halls_with_it_and_not_the_contract_before():
    taking = offer(sites=[place(halls_displaced_mw_per_critical_mw=0.5)])
    case = portfolio(6, sites=[site(lease_end_month="2027-04")], offers=[taking])
    assert close(worth(case), 1e6)


def test_phases_take_halls_as_their_building_begins():
    phases = [{"share_frac": 0.5, "offset_months": 0}, {"share_frac": 0.5, "offset_months": 2}]
    taking = offer(phases=phases, term_months=4, sites=[place(halls_displaced_mw_per_critical_mw=0.4)])
    case = portfolio(5, sites=[site(hall_mw=5.0)], asic_models=[asic()], fleets=[fleet()], offers=[taking])
    assert [row.mining_mw for row in best(case).capacity] == pytest.approx([3.0, 3.0, 1.0, 1.0, 1.0])


def test_more_halls_cannot_be_taken_than_there_are():
    taking = offer(sites=[place(halls_displaced_mw_per_critical_mw=0.3)])
    mandatory = {"mandatory": [{"offer": "O1"}]}
    assert reason(portfolio(sites=[site(hall_mw=2.9)], offers=[taking], policy=mandatory)) == "infeasible"
    assert close(worth(portfolio(sites=[site(hall_mw=3.0)], offers=[taking], policy=mandatory)), 1e6)


def test_a_closed_site_has_no_halls():
    case = portfolio(sites=[site(opening=opening(1e9))], asic_models=[asic()], fleets=[fleet()])
    assert close(worth(case), 0.0)


def test_in_a_long_period_halls_are_displaced_from_its_first_month():
    taking = offer(sites=[place(halls_displaced_mw_per_critical_mw=0.3)], sign_from_month="2027-03",
                   sign_until_month="2027-03", price_usd_per_kw_month=300.0)  # fmt: skip
    case = portfolio(
        segments=[(3, 2)], sites=[site(hall_mw=5.0)], asic_models=[asic()], fleets=[fleet()], offers=[taking]
    )
    assert [row.mining_mw for row in best(case).capacity] == pytest.approx([2.0] * 6)
