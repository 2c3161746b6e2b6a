"""Alternatives: feasible, audited, within the share, at their distance from each other, and the best of those."""

from __future__ import annotations

from itertools import combinations

import pytest
from support import EXACT, close, offer, place, portfolio, problem_of, site

from optimizer.app import alternatives, evaluate, plan
from optimizer.app.alternatives import distance, distance_row
from optimizer.domain import ContractDecision, Decisions, validated
from optimizer.domain.alternatives import AlternativesSpec
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.errors import InvalidInputError

TWO = [place("A"), place("B")]


def case(**parts):
    """Two sites of 10 MW; of two leases, worth 5 and 4 million USD in six months, each fits once."""
    dear = offer("dear", price_usd_per_kw_month=300.0, sites=TWO, sign_until_month="2027-02")
    cheap = offer("cheap", price_usd_per_kw_month=250.0, sites=TWO[:1], critical_mw=4.0)
    return portfolio(6, sites=[site("A", 10.0), site("B", 10.0)], offers=[dear, cheap], **parts)


def found_of(stated=None, **terms):
    data = {"portfolio": stated or case(), "options": EXACT, "within_frac": 1.0, **terms}
    return alternatives(validated(AlternativesSpec, data, "alternatives"))


def signed(decisions):
    return {(item.offer, item.site) for item in decisions.contracts}


def test_all_plans_in_order_then_no_more():
    """dear at B beside cheap at A; dear alone at A or B; cheap alone; nothing. dear at A leaves no room for cheap."""
    found = found_of(count=10)
    assert signed(found.best_decisions) == {("dear", "B"), ("cheap", "A")}
    assert [signed(item.decisions) for item in found.plans[2:]] == [{("cheap", "A")}, set()]
    assert {frozenset(signed(item.decisions)) for item in found.plans[:2]} == {
        frozenset({("dear", "A")}),
        frozenset({("dear", "B")}),
    }
    assert found.no_more
    assert found.limit == "none"
    assert "there are no more (proven)" in found.told
    for item in found.plans:
        checked = evaluate(EvaluationSpec(portfolio=case(), decisions=item.decisions))
        assert checked.feasible
        assert item.audit_passed
        assert close(checked.plan.termination.objective_usd, item.objective_usd)
        assert close(item.costs_usd, found.best_objective_usd - item.objective_usd)
        assert close(sum(change.npv_usd for change in item.changes), -item.costs_usd)
        assert item.bound_usd >= item.objective_usd
        assert close(item.difference.found_usd, item.costs_usd)
        assert close(item.difference.most_usd, item.most_cost_usd)
        assert item.difference.certainty == ("proven" if item.costs_usd > 1.0 else "within-gap")
    costs = [item.costs_usd for item in found.plans]
    assert costs == sorted(costs)


@pytest.mark.parametrize(
    ("terms", "count"),
    [
        ({}, 4),
        ({"minimum_distance": 2.0}, 1),
        ({"measure": "mw", "minimum_distance": 10.0}, 2),
        ({"measure": "mw", "minimum_distance": 11.0}, 1),
        ({"offer_weights": [{"offer": "cheap", "weight_frac": 0.0}]}, 2),
        ({"other_month_frac": 1.0, "offer_weights": [{"offer": "cheap", "weight_frac": 0.0}]}, 4),
    ],
)
def test_any_two_keep_their_distance(terms, count):
    """dear has two sites and two months, cheap one of each: 10 and 4 MW."""
    found, spec = found_of(count=20, **terms), spec_of(**terms)
    assert len(found.plans) == count
    assert found.no_more
    sides = [found.best_decisions, *[item.decisions for item in found.plans]]
    for one, other in combinations(sides, 2):
        assert distance(spec, one, other) >= spec.minimum_distance
    for number, item in enumerate(found.plans, 1):
        assert item.distance == min(distance(spec, item.decisions, other) for other in sides[:number])


def spec_of(**terms):
    return validated(AlternativesSpec, {"portfolio": case(), **terms}, "alternatives")


def test_what_costs_more_than_the_share_is_none():
    everything = found_of(count=10)
    costs = [item.costs_usd / everything.best_objective_usd for item in everything.plans]
    within = (costs[1] + costs[2]) / 2.0
    found = found_of(count=10, within_frac=within)
    assert len(found.plans) == 2
    assert found.no_more
    assert not found_of(count=2, within_frac=within).no_more


