"""How much of the difference of two best plans could be an artefact of the gap: every case by hand, and drawn ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.domain.proof import Certainty, worth_difference

MUSD = 1e6
AMOUNTS = st.integers(-5, 5).map(float)
SLACKS = st.integers(0, 4).map(float)


@pytest.mark.parametrize(
    ("sides", "ends", "certainty", "told"),
    [
        ((10, 12, 4, 5), (5, 8), Certainty.PROVEN, "6.00 million USD, between 5.00 and 8.00 (proven)"),
        ((4, 5, 10, 12), (-8, -5), Certainty.PROVEN, "-6.00 million USD, between -8.00 and -5.00 (proven)"),
        ((10, 12, 9, 13), (-3, 3), Certainty.EITHER_SIGN, "it could be of the other sign"),
        ((9, 13, 10, 12), (-3, 3), Certainty.EITHER_SIGN, "it could be of the other sign"),
        ((10, 12, 9, 10), (0, 3), Certainty.WITHIN_GAP, "only within the gap, it may be nothing"),
        ((9, 10, 10, 12), (-3, 0), Certainty.WITHIN_GAP, "only within the gap, it may be nothing"),
        ((9, 10, 9, 10), (-1, 1), Certainty.WITHIN_GAP, "only within the gap, it need not be nothing"),
        ((9, 9, 9, 9), (0, 0), Certainty.PROVEN, "0.00 million USD (proven)"),
        ((10, None, 9, None), (None, None), Certainty.EITHER_SIGN, "not bounded on either side"),
        ((10, None, 4, 5), (5, None), Certainty.PROVEN, "6.00 million USD, at least 5.00 (proven)"),
        ((10, 12, 9, None), (None, 3), Certainty.EITHER_SIGN, "1.00 million USD as found, at most 3.00 (proven)"),
    ],
)
def test_by_hand(sides, ends, certainty, told):
    found = worth_difference(*(None if usd is None else usd * MUSD for usd in sides))
    assert found.found_usd == (sides[0] - sides[2]) * MUSD
    assert (found.least_usd, found.most_usd) == tuple(None if usd is None else usd * MUSD for usd in ends)
    assert found.certainty is certainty
    assert told in found.told


def test_a_narrower_program_is_never_worth_more():
    found = worth_difference(10 * MUSD, 12 * MUSD, 9 * MUSD, 13 * MUSD, other_is_narrower=True)
    assert (found.least_usd, found.most_usd) == (0.0, 3 * MUSD)
    assert found.certainty is Certainty.WITHIN_GAP
    better = worth_difference(9 * MUSD, 12 * MUSD, 10 * MUSD, 12 * MUSD, other_is_narrower=True)
    assert (better.found_usd, better.least_usd, better.most_usd) == (0.0, 0.0, 2 * MUSD)
    assert better.certainty is Certainty.WITHIN_GAP


@given(AMOUNTS, SLACKS, SLACKS, AMOUNTS, SLACKS, SLACKS)
def test_whatever_hides_in_the_gaps_lies_between_the_ends(worth, hidden, slack, other, hidden_there, slack_there):
    """The best are worth what hides more than what was found, and no more than the bounds."""
    found = worth_difference(worth, worth + hidden + slack, other, other + hidden_there + slack_there)
    truth = (worth + hidden) - (other + hidden_there)
    assert found.least_usd <= truth <= found.most_usd
    assert found.least_usd <= found.found_usd <= found.most_usd
    if found.certainty is Certainty.PROVEN:
        assert truth * found.found_usd > 0.0 or truth == found.found_usd == 0.0
    if found.certainty is Certainty.WITHIN_GAP:
        assert truth * found.found_usd >= 0.0
