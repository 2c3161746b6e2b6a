"""Project debt: what a lender lends, what it costs, and the cap on all of it."""

from __future__ import annotations

import pytest
from support import best, binding, close, offer, place, portfolio, scalable, worth

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures

NEEDED = 0.6e6 / 0.99
"""Debt that leaves 0.6 million USD after a fee of 1 %."""


def case(offers=None, opening_cash_usd=0.4e6, months=5, **terms):
    """A contract of a million with 0.4 million in cash; interest-free debt unless stated."""
    debt = {
        "loan_to_cost_frac": 0.7,
        "interest_per_year_frac": 0.0,
        "amortization_months": 2,
        "minimum_dscr": 0.0,
        **terms,
    }
    return portfolio(
        months,
        offers=offers or [offer(term_months=3)],
        finance={"opening_cash_usd": opening_cash_usd, "project_debt": debt},
    )


def test_debt_fills_the_gap_and_costs_its_fee():
    answer = best(case())
    assert close(answer.termination.objective_usd, 3e6 - 1e6 - 0.01 * NEEDED)
    assert answer.decisions.contracts[0].debt_usd == pytest.approx(NEEDED)


def test_no_debt_is_drawn_where_cash_is_there():
    answer = best(case(opening_cash_usd=1e6))
    assert answer.decisions.contracts[0].debt_usd == pytest.approx(0.0, abs=1.0)
    assert close(answer.termination.objective_usd, 2e6)


def test_loan_to_cost_limits_it():
    assert close(worth(case(loan_to_cost_frac=0.6)), 0.0)


def test_nothing_is_lent_on_a_contract_that_is_not_signed():
    idle = offer("O2", term_months=3, price_usd_per_kw_month=0.0)
    short = case(offers=[offer(term_months=3), idle], loan_to_cost_frac=0.6)
    assert close(worth(short), 0.0)
    assert binding(short) == {"cash_carried_forward", "debt_within_limit"}


def test_the_tenants_share_cannot_be_borrowed_on():
    shared = offer(term_months=3, sites=[place(capex_usd_per_critical_mw=2e5, tenant_capex_share_frac=0.5)])
    assert close(worth(case(offers=[shared])), 2e6 - 0.01 * NEEDED)
    assert close(worth(case(offers=[shared], loan_to_cost_frac=0.6)), 0.0)


def test_income_must_cover_the_service():
    # Two instalments of half the debt against a million of income a month.
    assert close(worth(case(minimum_dscr=3.29)), 2e6 - 0.01 * NEEDED)
    assert close(worth(case(minimum_dscr=3.31)), 0.0)


def test_the_cap_limits_what_is_outstanding():
    assert close(worth(case(maximum_debt_usd=0.607e6)), 2e6 - 0.01 * NEEDED)
    assert close(worth(case(maximum_debt_usd=0.606e6)), 0.0)
    assert binding(case(maximum_debt_usd=0.606e6)) == {"cash_carried_forward", "debt_within_cap"}


def test_the_cap_is_on_all_contracts_together():
    two = [offer(name, term_months=3) for name in ("O1", "O2")]
    rich = case(offers=two, opening_cash_usd=0.8e6)
    assert close(worth(rich), 4e6 - 0.01 * 2 * NEEDED)
    assert close(worth(case(offers=two, opening_cash_usd=0.8e6, maximum_debt_usd=1.2e6)), 2e6 - 0.01 * 0.2e6 / 0.99)


def test_interest_is_paid_on_the_balance_and_the_balloon_falls_due():
    answer = best(case(interest_per_year_frac=0.12, amortization_months=10, origination_fee_frac=0.0))
    debt = answer.decisions.contracts[0].debt_usd
    assert debt == pytest.approx(0.6e6)
    service = [-row.debt_service_usd for row in answer.cash_flow]
    # Full in month 1; an instalment in month 2, the rest with the term's last month 3.
    assert service == pytest.approx([0.0, 0.01 * debt, 0.11 * debt, 0.01 * 0.9 * debt + 0.9 * debt, 0.0])
    assert [row.debt_usd for row in answer.cash_flow] == pytest.approx([debt, debt, 0.9 * debt, 0.0, 0.0], abs=1.0)


def test_what_is_owed_at_the_end_of_the_horizon_is_deducted():
    # The horizon ends after the first rent, with the whole debt outstanding and interest paid once: at its own rate
    # the loan is worth what it draws, and only the fee is lost.
    answer = best(case(months=2, interest_per_year_frac=0.12, origination_fee_frac=0.02))
    debt = answer.contracts[0].debt_usd
    assert debt > 0.5e6
    assert close(answer.npv.debt_usd, -0.02 * debt / 1.01)


