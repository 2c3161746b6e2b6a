"""Mining halls added: their price, their lead, how many, and what they let run."""

from __future__ import annotations

import pytest
from support import asic, assembled, best, binding, close, fleet, hours, offer, opening, place, portfolio, site, worth

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures

MACHINES = {"asic_models": [asic()], "fleets": [fleet(2000)]}
"""10 MW of machines; a MW earns 40 USD an hour."""


def terms(maximum_mw=3.0, capex_usd_per_mw=5e4, lead_months=0, earliest_month="2027-01"):
    return {
        "maximum_mw": maximum_mw,
        "capex_usd_per_mw": capex_usd_per_mw,
        "lead_months": lead_months,
        "earliest_month": earliest_month,
    }


def case(expansion=None, months=4, changes=None, **parts):
    """Halls for 5 MW of the 10, and what else there may be."""
    where = site(**{"hall_mw": 5.0, "hall_expansion": expansion or terms(), **(changes or {})})
    return portfolio(months, **{"sites": [where], **MACHINES, **parts})


def ordered(answer):
    return {f"{item.month:%Y-%m}": item.hall_mw for item in answer.decisions.hall_orders}


def test_halls_are_added_as_far_as_they_may_and_paid_when_ordered():
    answer = best(case(terms(lead_months=1)))
    expected = 40.0 * (5.0 * hours(0) + 8.0 * hours(1, 2, 3)) - 3.0 * 5e4
    assert close(answer.termination.objective_usd, expected)
    assert ordered(answer) == {"2027-01": pytest.approx(3.0)}
    assert [row.hall_capex_usd for row in answer.cash_flow] == pytest.approx([-1.5e5, 0, 0, 0])
    assert [row.mining_mw for row in answer.capacity] == pytest.approx([5, 8, 8, 8])
    assert close(answer.npv.mining_usd, expected)
    assert close(answer.business_as_usual.npv_usd, 40.0 * 5.0 * hours(0, 1, 2, 3))
    assert binding(case(terms(lead_months=1))) == {"halls_within_expansion", "site_halls_within_limit"}


def test_no_more_is_added_than_there_are_machines():
    answer = best(case(terms(20.0, capex_usd_per_mw=1.0)))
    assert sum(ordered(answer).values()) == pytest.approx(5.0)


def test_halls_that_never_pay_back_are_not_added():
    assert ordered(best(case(terms(capex_usd_per_mw=40.0 * hours(0, 1, 2, 3) + 1.0)))) == {}
    assert close(worth(case(terms(capex_usd_per_mw=40.0 * hours(0, 1, 2, 3) - 10.0))), 200.0 * hours(0, 1, 2, 3) + 30.0)


def test_the_earliest_month_the_lead_and_the_signing_grid_count():
    late = terms(earliest_month="2027-02", lead_months=1)
    assert ordered(best(case(late))) == {"2027-02": pytest.approx(3.0)}
    assert ordered(best(case(late, sign_every_months=2))) == {}  # in March for April, which does not pay
    cheap = terms(capex_usd_per_mw=1e4, earliest_month="2027-02", lead_months=1)
    assert ordered(best(case(cheap, sign_every_months=2))) == {"2027-03": pytest.approx(3.0)}
    assert assembled(case(terms(lead_months=4))).variables["added_hall_mw"].keys == ()


def test_halls_cannot_be_added_where_the_site_is_closed():
    closed = {"opening": opening(1e4, 1), "hall_mw": 0.0}
    answer = best(case(terms(5.0), changes=closed))
    # Opened in January, used and halls ordered in February.
    assert close(answer.termination.objective_usd, 40.0 * 5.0 * hours(1, 2, 3) - 5 * 5e4 - 1e4)
    assert ordered(answer) == {"2027-02": pytest.approx(5.0)}
    late = case(terms(5.0, lead_months=1), changes=closed)
    assert close(worth(late), 40.0 * 5.0 * hours(2, 3) - 5 * 5e4 - 1e4)
    assert "halls_ordered_at_open_site" in binding(late)
    assert ordered(best(case(changes={**closed, "opening": opening(1e12)}))) == {}


