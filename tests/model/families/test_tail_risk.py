"""CVaR in the objective and its floor: mining that is worth more on average against a lease that is worth it always.

A thousand machines earn 400 USD an hour at the hashprice of the base path and pay 200 USD for energy. In four scenarios
hashprice is half, the same, the same and half as much again: 0, 200, 200 and 400 USD an hour, 200 on average.
"""

from __future__ import annotations

import highspy
import pytest
from support import EXACT, asic, assembled, best, close, fleet, offer, place, portfolio, signed, site

from optimizer.app import plan
from optimizer.app.evaluation import evaluate
from optimizer.app.export import export
from optimizer.app.outcome import tail_scenarios
from optimizer.app.what_if import WhatIfs
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.errors import InvalidInputError

HOURS = 24 * (31 + 28)
MEAN = 200.0 * HOURS
"""Expected margin of mining from January to February."""
HALF = {"tail_probability": 0.5}
"""The two worst scenarios: 0 and 200 USD an hour."""


def case(rent_share: float = 0.9, multipliers=(0.5, 1.0, 1.0, 1.5), scale=1.0, **risk):
    """Five MW for two months: a lease at a share of what mining earns on average, or mining."""
    rent_usd_per_kw_month = rent_share * MEAN / 2 / 5000.0
    lease = offer(critical_mw=5.0, price_usd_per_kw_month=rent_usd_per_kw_month * scale, sites=[
        place(capex_usd_per_critical_mw=0.0, build_months=0, halls_displaced_mw_per_critical_mw=1.0)
    ])  # fmt: skip
    paths = [{"factor": "btc_price", "scenarios": [{"values": [value]} for value in multipliers]}]
    return portfolio(
        2,
        sites=[site(grid_mw=5.0, hall_mw=5.0, power={"flat_usd_per_mwh": 40.0 * scale})],
        asic_models=[asic()],
        fleets=[fleet()],
        offers=[lease],
        market={"scenario_table": {"paths": paths}, "network_price_elasticity": 0.0},
        risk={"scenario_count": len(multipliers), **HALF, **risk},
    )


def test_without_a_weight_the_mean_decides():
    answer = best(case())
    assert not answer.contracts
    assert close(answer.termination.objective_usd, MEAN)
    assert answer.cvar is None


def test_a_weight_turns_to_what_is_worth_it_always():
    # Mining: mean 200, tail 100 an hour. The lease: 180 in all. 200 + 100 w = 180 + 180 w at w = 0.25.
    mined = best(case(cvar_weight_frac=0.24))
    assert not mined.contracts
    assert close(mined.termination.objective_usd, MEAN + 0.24 * MEAN / 2)
    leased = best(case(cvar_weight_frac=0.26))
    assert set(signed(leased)) == {"O1"}
    assert close(leased.termination.objective_usd, 1.26 * 0.9 * MEAN)
    assert close(leased.cvar.cvar_usd, 0.9 * MEAN)
    assert leased.cvar.cvar_weight_frac == 0.26
    assert leased.objective_told == "NPV + 0.26 x CVaR"


def test_the_last_scenario_of_the_tail_counts_in_part():
    # The worst 30 % of four scenarios: the whole of 0 and a fifth of 200, over 1.2 scenarios.
    answer = best(case(rent_share=0.01, cvar_weight_frac=1.0, tail_probability=0.3))
    assert close(answer.cvar.cvar_usd, MEAN / 6)
    assert close(answer.termination.objective_usd, MEAN * 7 / 6)


def test_a_floor_is_kept_at_the_price_of_the_mean():
    answer = best(case(minimum_cvar_usd=0.6 * MEAN))
    assert set(signed(answer)) == {"O1"}
    assert close(answer.termination.objective_usd, 0.9 * MEAN)
    assert {"CVaR above its floor", "claimed CVaR"} <= {check.name for check in answer.audit.checks}


def test_a_floor_that_cannot_be_met_says_how_good_cvar_can_be():
    answer = plan(case(minimum_cvar_usd=0.95 * MEAN), EXACT)
    assert answer.termination.reason == "infeasible"
    best_usd, short_usd = f"{0.9 * MEAN:,.0f}", f"{0.05 * MEAN:,.0f}"
    assert f"the best CVaR found is {best_usd} USD, {short_usd} below the floor" in answer.termination.detail


