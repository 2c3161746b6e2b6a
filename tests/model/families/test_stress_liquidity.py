"""Cash in named stresses: one path without chance each, in which it must stay above a floor of its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support import (
    EXACT,
    asic,
    assembled,
    best,
    binding,
    close,
    fleet,
    hours,
    offer,
    place,
    portfolio,
    reason,
    site,
    worth,
)

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, Portfolio
from optimizer.errors import InvalidInputError
from optimizer.model.families.stress_liquidity import STRESS_LIQUIDITY
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem
from optimizer.solve import solve_program


def shock(factor="btc_price", multiplier=0.5, begin="2027-01"):
    points = [{"month_offset": 0, "multiplier": multiplier}]
    return {"begin_month": begin, "effects": [{"factor": factor, "points": points}]}


def case(*stresses, opening_cash_usd=1.5e6, **parts):
    """A contract of a million that earns a million in February and in March."""
    named = [{"name": f"S{index}", **item} for index, item in enumerate(stresses)]
    return portfolio(
        4, finance={"opening_cash_usd": opening_cash_usd, "stresses": named}, **{"offers": [offer()], **parts}
    )


def test_npv_in_a_stress_is_after_the_tax_on_expected_income():
    # Before tax nothing is left in it; tax is on the two million of rent that are expected, less building.
    failing = {"defaults": [{"tenant": "tenant of O1", "default_month": "2027-03"}]}
    data = case(failing).model_dump(exclude_unset=True)
    data["finance"] |= {"tax": {"rate_frac": 0.25}, "discount": {"corporate_per_year_frac": 0.1}}
    data["finance"]["discount"] |= {f"{line}_per_year_frac": 0.0 for line in ("mining", "hosting", "gpu")}
    answer = best(Portfolio.model_validate(data))
    paid = [row.corporate_tax_usd * 1.1 ** (-(month + 1) / 12) for month, row in enumerate(answer.cash_flow)]
    assert sum(paid) < -1e5
    assert answer.stresses[0].npv_usd == pytest.approx(sum(paid), abs=1e-3)


def test_a_tenant_that_defaults_leaves_the_cash_that_the_floor_asks_for():
    # Half a million is left after building; with the rent of February alone it is 1.5 million at the end.
    failing = {"defaults": [{"tenant": "tenant of O1", "default_month": "2027-03"}]}
    held = best(case({**failing, "minimum_liquidity_usd": 0.5e6}))
    assert close(held.termination.objective_usd, 1e6)
    assert held.stresses[0].least_cash_usd == pytest.approx(0.5e6)
    assert held.stresses[0].npv_usd == pytest.approx(0.0, abs=1e-3)  # a million built, a million earned
    assert f"{held.stresses[0].least_cash_month:%Y-%m}" == "2027-01"
    assert close(worth(case({**failing, "minimum_liquidity_usd": 0.501e6})), 0.0)
    assert binding(case({**failing, "minimum_liquidity_usd": 0.501e6})) == {"stress_cash_carried_forward"}


def test_a_default_before_the_first_rent_costs_all_of_it():
    overhead = {"overhead_usd_per_month": 0.2e6}
    stress = {"name": "S", "defaults": [{"default_month": "2027-02"}]}
    # 1.5 less 1.0 to build less 0.2 a month: -0.3 at the end of April without any rent.
    for opening, expected in ((1.8e6, 1e6 - 0.8e6), (1.79e6, -0.8e6)):
        money = {"opening_cash_usd": opening, "stresses": [stress], **overhead}
        assert close(worth(portfolio(4, offers=[offer()], finance=money)), expected)


def test_a_backstop_pays_in_the_stress_too():
    backed = {"backstop_share_frac": 0.8, "backstopper": "parent", "vacancy_months": 12}
    stress = {"defaults": [{"default_month": "2027-01"}]}
    answer = best(case(stress, opening_cash_usd=1e6, offers=[offer(credit=backed)]))
    # No rent is uncertain in expectation; in the stress 0.8 of two million arrive.
    cash = answer.stresses[0].least_cash_usd
    assert cash == pytest.approx(0.0, abs=1.0)
    program = assembled(case(stress, opening_cash_usd=1e6, offers=[offer(credit=backed)]))
    values = solve_program(program.compile(), EXACT).values
    assert values[program.variables["stress_cash_musd"].columns] == pytest.approx([0.0, 0.8, 1.6, 1.6])


def test_a_backstop_that_the_stress_names_fails_in_it():
    backed = {"backstop_share_frac": 0.8, "backstopper": "parent", "vacancy_months": 12}
    failing = backed | {"backstop_hazard_per_year_frac": 0.0}  # never by chance
    gone = {"tenant": "parent", "default_month": "2027-03"}
    # Both fail by March: of two million 0.8 arrive in February; not named, it goes on paying in March.
    for defaults, expected in (([{"default_month": "2027-01"}, gone], 0.8), ([{"default_month": "2027-01"}], 1.6)):
        stated = case({"defaults": defaults}, opening_cash_usd=1e6, offers=[offer(credit=failing)])
        values = solve_program(assembled(stated).compile(), EXACT).values
        assert values[assembled(stated).variables["stress_cash_musd"].columns][-1] == pytest.approx(expected)
        assert best(stated).stresses[0].npv_usd == pytest.approx(expected * 1e6 - 1e6, abs=1.0)
    with pytest.raises(InvalidInputError, match="'parent'"):
        case({"defaults": [gone]}, offers=[offer(credit=backed)])


def test_mining_earns_the_price_of_the_stress():
    # 200 USD an hour at 48 USD/PH/day; at three quarters of the price 100 USD, at half of it machines stand still.
    mine = {"asic_models": [asic()], "fleets": [fleet()], "offers": []}
    for multiplier, usd_per_hour in ((0.75, 100.0), (0.5, 0.0), (1.0, 200.0)):
        market = {"network_price_elasticity": 0.0}
        answer = best(case({"shocks": [shock(multiplier=multiplier, begin="2027-02")]}, market=market, **mine))
        program = assembled(case({"shocks": [shock(multiplier=multiplier, begin="2027-02")]}, market=market, **mine))
        last = solve_program(program.compile(), EXACT).values[program.variables["stress_cash_musd"].columns[-1]]
        assert last * 1e6 == pytest.approx(1.5e6 + 200.0 * hours(0) + usd_per_hour * hours(1, 2, 3), abs=1.0)
        assert close(answer.termination.objective_usd, 200.0 * hours(0, 1, 2, 3))


def test_income_of_the_grid_ends_when_the_rule_does():
    paid = site(
        demand_response={"usd_per_mw_month": 1e4, "until_month": "2027-04"},
        transmission_credit={"usd_per_kw_year": 12.0, "until_month": "2027-02"},
    )
    mine = {"asic_models": [asic()], "fleets": [fleet()], "offers": [], "sites": [paid]}
    stress = {"demand_response_end_month": "2027-03", "transmission_credit_end_month": "2027-04"}
    program = assembled(case(stress, **mine))
    cash = solve_program(program.compile(), EXACT).values[program.variables["stress_cash_musd"].columns] * 1e6
    # 5 MW: 50,000 USD of demand response in two months, 5,000 USD of credits in the one month in which there are any.
    assert cash[-1] == pytest.approx(1.5e6 + 200.0 * hours(0, 1, 2, 3) + 2 * 5e4 + 5e3)
    best(case(stress, **mine))  # the audit says the same


def test_what_nothing_survives_is_infeasible():
    poor = case({"minimum_liquidity_usd": 1.6e6}, offers=[])
    assert reason(poor) == "infeasible"
    assert reason(case({"minimum_liquidity_usd": 1.5e6}, offers=[])) == "optimal"


def test_every_stress_has_its_own_floor():
    first = {"minimum_liquidity_usd": 0.1e6, "defaults": [{"default_month": "2027-02"}]}
    second = {"minimum_liquidity_usd": 0.4e6}
    assert close(worth(case(first, second, opening_cash_usd=1.4e6)), 1e6)
    assert close(worth(case(first, second, opening_cash_usd=1.39e6)), 0.0)


def test_chance_plays_no_part_in_a_stress():
    uncertain = {"uncertainty": [{"factor": "btc_price", "volatility_per_year_frac": 0.8}]}
    mine = {"asic_models": [asic()], "fleets": [fleet()], "risk": {"scenario_count": 20}}
    cash = []
    for market in ({}, uncertain):
        program = assembled(case({}, market=market, **mine))
        cash.append(solve_program(program.compile(), EXACT).values[program.variables["stress_cash_musd"].columns])
    assert cash[0] == pytest.approx(cash[1])
    # In expectation the option to stop is worth something.
    worths = [worth(case({}, market=market, **mine)) for market in ({}, uncertain)]
    assert worths[1] > worths[0] + 1e3


def test_what_a_lender_lends_does_not_depend_on_the_stress():
    debt = {"loan_to_cost_frac": 0.7, "interest_per_year_frac": 0.0, "amortization_months": 2, "minimum_dscr": 1.2}
    landlord = offer(term_months=3, power_payer="landlord")
    dear = {"name": "S", "shocks": [shock("power_price", 3.0)]}
    money = {"opening_cash_usd": 5e6, "project_debt": debt}
    sites = [site(power={"flat_usd_per_mwh": 40.0, "market_exposure_frac": 1.0})]
    base = portfolio(5, offers=[landlord], sites=sites, finance=money)
    stressed = portfolio(5, offers=[landlord], sites=sites, finance={**money, "stresses": [dear]})
    problem = PlanningProblem.of(stressed, Futures.of(stressed))
    assert (problem.stresses[0].starts.debt_limit_musd == problem.starts.debt_limit_musd).all()
    assert not np.allclose(problem.stresses[0].starts.noi_musd, problem.starts.noi_musd)
    assert close(worth(stressed), worth(base))


def test_without_stresses_nothing_is_added():
    plain = case()
    program, without = assembled(plain), [family for family in FORMULATION if family is not STRESS_LIQUIDITY]
    assert program.variables["stress_cash_musd"].keys == ()
    bare = assemble(PlanningProblem.of(plain, Futures.of(plain)), without).compile()
    for field in dataclasses.fields(bare):
        assert np.array_equal(getattr(program.compile(), field.name), getattr(bare, field.name)), field.name


def test_the_audit_sees_a_plan_that_does_not_survive():
    failing = {"defaults": [{"default_month": "2027-02"}], "minimum_liquidity_usd": 0.0}
    loose = best(case(opening_cash_usd=1e6))
    strict: Portfolio = case({**failing, "minimum_liquidity_usd": 1e3}, opening_cash_usd=1e6)
    found, report = audit(strict, Futures.of(strict), loose.decisions, Claims(stress_cash_usd=[[0.0, 0.0, 0.0, 5.0]]))
    assert {check.name for check in report.failures} == {
        "cash above the liquidity floor in every stress", "claimed cash in the stresses at the end of each period"
    }  # fmt: skip
    assert found.stress_cash_usd.tolist() == [pytest.approx([0.0, 0.0, 0.0, 0.0], abs=1e-6)]
    assert audit(strict, Futures.of(strict), Decisions(), Claims())[1].passed


@pytest.mark.parametrize(
    ("stress", "where"),
    [
        ({"defaults": [{"tenant": "nobody", "default_month": "2027-02"}]}, "finance.stresses[0].defaults[0].tenant"),
        ({"defaults": [{"default_month": "2028-02"}]}, "finance.stresses[0].defaults[0].default_month"),
        ({"shocks": [shock(begin="2026-12")]}, "finance.stresses[0].shocks[0].begin_month"),
        ({"shocks": [{"begin_month": "2027-01"}]}, "finance.stresses[0].shocks[0]"),
        ({"defaults": [{"default_month": "2027-02"}, {"default_month": "2027-03"}]}, "finance.stresses[0]"),
    ],
)
def test_what_cannot_happen_is_refused(stress, where):
    with pytest.raises(InvalidInputError) as caught:
        case(stress)
    assert [problem.path for problem in caught.value.problems] == [where]


def test_two_stresses_of_one_name_are_refused():
    with pytest.raises(InvalidInputError, match="used twice"):
        case({}, {"name": "S0"})


def test_a_contract_elsewhere_is_chosen_that_survives():
    # The dearer place is built with a tenant that stays.
    two = [offer("O1"), offer("O2", sites=[place(capex_usd_per_critical_mw=1.2e5)])]
    stress = {"defaults": [{"tenant": "tenant of O1", "default_month": "2027-02"}], "minimum_liquidity_usd": 0.15e6}
    money = {"opening_cash_usd": 1.5e6, "overhead_usd_per_month": 0.1e6, "stresses": [{"name": "S", **stress}]}
    # Without its rents the first ends at 0.1 million; the second is never below 0.2.
    answer = best(portfolio(4, offers=two, finance=money))
    assert [item.offer for item in answer.decisions.contracts] == ["O2"]
