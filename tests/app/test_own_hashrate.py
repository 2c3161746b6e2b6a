"""Hashprice that answers to what the plan's own machines do."""

from __future__ import annotations

import math

import pytest
import support

from optimizer.app import plan
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures

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


def test_the_audit_finds_a_market_that_did_not_answer():
    case = owner(offers=[half_site()])
    decisions = plan(case, support.EXACT).decisions
    _, report = audit(case, Futures.of(case), decisions, Claims())
    (failed,) = [check for check in report.checks if not check.passed]
    assert "own hashrate" in failed.name
    assert failed.largest_deviation > 0.1
