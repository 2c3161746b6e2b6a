"""Corporate tax: what is income, what is written off, which losses offset it, and when it is paid."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from support import (
    LINES,
    asic,
    assembled,
    best,
    close,
    fleet,
    gpu_option,
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
from optimizer.audit.company import LINES as COLUMNS
from optimizer.audit.tax import INCOME, WRITTEN_OFF
from optimizer.curves.futures import Futures
from optimizer.errors import InvalidInputError
from optimizer.model.families.corporate_tax import CORPORATE_TAX
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem

YEAR = 1.1**-1
"""Discount factor of the line of the tax at the end of the first year."""
RATES = {f"{line}_per_year_frac": 0.0 for line in LINES} | {"corporate_per_year_frac": 0.1}


def case(months=24, finance=None, rate_frac=0.25, segments=None, **parts):
    """A contract of a million that earns two in February and March; only corporate cash is discounted."""
    changed = dict(finance or {})
    terms = {"rate_frac": rate_frac, "hosting_write_off_years": 1, **changed.pop("tax", {})}
    money = {"discount": RATES, "opening_cash_usd": 1e9, **changed, "tax": terms}
    return portfolio(months, segments=segments, finance=money, **{"offers": [offer()], **parts})


def taxes(answer):
    return [row.tax_usd for row in answer.tax]


def test_profit_is_taxed_at_the_end_of_the_year():
    answer = best(case())
    assert close(answer.termination.objective_usd, 1e6 - 0.25e6 * YEAR)
    assert [row.corporate_tax_usd for row in answer.cash_flow] == pytest.approx([0.0] * 11 + [-0.25e6] + [0.0] * 12)
    assert answer.npv.corporate_usd == pytest.approx(-0.25e6 * YEAR)


def test_capex_is_written_off_over_its_years_and_what_is_left_makes_losses():
    # Half a million in 2027, half in 2028, which is a loss of which nothing comes any more.
    answer = best(case(finance={"tax": {"hosting_write_off_years": 2}}))
    assert taxes(answer) == pytest.approx([0.25 * 1.5e6, 0.0])
    assert answer.tax[1].losses_left_usd == pytest.approx(0.5e6)


def test_a_bonus_is_written_off_at_once():
    answer = best(case(finance={"tax": {"hosting_write_off_years": 2, "bonus_share_frac": 0.4}}))
    assert [row.written_off_usd for row in answer.tax] == pytest.approx([0.4e6 + 0.3e6, 0.3e6])
    assert taxes(answer)[0] == pytest.approx(0.25 * 1.3e6)


def test_losses_offset_at_most_their_share_of_a_profit():
    money = {"tax": {"opening_losses_usd": 3e6}}
    late = offer("O2", sign_from_month="2028-01", sign_until_month="2028-01")
    answer = best(case(finance=money, offers=[offer(), late]))
    # A million in both years, 0.8 of it offset each time.
    assert [row.losses_used_usd for row in answer.tax] == pytest.approx([0.8e6, 0.8e6])
    assert [row.losses_left_usd for row in answer.tax] == pytest.approx([2.2e6, 1.4e6])
    assert taxes(answer) == pytest.approx([0.05e6, 0.05e6])


def test_losses_are_used_as_soon_as_there_is_profit():
    late = offer("O2", sign_from_month="2028-01", sign_until_month="2028-01")
    answer = best(case(finance={"tax": {"opening_losses_usd": 1e6}}, offers=[offer(), late]))
    assert [row.losses_used_usd for row in answer.tax] == pytest.approx([0.8e6, 0.2e6])


def test_a_loss_of_one_year_offsets_the_profit_of_the_next():
    late = offer("O2", sign_from_month="2028-01", sign_until_month="2028-01")
    dear = {"overhead_usd_per_month": 0.05e6, "overhead_growth_per_year_frac": 0.0}
    answer = best(case(finance=dear, offers=[late]))
    assert [row.income_usd for row in answer.tax] == pytest.approx([-0.6e6, 2e6 - 0.6e6])
    # Written off: 1 million from January 2028 on. A profit of 0.4, of which 0.32 is offset.
    assert [row.losses_used_usd for row in answer.tax] == pytest.approx([0.0, 0.32e6])
    assert taxes(answer) == pytest.approx([0.0, 0.25 * 0.08e6])


def test_a_contract_that_pays_before_tax_may_not_after_it():
    # A rent of 1.05 million in all for a capex of 1: 50,000 USD, but written off over 50 years.
    poor = offer(price_usd_per_kw_month=52.5)
    long = {"tax": {"hosting_write_off_years": 50}}
    assert close(worth(case(finance=long, offers=[poor])), 0.0)
    assert best(case(offers=[poor])).contracts != ()


def test_tax_that_cannot_be_paid_is_infeasible():
    # Mining earns 1.75 million in the year, 1.7 of them are built away in December, and tax is due on all of it.
    late = offer(sign_from_month="2027-12", sign_until_month="2027-12", sites=[place(capex_usd_per_critical_mw=1.7e5)])
    must = {"policy": {"mandatory": [{"offer": "O1"}]}, "asic_models": [asic()], "fleets": [fleet()], "offers": [late]}
    built = {"opening_cash_usd": 0.0, "tax": {"hosting_write_off_years": 50}}
    assert reason(case(14, finance=built, **must)) == "infeasible"
    assert reason(case(14, finance=built, rate_frac=0.0, **must)) == "optimal"


def test_interest_is_deducted_if_it_may_be():
    debt = {"loan_to_cost_frac": 0.7, "interest_per_year_frac": 0.12, "amortization_months": 2, "minimum_dscr": 0.0}
    paid = []
    for deductible in (True, False):
        money = {"opening_cash_usd": 0.4e6, "project_debt": debt, "tax": {"interest_deductible": deductible}}
        answer = best(case(finance=money, offers=[offer(term_months=3)]))
        debt_usd = answer.decisions.contracts[0].debt_usd
        # A fee of 1 % and interest on the balance of three months: all, half of it after the first instalment, none.
        paid.append(taxes(answer)[0])
        cost = 0.01 * debt_usd + 0.01 * debt_usd * (1.0 + 1.0 + 0.5)
    assert debt_usd > 0.5e6
    assert paid[1] == pytest.approx(0.25 * 2e6)
    assert paid[0] == pytest.approx(0.25 * (2e6 - cost))


def test_interest_is_deducted_in_the_year_in_which_it_is_paid():
    debt = {"loan_to_cost_frac": 0.7, "interest_per_year_frac": 0.12, "amortization_months": 15, "minimum_dscr": 0.0}
    money = {"opening_cash_usd": 0.4e6, "project_debt": debt}
    answer = best(case(finance=money, offers=[offer(term_months=16)]))
    owed = [0.0, *(row.debt_usd for row in answer.cash_flow)]
    # A rent of a million from February 2027 to May 2028; a fee of 1 % and interest of 1 % a month on what is owed.
    cost = [0.01 * sum(owed[:12]) + 0.01 * answer.cash_flow[0].debt_draws_usd, 0.01 * sum(owed[12:24])]
    assert owed[12] > 0.05e6
    assert [row.income_usd for row in answer.tax] == pytest.approx([11e6 - cost[0], 5e6 - cost[1]])


def test_machines_gpus_and_openings_are_written_off_as_their_kind():
    model = asic(price_usd_per_th=1.0, purchasable=True, delivery_lead_months=0)
    parts = {
        "offers": [offer(sites=[place("B")], sign_from_month="2027-02", sign_until_month="2027-02")],
        "sites": [site("A"), site("B", opening=opening(0.24e6), fixed_opex_usd_per_month=1e3)],
        "asic_models": [model],
        "gpu_options": [gpu_option(capex_usd_per_gpu=200.0, fit_out_usd_per_critical_mw=1e4)],
    }
    terms = {"machine_write_off_years": 2, "gpu_write_off_years": 4, "opening_write_off_years": 10}
    answer = best(case(12, finance={"tax": terms, "terminal": {"machine_resale_frac": 0.0}}, **parts))
    first = answer.cash_flow[0]
    machines = -first.machine_purchases_usd
    assert machines > 1e5
    opened = next(index for index, row in enumerate(answer.cash_flow) if row.opening_capex_usd)
    expected = machines / 2 + 0.21e6 / 4 + 0.24e6 * (12 - opened) / 120 + 1e6 * 11 / 12
    assert answer.tax[0].written_off_usd == pytest.approx(expected, rel=1e-6)


def test_a_period_across_the_turn_of_the_year_is_split():
    # Periods of a quarter from November 2027: January's margin is income of 2028.
    mine = {"asic_models": [asic()], "fleets": [fleet()], "offers": []}
    answer = best(case(segments=[(1, 10), (3, 4)], **mine))
    assert [row.income_usd for row in answer.tax] == pytest.approx(
        [200.0 * hours(*range(12)), 200.0 * hours(*range(12, 22))]
    )


def test_in_a_stress_the_tax_of_the_plan_is_paid():
    stress = {"name": "S", "defaults": [{"default_month": "2027-01"}]}
    for cash, signs in ((1.26e6, True), (1.24e6, False)):
        answer = best(case(finance={"opening_cash_usd": cash, "stresses": [stress]}))
        assert bool(answer.contracts) == signs
    assert best(case(finance={"opening_cash_usd": 1.26e6, "stresses": [stress]})).stresses[0].least_cash_usd == (
        pytest.approx(0.01e6)
    )


def test_without_tax_nothing_is_added():
    plain = portfolio(14, offers=[offer()], asic_models=[asic()], fleets=[fleet()])
    without = [family for family in FORMULATION if family is not CORPORATE_TAX]
    bare = assemble(PlanningProblem.of(plain, Futures.of(plain)), without).compile()
    program = assembled(plain)
    for field in dataclasses.fields(bare):
        assert np.array_equal(getattr(program.compile(), field.name), getattr(bare, field.name)), field.name
    assert best(plain).tax == ()


def test_the_audit_sees_tax_that_was_forgotten():
    answer = best(portfolio(24, offers=[offer()], finance={"discount": RATES}))
    taxed = case()
    found, report = audit(
        taxed, Futures.of(taxed), answer.decisions, Claims(objective_usd=answer.termination.objective_usd)
    )
    assert [check.name for check in report.failures] == ["claimed objective"]
    assert report.failures[0].largest_deviation == pytest.approx(0.25e6 * YEAR)
    assert found.npv.total_usd == pytest.approx(1e6 - 0.25e6 * YEAR)


def test_every_column_of_the_cash_flow_is_income_or_capex_or_debt_or_tax():
    debt = {"debt_draws_usd", "debt_service_usd"}
    known = {*INCOME, *itertools.chain(*WRITTEN_OFF.values()), *debt, "corporate_tax_usd", "gpu_capex_usd"} - {
        "gpu_spent_usd"
    }
    assert known == {name for names in COLUMNS.values() for name in names}


def test_without_discounting_nobody_knows_when_losses_are_used():
    with pytest.raises(InvalidInputError, match="corporate_per_year_frac above 0"):
        portfolio(4, finance={"tax": {"rate_frac": 0.2}})
