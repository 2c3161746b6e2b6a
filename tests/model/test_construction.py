"""Building that turns out late or dearer: money by hand, in stresses, by scenario, and against the audit."""

from __future__ import annotations

import numpy as np
import pytest
from support import best, close, offer, portfolio, reason, signed, site, worth

from optimizer.app import plan
from optimizer.audit import Claims, audit, recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio
from optimizer.errors import InvalidInputError
from optimizer.risk import scenario_npv_usd

MUSD = 1e6


def case(*outcomes, months=6, scenarios=1, finance=None, **changes) -> Portfolio:
    """10 MW built in the first month for a million, two million a month of rent in the two that follow."""
    return portfolio(
        months,
        sites=[site(construction_outcomes=list(outcomes))],
        offers=[offer(price_usd_per_kw_month=200.0, **changes)],
        finance=finance,
        risk={"scenario_count": scenarios},
    )


def certain(**outcome):
    return {"probability_frac": 1.0, **outcome}


def test_a_late_contract_earns_less_and_ends_as_planned():
    assert close(worth(case()), 3.0 * MUSD)
    answer = best(case(certain(delay_months=1)))
    assert close(answer.termination.objective_usd, 1.0 * MUSD)
    assert [row.hosting_noi_usd for row in answer.cash_flow[:4]] == pytest.approx([0.0, 0.0, 2.0 * MUSD, 0.0])


def test_a_contract_that_is_later_than_its_term_is_long_only_costs():
    assert close(worth(case(certain(delay_months=2))), 0.0)
    assert signed(best(case(certain(delay_months=2)))) == {}


def test_an_overrun_is_paid_on_top():
    assert close(worth(case(certain(capex_overrun_frac=0.5))), 2.5 * MUSD)
    assert close(worth(case(certain(capex_overrun_frac=0.5, delay_months=1))), 0.5 * MUSD)


def test_costs_are_due_for_what_is_delivered():
    late = case(certain(delay_months=1), noi_margin_frac=0.8)
    assert close(worth(late), 0.8 * 2.0 * MUSD - 1.0 * MUSD)


def test_phases_are_late_one_by_one():
    phases = [{"share_frac": 0.5}, {"share_frac": 0.5, "offset_months": 1}]
    # as planned: 1 million in the first month, 2 in the second; each phase a month later: 1 in the second
    planned, late = case(phases=phases), case(certain(delay_months=1), phases=phases, noi_margin_frac=1.0)
    assert close(worth(planned), 3.0 * MUSD - 1.0 * MUSD)
    assert close(worth(late), 1.0 * MUSD - 1.0 * MUSD)


def test_vacancy_after_a_default_before_the_late_start_counts_from_there():
    """The tenant is gone at once: 0.5 million a month is let for in the months left after start and a vacancy of one."""
    gone = {"name": "gone", "defaults": [{"default_month": "2027-01"}]}
    least = []
    for delay in (0, 1):
        stress = gone | {"construction": [{"delay_months": delay}]}
        lease = offer(term_months=4, price_usd_per_kw_month=200.0, credit={"vacancy_months": 1})
        costs = {"opening_cash_usd": 1e7, "stresses": [stress], "overhead_usd_per_month": 1e6}
        known = portfolio(6, offers=[lease], market={"re_lease_rent_usd_per_kw_month": 50.0}, finance=costs)
        (told,) = best(known).stresses
        assert told.least_cash_month.month == 6
        least.append(told.least_cash_usd)
    # 10 less six months of overhead and the capex, and three or two months let
    assert least == pytest.approx([3e6 + 3 * 0.5e6, 3e6 + 2 * 0.5e6])


def test_the_expectation_is_over_the_scenarios_in_which_it_happens():
    mixed = case(
        {"probability_frac": 0.3, "delay_months": 1},
        {"probability_frac": 0.2, "capex_overrun_frac": 0.5},
        scenarios=400,
    )
    found = Futures.of(mixed).construction_outcome("A")
    expected = np.where(found == 0, 1.0, np.where(found == 1, 2.5, 3.0)) * MUSD
    assert 0.2 < np.mean(found == 0) < 0.4
    answer = best(mixed)
    assert close(answer.termination.objective_usd, float(expected.mean()))
    by_scenario = scenario_npv_usd(mixed, Futures.of(mixed), answer.decisions, answer.npv.total_usd)
    np.testing.assert_allclose(by_scenario, expected, atol=1.0)


