"""Planning again: what is decided stays, changes are limited or priced, and each is told with what it earns."""

from __future__ import annotations

import pytest
from support import EXACT, best, close, gpu_option, offer, opening, place, portfolio, signed, site

from optimizer.app import plan, replan
from optimizer.domain import ContractDecision, Decisions, SiteOpening, validated
from optimizer.domain.replan import ReplanSpec
from optimizer.errors import InvalidInputError

TWO = [place("A"), place("B")]
EARLY = offer("early", sites=TWO, sign_until_month="2027-03", price_usd_per_kw_month=10.0)
LATE = offer("late", sites=TWO, sign_until_month="2027-03", price_usd_per_kw_month=20.0)
NEW = offer("new", sites=TWO, sign_until_month="2027-03")
"""early loses 0.8 and late 0.6 million USD, new earns a million."""


def case(*offers, **parts):
    return portfolio(6, sites=[site("A"), site("B")], offers=list(offers or (EARLY, LATE, NEW)), **parts)


def contract(name, month, where="A"):
    return ContractDecision(offer=name, site=where, sign_month=month, critical_mw=10.0)


CURRENT = Decisions(contracts=(contract("early", "2027-01"), contract("late", "2027-03")))


def found_of(stated=None, decisions=CURRENT, **terms):
    data = {"portfolio": stated or case(), "decisions": decisions, "options": EXACT, **terms}
    return replan(validated(ReplanSpec, data, "re-plan"))


def offers_of(found):
    return set(signed(found.plan))


def test_without_rules_it_is_the_best_plan_and_each_change_is_told():
    found = found_of()
    assert offers_of(found) == {"new"}
    assert found.change_count == 3
    assert close(found.comparison.difference_usd, 1e6 + 0.8e6 + 0.6e6)
    assert close(sum(item.npv_usd for item in found.comparison.changes), found.comparison.difference_usd)
    assert close(found.plan.termination.objective_usd, best(case()).termination.objective_usd)


def test_what_changes_bring_is_proven_or_said_to_be_hidden_by_the_gap():
    found = found_of()
    assert close(found.gain.found_usd, 2.4e6)
    assert found.gain.certainty == "proven"
    assert "What it brings at its best" not in found.told
    assert found_of(cost_usd_per_change=0.5e6).gain is None
    stays = found_of(most_changes=0)
    assert close(stays.gain.found_usd, 0.0)


def test_what_is_decided_before_the_freeze_stays_and_nothing_new_is_decided():
    found = found_of(freeze_until_month="2027-03")
    assert signed(found.plan)["early"] == ("A", "2027-01")
    assert signed(found.plan)["new"][1] == "2027-03"
    assert offers_of(found) == {"early", "new"}
    assert found.plan.audit.passed


@pytest.mark.parametrize(("most", "offers"), [
    (0, {"early", "late"}), (1, {"early", "late", "new"}), (2, {"late", "new"}), (3, {"new"}),
])  # fmt: skip
def test_changes_are_spent_where_they_earn_most(most, offers):
    found = found_of(most_changes=most)
    assert offers_of(found) == offers
    assert found.change_count == most
    assert found.plan.termination.reason == "optimal"


@pytest.mark.parametrize(("cost", "count"), [(0.5e6, 3), (0.7e6, 2), (0.9e6, 1), (1.1e6, 0)])
def test_a_change_must_bring_its_price(cost, count):
    found = found_of(cost_usd_per_change=cost)
    assert found.change_count == count
    assert close(found.plan.termination.objective_usd, found.plan.npv.total_usd - count * cost)
    worth = [item.npv_usd for item in found.comparison.changes if "Machines" not in item.told]
    assert all(usd > cost for usd in worth)


def test_orders_and_openings_stay_and_count():
    stated = portfolio(
        6, sites=[site("A"), site("C", opening=opening(1e5))], gpu_options=[gpu_option(capex_usd_per_gpu=1e5)]
    )
    current = Decisions(site_openings=(SiteOpening(site="C", month="2027-02"),))
    assert found_of(stated, current).plan.decisions.site_openings == ()
    kept = found_of(stated, current, freeze_until_month="2027-03")
    assert kept.plan.decisions.site_openings == current.site_openings
    assert found_of(stated, current, most_changes=0).plan.decisions.site_openings == current.site_openings
    assert found_of(stated, current, most_changes=1).change_count == 1


def test_what_is_not_known_any_more_is_given_up_or_refused():
    now = case(EARLY, NEW)
    found = found_of(now, freeze_until_month="2027-02", most_changes=1)
    assert offers_of(found) == {"early", "new"}
    assert found.given_up == ("Sign 10.0 MW of late at A in 2027-03",)
    with pytest.raises(InvalidInputError, match=r"decisions.contracts\[0\]: stays, but is not known any more"):
        found_of(case(LATE, NEW), freeze_until_month="2027-02")


def test_what_cannot_stay_leaves_no_plan():
    found = found_of(case(policy={"forbidden": [{"offer": "early"}]}), freeze_until_month="2027-02")
    assert found.comparison is None
    assert "there is no plan that keeps every limit (proven)" in found.told
    assert found_of(case(policy={"forbidden": [{"offer": "early"}]}), most_changes=0).plan.audit is None


def test_the_same_data_and_the_best_plan_change_nothing():
    current = plan(case(), EXACT).decisions
    found = found_of(decisions=current, cost_usd_per_change=1.0)
    assert found.change_count == 0
    assert found.comparison.changes == ()
    assert found.told.startswith("No changes")


def test_another_previous_plan_is_refused():
    stated = case(policy={"contract_changes": {"previous": [], "maximum_count": 1}})
    with pytest.raises(InvalidInputError, match="states another previous plan"):
        found_of(stated)
