"""What happens in a scenario: as the twin draws it, with its probability, whatever the shard and whoever else there is."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.curves.outcomes import CONSTRUCTION, NONE, drawn_outcomes
from optimizer.curves.reference import scenarios as reference
from optimizer.errors import InvalidInputError

ASKED = {"seed": 11, "first_scenario": 3, "scenario_count": 4000, "purpose": CONSTRUCTION, "stream": 77}


@pytest.mark.parametrize("probability", [[0.25], [0.1, 0.2, 0.3], [0.4, 0.6], [1.0], [1.0 / 3.0] * 3])
def test_outcomes_equal_twin_and_come_with_their_probability(probability):
    found = drawn_outcomes(**ASKED, probability_frac=probability)
    np.testing.assert_array_equal(found, reference.drawn_outcomes(**ASKED, probability_frac=np.array(probability)))
    for position, share in enumerate(probability):
        assert np.mean(found == position) == pytest.approx(share, abs=4.0 * np.sqrt(0.25 / 4000))
    if sum(probability) > 1.0 - 1e-9:
        assert NONE not in found


def test_a_scenario_is_the_same_in_every_shard():
    whole = drawn_outcomes(**ASKED, probability_frac=[0.3, 0.3])
    part = drawn_outcomes(**ASKED | {"first_scenario": 103, "scenario_count": 50}, probability_frac=[0.3, 0.3])
    np.testing.assert_array_equal(part, whole[100:150])


@pytest.mark.parametrize("change", [{"stream": 78}, {"purpose": CONSTRUCTION + 1}, {"seed": 12}])
def test_others_are_independent(change):
    mine = drawn_outcomes(**ASKED, probability_frac=[0.5])
    other = drawn_outcomes(**ASKED | change, probability_frac=[0.5])
    assert abs(np.corrcoef(mine, other)[0, 1]) < 4.0 / np.sqrt(4000)


def test_more_than_certain_is_refused():
    with pytest.raises(InvalidInputError, match=r"sums to 1\.2"):
        drawn_outcomes(**ASKED, probability_frac=[0.6, 0.6])