def test_a_plan_at_hand_is_the_best_with_the_bound_that_is_known():
    known = plan(case(), EXACT)
    bound = known.termination.bound_usd
    found = found_of(decisions=known.decisions, bound_usd=bound, count=1)
    assert found.best_decisions.contracts == known.decisions.contracts
    assert close(found.plans[0].most_cost_usd, bound - found.plans[0].objective_usd)
    unbounded = found_of(decisions=known.decisions, count=1)
    assert unbounded.best_bound_usd is None
    assert unbounded.plans[0].most_cost_usd is None
    assert "is not known" in unbounded.plans[0].told


def test_a_poor_plan_at_hand_has_alternatives_that_are_worth_more():
    found = found_of(decisions=Decisions(), count=1)
    assert found.plans[0].costs_usd < 0.0
    assert "more than the best plan found" in found.plans[0].told
    assert found.plans[0].difference.certainty == "within-gap"


def test_a_plan_at_hand_that_breaks_limits_is_refused():
    lease = ContractDecision(offer="dear", site="A", sign_month="2027-01", critical_mw=10.0)
    both = Decisions(contracts=(lease, lease.model_copy(update={"offer": "cheap", "critical_mw": 4.0})))
    with pytest.raises(InvalidInputError, match="is no plan that keeps every limit"):
        found_of(decisions=both)


def test_without_a_plan_there_is_no_alternative():
    found = found_of(case(policy={"mandatory": [{"offer": "dear", "site": "A"}, {"offer": "cheap"}]}))
    assert found.plans == ()
    assert found.best_decisions is None
    assert "no plan that keeps every limit (proven)" in found.told


def test_a_stopped_search_says_so():
    found = alternatives(spec_of(options=EXACT), should_stop=lambda: True)
    assert found.plans == ()
    assert (found.limit, found.no_more) == ("interrupted", False) or found.best_decisions is None


def test_each_is_told_as_it_is_found():
    heard = []
    spec = spec_of(options=EXACT, within_frac=1.0, count=2)
    assert tuple(heard) != alternatives(spec, heard.append).plans == tuple(heard)


def test_the_row_is_the_distance():
    """Of all pairs of single contracts, as the spec says and as the row over the signatures says."""
    spec, problem = spec_of(other_month_frac=0.25, measure="mw"), problem_of(case())
    keys = problem.starts
    for here in range(len(keys.offer)):
        row = distance_row(spec, problem, [i == here for i in range(len(keys.offer))])
        for there in range(len(keys.offer)):
            expected = distance(spec, contract(problem, here), contract(problem, there)) - spec.minimum_distance
            assert row.coefficient[there] - row.least == pytest.approx(expected)


def contract(problem, start):
    starts, stated = problem.starts, problem.portfolio
    return Decisions(contracts=(ContractDecision(
        offer=stated.offers[starts.offer[start]].name,
        site=stated.sites[starts.site[start]].name,
        sign_month=stated.horizon.month_at(int(starts.sign_month[start])),
        critical_mw=float(starts.maximum_mw[start]),
    ),))  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"count": 0}, "count: 0 plans is outside"),
        ({"within_frac": 2.0}, "within_frac: 2 fraction is outside"),
        ({"minimum_distance": 0.0}, "minimum_distance: 0 contracts or MW is outside"),
        ({"offer_weights": [{"offer": "Nobody", "weight_frac": 1.0}]}, "no offer is named 'Nobody'; there is dear"),
        ({"offer_weights": [{"offer": "dear", "weight_frac": 1.0}] * 2}, "an offer has two weights"),
        ({"bound_usd": 1.0}, "is the bound of a plan that is not stated"),
        ({"options": {"solver": "scip"}}, "searched by HiGHS"),
        ({"options": {"paranoid": True}}, "searched by HiGHS"),
    ],
)
def test_what_it_cannot_do_is_refused(terms, told):
    with pytest.raises(InvalidInputError, match=told):
        spec_of(**terms)


def test_a_tail_that_counts_is_refused():
    stated = case(risk={"cvar_weight_frac": 1.0})
    with pytest.raises(InvalidInputError, match="alternatives are in expectation"):
        validated(AlternativesSpec, {"portfolio": stated}, "alternatives")


def test_what_the_bound_of_the_best_proves_is_not_searched_for(monkeypatch):
    """dear at A costs less than the gap asked for: a plan beside the best, proven by the bound of the best."""
    known, exact = plan(case(), EXACT), found_of(count=1).plans[0]
    monkeypatch.setitem(alternatives.__globals__, "solve_program", None)
    wide = EXACT.model_copy(update={"gap_frac": 0.5})
    terms = {"decisions": known.decisions, "bound_usd": known.termination.bound_usd, "options": wide}
    found = found_of(count=1, **terms).plans[0]
    assert close(found.objective_usd, exact.objective_usd)
    assert close(found.bound_usd, known.termination.bound_usd)
