"""Enterprise value as the objective: earnings of a year times multiples, cash and debt at its end, discounted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support import (
    asic,
    assembled,
    best,
    close,
    fleet,
    gpu_option,
    hours,
    offer,
    place,
    portfolio,
    reason,
    signed,
)

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.errors import InvalidInputError
from optimizer.model.families.enterprise_value import ENTERPRISE_VALUE
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem

EV = 1.1**-2
"""Discount factor of the end of 2028."""
TIE = 1e-4
"""Weight of the NPV."""


def case(months=36, year=2028, finance=None, segments=None, **parts):
    """Multiples of 10, 5 and 4 on the earnings of 2028; nothing is discounted but the enterprise value."""
    multiples = {"hosting_multiple": 10.0, "mining_multiple": 5.0, "gpu_multiple": 4.0, "discount_per_year_frac": 0.1}
    money = {"objective": "enterprise_value", "multiples": {"year": year, **multiples}, "opening_cash_usd": 10e6}
    return portfolio(months, segments=segments, finance={**money, **(finance or {})}, **parts)


def lease(name="O1", **changes):
    """A year of rent, 1 million a month, from February on."""
    return offer(name, **{"term_months": 12, "sign_until_month": "2028-01", "critical_mw": 10.0, **changes})


def test_the_year_of_the_multiples_decides_when_to_sign():
    # Signed in January 2027 eleven of the twelve rents fall before 2028, in December 2027 none does: both are paid into
    # the cash until then, and those of 2028 count tenfold beside it.
    answer = best(case(offers=[lease()]))
    assert signed(answer)["O1"] == ("A", "2027-12")
    assert close(answer.termination.objective_usd, EV * (10 * 12e6 + 10e6 - 1e6 + 12e6) + TIE * 11e6)
    assert answer.objective == "enterprise_value"
    made = answer.enterprise
    assert (made.year, made.multiple_value_usd, made.cash_usd, made.debt_usd) == (
        2028, pytest.approx(120e6), pytest.approx(21e6), 0.0
    )  # fmt: skip
    assert close(made.value_usd, 141e6)
    assert close(made.discounted_usd, EV * 141e6)
    assert close(answer.npv.total_usd, 11e6)
    assert close(answer.distribution.mean_usd, 11e6)


def test_without_it_the_npv_decides():
    early = case(offers=[lease()], finance={"objective": "npv"})
    assert close(best(early).termination.objective_usd, 11e6)
    assert best(early).enterprise is None


def test_earnings_are_weighed_by_their_multiples():
    # 200 USD an hour of mining and 960 of GPUs; the subsidy is halved only after the year.
    parts = {"asic_models": [asic()], "fleets": [fleet(1000)], "gpu_options": [gpu_option(life_months=36)]}
    answer = best(case(**parts))
    mining, gpus = 200.0 * hours(*range(12, 24)), 960.0 * hours(*range(12, 24))
    earned = 200.0 * hours(*range(24)) + 960.0 * hours(*range(24))
    value = EV * (5 * mining + 4 * gpus + 10e6 + earned)
    assert earned < answer.npv.total_usd < 1.5 * earned
    assert close(answer.termination.objective_usd, value + TIE * answer.npv.total_usd)


def test_a_contract_that_costs_npv_may_be_worth_its_multiple():
    # Capex of 15 million for 12 of rent: 3 million less in the NPV, but 12 million times ten in the year.
    dear = lease(sites=[place(capex_usd_per_critical_mw=1.5e6)])
    money = {"opening_cash_usd": 20e6}
    assert best(case(offers=[dear], finance={**money, "objective": "npv"})).contracts == ()
    answer = best(case(offers=[dear], finance=money))
    assert close(answer.npv.total_usd, -3e6)
    assert close(answer.business_as_usual.npv_usd, 0.0)
    assert close(answer.business_as_usual.difference_usd, -3e6)
    assert close(answer.business_as_usual.discounted_value_usd, EV * 20e6)


def test_liquidity_holds_as_it_does_otherwise():
    dear = lease(sites=[place(capex_usd_per_critical_mw=1.5e6)])
    assert best(case(offers=[dear], finance={"opening_cash_usd": 14.9e6})).contracts == ()
    must = {"policy": {"mandatory": [{"offer": "O1"}]}}
    assert reason(case(offers=[dear], finance={"opening_cash_usd": 14.9e6}, **must)) == "infeasible"


def test_debt_at_the_end_of_the_year_is_taken_off():
    debt = {"loan_to_cost_frac": 0.7, "interest_per_year_frac": 0.0, "amortization_months": 100, "minimum_dscr": 0.0}
    money = {"opening_cash_usd": 0.4e6, "project_debt": debt}
    long = lease(term_months=48, sign_until_month="2027-01")
    answer = best(case(offers=[long], finance=money))
    owed, made = answer.cash_flow[23].debt_usd, answer.enterprise
    assert owed > 0.4e6
    assert made.debt_usd == pytest.approx(owed)
    assert close(made.value_usd, 120e6 + answer.cash_flow[23].cash_usd - owed)


def test_what_comes_after_the_year_is_decided_by_the_npv():
    later = lease("O2", sign_from_month="2029-01", sign_until_month="2029-12", sites=[place(build_months=0)])
    answer = best(case(offers=[later]))
    # Signed as early as it can be: a contract's tail counts in full, so any month does; it is signed.
    assert "O2" in signed(answer)


def test_only_the_months_of_the_year_count():
    mine = {"asic_models": [asic()], "fleets": [fleet()]}
    # In quarters, of which one ends with December.
    answer = best(case(segments=[(1, 9), (3, 9)], **mine))
    assert close(answer.enterprise.multiple_value_usd, 5 * 200.0 * hours(*range(12, 24)))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"year": 2030}, "2030 is not whole in the horizon"),
        ({"year": 2029, "months": 35}, "2029 is not whole in the horizon"),
        ({"segments": [(1, 10), (3, 9)]}, "December 2028 is inside a period"),
        ({"finance": {"multiples": None}}, "needs multiples"),
    ],
)
def test_a_year_that_is_not_there_is_refused(changes, told):
    with pytest.raises(InvalidInputError, match=told):
        case(**changes)


def test_otherwise_nothing_is_added():
    plain = case(finance={"objective": "npv"}, offers=[lease()], asic_models=[asic()], fleets=[fleet()])
    without = [family for family in FORMULATION if family is not ENTERPRISE_VALUE]
    bare = assemble(PlanningProblem.of(plain, Futures.of(plain)), without).compile()
    for field in dataclasses.fields(bare):
        assert np.array_equal(getattr(assembled(plain).compile(), field.name), getattr(bare, field.name)), field.name


def test_the_audit_sees_an_objective_that_is_another():
    valued = case(offers=[lease()])
    answer = best(valued)
    claims = Claims(objective_usd=answer.npv.total_usd)
    _, report = audit(valued, Futures.of(valued), answer.decisions, claims)
    assert [check.name for check in report.failures] == ["claimed objective"]
    assert report.failures[0].where == "enterprise_value"
