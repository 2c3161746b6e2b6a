"""Carbon: what counts, what it costs, the most of it in a year."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support import (
    asic,
    assembled,
    best,
    binding,
    close,
    fleet,
    gpu_option,
    hours,
    offer,
    portfolio,
    reason,
    site,
    worth,
)

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.errors import InvalidInputError
from optimizer.model.families.carbon import CARBON
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem

MINED_T = 0.4 * 5.0
"""Tonnes an hour: a thousand machines of 5 kW at 0.4 t/MWh."""
MINE = {"asic_models": [asic()], "fleets": [fleet()]}


def case(months=4, rule=None, intensity=0.4, sites=None, **parts):
    """A site that causes 0.4 t a MWh."""
    carbon = {"price_usd_per_t": 50.0} if rule is None else rule
    places = sites or [site(carbon_t_per_mwh=intensity)]
    return portfolio(months, sites=places, policy={"carbon": carbon}, **parts)


def test_mining_pays_for_its_carbon():
    # 200 USD an hour for 2 t of 50 USD.
    answer = best(case(**MINE))
    assert close(answer.termination.objective_usd, (200.0 - 100.0) * hours(0, 1, 2, 3))
    assert [row.carbon_usd for row in answer.cash_flow] == pytest.approx([-100.0 * hours(t) for t in range(4)])
    assert answer.npv.corporate_usd == pytest.approx(-100.0 * hours(0, 1, 2, 3))
    (row,) = answer.carbon
    assert (row.year, row.caused_t, row.maximum_t) == (2027, pytest.approx(MINED_T * hours(0, 1, 2, 3)), None)
    assert row.cost_usd == pytest.approx(100.0 * hours(0, 1, 2, 3))
    assert answer.earnings[0].cost_usd == pytest.approx(-100.0 * hours(0, 1, 2, 3))


def test_machines_that_do_not_earn_their_carbon_stand_still():
    assert close(worth(case(rule={"price_usd_per_t": 99.0}, **MINE)), 2.0 * hours(0, 1, 2, 3))
    assert close(worth(case(rule={"price_usd_per_t": 101.0}, **MINE)), 0.0)


def test_the_price_may_rise():
    steps = [{"from_month": "2027-01", "value": 0.0}, {"from_month": "2027-03", "value": 50.0}]
    rising = case(rule={"price_usd_per_t": {"points": steps}}, **MINE)
    assert close(worth(rising), 200.0 * hours(0, 1) + 100.0 * hours(2, 3))


def test_a_cap_leaves_machines_off():
    # Half of the carbon of four months.
    most = 0.5 * MINED_T * hours(0, 1, 2, 3)
    capped = case(rule={"caps": [{"year": 2027, "maximum_t": most}]}, **MINE)
    answer = best(capped)
    assert close(answer.termination.objective_usd, 0.5 * 200.0 * hours(0, 1, 2, 3))
    assert answer.carbon[0].caused_t == pytest.approx(most)
    assert answer.carbon[0].maximum_t == pytest.approx(most)
    assert binding(capped) == {"carbon_within_cap"}


def test_a_cap_is_of_its_calendar_year():
    capped = case(14, rule={"caps": [{"year": 2028, "maximum_t": 0.0}]}, **MINE)
    assert close(worth(capped), 200.0 * hours(*range(12)))


def test_a_period_across_the_turn_of_the_year_counts_in_both():
    capped = portfolio(
        segments=[(1, 10), (3, 2)],
        sites=[site(carbon_t_per_mwh=0.4)],
        policy={"carbon": {"caps": [{"year": 2028, "maximum_t": 0.0}]}},
        **MINE,
    )
    # November to January stands still because of January.
    assert close(worth(capped), 200.0 * hours(*range(10)))


def test_a_least_hashrate_beside_a_cap_cannot_be_met():
    rules = {"carbon": {"caps": [{"year": 2027, "maximum_t": 10.0}]}, "minimum_hashrate": [{"minimum_eh_s": 0.1}]}
    assert reason(portfolio(4, sites=[site(carbon_t_per_mwh=0.4)], policy=rules, **MINE)) == "infeasible"


def test_contracts_count_where_the_landlord_pays_the_energy():
    # 10 MW with a pue of 1.25 in February and March, 40 USD/MWh and 0.4 t at 50 USD.
    rents, drawn = 3e6 - 1e6, 12.5 * hours(1, 2)
    theirs = best(case(offers=[offer(price_usd_per_kw_month=150.0)]))
    assert close(theirs.termination.objective_usd, rents)
    assert theirs.carbon[0].caused_t == 0.0
    ours = best(case(offers=[offer(price_usd_per_kw_month=150.0, power_payer="landlord")]))
    assert close(ours.termination.objective_usd, rents - (40.0 + 20.0) * drawn)
    assert ours.carbon[0].caused_t == pytest.approx(0.4 * drawn)


def test_renewals_count_with_their_probability():
    renewal = {"option_count": 1, "term_months": 2, "probability_frac": 0.5}
    answer = best(case(6, offers=[offer(power_payer="landlord", renewal=renewal)]))
    assert answer.carbon[0].caused_t == pytest.approx(0.4 * 12.5 * (hours(1, 2) + 0.5 * hours(3, 4)))


def test_mw_that_are_let_again_count_as_well():
    again = {"vacancy_months": 1, "refit_usd_per_critical_mw": 0.0, "rent_share_frac": 1.0, "term_months": 12}
    terms = {"site": "A", "capex_usd_per_critical_mw": 1e5, "build_months": 1, "grid_mw_per_critical_mw": 1.0}
    leased = offer(price_usd_per_kw_month=150.0, power_payer="landlord", sites=[{**terms, "re_lease": again}])
    answer = best(case(6, offers=[leased], market={"re_lease_rent_usd_per_kw_month": 100.0}))
    # February and March, vacant in April, let again in May and June.
    assert answer.carbon[0].caused_t == pytest.approx(0.4 * 12.5 * hours(1, 2, 4, 5))


def test_gpus_count_at_the_cap_they_run_at():
    # 1 MW at a pue of 1 in January and February; a rental of 1 USD an hour runs it uncapped.
    answer = best(case(gpu_options=[gpu_option()]))
    assert answer.carbon[0].caused_t == pytest.approx(0.4 * 1.0 * hours(0, 1))
    dear = {"uncertainty": [{"factor": "gpu_rental", "volatility_per_year_frac": 2.0}]}
    option = gpu_option(rental_usd_per_gpu_hour=0.06, cap_curve="a100-training")
    capped = best(case(gpu_options=[option], market=dear, risk={"scenario_count": 50}, rule={"price_usd_per_t": 1.0}))
    assert 0.0 < capped.carbon[0].caused_t < 0.4 * hours(0, 1)


def test_a_site_without_a_figure_causes_none():
    two = case(sites=[site("A"), site("B", carbon_t_per_mwh=0.9)], **MINE)
    assert close(worth(two), 200.0 * hours(0, 1, 2, 3))


def test_in_a_stress_the_carbon_of_the_stress_is_paid():
    points = [{"month_offset": 0, "multiplier": 0.4}]
    winter = {"begin_month": "2027-01", "effects": [{"factor": "btc_price", "points": points}]}
    money = {"opening_cash_usd": 1e6, "stresses": [{"name": "winter", "shocks": [winter]}]}
    answer = best(case(finance=money, market={"network_price_elasticity": 0.0}, **MINE))
    # At 0.4 of the price the machines stand still: no margin and no carbon.
    assert answer.stresses[0].least_cash_usd == pytest.approx(1e6)


def test_without_a_rule_nothing_is_added():
    plain = portfolio(14, sites=[site(carbon_t_per_mwh=0.4)], offers=[offer()], **MINE)
    without = [family for family in FORMULATION if family is not CARBON]
    bare = assemble(PlanningProblem.of(plain, Futures.of(plain)), without).compile()
    for field in dataclasses.fields(bare):
        assert np.array_equal(getattr(assembled(plain).compile(), field.name), getattr(bare, field.name)), field.name
    assert best(plain).carbon == ()


def test_the_audit_sees_too_much_of_it():
    free = best(case(rule={"price_usd_per_t": 0.0}, **MINE))
    strict = case(rule={"price_usd_per_t": 50.0, "caps": [{"year": 2027, "maximum_t": 100.0}]}, **MINE)
    claims = Claims(objective_usd=free.termination.objective_usd)
    _, report = audit(strict, Futures.of(strict), free.decisions, claims)
    assert {check.name for check in report.failures} == {"carbon within its caps", "claimed objective"}
    worst = {check.name: check.largest_deviation for check in report.failures}
    assert worst["carbon within its caps"] == pytest.approx(MINED_T * hours(0, 1, 2, 3) - 100.0)
    assert worst["claimed objective"] == pytest.approx(100.0 * hours(0, 1, 2, 3))


@pytest.mark.parametrize(
    ("rule", "intensity", "told"),
    [
        ({}, 0.4, "state one of them"),
        ({"caps": [{"year": 2027, "maximum_t": 1.0}] * 2}, 0.4, "two caps"),
        ({"caps": [{"year": 2031, "maximum_t": 1.0}]}, 0.4, "2031 is not in the horizon"),
        ({"price_usd_per_t": 1.0}, None, "no site says how much"),
        ({"price_usd_per_t": 1.0}, 400.0, "400 kg a MWh is 0.4"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rule, intensity, told):
    with pytest.raises(InvalidInputError, match=told):
        case(rule=rule, intensity=intensity)