def test_risk_and_audit_agree_scenario_by_scenario():
    rich = portfolio(
        14,
        sites=[site(construction_outcomes=[
            {"probability_frac": 0.3, "delay_months": 2, "capex_overrun_frac": 0.2},
            {"probability_frac": 0.2, "capex_overrun_frac": 0.5},
        ])],
        offers=[offer(
            term_months=8, price_usd_per_kw_month=60.0, power_payer="landlord",
            credit={"default_hazard_per_year_frac": 0.4, "recovery_frac": 0.3, "vacancy_months": 2},
            phases=[{"share_frac": 0.5}, {"share_frac": 0.5, "offset_months": 3}],
        )],
        discount_per_year_frac=0.1,
        risk={"scenario_count": 200},
        market={"re_lease_rent_usd_per_kw_month": 50.0},
    )  # fmt: skip
    answer = best(rich)
    assert answer.contracts
    by_scenario = scenario_npv_usd(rich, Futures.of(rich), answer.decisions, answer.npv.total_usd)
    assert by_scenario.mean() == pytest.approx(answer.npv.total_usd, abs=1e-3)
    for number in range(25):
        alone = recalculate(rich, Futures.of(rich, number, 1), answer.decisions).npv_usd
        assert by_scenario[number] == pytest.approx(alone, abs=1e-3)


def test_a_stress_in_which_building_is_dearer_is_lived_through():
    stress = {"name": "dear", "construction": [{"site": "A", "capex_overrun_frac": 0.5}]}
    poor = {"opening_cash_usd": 1.4e6, "stresses": [stress]}
    assert close(worth(case(finance=poor)), 0.0)
    assert close(worth(case(finance=poor | {"opening_cash_usd": 1.6e6})), 3.0 * MUSD)
    free = poor | {"stresses": [stress | {"construction": [{"capex_overrun_frac": 0.3}]}]}
    assert close(worth(case(finance=free)), 3.0 * MUSD)


def test_what_cannot_be_paid_when_it_is_dearer_makes_a_duty_impossible():
    stress = {"name": "dear", "construction": [{"capex_overrun_frac": 0.5}]}
    must = case(finance={"opening_cash_usd": 1.4e6, "stresses": [stress]})
    data = must.model_dump(exclude_unset=True) | {"policy": {"mandatory": [{"offer": "O1"}]}}
    assert reason(Portfolio.model_validate(data)) == "infeasible"


def test_the_audit_notices_a_plan_that_forgets_delays():
    careless, real = case(), case(certain(delay_months=1))
    answer = best(careless)
    claims = Claims(objective_usd=answer.termination.objective_usd)
    assert audit(careless, Futures.of(careless), answer.decisions, claims)[1].passed
    assert not audit(real, Futures.of(real), answer.decisions, claims)[1].passed


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([{"probability_frac": 0.5}], "neither late nor dearer"),
        ([certain(delay_months=1), {"probability_frac": 0.1, "delay_months": 2}], "probability of 1.1 together"),
    ],
)
def test_outcomes_that_mean_nothing_are_refused(outcomes, told):
    with pytest.raises(InvalidInputError, match=told):
        case(*outcomes)


@pytest.mark.parametrize(
    ("construction", "told"),
    [
        ([{"site": "Z", "delay_months": 1}], "Z"),
        ([{"site": "A", "delay_months": 1}, {"site": "A"}], "states building at a site twice"),
    ],
)
def test_stresses_of_building_are_checked(construction, told):
    with pytest.raises(InvalidInputError, match=told):
        case(finance={"stresses": [{"name": "late", "construction": construction}]})


def test_a_site_without_outcomes_plans_as_before():
    assert plan(case()).termination.objective_usd == pytest.approx(3.0 * MUSD)
    assert (Futures.of(case()).construction_outcome("A") == -1).all()
