"""Tuples of a quantity: judged as a whole, refused item by item."""

from typing import Annotated

import pytest
from pydantic import Field

from optimizer.domain.base import Number, Quantities, Quantity, Value, validated
from optimizer.domain.series import HourlyPrices
from optimizer.errors import InvalidInputError

PRICE = Quantity("USD/MWh", -10.0, 100.0, "4 US cents a kWh are 40 USD/MWh")


class OneByOne(Value):
    """As it would be without."""

    prices: tuple[Annotated[float, PRICE], ...] = Field(min_length=1, max_length=5)


class AsAWhole(Value):
    """The same."""

    prices: Annotated[tuple[Number, ...], Quantities(PRICE)] = Field(min_length=1, max_length=5)


@pytest.mark.parametrize(
    "prices",
    [
        [-10.0, 100.0, 0],
        [1.0, 101.0, 2.0, -10.5],
        [float("nan"), 1.0],
        [1.0, float("inf")],
        [1.0, "2", True, None],
        [],
        [1.0] * 6,
        "12",
        5.0,
    ],
)
def test_the_verdict_is_that_of_each_number_by_itself(prices):
    def verdict(kind):
        try:
            return validated(kind, {"prices": prices}, "question").prices
        except InvalidInputError as error:
            return error.problems

    assert verdict(AsAWhole) == verdict(OneByOne)


def test_the_refusal_names_index_value_and_fix():
    with pytest.raises(InvalidInputError) as caught:
        validated(AsAWhole, {"prices": [1.0, 250.0]}, "question")
    (problem,) = caught.value.problems
    assert (problem.path, problem.fix) == ("prices[1]", PRICE.hint)
    assert problem.message == "250 USD/MWh is outside -10..100 USD/MWh"


def test_the_schema_tells_unit_and_range_of_the_items():
    whole, single = (kind.model_json_schema()["properties"]["prices"] for kind in (AsAWhole, OneByOne))
    assert whole == single
    assert whole["items"]["x-unit"] == "USD/MWh"


def test_the_months_of_hours_that_start_in_the_evening():
    hours = HourlyPrices.model_validate({"first_hour": "2025-12-31T22:00", "usd_per_mwh": [1.0] * (2 + 365 * 24)})
    months = hours.month_of_year
    assert months[:4] == (12, 12, 1, 1)
    assert months[-1] == 12
    assert [months.count(month) for month in (1, 2, 12)] == [744, 672, 746]
    assert hours.month_of_year is months
