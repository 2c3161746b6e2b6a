"""Grid steps brought forward: their price, their notice, their order, and what they let run."""

from __future__ import annotations

import pytest
from support import (
    asic,
    assembled,
    best,
    binding,
    close,
    fleet,
    hours,
    offer,
    opening,
    place,
    portfolio,
    reason,
    site,
    worth,
)

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures

MACHINES = {"asic_models": [asic()], "fleets": [fleet(2000)]}
"""10 MW of machines; 5 MW of them earn 200 USD an hour."""


def terms(maximum_months=2, usd_per_month=1e4, **changes):
    return {"maximum_months": maximum_months, "usd_per_month": usd_per_month, **changes}


def steps(*pairs):
    """Steps of (month, MW) or (month, MW, terms)."""
    grid = []
    for month, grid_mw, *advance in pairs:
        grid.append({"from_month": month, "grid_mw": grid_mw, **({"advance": advance[0]} if advance else {})})
    return grid


def case(advance=None, months=6, **parts):
    """5 MW at the start, 10 MW from April on."""
    grid = steps(("2026-01", 5.0), ("2027-04", 10.0, advance or terms()))
    return portfolio(months, **{"sites": [site(grid=grid)], **MACHINES, **parts})


def advanced(answer):
    return [(item.site, f"{item.step_month:%Y-%m}", item.advance_months) for item in answer.decisions.grid_advances]


def test_a_step_comes_forward_as_far_as_its_terms_allow_and_is_paid_when_it_is_decided():
    answer = best(case(terms(fixed_usd=5e3, notice_months=1)))
    without = 200.0 * (hours(*range(6)) + hours(3, 4, 5))
    assert close(answer.termination.objective_usd, without + 200.0 * hours(1, 2) - 2.5e4)
    assert advanced(answer) == [("A", "2027-04", 2)]
    assert [row.interconnect_capex_usd for row in answer.cash_flow] == pytest.approx([-2.5e4, 0, 0, 0, 0, 0])
    assert [row.grid_mw for row in answer.capacity] == pytest.approx([5, 10, 10, 10, 10, 10])
    assert close(answer.business_as_usual.npv_usd, without)


def test_a_step_comes_forward_once():
    many = case(terms(2, 0.0), fleets=[fleet(4000)])
    assert [row.grid_mw for row in best(many).capacity] == pytest.approx([5, 10, 10, 10, 10, 10])
    assert binding(many) == {"step_advanced_at_most_once", "site_power_within_limit"}


def test_an_advance_that_costs_more_than_it_gains_is_left():
    assert advanced(best(case(terms(usd_per_month=200.0 * hours(2) + 1)))) == []
    # February is shorter: worth a month, not two.
    assert advanced(best(case(terms(usd_per_month=200.0 * hours(2) - 1)))) == [("A", "2027-04", 1)]


def test_notice_is_given_inside_the_horizon_and_on_the_signing_grid():
    assert advanced(best(case(terms(notice_months=2)))) == [("A", "2027-04", 1)]
    assert advanced(best(case(terms(notice_months=3)))) == []
    # Every two months: decided in January for March, one month earlier; two months earlier would be decided in February.
    assert advanced(best(case(terms(3), sign_every_months=2))) == [("A", "2027-04", 3)]
    assert advanced(best(case(sign_every_months=2))) == [("A", "2027-04", 1)]


def test_a_contract_that_must_be_signed_needs_the_step_in_time():
    lease = offer(term_months=2, critical_mw=8.0, sites=[place(capex_usd_per_critical_mw=0.0)])
    must = {"offers": [lease], "policy": {"mandatory": [{"offer": "O1"}]}}
    assert advanced(best(case(terms(usd_per_month=1e8), **must))) == [("A", "2027-04", 2)]
    assert reason(case(terms(1), **must)) == "infeasible"


def test_a_step_does_not_overtake_the_one_before_it():
    free = terms(4, 0.0)
    grid = steps(("2026-01", 0.0), ("2027-03", 5.0, terms(1, 1e6)), ("2027-05", 10.0, free))
    answer = best(portfolio(6, sites=[site(grid=grid)], **MACHINES))
    # Without the first, which is too dear, the second comes with it in March.
    assert advanced(answer) == [("A", "2027-05", 2)]
    assert close(answer.termination.objective_usd, 400.0 * hours(2, 3, 4, 5))
    cheap = steps(("2026-01", 0.0), ("2027-03", 5.0, terms(1, 1e4)), ("2027-05", 10.0, free))
    both = best(portfolio(6, sites=[site(grid=cheap)], **MACHINES))
    assert advanced(both) == [("A", "2027-03", 1), ("A", "2027-05", 3)]
    assert close(both.termination.objective_usd, 400.0 * hours(1, 2, 3, 4, 5) - 1e4)
    assert "grid_steps_in_order" in binding(portfolio(6, sites=[site(grid=grid)], **MACHINES))


def test_a_step_after_one_that_takes_power_away_adds_what_it_adds():
    grid = steps(("2026-01", 10.0), ("2027-03", 2.5), ("2027-05", 5.0, terms(4, 0.0)))
    answer = best(portfolio(6, sites=[site(grid=grid)], **MACHINES))
    assert [row.grid_mw for row in answer.capacity] == pytest.approx([10, 10, 5, 5, 5, 5])
    assert close(answer.termination.objective_usd, 400.0 * hours(0, 1) + 200.0 * hours(2, 3, 4, 5))


