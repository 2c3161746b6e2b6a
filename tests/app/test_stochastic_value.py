"""The value of the stochastic solution: by hand, and beside all that can be signed."""

from __future__ import annotations

import pytest
from support import EXACT, asic, close, fleet, offer, place, portfolio, site

from optimizer.app import evaluate, stochastic_value
from optimizer.curves import NEVER
from optimizer.curves.futures import Futures
from optimizer.curves.mean_market import mean_portfolio
from optimizer.domain import Portfolio, validated
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.domain.stochastic_value import StochasticValueSpec
from optimizer.errors import InvalidInputError

MINED = 200.0 * 24 * (31 + 28)
"""USD that a thousand machines earn in two months at the mean price, after energy."""


def case(prices, rent_share, *, hazard=0.0, **risk):
    """Five MW: mining, which stops where power is dearer than hash, or a lease worth a share of mining at the mean."""
    lease = offer(critical_mw=5.0, price_usd_per_kw_month=rent_share * MINED / 2 / 5000.0, sites=[
        place(capex_usd_per_critical_mw=0.0, build_months=0, halls_displaced_mw_per_critical_mw=1.0)
    ], credit={"default_hazard_per_year_frac": hazard, "vacancy_months": 12})  # fmt: skip
    paths = [{"factor": "btc_price", "scenarios": [{"values": [price]} for price in prices]}]
    return portfolio(
        2,
        sites=[site(grid_mw=5.0, hall_mw=5.0)],
        asic_models=[asic()],
        fleets=[fleet()],
        offers=[lease],
        market={"scenario_table": {"paths": paths}, "network_price_elasticity": 0.0},
        risk={"scenario_count": len(prices), "tail_probability": 0.5, **risk},
    )


def found_of(stated, **listeners):
    return stochastic_value(StochasticValueSpec(portfolio=stated, options=EXACT), **listeners)


def test_the_mean_does_not_see_that_mining_can_stop():
    """At the mean price mining earns 1; in its two scenarios nothing, being off, and 2.8. The lease pays 1.2."""
    found = found_of(case((0.1, 1.9), 1.2))
    assert close(found.promised_usd, 1.2 * MINED)
    assert close(found.mean_plan.objective_usd, 1.2 * MINED)
    assert [item.offer for item in found.mean_plan.decisions.contracts] == ["O1"]
    assert found.plan.objective_usd == pytest.approx(1.4 * MINED, rel=1e-4)
    assert found.value_usd == pytest.approx(0.2 * MINED, rel=1e-4)
    assert close(found.most_value_usd, found.value_usd)
    assert found.npv_difference_usd == pytest.approx(found.value_usd)
    # Half the time 1.2 less, half the time 1.6 more.
    assert found.npv_difference_standard_error_usd == pytest.approx(1.4 * MINED, rel=1e-4)
    assert found.differs == ("Not: Sign 5.0 MW of O1 at A in 2027-01",)
    assert "planning for the scenarios is worth" in found.told
    assert found.plan.audit_passed
    assert found.mean_plan.audit_passed


def test_where_margins_are_linear_the_mean_is_enough():
    found = found_of(case((0.6, 1.4), 0.9))
    assert close(found.promised_usd, MINED)
    assert found.value_usd == pytest.approx(0.0, abs=1.0)
    assert found.fresh_npv_difference_usd is None or found.fresh_npv_difference_usd == pytest.approx(0.0, abs=1.0)
    assert found.differs == ()
    assert "the best found over the scenarios too" in found.told


def test_cvar_counts_where_the_portfolio_says_so():
    """Mining earns 0.2 or 1.8, its tail 0.2, the lease always 0.9: under a weight of 1 it is 1.2 against 1.8."""
    found = found_of(case((0.6, 1.4), 0.9, cvar_weight_frac=1.0))
    assert found.mean_plan.objective_usd == pytest.approx(1.2 * MINED, rel=1e-4)
    assert close(found.plan.objective_usd, 1.8 * MINED)
    assert found.value_usd == pytest.approx(0.6 * MINED, rel=1e-4)
    assert found.mean_plan.cvar_usd == pytest.approx(0.2 * MINED, rel=1e-4)


