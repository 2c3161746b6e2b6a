"""A copy with other fields says what those say, not what the original had worked out from its own."""

import datetime as dt

from optimizer.io import load_portfolio


def test_a_copy_works_out_anew_what_follows_from_other_fields():
    portfolio = load_portfolio("tiny")
    assert len(portfolio.offers_by_name) == 3
    fewer = portfolio.model_copy(update={"offers": portfolio.offers[:1]})
    assert list(fewer.offers_by_name) == [portfolio.offers[0].name]
    assert len(portfolio.offers_by_name) == 3
    assert fewer.offers == portfolio.offers[:1]


def test_a_copied_horizon_has_months_of_its_own():
    horizon = load_portfolio("tiny").horizon
    assert horizon.months[0] == dt.date(2027, 1, 1)
    assert horizon.model_copy(update={"start_month": dt.date(2028, 1, 1)}).months[0] == dt.date(2028, 1, 1)


def test_a_copy_with_nothing_else_keeps_what_is_known():
    portfolio = load_portfolio("tiny")
    assert portfolio.offers_by_name is portfolio.model_copy().offers_by_name