def test_a_step_at_a_closed_site_adds_power_from_the_opening_on():
    grid = steps(("2026-01", 5.0), ("2027-05", 10.0, terms(4, 1e4)))
    late = portfolio(6, sites=[site(grid=grid, opening=opening(1e4, 2))], **MACHINES)
    assert close(worth(late), 400.0 * hours(2, 3, 4, 5) - 3e4)
    assert advanced(best(late)) == [("A", "2027-05", 2)]
    # Every three months: with notice of a month it can only be decided in January, for February.
    early = steps(("2026-01", 5.0), ("2027-05", 10.0, terms(4, 1e4, notice_months=1)))
    coarse = portfolio(6, sign_every_months=3, sites=[site(grid=early, opening=opening(1e4, 2))], **MACHINES)
    assert close(worth(coarse), 400.0 * hours(2, 3, 4, 5) - 4e4)
    never = site(grid=grid, opening=opening(1e12))
    assert advanced(best(portfolio(6, sites=[never], **MACHINES))) == []


def test_steps_after_the_horizon_come_into_it_and_those_after_the_lease_do_not():
    beyond = portfolio(6, sites=[site(grid=steps(("2026-01", 5.0), ("2027-08", 10.0, terms(3, 1e4))))], **MACHINES)
    assert close(worth(beyond), 200.0 * (hours(*range(6)) + hours(4, 5)) - 3e4)
    ended = site(grid=steps(("2026-01", 5.0), ("2027-05", 10.0, terms(3, 1e4))), lease_end_month="2027-03")
    keys = assembled(portfolio(6, sites=[ended])).variables["advance_step"].keys
    assert keys == (("A", "2027-05", 3),)


@pytest.mark.parametrize(("from_month", "gained"), [("2027-05", (3, 4, 5)), ("2027-08", (6, 7, 8))])
def test_in_a_long_period_a_step_counts_from_the_first_that_starts_with_it(from_month, gained):
    # April to June and July to September: a month or two earlier the step is there from the start of a quarter.
    grid = steps(("2026-01", 5.0), (from_month, 10.0, terms(1, 0.0)))
    quarters = portfolio(segments=[(3, 4)], sites=[site(grid=grid)], **MACHINES)
    stated = portfolio(segments=[(3, 4)], sites=[site(grid=steps(("2026-01", 5.0), (from_month, 10.0)))], **MACHINES)
    assert close(worth(quarters), worth(stated) + 200.0 * hours(*gained))


def test_in_a_long_period_in_which_the_limit_falls_the_least_gain_counts():
    grid = steps(("2026-01", 5.0), ("2027-05", 10.0, terms(1, 0.0)), ("2027-06", 5.0))
    fell = portfolio(segments=[(3, 2)], sites=[site(grid=grid)], **MACHINES)
    assert close(worth(fell), 200.0 * hours(*range(6)))


def test_a_limit_that_falls_with_the_period_does_not_fall_within_it():
    grid = steps(("2026-01", 10.0), ("2027-04", 2.5), ("2027-05", 7.5, terms(1, 0.0)))
    fell = portfolio(segments=[(3, 2)], sites=[site(grid=grid)], **MACHINES)
    assert close(worth(fell), 400.0 * hours(0, 1, 2) + 300.0 * hours(3, 4, 5))


def test_the_price_falls_under_the_budget_and_the_cash():
    budget = {"name": "b", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 1.5e4}
    assert advanced(best(case(finance={"capex_budgets": [budget]}))) == [("A", "2027-04", 1)]
    poor = {"opening_cash_usd": 0.0}
    assert advanced(best(case(terms(usd_per_month=1.5e5, notice_months=1), finance=poor))) == []


def test_shares_of_the_import_limits_are_of_the_limits_as_stated():
    held = case(policy={"country_limits": [{"country": "US", "maximum_share_frac": 1.0}]})
    assert advanced(best(held)) == []


def test_the_audit_catches_another_advance_than_the_one_planned():
    portfolio_of = case(terms(fixed_usd=5e3, notice_months=1))
    answer = best(portfolio_of)
    for months, failing in (
        (1, {"power within the import limit"}),
        (3, {"grid steps brought forward when they can be"}),
    ):
        step = answer.decisions.grid_advances[0].model_copy(update={"advance_months": months})
        tampered = answer.decisions.model_copy(update={"grid_advances": (step,)})
        claims = Claims(objective_usd=answer.termination.objective_usd)
        _, report = audit(portfolio_of, Futures.of(portfolio_of), tampered, claims)
        assert {item.name for item in report.failures} == {"claimed objective", *failing}


def test_a_portfolio_without_terms_has_no_columns_and_no_rows_for_them():
    program = assembled(portfolio(6, sites=[site(grid=steps(("2026-01", 5.0), ("2027-04", 10.0)))], **MACHINES))
    for name in ("step_advanced_at_most_once", "grid_steps_in_order"):
        assert program.rows[name].keys == ()
    assert program.variables["advance_step"].keys == ()
