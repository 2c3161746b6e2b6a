"""Plans that somebody else wrote: the money of the planner's own, and every limit that they break, in words."""

from __future__ import annotations

import ast
import doctest
from pathlib import Path

import pytest
from support import asic, best, close, fleet, offer, place, portfolio, site

import optimizer.audit
from optimizer.app import evaluate
from optimizer.app.broken_limits import FIXES
from optimizer.domain import ContractDecision, Decisions, TerminationReason
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.errors import InvalidInputError

CLAIMS = "claimed "
"""Checks of what a model says begin so; somebody else's plan makes no claims."""


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "evaluate-a-plan.md"


def test_the_page_shows_what_happens():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted >= 7
    assert results.failed == 0


def signed(name="O1", month="2027-01", at="A", mw=10.0):
    return ContractDecision(offer=name, site=at, sign_month=month, critical_mw=mw)


def evaluated(case, *contracts):
    return evaluate(EvaluationSpec(portfolio=case, decisions=Decisions(contracts=contracts)))


def broken(case, *contracts):
    return {item.check.name: item for item in evaluated(case, *contracts).broken}


def test_a_lease_by_hand():
    """Two months of a million of rent, for capex of a million."""
    found = evaluated(portfolio(4, offers=[offer()]), signed())
    assert found.feasible
    assert found.broken == ()
    assert close(found.plan.npv.hosting_usd, 1e6)
    assert close(found.plan.termination.objective_usd, 1e6)
    assert (found.plan.termination.reason, found.plan.termination.bound_usd) == (TerminationReason.STATED, None)
    assert [item.offer for item in found.plan.contracts] == ["O1"]


def test_nothing_stated_is_nothing_done():
    found = evaluated(portfolio(4, offers=[offer()], finance={"overhead_usd_per_month": 1e5}))
    assert found.feasible
    assert close(found.plan.npv.total_usd, -4e5)


def test_power_that_is_not_there_is_told_with_what_to_do():
    found = evaluated(portfolio(4, sites=[site(grid_mw=4.0)], offers=[offer()]), signed())
    assert not found.feasible
    assert found.plan.audit_failed
    (only,) = found.broken
    assert only.told == "not so: power within the import limit; by 6 MW at A 2027-02"
    assert "fewer machines" in only.fix
    assert close(found.plan.npv.hosting_usd, 1e6)  # what it would be worth is told all the same


def test_money_that_is_not_there_is_told_in_millions():
    poor = portfolio(4, offers=[offer()], finance={"opening_cash_usd": 2e5})
    assert broken(poor, signed())["cash above the liquidity floor"].told == (
        "not so: cash above the liquidity floor; by 0.8 million USD at 2027-01"
    )
    budget = [{"name": "first", "from_month": "2027-01", "until_month": "2027-02", "maximum_capex_usd": 6e5}]
    tight = portfolio(4, offers=[offer()], finance={"capex_budgets": budget})
    assert broken(tight, signed())["capex within its budgets"].told.endswith("by 0.4 million USD at first")


@pytest.mark.parametrize(
    ("name", "contracts", "policy"),
    [
        ("no offer is signed twice", (signed(), signed()), {}),
        ("contracts signed inside their window", (signed(month="2027-02"),), {}),
        ("contracts within their MW", (signed(mw=9.0),), {}),
        ("mandatory contracts signed", (), {"mandatory": [{"offer": "O1"}]}),
        ("forbidden contracts not signed", (signed(),), {"forbidden": [{"offer": "O1"}]}),
    ],
)
def test_every_broken_rule_is_found(name, contracts, policy):
    assert name in broken(portfolio(5, offers=[offer()], policy=policy), *contracts)


def test_machines_of_the_start_do_not_vanish():
    case = portfolio(3, asic_models=[asic()], fleets=[fleet()])
    assert set(broken(case)) == {"stock of machines follows from what came and went"}
    assert "those of the start" in evaluated(case).broken[0].fix


def test_the_planners_own_plan_is_worth_what_it_says():
    case = portfolio(
        5, discount_per_year_frac=0.1, asic_models=[asic()], fleets=[fleet(4000)], sites=[site(grid_mw=25.0)],
        offers=[offer(sites=[place(halls_displaced_mw_per_critical_mw=0.5)])], risk={"scenario_count": 8},
        market={"uncertainty": [{"factor": "btc_price", "volatility_per_year_frac": 0.5}]},
    )  # fmt: skip
    plan = best(case)
    found = evaluate(EvaluationSpec(portfolio=case, decisions=plan.decisions))
    assert found.feasible
    for name in ("contracts", "capacity", "mining", "cash_flow", "earnings", "npv", "distribution", "filled_in"):
        assert getattr(found.plan, name) == getattr(plan, name), name
    assert found.plan.manifest.portfolio_sha256 == plan.manifest.portfolio_sha256


def test_hashprice_answers_to_the_machines_that_are_stated():
    own = portfolio(3, asic_models=[asic()], fleets=[fleet(200_000)], market={"own_hashrate_feedback": True},
                    sites=[site(grid_mw=1500.0, hall_mw=1500.0)])  # fmt: skip
    plan = best(own)
    found = evaluate(EvaluationSpec(portfolio=own, decisions=plan.decisions))
    assert found.feasible
    assert found.plan.npv.total_usd == pytest.approx(plan.npv.total_usd, rel=5e-3)
    assert found.plan.own_hashrate.deviation_frac < 1e-9


def test_what_is_not_there_is_refused_with_what_is():
    case = portfolio(4, offers=[offer("O1")], sites=[site("A"), site("B")])
    for contract, told in (
        (signed("O9"), "no offer is named 'O9'"),
        (signed(at="B"), "O1 cannot be placed at B; it can at A"),
        (signed(at="C"), "no site is named 'C'"),
    ):
        with pytest.raises(InvalidInputError, match=told):
            evaluated(case, contract)


def test_every_check_of_the_audit_says_what_to_do():
    names = set()
    for file in Path(optimizer.audit.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Worst":
                names |= {item.value for item in node.args[:1] if isinstance(item, ast.Constant)}
            if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
                names |= {item.value for item in node.value.elts[:1] if isinstance(item, ast.Constant)}
    assert len(names) > 45
    assert {name for name in names if not name.startswith(CLAIMS)} == set(FIXES)
