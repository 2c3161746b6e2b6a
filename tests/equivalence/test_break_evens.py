"""Break-evens hold on both sides, and say what they do not know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from random_portfolios import random_portfolio
from support import EXACT, best, offer, portfolio

from optimizer.app import break_evens
from optimizer.app.break_even_prices import CENT, DEAREST, PriceQuestion, Worth, meets
from optimizer.app.break_evens import _BreakEvensJob
from optimizer.app.changes import changed
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, Placement
from optimizer.domain.break_evens import BreakEvensSpec
from optimizer.errors import InvalidInputError
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem


def asked(case, **terms):
    plan = best(case)
    data = {"portfolio": case, "decisions": plan.decisions, "bound_usd": plan.termination.bound_usd, "options": EXACT}
    return BreakEvensSpec.model_validate({**data, **terms})


def dense(matrix):
    found = np.zeros(matrix.shape)
    found[np.repeat(np.arange(len(found)), np.diff(matrix.start)), matrix.index] = matrix.value
    return found


def test_relaxed_intervals_hold_the_searched_ones():
    case = random_portfolio(1)
    spec = asked(case)
    narrow = break_evens(spec)
    wide = break_evens(spec.model_copy(update={"relaxed_only": True}))
    wider = 0
    for inner, outer in zip(narrow.prices, wide.prices, strict=True):
        assert ends(outer)[0] <= ends(inner)[0]
        assert ends(outer)[1] >= ends(inner)[1]
        wider += ends(outer) != ends(inner)
    assert wider > 0


def ends(item):
    known = (item.out_usd_per_kw_month, -math.inf), (item.in_usd_per_kw_month, math.inf)
    return tuple(other if price is None else price for price, other in known)


def test_a_price_changes_only_columns_of_its_offer():
    """What is read out of the joint statement is the statement of that offer's price alone."""
    case = random_portfolio(3, ruled=True)
    job = _BreakEvensJob(asked(case, relaxed_only=True), None, None)
    job.answer()
    joint = job._stated_at({0: 171.0, 1: 33.0})
    alone = changed(case, {}, {"offers[0].price_usd_per_kw_month": 171.0})
    stated = assemble(PlanningProblem.of(alone, Futures.of(alone)), FORMULATION).compile()
    read = job._own(joint, 0)
    for name in ("cost", "column_lower", "column_upper", "row_lower", "row_upper"):
        assert np.array_equal(getattr(read, name), getattr(stated, name)), name
    assert np.array_equal(dense(read), dense(stated))
    assert not np.array_equal(dense(joint), dense(stated))


def test_rent_that_carries_no_debt_as_stated_carries_some_at_its_break_even():
    """At the price as stated there is no debt to decide; at the prices that are tried there is."""
    debt = {"loan_to_cost_frac": 0.7, "interest_per_year_frac": 0.0, "amortization_months": 2, "minimum_dscr": 1.5}
    finance = {"opening_cash_usd": 0.4e6, "project_debt": debt}
    case = portfolio(5, offers=[offer(term_months=3, price_usd_per_kw_month=0.0)], finance=finance)
    found = break_evens(asked(case)).prices[0]
    assert not found.signed
    assert found.in_usd_per_kw_month - found.out_usd_per_kw_month < 1.5 * CENT
    assert not signs(case, found.out_usd_per_kw_month - CENT)
    assert signs(case, found.in_usd_per_kw_month + CENT)


def signs(case, price):
    return bool(best(changed(case, {}, {"offers[0].price_usd_per_kw_month": price})).decisions.contracts)


def test_a_mandatory_offer_does_not_leave_and_a_forbidden_one_does_not_enter():
    case = random_portfolio(1)
    first, second = (offer.name for offer in case.offers[:2])
    policy = {"policy.mandatory": (Placement(offer=first),), "policy.forbidden": (Placement(offer=second),)}
    must, must_not = break_evens(asked(changed(case, {}, policy), offers=[first, second])).prices
    assert must.in_usd_per_kw_month == 0.0
    assert must.out_usd_per_kw_month is None
    assert "at any price" in must.told
    assert must_not.out_usd_per_kw_month == DEAREST
    assert must_not.in_usd_per_kw_month is None
    assert "not worth signing at any price" in must_not.told


def test_a_wide_bound_widens_the_answer_and_is_said():
    case = random_portfolio(1)
    spec = asked(case)
    loose = spec.model_copy(update={"bound_usd": spec.bound_usd + 5e6})
    unsigned = [item for item in break_evens(loose).prices if not item.signed and item.out_usd_per_kw_month < DEAREST]
    sharp = {item.offer: item for item in break_evens(spec).prices}
    assert unsigned
    for item in unsigned:
        assert item.in_usd_per_kw_month > sharp[item.offer].in_usd_per_kw_month + CENT
        assert item.out_usd_per_kw_month <= sharp[item.offer].in_usd_per_kw_month
        assert "the gap hides" in item.told


def test_no_time_is_told_as_such():
    found = break_evens(asked(random_portfolio(1)), should_stop=lambda: True)
    assert found.limit == "interrupted"
    assert all("not known" in item.told for item in found.prices)


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"offers": ["x"]}, "no offer is named 'x'"),
        ({"offers": ["O1", "O1"]}, "named twice"),
        ({"options": {"solver": "scip"}}, "searched by HiGHS"),
    ],
)
def test_bad_questions_say_what_is_there(terms, told):
    with pytest.raises(ValueError, match=told):
        asked(random_portfolio(1), **terms)


def test_a_plan_that_breaks_limits_is_refused():
    case = random_portfolio(1)
    policy = {"policy.mandatory": (Placement(offer=case.offers[0].name),)}
    spec = BreakEvensSpec(portfolio=changed(case, {}, policy), decisions=Decisions(), options=EXACT)
    with pytest.raises(InvalidInputError, match="keeps every limit"):
        break_evens(spec)


def test_lines_through_what_is_known_meet_the_worth_without():
    assert meets([(100.0, -2e6), (120.0, 2e6)], up=True) == 110.0
    assert meets([(100.0, -2e6), (110.0, -1e6)], up=False) == 120.0
    assert meets([(100.0, -2e6), (100.01, 1.0)], up=True) is None
    assert meets([(DEAREST, -1.0)], up=True) is None
    question = PriceQuestion(0, 100.0, signed=False, without=Worth(5.0, 6.0))
    question.learn(100.0, Worth(1.0, 4.0))
    question.learn(150.0, Worth(7.0, 8.0))
    assert (question.out, question.in_) == (100.0, 150.0)
