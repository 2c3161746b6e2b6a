"""Paths over time: values, growth, steps, and how they are written."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from optimizer.domain import ValuePath, add_months, months_between

START = dt.date(2027, 1, 1)


def test_a_flat_path_is_a_bare_number():
    path = ValuePath.model_validate(42)
    assert path.at(START, dt.date(2031, 7, 1)) == 42.0
    assert path.model_dump() == 42.0


def test_growth_is_compound_and_monthly():
    path = ValuePath.model_validate({"value": 100, "growth_per_year_frac": 0.21})
    assert path.at(START, dt.date(2029, 1, 1)) == pytest.approx(146.41)
    assert path.at(START, dt.date(2027, 7, 1)) == pytest.approx(110.0)


def test_steps_hold_from_their_month_and_the_first_one_before():
    path = ValuePath.model_validate(
        {"points": [{"from_month": "2027-06", "value": 1}, {"from_month": "2028-01", "value": 2}]}
    )
    months = [dt.date(2027, 1, 1), dt.date(2027, 6, 1), dt.date(2027, 12, 1), dt.date(2028, 1, 1), dt.date(2040, 1, 1)]
    assert [path.at(START, month) for month in months] == [1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    "written",
    [
        7.5,
        {"value": 7.5, "growth_per_year_frac": 0.0},
        {"value": 7.5, "growth_per_year_frac": -0.1},
        {"points": [{"from_month": "2027-06", "value": 0.0}]},
        {"points": [{"from_month": "2027-06", "value": 3.0}], "growth_per_year_frac": 0.0},
    ],
)
def test_it_is_written_as_it_was_stated(written):
    path = ValuePath.model_validate(written)
    dumped = path.model_dump(mode="json", exclude_unset=True)
    assert dumped == written
    assert ValuePath.model_validate(dumped).model_fields_set == path.model_fields_set


def test_stating_the_default_does_not_change_the_meaning():
    bare, explicit = ValuePath.model_validate(5), ValuePath.model_validate({"value": 5, "growth_per_year_frac": 0.0})
    assert bare.model_dump(mode="json") == explicit.model_dump(mode="json")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"value": 1, "points": [{"from_month": "2027-01", "value": 1}]},
        {"points": [{"from_month": "2028-01", "value": 1}, {"from_month": "2027-01", "value": 1}]},
        {"value": "1"},
        True,
    ],
)
def test_what_is_no_path_is_refused(wrong):
    with pytest.raises(ValidationError):
        ValuePath.model_validate(wrong)


def test_months_add_and_subtract():
    assert add_months(dt.date(2027, 11, 1), 3) == dt.date(2028, 2, 1)
    assert add_months(dt.date(2027, 1, 1), -1) == dt.date(2026, 12, 1)
    assert months_between(dt.date(2027, 11, 1), dt.date(2028, 2, 1)) == 3
