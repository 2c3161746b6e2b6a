"""Alternatives are, one after the other, the best of all combinations that pass and keep their distance."""

from __future__ import annotations

import pytest
from brute_force import by_worth
from random_portfolios import random_portfolio
from support import EXACT, close

from optimizer.app import alternatives
from optimizer.app.alternatives import distance
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain.alternatives import AlternativesSpec


@pytest.mark.parametrize(
    ("seed", "terms"),
    [
        (1, {}),
        (3, {"other_month_frac": 1.0}),
        (5, {"measure": "mw", "minimum_distance": 12.0}),
        (7, {"minimum_distance": 2.0, "other_month_frac": 0.5}),
        (3, {"offer_weights": [{"offer": "O1", "weight_frac": 3.0}], "minimum_distance": 2.0}),
    ],
)
def test_they_are_the_best_that_keep_their_distance(seed, terms):
    case = random_portfolio(seed)
    data = {"portfolio": case, "count": 4, "within_frac": 0.5, "options": EXACT, **terms}
    spec = AlternativesSpec.model_validate(data)
    found = alternatives(spec)
    expected = by_brute_force(spec)
    assert len(expected) > 1
    assert close(found.best_objective_usd, expected[0], usd=3.0)
    assert [item.objective_usd for item in found.plans] == pytest.approx(expected[1:], abs=3.0)
    assert found.no_more == (len(expected) <= spec.count)


def by_brute_force(spec):
    """Worth of the best combination that passes, and of the best after it that keep their distance, in one pass."""
    futures, kept, worths = Futures.of(spec.portfolio), [], []
    for decisions in by_worth(spec.portfolio, futures):
        if any(distance(spec, decisions, other) < spec.minimum_distance for other in kept):
            continue
        found, report = audit(spec.portfolio, futures, decisions, Claims())
        if not report.passed:
            continue
        if worths and found.objective_usd < worths[0] - spec.within_frac * abs(worths[0]):
            break
        kept.append(decisions)
        worths.append(found.objective_usd)
        if len(kept) > spec.count:
            break
    return worths
