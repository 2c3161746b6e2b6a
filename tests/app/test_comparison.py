"""Two plans: what differs, what each difference is worth, and on which assumptions they differ."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from support import EXACT, asic, best, close, fleet, gpu_option, offer, opening, place, portfolio, scalable, site

from optimizer.app import compare, evaluate
from optimizer.app.assumptions import assumption_differences
from optimizer.app.changes import changed
from optimizer.domain import ContractDecision, Decisions, GpuOrder, SiteOpening, validated
from optimizer.domain.comparison import Baseline, ComparisonSpec
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.errors import InvalidInputError

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "compare-plans.md"


def signed(name="O1", month="2027-01", at="A", mw=10.0, **more):
    return ContractDecision(offer=name, site=at, sign_month=month, critical_mw=mw, **more)


def compared(case, plan, other=None, **more):
    spec = {"portfolio": case, "decisions": plan, "options": EXACT, **more}
    return compare(validated(ComparisonSpec, spec if other is None else {**spec, "other": other}, "comparison"))


def mining_and_leases(**parts):
    return portfolio(
        5,
        asic_models=[asic(price_usd_per_th=10.0, resale_frac=0.5)],
        fleets=[fleet(4000)],
        sites=[site(grid_mw=25.0)],
        offers=[
            offer(sign_until_month="2027-02"),
            offer("O2", price_usd_per_kw_month=60.0),
        ],
        **parts,
    )


def test_the_page_shows_what_happens():
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted >= 5
    assert results.failed == 0


def test_a_plan_compared_with_itself_is_empty():
    case = mining_and_leases()
    plan = best(case).decisions
    shuffled = plan.model_copy(update={"machines": plan.machines[::-1], "contracts": plan.contracts[::-1]})
    for other in (plan, shuffled):
        found = compared(case, plan, other)
        assert (found.changes, found.assumptions, found.difference_usd) == ((), (), 0.0)
        assert found.plan.broken == found.other.broken == ()


def test_a_lease_by_hand():
    """Two months of a million of rent for capex of a million: what signing it adds is a million."""
    found = compared(portfolio(4, offers=[offer()]), Decisions(contracts=(signed(),)), Decisions())
    (only,) = found.changes
    assert only.told == "Sign 10.0 MW of O1 at A in 2027-01"
    assert close(only.npv_usd, 1e6)
    assert found.told.startswith("The plan is worth 1.0 million USD more than the other; both keep every limit.")
    back = compared(portfolio(4, offers=[offer()]), Decisions(), Decisions(contracts=(signed(),)))
    assert [item.told for item in back.changes] == ["Not: Sign 10.0 MW of O1 at A in 2027-01"]
    assert close(back.difference_usd, -1e6)


def test_bounds_say_how_much_of_a_difference_of_two_portfolios_the_gap_may_hide():
    """A lease adds a million; with half a million hidden in each bound that stands, with two million it does not."""
    case, ours, theirs = portfolio(4, offers=[offer()]), Decisions(contracts=(signed(),)), Decisions()
    before = {"other_portfolio": portfolio(4)}
    assert compared(case, ours, theirs, **before).best_difference is None
    narrow = compared(case, ours, theirs, bound_usd=1.5e6, other_bound_usd=0.5e6, **before).best_difference
    assert (narrow.least_usd, narrow.most_usd) == pytest.approx((0.5e6, 1.5e6))
    assert narrow.certainty == "proven"
    wide = compared(case, ours, theirs, bound_usd=3e6, other_bound_usd=2e6, **before)
    assert wide.best_difference.certainty == "either-sign"
    assert wide.told.endswith("only within the gap, it could be of the other sign.")
    assert compared(case, ours, theirs, bound_usd=3e6, other_bound_usd=2e6).best_difference is None
    poor = portfolio(4, offers=[offer()], finance={"minimum_liquidity_usd": 1e9})
    assert compared(poor, ours, theirs, bound_usd=3e6, other_bound_usd=2e6, **before).best_difference is None


def test_each_kind_of_decision_is_told_in_the_order_of_the_calendar():
    case = portfolio(
        6,
        sites=[site(), site("B", opening=opening(2e5))],
        offers=[scalable(sign_until_month="2027-03"), offer("O2")],
        gpu_options=[gpu_option()],
    )
    plan = Decisions(
        contracts=(signed(month="2027-02", mw=8.0, debt_usd=2e5), signed("O2")),
        gpu_orders=(GpuOrder(gpu_option="G", site="A", order_month="2027-01", block_count=1),),
    )
    other = Decisions(contracts=(signed(mw=6.0),), site_openings=(SiteOpening(site="B", month="2027-01"),))
    found = compared(case, plan, other)
    assert [item.told for item in found.changes] == [
        "Sign 8.0 MW of O1 at A in 2027-02, 0.2 million USD of debt, instead of: Sign 6.0 MW of O1 at A in 2027-01",
        "Sign 10.0 MW of O2 at A in 2027-01",
        "Order 1 x G for A in 2027-01",
        "Not: Open B in 2027-01",
    ]
    assert close(found.changes[0].npv_usd, 1e6 * (8 - 6) / 10)
    assert close(found.changes[3].npv_usd, 2e5)
    assert close(sum(item.npv_usd for item in found.changes), found.difference_usd)


def test_machines_are_told_by_site_and_the_worth_sums_to_the_difference():
    case = mining_and_leases()
    found = compared(case, best(case).decisions, baseline=Baseline.MINE_ON)
    last = found.changes[-1]
    assert last.told.startswith("Machines at A: ")
    assert "fewer running on average" in last.told
    assert last.npv_usd < 0.0
    assert close(sum(item.npv_usd for item in found.changes), found.difference_usd)
    assert close(found.difference_usd, best(case).business_as_usual.difference_usd)


def test_rounding_of_the_solver_is_no_change():
    case = mining_and_leases()
    plan = best(case).decisions
    noisy = [row.model_copy(update={"stock_count": row.stock_count + 1e-8}) for row in plan.machines]
    assert compared(case, plan, plan.model_copy(update={"machines": tuple(noisy)})).changes == ()
    moved = [row.model_copy(update={"stock_count": row.stock_count + 1.0}) for row in plan.machines]
    assert len(compared(case, plan, plan.model_copy(update={"machines": tuple(moved)})).changes) == 1


def test_assumptions_come_before_decisions_and_are_named():
    case = mining_and_leases()
    dearer = changed(case, {"offers[O1].price_usd_per_kw_month": 1.5, "market.btc_usd": 0.9}, {})
    found = compared(
        case, Decisions(contracts=(signed("O2"),)), Decisions(contracts=(signed(),)), other_portfolio=dearer
    )
    assert [item.told for item in found.changes] == [
        "Other assumptions about offers",
        "Other assumptions about market",
        "Sign 10.0 MW of O2 at A in 2027-01",
        "Not: Sign 10.0 MW of O1 at A in 2027-01",
    ]
    assert [round(item.npv_usd) for item in found.changes] == [-1e6, 0, 2e5, -1e6]
    assert close(sum(item.npv_usd for item in found.changes), found.difference_usd)
    rows = {row.path: (row.value, row.other_value) for row in found.assumptions}
    assert rows["offers[O1].price_usd_per_kw_month"] == ("100", "150")
    assert set(rows) == {"offers[O1].price_usd_per_kw_month", "market.btc_usd"}


def test_what_the_portfolio_does_not_know_is_given_up_first():
    case = portfolio(4, offers=[offer("O2")])
    last = portfolio(4, offers=[offer("O1"), offer("O2")], sites=[site(), site("B")])
    found = compared(
        case, Decisions(contracts=(signed("O2"),)), Decisions(contracts=(signed("O1"),)), other_portfolio=last
    )
    assert [item.told for item in found.changes] == [
        "Not: Sign 10.0 MW of O1 at A in 2027-01",
        "Other assumptions about sites",
        "Other assumptions about offers",
        "Sign 10.0 MW of O2 at A in 2027-01",
    ]
    absent = {row.path: row.value for row in found.assumptions}
    assert absent["offers[O1]"] == absent["sites[B]"] == "absent"


def test_assumptions_that_only_hold_together_are_one_step():
    """A site that is renamed does not leave a portfolio that holds together without its offers."""
    case = portfolio(4, sites=[site("B")], offers=[offer(sites=[place("B")])])
    found = compared(case, Decisions(), Decisions(), other_portfolio=portfolio(4, offers=[offer()]))
    assert [item.told for item in found.changes] == ["Other assumptions about sites, offers"]


def test_differences_are_paths_that_what_ifs_take():
    case = mining_and_leases()
    other = changed(case, {"offers[*].sites[*].capex_usd_per_critical_mw": 2.0}, {"finance.opening_cash_usd": 5e8})
    rows = assumption_differences(other, case)
    assert [row.path for row in rows] == [
        "offers[O1].sites[A].capex_usd_per_critical_mw",
        "offers[O2].sites[A].capex_usd_per_critical_mw",
        "finance.opening_cash_usd",
    ]
    assert changed(case, {}, {row.path: float(row.value) for row in rows}) == other


def test_signing_everything_takes_what_loses_money():
    """The second lease does not pay, and only one fits beside the other from the start."""
    case = portfolio(
        4,
        sites=[site(grid_mw=10.0)],
        offers=[offer(term_months=1, sign_until_month="2027-03"), offer("O2", price_usd_per_kw_month=10.0)],
    )
    found = compared(case, best(case).decisions, baseline="sign-everything-now")
    others = {item.offer: f"{item.sign_month:%Y-%m}" for item in found.other.plan.decisions.contracts}
    assert others == {"O1": "2027-03", "O2": "2027-01"}
    assert found.other.feasible
    assert found.difference_usd > 0.0
    assert "searched for to a gap of 0.00%" in found.told


def test_hashprice_answers_to_the_machines_of_every_step():
    own = portfolio(
        3, asic_models=[asic()], fleets=[fleet(200_000)], market={"own_hashrate_feedback": True},
        sites=[site(grid_mw=1500.0, hall_mw=1500.0)],
    )  # fmt: skip
    plan = best(own).decisions
    half = plan.model_copy(update={"machines": tuple(_half(row) for row in plan.machines)})
    found = compared(own, plan, half)
    worth = [evaluate(EvaluationSpec(portfolio=own, decisions=item)).plan.npv.total_usd for item in (plan, half)]
    assert close(found.changes[0].npv_usd, worth[0] - worth[1])


def _half(row):
    (ran,) = row.running
    return row.model_copy(update={"running": (ran.model_copy(update={"machine_count": ran.machine_count / 2}),)})


def test_a_baseline_that_is_not_possible_is_told():
    must = portfolio(4, offers=[offer()], policy={"mandatory": [{"offer": "O1"}]})
    with pytest.raises(InvalidInputError, match="mine-on: the limits leave no such plan"):
        compared(must, Decisions(), baseline=Baseline.MINE_ON)
    with pytest.raises(InvalidInputError, match="baselines are solved by HiGHS"):
        compared(must, Decisions(), baseline=Baseline.MINE_ON, options={"paranoid": True})


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "needs either another plan or a baseline"),
        ({"other": Decisions(), "baseline": "mine-on"}, "needs either another plan or a baseline"),
        ({"other_portfolio": portfolio(4), "baseline": "mine-on"}, "a baseline is of the plan's own portfolio"),
        ({"baseline": "sell-all"}, "'sell-all' is not one of"),
    ],
)
def test_questions_without_one_other_side_are_refused(more, told):
    with pytest.raises(InvalidInputError, match=told):
        compared(portfolio(4), Decisions(), **more)


def test_a_plan_that_breaks_limits_is_compared_and_told():
    tight = portfolio(4, sites=[site(grid_mw=4.0)], offers=[offer()])
    found = compared(tight, Decisions(contracts=(signed(),)), Decisions())
    assert "it breaks 1 limits" in found.told
    assert not found.plan.feasible