def test_a_floor_does_not_hide_that_nothing_is_possible():
    bound = case(minimum_cvar_usd=-1e9).model_dump(exclude_unset=True)
    bound["policy"] = {"forbidden": [{"offer": "O1"}], "mandatory": [{"offer": "O1"}]}
    answer = plan(type(case()).model_validate(bound), EXACT)
    assert (answer.termination.reason, answer.termination.detail) == ("infeasible", "no plan exists, whatever its CVaR")


def test_machines_are_spread_by_the_floor():
    # Half of the halls would be enough: the rest mines on, so the floor is met exactly by a lease that scales.
    whole = case(minimum_cvar_usd=0.6 * MEAN).model_dump(exclude_unset=True)
    lease = whole["offers"][0]
    lease |= {"minimum_critical_mw": 0.5, "maximum_critical_mw": 5.0}
    del lease["critical_mw"]
    answer = best(type(case()).model_validate(whole))
    # A share x leased: tail 0.9 x + 0.5 (1 - x) = 0.6.
    assert answer.contracts[0].critical_mw == pytest.approx(1.25, abs=1e-5)
    assert close(answer.cvar.cvar_usd, 0.6 * MEAN)
    assert close(answer.termination.objective_usd, (0.25 * 0.9 + 0.75) * MEAN)


def test_the_audit_catches_a_cvar_that_is_claimed_but_not_there():
    bound = case(minimum_cvar_usd=0.6 * MEAN)
    answer, futures = best(bound), Futures.of(bound)
    decisions = answer.decisions
    tail = tail_scenarios(bound, futures, decisions)
    _, report = audit(bound, futures, decisions, Claims(cvar_usd=answer.cvar.cvar_usd + 1e3), tail)
    assert [check.name for check in report.failures] == ["claimed CVaR"]
    mining = best(case()).decisions
    _, report = audit(bound, futures, mining, Claims(), tail_scenarios(bound, futures, mining))
    assert [check.name for check in report.failures] == ["CVaR above its floor"]
    assert report.failures[0].largest_deviation == pytest.approx(0.1 * MEAN)


def test_a_stated_plan_is_told_to_break_the_floor():
    answer = evaluate(EvaluationSpec(portfolio=case(minimum_cvar_usd=0.6 * MEAN), decisions=best(case()).decisions))
    assert not answer.feasible
    assert "CVaR above its floor" in answer.broken[0].told
    weighted = evaluate(EvaluationSpec(portfolio=case(cvar_weight_frac=1.0), decisions=Decisions()))
    assert close(weighted.plan.termination.objective_usd, 0.0)


@pytest.mark.parametrize("solver", ["highs", "scip"])
def test_other_solvers_and_the_exported_file_agree(solver, tmp_path):
    bound = case(cvar_weight_frac=0.26, minimum_cvar_usd=0.2 * MEAN)
    answer = best(bound, EXACT.model_copy(update={"solver": solver}))
    export(bound, tmp_path / "case.mps")
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(tmp_path / "case.mps"))
    highs.run()
    assert highs.getInfo().objective_function_value * 1e6 == pytest.approx(answer.termination.objective_usd, abs=1.0)


def test_the_file_of_too_many_scenarios_is_refused(tmp_path):
    many = case(cvar_weight_frac=1.0, scenario_count=1004)
    with pytest.raises(InvalidInputError, match=r"risk.scenario_count: 1,004 scenarios cannot all be stated"):
        export(many, tmp_path / "case.mps")


def test_what_ifs_refuse_it():
    with pytest.raises(InvalidInputError, match="what-ifs are re-priced in expectation"):
        WhatIfs(case(cvar_weight_frac=1.0), EXACT)


def test_it_goes_with_a_market_that_answers_and_with_a_second_search():
    answering = case(cvar_weight_frac=0.26).model_dump(exclude_unset=True)
    answering["market"]["own_hashrate_feedback"] = True
    answer = best(type(case()).model_validate(answering), EXACT.model_copy(update={"paranoid": True}))
    assert set(signed(answer)) == {"O1"}
    assert answer.cvar.cvar_usd == pytest.approx(0.9 * MEAN)


def test_a_portfolio_that_does_not_count_the_tail_has_no_column_for_it():
    program = assembled(case())
    assert program.variables["cvar_shortfall_musd"].keys == ()
    assert program.rows["minimum_cvar"].keys == ()
