"""Break-evens hold on both sides, and say what they do not know."""

from __future__ import annotations

import math

import numpy as np
import pytest
from random_portfolios import random_portfolio
from support import EXACT, assembled, best, offer, place, portfolio

from optimizer.app import break_evens
from optimizer.app.break_even_questions import CENT, DEAREST, SCALES, Question, Worth, in_words, meets
from optimizer.app.changes import changed
from optimizer.app.term_programs import TermPrograms
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, Placement
from optimizer.domain.break_evens import BreakEvensSpec, ContractTerm
from optimizer.errors import InvalidInputError


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
    for item in narrow.prices:
        out, in_ = ends(item)
        held = item.price_usd_per_kw_month >= in_ if item.signed else item.price_usd_per_kw_month <= out
        assert item.certainty == ("proven" if held or in_ == -out == math.inf else "within-gap")
    assert {item.certainty for item in narrow.prices} >= {"proven"}
    for inner, outer in zip(narrow.prices, wide.prices, strict=True):
        assert ends(outer)[0] <= ends(inner)[0]
        assert ends(outer)[1] >= ends(inner)[1]
        wider += ends(outer) != ends(inner)
    assert wider > 0


def ends(item):
    known = (item.out_usd_per_kw_month, -math.inf), (item.in_usd_per_kw_month, math.inf)
    return tuple(other if price is None else price for price, other in known)


@pytest.mark.parametrize(
    ("term", "numbers", "change"),
    [
        (ContractTerm.PRICE, {0: 171.0, 1: 33.0}, {"offers[0].price_usd_per_kw_month": 171.0}),
        (ContractTerm.DELAY, {0: -1.0, 1: -2.0}, {"offers[0].sites[*].build_months": 2}),
        (ContractTerm.DELAY, {0: 1.0, 1: -1.0}, {"offers[0].sites[*].build_months": 0}),
        (ContractTerm.HAZARD, {0: -0.85}, {"offers[0].credit.default_hazard_per_year_frac": 0.85}),
    ],
)
def test_a_term_changes_only_columns_of_its_offer(term, numbers, change):
    """What is read out of the joint statement is the statement of that offer's term alone."""
    case = changed(random_portfolio(3, ruled=True), {}, {"offers[*].sites[*].build_months": 1})
    if term is ContractTerm.HAZARD:
        case = changed(case, {}, {"offers[0].tenant": "alone"})
    programs = TermPrograms(case, Futures.of(case), term)
    read = programs.own(programs.at(numbers), 0)
    alone = changed(case, {}, change)
    stated = assembled(alone)
    matrix = stated.compile()
    rows = np.array([programs._row_of[name, key] for name, block in stated.rows.items() for key in block.keys])
    columns = np.array(
        [programs._column_of[name, key] for name, block in stated.variables.items() for key in block.keys]
    )
    for name, where in (("cost", columns), ("column_lower", columns), ("column_upper", columns)):
        assert np.array_equal(getattr(read, name)[where], getattr(matrix, name)), name
    for name in ("row_lower", "row_upper"):
        assert np.array_equal(getattr(read, name)[rows], getattr(matrix, name)), name
    assert np.array_equal(dense(read)[np.ix_(rows, columns)], dense(matrix))
    absent = np.setdiff1d(np.arange(len(read.cost)), columns)
    assert not read.column_upper[absent].any()
    assert not dense(read)[:, absent].any()
    assert not np.array_equal(read.cost, programs.base.cost)


def test_a_late_contract_needs_rows_of_its_own():
    policy = {"parallel_builds": [{"maximum_count": 1}]}
    case = portfolio(months=6, offers=[offer(sites=[place()])], policy=policy)
    programs = TermPrograms(case, Futures.of(case), ContractTerm.DELAY)
    before = programs.base.shape
    programs.at({0: -2.0})
    assert programs.base.shape[0] > before[0]
    assert programs.base.shape[1] == before[1]


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


def test_the_words_of_other_terms():
    capex, delay = ContractTerm.CAPEX, ContractTerm.DELAY
    question = Question(0, -1.0, signed=True, scale=SCALES[capex], out=-1.2, in_=-1.1)
    told = in_words("A", capex, question, possible=True)
    assert told.startswith(
        "A, signed at 1.000 times its capex, leaves between 1.100 and 1.200 times its capex (proven);"
    )
    question.in_ = None
    assert "leaves below 1.200 (proven out from there on), if at all" in in_words("A", capex, question, possible=True)
    late = Question(0, 0.0, signed=False, scale=SCALES[delay]._replace(least=-9.0, most=3.0), in_=-9.0)
    told = in_words("B", delay, late, possible=True)
    assert told == (
        "B is worth signing at any delay up to 9 months late (proven); with more, one of its sites is too late for its "
        "terms."
    )
    late.out, late.in_ = -4.0, -5.0
    assert "comes back: it is in at 5 months late and out at 4 months late" in in_words("B", delay, late, possible=True)


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
    scale = SCALES[ContractTerm.PRICE]
    assert meets([(100.0, -2e6), (120.0, 2e6)], scale, up=True) == 110.0
    assert meets([(100.0, -2e6), (110.0, -1e6)], scale, up=False) == 120.0
    assert meets([(100.0, -2e6), (100.01, 1.0)], scale, up=True) is None
    assert meets([(DEAREST, -1.0)], scale, up=True) is None
    assert meets([(-3.0, -1e6), (0.0, 1e6)], SCALES[ContractTerm.DELAY], up=True) == -1.0
    question = Question(0, 100.0, signed=False, without=Worth(5.0, 6.0))
    question.learn(100.0, Worth(1.0, 4.0))
    question.learn(150.0, Worth(7.0, 8.0))
    assert (question.out, question.in_) == (100.0, 150.0)
