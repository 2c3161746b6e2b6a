"""Data-centre buildings: their price and time, the space in them, and the contracts that need it."""

from __future__ import annotations

import pytest
from support import (
    assembled,
    best,
    binding,
    close,
    offer,
    opening,
    place,
    portfolio,
    reason,
    scalable,
    signed,
    site,
    worth,
)

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures


def building(name="H1", critical_mw=10.0, capex_usd=3e5, build_months=1, earliest_month="2027-01"):
    return {
        "name": name,
        "critical_mw": critical_mw,
        "capex_usd": capex_usd,
        "build_months": build_months,
        "earliest_month": earliest_month,
    }


def lease(name="O1", **changes):
    """Worth a million, live in February and March."""
    return offer(name, **{"sites": [place(needs_building=True)], **changes})


def case(*buildings, months=6, offers=None, site_terms=None, **parts):
    where = site(buildings=list(buildings or [building()]), **(site_terms or {}))
    return portfolio(months, **{"sites": [where], "offers": offers or [lease()], **parts})


def built(answer):
    return {item.building: f"{item.month:%Y-%m}" for item in answer.decisions.building_orders}


def test_a_contract_gets_its_building_and_the_building_is_paid_while_it_is_built():
    late = [lease(sign_from_month="2027-03", sign_until_month="2027-03")]
    answer = best(case(building(build_months=3), offers=late))
    assert close(answer.termination.objective_usd, 2e6 - 1e6 - 3e5)
    assert built(answer) == {"H1": "2027-01"}
    assert [row.building_capex_usd for row in answer.cash_flow] == pytest.approx([-1e5, -1e5, -1e5, 0, 0, 0])
    assert close(answer.npv.hosting_usd, 7e5)
    assert close(answer.business_as_usual.npv_usd, 0.0)
    assert binding(case()) == {"critical_mw_within_buildings"}


def test_a_building_that_costs_more_than_it_brings_is_left():
    answer = best(case(building(capex_usd=1.01e6)))
    assert signed(answer) == built(answer) == {}
    assert close(worth(case(building(capex_usd=0.99e6))), 1e4)


def test_a_contract_that_must_be_signed_needs_a_building_in_time():
    must = {"policy": {"mandatory": [{"offer": "O1"}]}}
    assert built(best(case(building(capex_usd=5e6), **must))) == {"H1": "2027-01"}
    assert reason(case(building(build_months=2), **must)) == "infeasible"
    assert reason(case(building(earliest_month="2027-02"), **must)) == "infeasible"
    assert reason(case(building(critical_mw=9.9), **must)) == "infeasible"


def test_space_is_shared_and_used_one_after_the_other():
    two = [lease("O1"), lease("O2")]
    assert close(worth(case(offers=two)), 7e5)
    later = [lease("O1"), lease("O2", sign_from_month="2027-03", sign_until_month="2027-03")]
    assert close(worth(case(offers=later)), 1.7e6)
    assert close(worth(case(building(), building("H2", capex_usd=4e5), offers=two)), 1.3e6)


def test_what_needs_no_building_takes_no_space():
    free = [lease("O1"), offer("O2")]
    assert signed(best(case(offers=free))) == {"O1": ("A", "2027-01"), "O2": ("A", "2027-01")}


def test_a_scaled_contract_takes_what_space_there_is():
    small = [scalable(least=2.0, most=10.0, sites=[place(needs_building=True)])]
    answer = best(case(building(critical_mw=6.0, capex_usd=1e5), offers=small))
    assert close(answer.termination.objective_usd, 0.6e6 - 1e5)


def test_a_building_is_built_once():
    cheap = building(critical_mw=10.0, capex_usd=1e5, build_months=0)
    later = [lease("O1"), lease("O2", sign_from_month="2027-02", sign_until_month="2027-02")]
    twice = case(cheap, offers=later)
    assert close(worth(twice), 9e5)
    assert binding(twice) == {"building_built_at_most_once", "critical_mw_within_buildings"}


def test_buildings_are_begun_on_the_signing_grid_and_finished_in_the_horizon_and_the_lease():
    keys = assembled(case(building(build_months=4), sign_every_months=2)).variables["build_building"].keys
    assert keys == (("A", "H1", "2027-01"),)
    assert assembled(case(building(build_months=6))).variables["build_building"].keys == ()
    ended = case(building(build_months=0), site_terms={"lease_end_month": "2027-03"})
    assert [key[2] for key in assembled(ended).variables["build_building"].keys] == ["2027-01", "2027-02"]


