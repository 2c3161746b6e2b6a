"""A site that is not open yet: its price, its lead, and that it opens once."""

from __future__ import annotations

from support import asic, best, binding, close, fleet, hours, offer, opening, place, portfolio, signed, site, worth


def case(capex_usd=3e5, lead_months=1, earliest_month="2027-01", offers=None, **changes):
    """A contract worth a million at a site that has to be opened first; it can be signed until March."""
    return portfolio(
        6,
        sites=[site("B", opening=opening(capex_usd, lead_months, earliest_month), **changes)],
        offers=offers or [offer(sites=[place("B")], sign_until_month="2027-03")],
    )


def test_an_opening_is_paid_when_it_is_decided_and_used_after_its_lead():
    answer = best(case())
    assert close(answer.termination.objective_usd, 2e6 - 1e6 - 3e5)
    opened = [(item.site, f"{item.month:%Y-%m}") for item in answer.decisions.site_openings]
    assert opened == [("B", "2027-01")] or opened == [("B", "2027-02")]
    assert signed(answer)["O1"][1] > opened[0][1]


def test_an_opening_that_costs_more_than_the_site_earns_is_left():
    answer = best(case(capex_usd=1.1e6))
    assert close(answer.termination.objective_usd, 0.0)
    assert answer.decisions.site_openings == ()


def test_a_contract_waits_for_the_lead():
    assert close(worth(case(lead_months=2)), 7e5)
    assert close(worth(case(lead_months=3)), 0.0)  # building in April is too late to sign in March


def test_the_earliest_month_of_the_decision_counts():
    assert close(worth(case(earliest_month="2027-02")), 7e5)
    assert close(worth(case(earliest_month="2027-03")), 0.0)


def test_a_site_opens_once_and_not_for_each_contract():
    two = [
        offer(name, sites=[place("B")], sign_from_month="2027-02", sign_until_month="2027-02") for name in ("O1", "O2")
    ]
    alone = case(capex_usd=0.0, offers=two, grid=[{"from_month": "2026-01", "grid_mw": 10.0}], hall_mw=0.0)
    # Opened in January only; were it opened twice in different months, there would be 20 MW.
    assert close(worth(alone), 1e6)
    # Two openings in time for both contracts need a month more.
    later = [{**item, "sign_from_month": "2027-03", "sign_until_month": "2027-03"} for item in two]
    assert binding(case(capex_usd=0.0, offers=later, grid=[{"from_month": "2026-01", "grid_mw": 10.0}])) >= {
        "site_opened_at_most_once",
        "site_power_within_limit",
    }


def test_fixed_costs_run_from_the_first_usable_month_to_the_end_of_the_lease():
    costly = case(capex_usd=0.0, fixed_opex_usd_per_month=1e5, lease_end_month="2027-06")
    # Decided in January or later, used from February at the earliest; the contract can be signed until March: rent in
    # April and May, and the costs of March to May.
    assert close(worth(costly), 1e6 - 3e5)


def test_power_and_halls_come_with_the_opening():
    mining = portfolio(
        4, sites=[site("B", opening=opening(5e4, 1))], asic_models=[asic()], fleets=[fleet(site_name="B")]
    )
    assert close(worth(mining), 200.0 * hours(1, 2, 3) - 5e4)


def test_a_site_opened_within_a_long_period_is_used_from_the_next():
    case = portfolio(
        segments=[(3, 2)],
        sites=[site("B", opening=opening(5e4, earliest_month="2027-02"))],
        asic_models=[asic()],
        fleets=[fleet(site_name="B")],
    )
    assert close(worth(case), 200.0 * hours(3, 4, 5) - 5e4)
    ready = offer(term_months=1, price_usd_per_kw_month=200.0, sign_from_month="2027-02", sign_until_month="2027-02",
                  sites=[place("B", build_months=0)])  # fmt: skip
    terms = {"sites": [site("B", opening=opening(5e4, earliest_month="2027-02"))], "offers": [ready]}
    assert close(worth(portfolio(segments=[(3, 2)], **terms)), 0.0)
    assert close(worth(portfolio(segments=[(1, 6)], **terms)), 1e6 - 5e4)