def test_without_terms_nothing_is_lent():
    poor = portfolio(5, offers=[offer(term_months=3)], finance={"opening_cash_usd": 0.4e6})
    assert close(worth(poor), 0.0)


def test_a_smaller_contract_carries_less_debt():
    # 0.1 million an MW, of which 0.06 less the fee can be borrowed: 0.2 million in cash build not quite 5 MW.
    grown = scalable(least=1.0, term_months=3)
    answer = best(case(offers=[grown], opening_cash_usd=0.2e6, loan_to_cost_frac=0.6))
    assert answer.decisions.contracts[0].critical_mw == pytest.approx(0.2 / (0.1 - 0.06 * 0.99))


def grown(opening_cash_usd=0.4e6, **terms):
    """Two months of building, energized in March: what is drawn in January bears interest twice, in February once."""
    built = offer(term_months=6, sites=[place(build_months=2)])
    terms = {"interest_per_year_frac": 0.12, "amortization_months": 10, "origination_fee_frac": 0.0, **terms}
    terms = {"capitalise_interest": True, **terms}
    return case(offers=[built], opening_cash_usd=opening_cash_usd, months=10, **terms)


GROWTH = (1.01**2 + 1.01) / 2.0
"""Balance at the end of March per dollar that was drawn: half of it in January, half in February."""


def test_capitalised_interest_is_not_paid_but_added_until_all_is_live():
    answer = best(grown())
    drawn = answer.decisions.contracts[0].debt_usd
    assert drawn == pytest.approx(0.6e6)
    full = GROWTH * drawn
    balance = [row.debt_usd for row in answer.cash_flow]
    assert balance[:4] == pytest.approx([drawn / 2, drawn / 2 * 2.01, full, 0.9 * full])
    service = [-row.debt_service_usd for row in answer.cash_flow]
    assert service[:4] == pytest.approx([0.0, 0.0, 0.0, 0.1 * full + 0.01 * full])
    # The term ends with August: the balloon.
    assert service[7] == pytest.approx(0.6 * full * 1.01)
    assert balance[7:] == pytest.approx([0.0, 0.0, 0.0], abs=1.0)
    assert close(answer.npv.debt_usd, 0.0)


def test_interest_that_is_paid_in_building_needs_cash_that_is_not_there():
    # Interest of 1 % on 0.3 million in February: without it 0.4 million are enough for the rest of the capex.
    paid = {"loan_to_cost_frac": 0.6, "capitalise_interest": False}
    assert close(worth(grown(**paid)), 0.0)
    assert best(grown(loan_to_cost_frac=0.61)).contracts != ()


def test_loan_to_cost_counts_capitalised_interest_on_both_sides():
    # B g <= l (1 + B (g - 1)) at a capex of a million.
    most = {frac: frac * 1e6 / (GROWTH - frac * (GROWTH - 1.0)) for frac in (0.59, 0.61)}
    needed = 0.6e6
    assert most[0.59] < needed < most[0.61]
    assert close(worth(grown(loan_to_cost_frac=0.59)), 0.0)
    answer = best(grown(opening_cash_usd=1e6 - most[0.59] + 100.0, loan_to_cost_frac=0.59))
    assert answer.decisions.contracts[0].debt_usd == pytest.approx(most[0.59] - 100.0)
    assert best(grown(opening_cash_usd=1e6 - most[0.59] - 100.0, loan_to_cost_frac=0.59)).contracts == ()


def test_coverage_is_of_what_is_owed_with_capitalised_interest():
    # An income of a million a month; an instalment of half of what is owed and 1 % interest.
    service = 0.6e6 * GROWTH * 0.51
    assert best(grown(amortization_months=2, minimum_dscr=0.999 * 1e6 / service)).contracts != ()
    assert best(grown(amortization_months=2, minimum_dscr=1.001 * 1e6 / service)).contracts == ()


def test_the_cap_is_on_the_balance_with_its_interest():
    full = GROWTH * 0.6e6
    assert best(grown(maximum_debt_usd=full + 1e3)).contracts != ()
    assert best(grown(maximum_debt_usd=full - 1e3)).contracts == ()


def test_the_audit_sees_debt_above_loan_to_cost_with_its_interest():
    answer = best(grown(loan_to_cost_frac=0.7))
    strict = grown(loan_to_cost_frac=0.601)
    assert 0.6e6 < 0.601 * 1e6  # what is drawn alone would pass
    _, report = audit(strict, Futures.of(strict), answer.decisions, Claims())
    assert [check.name for check in report.failures] == ["project debt within its share of the capex"]
    owed = 0.6e6 * GROWTH
    assert report.failures[0].largest_deviation == pytest.approx(owed - 0.601 * (1e6 + owed - 0.6e6))