def test_a_building_waits_for_the_opening_of_its_site():
    late = [lease(sign_from_month="2027-01", sign_until_month="2027-03")]
    closed = case(building(), offers=late, site_terms={"opening": opening(1e5, 1)})
    answer = best(closed)
    assert close(answer.termination.objective_usd, 1e6 - 3e5 - 1e5)
    assert built(answer)["H1"] > "2027-01"
    free = case(building(build_months=3), offers=late, site_terms={"opening": opening(1e5, 1)})
    assert close(worth(free), 0.0)
    assert "building_at_open_site" in binding(free)


def test_renewals_and_what_is_let_again_keep_their_space():
    stays = lease("O1", renewal={"option_count": 1, "term_months": 2, "probability_frac": 0.5, "rent_frac": 1.0})
    second = lease("O2", sign_from_month="2027-03", sign_until_month="2027-03")
    # O1 is worth 2 of rent, 1 of rent that is half likely, less 1; O2 would have to wait.
    assert close(worth(case(offers=[stays, second])), 1e6 + 1e6 - 3e5)
    again = {"vacancy_months": 0, "refit_usd_per_critical_mw": 0.0, "term_months": 1}
    let = lease("O1", sites=[place(needs_building=True, re_lease=again)])
    market = {"re_lease_rent_usd_per_kw_month": 60.0}
    # Let again from April to June: 1.8 million for all 10 MW, more than O2.
    assert close(worth(case(offers=[let, second], market=market)), 1e6 + 1.8e6 - 3e5)
    both = case(building(), building("H2", capex_usd=1e5), offers=[let, second], market=market)
    assert close(worth(both), 1e6 + 1.8e6 + 1e6 - 4e5)


def test_in_a_long_period_a_building_counts_from_the_next_and_space_is_needed_once():
    again = {"vacancy_months": 0, "refit_usd_per_critical_mw": 0.0, "term_months": 1}
    let = lease(sites=[place(needs_building=True, build_months=2, re_lease=again)], sign_until_month="2027-06")
    market = {"re_lease_rent_usd_per_kw_month": 60.0}
    quarters = case(segments=[(3, 3)], offers=[let], market=market)
    # Finished in February or March, so used from April on: signed in February, live in April and May, let again from June.
    assert close(worth(quarters), 1e6 + 4 * 0.6e6 - 3e5)
    assert signed(best(quarters)) == {"O1": ("A", "2027-02")}


def test_the_price_falls_under_the_budget():
    budget = {"name": "b", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 1.2e6}
    assert built(best(case(finance={"capex_budgets": [budget]}))) == {}


def test_a_building_is_written_off_as_capex_of_sites():
    tax = {"rate_frac": 0.25, "opening_write_off_years": 1, "hosting_write_off_years": 1, "loss_income_share_frac": 1.0}
    rates = {f"{line}_per_year_frac": 1e-9 if line == "corporate" else 0.0 for line in ("hosting", "corporate")}
    answer = best(case(finance={"tax": tax, "discount": rates}))
    assert close(answer.termination.objective_usd, 7e5 - 0.25 * (2e6 - 0.5 * 1.3e6))


def test_the_audit_catches_a_building_that_is_late_or_missing():
    stated = case(building(build_months=1))
    answer = best(stated)
    order = answer.decisions.building_orders[0]
    space = "contracts that need a building within the space of the finished ones"
    late = order.model_copy(update={"month": stated.horizon.months[1]})
    for orders, failing in (((), {space, "claimed objective"}), ((late,), {space})):
        tampered = answer.decisions.model_copy(update={"building_orders": orders})
        claims = Claims(objective_usd=answer.termination.objective_usd)
        _, report = audit(stated, Futures.of(stated), tampered, claims)
        assert {item.name for item in report.failures} == failing


def test_a_portfolio_without_buildings_has_no_columns_and_no_rows_for_them():
    program = assembled(portfolio(6, sites=[site(opening=opening(0.0))], offers=[offer()]))
    assert program.variables["build_building"].keys == ()
    for name in ("building_built_at_most_once", "building_at_open_site", "critical_mw_within_buildings"):
        assert program.rows[name].keys == ()
