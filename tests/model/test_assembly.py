"""Putting families together: order, declared components, the ledger, and rows without terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import asic, assembled, best, fleet, gpu_option, offer, opening, portfolio, problem_of, scalable, site

from optimizer.errors import ModelAssemblyError
from optimizer.model.calendar import Calendar
from optimizer.model.families.capex_budget import CAPEX_BUDGET
from optimizer.model.families.contract_start import CONTRACT_START
from optimizer.model.families.power_balance import POWER_BALANCE
from optimizer.model.families.project_debt import PROJECT_DEBT
from optimizer.model.families.site_opening import SITE_OPENING
from optimizer.model.family import ACCOUNTS, ConstraintFamily, assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.program import Program, Triplets


def everything():
    return portfolio(
        6,
        sites=[site("A"), site("B", opening=opening(1.0))],
        asic_models=[asic(purchasable=True, move_downtime_months=1)],
        fleets=[fleet()],
        offers=[offer("O1"), scalable("O2")],
        gpu_options=[gpu_option()],
        finance={
            "capex_budgets": [
                {"name": "b", "from_month": "2027-01", "until_month": "2027-02", "maximum_capex_usd": 1e9}
            ],
            "project_debt": {"loan_to_cost_frac": 0.5, "interest_per_year_frac": 0.1, "amortization_months": 12},
        },
    )


def test_the_formulation_assembles_for_a_portfolio_of_everything_and_of_nothing():
    for case in (everything(), portfolio(1)):
        program = assembled(case)
        assert program.components == {name for family in FORMULATION for name in family.adds}
        assert set(program.ledger) == set(ACCOUNTS)
        objective = {"npv_musd", "enterprise_musd", "risk_musd", "hurdle_musd"}
        assert all(account.closed for name, account in program.ledger.items() if name not in objective)


def test_a_family_without_what_it_needs_is_refused():
    with pytest.raises(ModelAssemblyError, match=r"family 'contract_start' needs open_site.*check FORMULATION"):
        assemble(problem_of(everything()), (CONTRACT_START,))
    with pytest.raises(ModelAssemblyError, match="family 'project_debt' needs sign, critical_mw"):
        assemble(problem_of(everything()), (SITE_OPENING, PROJECT_DEBT, CONTRACT_START))


def test_every_family_needs_something_that_stands_above_it():
    for position, family in enumerate(FORMULATION):
        above = {name for other in FORMULATION[:position] for name in other.adds}
        assert set(family.needs) <= above, family.name


def test_a_family_that_adds_more_than_it_declares_is_refused():
    greedy = replace(SITE_OPENING, adds=("open_site",))
    with pytest.raises(ModelAssemblyError, match=r"declares \['open_site'\] but added .*site_opened_at_most_once"):
        assemble(problem_of(everything()), (greedy,))


def test_a_family_that_adds_less_than_it_declares_is_refused():
    lazy = ConstraintFamily("lazy", (), ("promise",), lambda program, problem: None)
    with pytest.raises(ModelAssemblyError, match=r"declares \['promise'\] but added \[\]"):
        assemble(problem_of(everything()), (lazy,))


def test_posting_to_a_closed_account_is_refused():
    def post(program, problem):
        program.post("capex_musd", 0, program.variables["sign"].columns[:1], 1.0)

    late = ConstraintFamily("late", ("sign",), (), post)
    with pytest.raises(ModelAssemblyError, match="account 'capex_musd' is closed"):
        assemble(problem_of(everything()), (*FORMULATION, late))
    position = FORMULATION.index(CAPEX_BUDGET)
    assemble(problem_of(everything()), (*FORMULATION[:position], late, *FORMULATION[position:]))


def test_a_decision_below_the_limit_it_falls_under_is_refused():
    # The power account is closed before contracts post to it.
    first = replace(POWER_BALANCE, needs=())
    rest = tuple(family for family in FORMULATION if family is not POWER_BALANCE)
    with pytest.raises(ModelAssemblyError, match="is closed"):
        assemble(problem_of(everything()), (first, *rest))


def test_a_family_stated_twice_is_refused():
    with pytest.raises(ModelAssemblyError, match="declared twice"):
        assemble(problem_of(everything()), (SITE_OPENING, SITE_OPENING))
    with pytest.raises(ModelAssemblyError, match="stated twice"):
        assemble(problem_of(everything()), (*FORMULATION, CAPEX_BUDGET))


def program_of_two():
    program = Program("two")
    program.add_variables("x", ["a", "b"], upper=[1.0, np.inf])
    return program


def test_rows_that_refer_to_nothing_are_refused():
    terms = Triplets()
    terms.add(0, 2, 1.0)
    with pytest.raises(ModelAssemblyError, match="do not exist"):
        program_of_two().add_rows("r", ["row"], terms)
    terms = Triplets()
    terms.add(1, 0, 1.0)
    with pytest.raises(ModelAssemblyError, match="do not exist"):
        program_of_two().add_rows("r", ["row"], terms)


def test_rows_without_terms_are_left_out_if_they_hold_and_kept_if_not():
    terms = Triplets()
    terms.add([1, 3], [0, 1], [2.0, 3.0])
    names = ["holds", "term", "fails", "other term", "free"]
    block = program_of_two().add_rows("r", names, terms, lower=[0, 1, 1, -np.inf, -np.inf], upper=[0, 9, 9, 4, np.inf])
    assert block.keys == ("term", "fails", "other term")
    assert block.row.tolist() == [0, 2]
    assert block.coefficient.tolist() == [2.0, 3.0]
    assert block.lower.tolist() == [1.0, 1.0, -np.inf]
    assert block.upper.tolist() == [9.0, 9.0, 4.0]


def test_negligible_coefficients_are_dropped_and_repeated_ones_are_added_up():
    program = program_of_two()
    program.open_account("npv_musd", np.zeros(1))
    terms = Triplets()
    terms.add(0, [0, 1, 0, 1], [1.0, 1e-12, 2.0, 5.0])
    program.add_rows("r", ["row"], terms, upper=1.0)
    matrix = program.compile()
    assert (matrix.start.tolist(), matrix.index.tolist(), matrix.value.tolist()) == ([0, 2], [0, 1], [3.0, 5.0])
    assert matrix.shape == (1, 2)


def test_variables_are_ordinary_pyomo_variables():
    program = assembled(everything())
    for block in program.variables.values():
        assert len(block.component) == len(block.keys)
        for position, variable in block.component.items():
            assert variable.is_integer() == block.integer
            assert (variable.lb or 0.0) == block.lower[position]
            assert (np.inf if variable.ub is None else variable.ub) == block.upper[position]


def test_an_account_is_its_constant_and_its_terms():
    program = program_of_two()
    program.open_account("total", np.array([1.0, 10.0]))
    program.post("total", [0, 1, 1], [0, 0, 1], [2.0, 3.0, 4.0])
    assert program.account_value("total", np.array([1.0, 2.0])).tolist() == [3.0, 21.0]


def calendar(first, length, months):
    return Calendar(months, months, np.array(first), np.array(length), np.arange(months), {"mining": 0.1})


def test_periods_sum_and_bound_their_months():
    time = calendar([0, 1, 3], [1, 2, 3], 6)
    monthly = np.array([[5.0, 1.0, 2.0, 3.0, 9.0, 6.0, 100.0]])
    assert time.period_sum(monthly).tolist() == [[5.0, 3.0, 18.0]]
    assert time.period_max(monthly).tolist() == [[5.0, 2.0, 9.0]]
    assert time.period_min(monthly).tolist() == [[5.0, 1.0, 3.0]]
    assert time.period_last.tolist() == [0, 2, 5]
    assert [time.first_period_from(month) for month in range(5)] == [0, 1, 2, 2, None]
    assert time.discount("mining")[5] == pytest.approx(1.1**-0.5)


def test_a_plan_is_read_back_without_dust():
    answer = best(everything())
    counts = [row.stock_count for row in answer.decisions.machines]
    assert counts
    assert all(count == 0.0 or count > 1e-4 for count in counts)


@pytest.mark.parametrize("kind", ["contracts", "own GPUs"])
def test_two_that_take_turns_within_a_period_pass_the_audit(kind):
    if kind == "contracts":
        ready = [{"site": "A", "capex_usd_per_critical_mw": 0.0, "build_months": 0}]
        second = {"sign_from_month": "2027-03", "sign_until_month": "2027-03"}
        turns = {"offers": [offer("O1", term_months=1, sites=ready), offer("O2", term_months=1, sites=ready, **second)]}
    else:
        second = {"order_from_month": "2027-03", "order_until_month": "2027-03"}
        turns = {"gpu_options": [gpu_option("G", life_months=1), gpu_option("H", life_months=1, **second)]}
    best(portfolio(segments=[(3, 1)], **turns))
