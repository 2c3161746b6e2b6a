"""Outcomes: one of a few things that happens in a scenario, or none of them: how building at a site turns out."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves import _sampling as sampling
from optimizer.curves import _scenarios
from optimizer.curves._checks import Int64Array
from optimizer.errors import InvalidInputError

NONE: Final = -1
"""Index of the outcome where none of them happens."""
CONSTRUCTION: Final = 4 << 16
"""What is drawn, in the counter of the random words: how building turns out."""
_LEAST_REST: Final = 1e-9
"""Probability below which nothing is left for none of them."""


def drawn_outcomes(
    *, seed: int, first_scenario: int, scenario_count: int, purpose: int, stream: int, probability_frac: ArrayLike
) -> Int64Array:
    """Index of what happens in each scenario, ``[W]``; :data:`NONE` with the probability that is left.

    ``stream`` is a 32-bit id that the caller keeps for whom it happens to: outcomes of different streams, or for
    different purposes, are independent, and adding one leaves the others as they are.

    Raises:
        InvalidInputError: for probabilities that sum to more than 1.
    """
    key = sampling.checked_seed(seed)
    first, count = sampling.scenario_range(first_scenario, scenario_count)
    probability = check.vector("probability_frac", probability_frac, check.FRACTION)
    until = np.cumsum(probability)
    if until[-1] > 1.0 + _LEAST_REST:
        raise InvalidInputError.single("probability_frac", f"sums to {until[-1]:g}", "it must sum to 1 or less")
    if until[-1] > 1.0 - _LEAST_REST:
        until[-1] = 1.0
    (owner,) = sampling.stream_ids([stream], (1,), "outcome")
    uniform = _scenarios.uniforms(key, first, count, 0, int(owner), purpose)[0]
    found = np.searchsorted(until, uniform, side="right")
    return np.where(found < probability.size, found, NONE).astype(np.int64)
