"""Rental price paths."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optimizer.curves import rental_path, yearly_change_between
from optimizer.errors import InvalidInputError

H100 = {"2023-H1": 3, "2024-10": 21, "2025-10": 33, "2026-03": 38}
"""Published quotes and their months after January 2023; the first is the middle of its half-year."""


def test_the_v_of_the_h100(shared_rows):
    rows = [
        row for row in shared_rows("reference/gpu_rental_prices.csv") if row["gpu"] == "H100" and row["date"] in H100
    ]
    quotes = [(H100[row["date"]], float(row["usd_per_GPU_hr"])) for row in rows]
    assert [price for _, price in quotes] == [8.0, 2.99, 1.70, 2.35]
    month, price = zip(*quotes, strict=True)
    path = rental_path(np.arange(60), quote_month=month, quote_usd_per_gpu_hour=price)
    np.testing.assert_allclose(path[list(month)], price, rtol=1e-14)
    assert (np.diff(path[3:34]) < 0.0).all()
    assert (np.diff(path[33:39]) > 0.0).all()
    assert (path[:4] == path[0]).all()
    assert (path[38:] == path[38]).all()


def test_between_quotes_the_price_changes_by_the_same_share_every_month():
    path = rental_path(np.arange(13), quote_month=[0, 12], quote_usd_per_gpu_hour=[4.0, 1.0])
    np.testing.assert_allclose(path[1:] / path[:-1], 0.25 ** (1 / 12), rtol=1e-13)


def test_the_yearly_change_of_published_prices_and_after_the_last_quote():
    change = yearly_change_between(first_usd_per_gpu_hour=2.99, last_usd_per_gpu_hour=2.35, months_between=17)
    assert change == pytest.approx(-0.16, abs=0.005)
    path = rental_path([0, 17, 29], quote_month=[0], quote_usd_per_gpu_hour=[2.99], change_per_year_frac=change)
    np.testing.assert_allclose(path, [2.99, 2.35, 2.35 * (1 + change)], rtol=1e-13)
    held = rental_path(
        [-5, 0, 6, 12], quote_month=[0, 12], quote_usd_per_gpu_hour=[4.0, 1.0], change_per_year_frac=-0.5
    )
    np.testing.assert_allclose(held, [4.0, 4.0, 2.0, 1.0], rtol=1e-13)
    rising = yearly_change_between(first_usd_per_gpu_hour=1.7, last_usd_per_gpu_hour=2.35, months_between=5)
    assert rising == pytest.approx((2.35 / 1.7) ** 2.4 - 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quote_month": [0.0, 12.0, 12.0]}, r"quote_month\[2\]: is 12, not after the one before"),
        ({"quote_usd_per_gpu_hour": [3.0, 0.0, 2.0]}, r"quote_usd_per_gpu_hour\[1\]: is 0.0"),
        ({"quote_usd_per_gpu_hour": [3.0, 2.0]}, r"quote_usd_per_gpu_hour: has shape \(2,\)"),
        ({"change_per_year_frac": -16.0}, "change_per_year_frac: is -16.0"),
        ({"month": [0.0, math.inf]}, r"month\[1\]: is not finite"),
    ],
)
def test_rental_paths_refuse(change, message):
    arguments = {"month": [0.0], "quote_month": [0.0, 6.0, 12.0], "quote_usd_per_gpu_hour": [3.0, 2.5, 2.0]} | change
    with pytest.raises(InvalidInputError, match=message):
        rental_path(arguments.pop("month"), **arguments)
