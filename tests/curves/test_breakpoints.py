"""Few straight pieces: the error holds everywhere, and no fewer would do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves import Breakpoints, function_breakpoints, piecewise_breakpoints, reference
from optimizer.errors import InvalidInputError


def concave_samples(seed, count=60):
    rng = np.random.default_rng(seed)
    mw = np.cumsum(rng.uniform(0.1, 3.0, count))
    slope = np.sort(rng.normal(0.0, 1.0, count - 1) * rng.choice([1.0, 10.0]))[::-1]
    return mw, np.append(0.0, np.cumsum(slope * np.diff(mw))) + rng.normal(0.0, 5.0)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 0.03, 1e-3, 1e-5]))
def test_the_fewest_samples_within_the_error(seed, error):
    mw, value = concave_samples(seed)
    pieces = piecewise_breakpoints(mw, value, relative_error=error)
    assert pieces.mw.size == reference.fewest_breakpoints(mw, value, relative_error=error)
    assert set(pieces.mw) <= set(mw)
    between = np.random.default_rng(seed).uniform(mw[0], mw[-1], 500)
    missed = np.interp(between, mw, value) - pieces.at(between)
    assert missed.min() >= -1e-12 * np.abs(value).max()
    assert missed.max() <= pieces.error_bound_usd * (1 + 1e-9) + 1e-12 * np.abs(value).max()
    assert pieces.error_bound_usd <= error * np.abs(value).max()
    at_samples = value - pieces.at(mw)
    assert at_samples.max() == pytest.approx(pieces.error_bound_usd, rel=1e-6, abs=1e-12 * np.abs(value).max())


def test_samples_of_more_than_a_few_pieces():
    sizes = [piecewise_breakpoints(*concave_samples(1, 3000), relative_error=e).mw.size for e in (1e-2, 1e-4, 1e-6)]
    assert sizes[0] < sizes[1] < sizes[2] < 3000


FUNCTIONS = {
    "root": np.sqrt,
    "log": np.log1p,
    "humped": lambda mw: 40.0 * mw - mw**1.5,
    "kinked": lambda mw: np.minimum(np.minimum(3.0 * mw, 100.0 + mw / 3.0), 150.0),
    "straight": lambda mw: 7.0 * mw,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("error", [1e-2, 1e-3, 1e-4])
def test_the_error_holds_between_the_samples_of_a_function(name, error):
    function = FUNCTIONS[name]
    pieces = function_breakpoints(function, low_mw=0.0, high_mw=500.0, relative_error=error)
    mw = np.random.default_rng(4).uniform(0.0, 500.0, 20_000)
    missed = function(mw) - pieces.at(mw)
    top = function(np.linspace(0.0, 500.0, 20_001)).max()
    assert missed.min() >= -1e-12 * top
    assert missed.max() <= pieces.error_bound_usd + 1e-12 * top
    assert pieces.error_bound_usd <= error * top * (1 + 1e-9)
    np.testing.assert_array_equal(pieces.value_usd, function(pieces.mw))


def test_the_pieces_of_known_functions():
    straight = function_breakpoints(FUNCTIONS["straight"], low_mw=0.0, high_mw=500.0)
    assert straight.mw.tolist() == [0.0, 500.0]
    kinked = function_breakpoints(FUNCTIONS["kinked"], low_mw=0.0, high_mw=500.0)
    np.testing.assert_allclose(kinked.mw, [0.0, 37.5, 150.0, 500.0], atol=0.5)
    # A chord of a parabola over a width h misses h**2 / 4 of its curvature: n equal pieces of 1 / n miss 1 / (4 n**2).
    parabola = function_breakpoints(lambda mw: 1.0 - (mw - 1.0) ** 2, low_mw=0.0, high_mw=1.0, relative_error=1e-4)
    assert parabola.mw.size in (51, 52)
    assert parabola.mw.size - 1 >= 50


@pytest.mark.parametrize(
    ("mw", "value", "message"),
    [
        ([0.0, 1.0, 2.0], [0.0, 1.0, 3.0], r"value_usd\[1\]: is 1 at 1 MW, under the line between its neighbours"),
        ([0.0, 2.0, 2.0], [0.0, 1.0, 1.0], r"mw\[2\]: is 2, not above the one before"),
        ([0.0, 1.0], [0.0, np.nan], r"value_usd\[1\]: is not finite"),
        ([0.0], [0.0], "mw: has one entry"),
        ([0.0, 1.0], [0.0, 1.0, 2.0], r"value_usd: has shape \(3,\)"),
    ],
)
def test_samples_are_refused(mw, value, message):
    with pytest.raises(InvalidInputError, match=message):
        piecewise_breakpoints(mw, value)


def test_functions_are_refused():
    with pytest.raises(InvalidInputError, match="under the line between its neighbours"):
        function_breakpoints(np.square, low_mw=0.0, high_mw=10.0)
    with pytest.raises(InvalidInputError, match="is too steep at 0 MW"):
        function_breakpoints(lambda mw: np.where(mw > 0.0, 1.0, 0.0), low_mw=0.0, high_mw=10.0)
    with pytest.raises(InvalidInputError, match=r"value_usd\[0\]: is not finite"):
        function_breakpoints(lambda mw: mw * np.inf + 1.0, low_mw=1.0, high_mw=10.0)
    with pytest.raises(InvalidInputError, match=r"high_mw: is 1\.0"):
        function_breakpoints(np.sqrt, low_mw=1.0, high_mw=1.0)


def test_pieces_end_with_their_knots():
    pieces = Breakpoints(np.array([1.0, 3.0]), np.array([2.0, 4.0]), 0.0)
    assert pieces.at([1.0, 2.0, 3.0]).tolist() == [2.0, 3.0, 4.0]
    with pytest.raises(InvalidInputError, match=r"mw\[1\]: is 3.5; pass values between 1 and 3 MW"):
        pieces.at([2.0, 3.5])