def test_what_the_mean_signs_can_be_impossible_over_the_scenarios():
    """A floor of CVaR that only the lease keeps: it cannot be moved out of what mining on has signed."""
    found = found_of(case((0.6, 1.4), 0.9, minimum_cvar_usd=0.8 * MINED))
    assert found.mean_plan is None
    assert found.value_usd is None
    assert close(found.plan.objective_usd, 0.9 * MINED)
    assert "cannot be kept over the scenarios" in found.told


def test_a_forecast_that_nobody_fails_promises_too_much():
    """Mining earns 1 for certain; the lease 1.02 if the tenant pays, which it stops to do in one scenario of seven."""
    stated = case((1.0,), 1.02, hazard=0.9, scenario_count=500)
    found = found_of(stated)
    assert close(found.promised_usd, 1.02 * MINED)
    assert [item.offer for item in found.mean_plan.decisions.contracts] == ["O1"]
    assert found.plan.decisions.contracts == ()
    assert close(found.plan.npv_usd, MINED)
    assert found.value_usd == pytest.approx(found.fresh_npv_difference_usd, abs=0.05 * MINED)
    assert found.value_usd > 0.02 * MINED


def test_it_is_the_difference_to_all_that_can_be_signed():
    """Both plans of the audit's: with the lease, and without."""
    stated = case((0.2, 0.3, 2.5), 1.2)
    found = found_of(stated)
    worth = {}
    for plan in (found.plan, found.mean_plan):
        answer = evaluate(EvaluationSpec(portfolio=stated, decisions=plan.decisions))
        worth[bool(plan.decisions.contracts)] = answer.plan.npv.total_usd
        assert answer.feasible
    assert set(worth) == {False, True}
    assert max(worth.values()) - worth[True] == pytest.approx(found.value_usd, abs=1.0)


def test_the_mean_market_has_the_means_of_all_scenarios():
    market = {
        "uncertainty": [
            {"factor": "btc_price", "volatility_per_year_frac": 0.8},
            {"factor": "power_price", "volatility_per_year_frac": 0.3},
        ],
        "network_price_elasticity": 0.5,
        "network_lag_months": 1,
    }
    futures = Futures.of(portfolio(4, market=market, risk={"scenario_count": 5000}))
    mean = Futures.of(mean_portfolio(futures))
    assert mean.scenario_count == 1
    for name in ("btc_usd", "network_eh_s", "market_power_level"):
        assert getattr(mean, name)[:, 0] == pytest.approx(getattr(futures, name).mean(axis=1), rel=1e-12)
    assert (futures.network_eh_s.mean(axis=1)[1:] != futures.path(futures.portfolio.market.network_eh_s, 4)[1:]).all()


def test_in_the_mean_market_nobody_fails():
    credit = {"default_hazard_per_year_frac": 0.9, "backstop_share_frac": 0.5, "backstopper": "Parent"}
    credit["backstop_hazard_per_year_frac"] = 0.9
    market = {"credit_factor": {"asset_correlation_frac": 0.5}}
    futures = Futures.of(portfolio(24, offers=[offer(credit=credit)], market=market, risk={"scenario_count": 50}))
    mean = Futures.of(mean_portfolio(futures))
    for name in ("tenant of O1", "Parent"):
        assert (futures.default_month(name) < 24).any()
        assert mean.default_month(name).tolist() == [NEVER]


def test_nothing_can_be_told_without_a_plan_for_the_mean():
    data = case((1.0,), 0.9).model_dump(exclude_unset=True)
    data["finance"]["minimum_liquidity_usd"] = 2e9
    found = found_of(validated(Portfolio, data, "portfolio"))
    assert found.plan is None
    assert found.mean_plan is None
    assert found.told.startswith("no plan for the mean market")


@pytest.mark.parametrize(
    ("options", "market", "told"),
    [
        ({"solver": "scip"}, {}, "searched by HiGHS"),
        ({"paranoid": True}, {}, "searched by HiGHS"),
        ({}, {"own_hashrate_feedback": True}, "hashprice answers to each plan"),
    ],
)
def test_what_it_cannot_do_is_refused(options, market, told):
    data = case((1.0,), 0.9).model_dump(exclude_unset=True)
    data["market"] |= market
    with pytest.raises(InvalidInputError, match=told):
        validated(StochasticValueSpec, {"portfolio": data, "options": options}, "spec")