def test_halls_are_ready_before_the_lease_ends():
    ended = case(terms(capex_usd_per_mw=1e4, lead_months=1), changes={"lease_end_month": "2027-03"})
    assert [key[1] for key in assembled(ended).variables["added_hall_mw"].keys] == ["2027-01"]
    assert close(worth(ended), 40.0 * (5.0 * hours(0) + 8.0 * hours(1)) - 3e4)


def test_in_a_long_period_halls_count_from_the_next_that_starts_with_them():
    late = terms(capex_usd_per_mw=0.0, earliest_month="2027-02")
    quarters = case(late, segments=[(3, 2)])
    assert close(worth(quarters), 40.0 * (5.0 * hours(0, 1, 2) + 8.0 * hours(3, 4, 5)))


def test_machines_can_be_bought_for_a_site_that_gets_its_first_halls():
    model = asic(price_usd_per_th=1.0, purchasable=True, delivery_lead_months=0, resale_frac=0.0)
    empty = {"hall_mw": 0.0, "hall_expansion": terms(5.0, 1e4)}
    answer = best(portfolio(4, sites=[site(**empty)], asic_models=[model]))
    # A thousand machines of 200 TH/s cost 200,000 USD, their halls 50,000 USD, and earn 200 USD an hour.
    assert close(answer.termination.objective_usd, 200.0 * hours(0, 1, 2, 3) - 2.5e5)


def test_halls_that_a_contract_displaces_can_be_replaced():
    lease = offer(sites=[place(build_months=0, halls_displaced_mw_per_critical_mw=0.3)])
    cheap = terms(capex_usd_per_mw=1e4)
    answer = best(case(cheap, offers=[lease]))
    assert close(answer.termination.objective_usd, 2e6 - 1e6 - 3e4 + 200.0 * hours(0, 1, 2, 3))


def test_budgets_and_cash_hold_halls_back():
    budget = {"name": "b", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 1e5}
    assert sum(ordered(best(case(finance={"capex_budgets": [budget]}))).values()) == pytest.approx(2.0)
    poor = {"opening_cash_usd": 0.0}
    answer = best(case(terms(capex_usd_per_mw=1.5e5), months=12, finance=poor))
    # The first month pays for less than a MW.
    assert ordered(answer)["2027-01"] * 1.5e5 == pytest.approx(40.0 * hours(0) * (5.0 + ordered(answer)["2027-01"]))


def test_halls_are_written_off_as_capex_of_sites():
    tax = {"rate_frac": 0.25, "opening_write_off_years": 1, "loss_income_share_frac": 1.0}
    rates = {f"{line}_per_year_frac": 1e-9 if line == "corporate" else 0.0 for line in ("mining", "corporate")}
    taxed = case(terms(capex_usd_per_mw=2e4), finance={"tax": tax, "discount": rates})
    answer = best(taxed)
    # A third of the price is written off in the four months of the year that are in the horizon.
    earned = 40.0 * 8.0 * hours(0, 1, 2, 3)
    assert close(answer.termination.objective_usd, earned - 6e4 - 0.25 * (earned - 6e4 / 3.0))


def test_the_audit_catches_halls_that_were_not_ordered():
    stated = case()
    answer = best(stated)
    for less, failing in (
        (2.0, {"machines and displaced halls within the halls", "claimed objective"}),
        (3.5, {"halls added within their MW", "claimed objective"}),
    ):
        order = answer.decisions.hall_orders[0].model_copy(update={"hall_mw": less})
        tampered = answer.decisions.model_copy(update={"hall_orders": (order,)})
        claims = Claims(objective_usd=answer.termination.objective_usd)
        _, report = audit(stated, Futures.of(stated), tampered, claims)
        assert {item.name for item in report.failures} == failing


def test_a_portfolio_without_terms_has_no_columns_and_no_rows_for_them():
    program = assembled(portfolio(4, sites=[site(opening=opening(0.0))], **MACHINES))
    assert program.variables["added_hall_mw"].keys == ()
    assert program.rows["halls_within_expansion"].keys == ()
    assert program.rows["halls_ordered_at_open_site"].keys == ()
