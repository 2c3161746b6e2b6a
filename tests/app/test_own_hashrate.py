"""Hashprice that answers to what the plan's own machines do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import support

from optimizer.app import plan, planning
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import TerminationReason
from optimizer.errors import InvalidInputError

FLEET_EH_S = 400.0
MACHINES = 2_000_000
"""200 TH/s each: 400 of the network's 1,000 EH/s."""


def owner(*, feedback=True, elasticity=0.25, **parts):
    """An owner of a good part of the network, with an offer that takes half of the site."""
    return support.portfolio(
        6,
        market={"own_hashrate_feedback": feedback, "network_price_elasticity": elasticity},
        sites=[support.site(grid_mw=8000.0, hall_mw=8000.0)],
        asic_models=[support.asic(modes=[{"hashrate_th_s": 200.0, "power_w": 4000.0}])],
        fleets=[support.fleet(count=MACHINES)],
        **parts,
    )


def half_site(**changes):
    return support.offer(
        critical_mw=4000.0,
        term_months=6,
        sites=[support.place(build_months=0, halls_displaced_mw_per_critical_mw=1.0)],
        **changes,
    )


def test_a_plan_that_mines_on_leaves_hashprice_alone():
    found = plan(owner(), support.EXACT)
    assert found.own_hashrate.initial_eh_s == pytest.approx(FLEET_EH_S)
    assert {row.hashprice_multiplier for row in found.own_hashrate.months} == {1.0}
    assert found.own_hashrate.npv_effect_usd == 0.0
    assert len([item for item in found.manifest.timings if item.stage == "solve"]) == 1


def test_what_is_kept_earns_more_when_the_plan_leaves():
    case = owner(offers=[half_site()])
    found, unanswered = plan(case, support.EXACT), plan(owner(feedback=False, offers=[half_site()]), support.EXACT)
    assert support.signed(found) == support.signed(unanswered) != {}
    # Half of 400 of 1,000 EH/s leave; the others answer with an elasticity of 1/4: m (200 + 600 m^(1/4)) = 1,000.
    multiplier = found.own_hashrate.months[0].hashprice_multiplier
    assert multiplier * (200.0 + 600.0 * multiplier**0.25) == pytest.approx(1000.0)
    assert math.log(multiplier) == pytest.approx(0.4 * 0.5 / (1 + 0.25 * 0.6), rel=0.1)
    # Revenue of the machines that stay rises by the multiplier; energy does not change.
    revenue = sum(row.revenue_usd for row in unanswered.mining)
    assert sum(row.revenue_usd for row in found.mining) == pytest.approx(multiplier * revenue)
    assert found.npv.total_usd - unanswered.npv.total_usd == pytest.approx((multiplier - 1.0) * revenue)
    assert found.own_hashrate.npv_effect_usd == pytest.approx((multiplier - 1.0) * revenue)
    assert found.own_hashrate.deviation_frac <= 1e-3
    assert found.audit.passed
    assert unanswered.own_hashrate is None


def test_others_who_answer_at_once_take_the_gain():
    gains = [plan(owner(offers=[half_site()], elasticity=e), support.EXACT) for e in (0.0, 0.5, 2.0)]
    multipliers = [found.own_hashrate.months[0].hashprice_multiplier for found in gains]
    assert multipliers[0] == pytest.approx(1.25)
    assert multipliers == sorted(multipliers, reverse=True)


@pytest.mark.parametrize("risk", [{}, {"scenario_count": 8, "cvar_weight_frac": 0.5, "minimum_cvar_usd": -1e9}])
@pytest.mark.parametrize("usd_per_mwh", [36.4, 37.0, 38.0])
def test_an_owner_near_break_even_ends_with_a_plan_that_is_true(usd_per_mwh, risk):
    """Machines break even at 100 USD/MWh x 0.36...: all stop, hashprice rises, all run, it falls."""
    hashprice = support.HASHPRICE_USD_PER_PH_DAY
    breakeven = hashprice / 24 / 1000 * 200.0 / 4000.0 * 1e6
    case = support.portfolio(
        3,
        market={
            "own_hashrate_feedback": True,
            "network_price_elasticity": 0.25,
            "uncertainty": [{"factor": "btc_price", "volatility_per_year_frac": 1e-3}] if risk else [],
        },
        risk=risk,
        sites=[
            support.site(
                grid_mw=8000.0, hall_mw=8000.0, power={"flat_usd_per_mwh": breakeven * (1 + usd_per_mwh / 1e3)}
            )
        ],
        asic_models=[support.asic(modes=[{"hashrate_th_s": 200.0, "power_w": 4000.0}])],
        fleets=[support.fleet(count=MACHINES)],
    )
    found = plan(case, support.EXACT)
    assert found.audit.passed, found.audit.failures
    assert found.own_hashrate.deviation_frac <= 1e-3
    if found.termination.reason is TerminationReason.FEASIBLE:
        assert "do not settle" in found.termination.detail
        assert found.termination.bound_usd is None
    # There is nothing to sign: mining on is the same question, and its answer is not worth more than a dust.
    twin = found.business_as_usual
    assert found.termination.objective_usd >= twin.npv_usd - 1.0


def test_infeasible_is_a_result_here_too():
    case = owner(finance={"minimum_liquidity_usd": 1e12})
    assert plan(case, support.EXACT).termination.reason is TerminationReason.INFEASIBLE


def test_a_limit_before_it_has_settled_is_told(monkeypatch):
    monkeypatch.setattr(planning.PlanningJob, "_is_over", lambda job: True)  # after the first of the plans
    found = plan(owner(offers=[half_site()]), support.EXACT)
    assert found.termination.reason is TerminationReason.FEASIBLE
    assert "before hashprice and the plan had settled" in found.termination.detail
    assert found.termination.bound_usd is None
    assert found.audit.passed


def test_a_stop_before_it_has_settled_keeps_the_plan_with_money_that_is_true():
    heard = []
    found = plan(
        owner(offers=[half_site()]),
        support.EXACT,
        on_progress=lambda told: heard.append(told.stage),
        should_stop=lambda: heard.count("curves") > 1,  # while it is planned again
    )
    assert heard.count("curves") > 1
    assert found.termination.has_plan
    assert support.signed(found) == {"O1": ("A", "2027-01")}
    assert found.audit.passed
    assert found.own_hashrate.deviation_frac <= 1e-3


def test_business_as_usual_is_valued_under_the_hashprice_that_it_makes():
    found = plan(owner(), support.EXACT)
    assert found.business_as_usual.difference_usd == pytest.approx(0.0, abs=1.0)


def test_an_owner_may_outgrow_the_network_that_was_stated():
    case = owner(offers=[half_site()])
    grown = Futures.of(case).answering(np.full(6, 1500.0))
    multiplier = grown.own_hashprice_multiplier
    assert (multiplier * (1500.0 + 600.0 * multiplier**0.25)) == pytest.approx(1000.0)


def test_fleets_larger_than_the_network_are_told():
    with pytest.raises(InvalidInputError, match=r"market.network_eh_s.*less than the fleets' own"):
        support.portfolio(
            market={"own_hashrate_feedback": True, "network_eh_s": 300.0},
            asic_models=[support.asic()],
            fleets=[support.fleet(count=MACHINES)],
        )


def test_the_audit_finds_a_market_that_did_not_answer():
    case = owner(offers=[half_site()])
    decisions = plan(case, support.EXACT).decisions
    _, report = audit(case, Futures.of(case), decisions, Claims())
    (failed,) = [check for check in report.checks if not check.passed]
    assert "own hashrate" in failed.name
    assert failed.largest_deviation > 0.1
