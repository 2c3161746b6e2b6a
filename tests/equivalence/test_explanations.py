"""What a placement loses the other way equals the difference of two brute forces."""

from __future__ import annotations

import pytest
from brute_force import best_that_passes_usd
from random_portfolios import random_portfolio
from support import EXACT, best, close

from optimizer.app import explain
from optimizer.app.changes import changed
from optimizer.domain import Placement
from optimizer.domain.explanation import ExplanationSpec


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_it_is_what_brute_force_loses(seed):
    case = random_portfolio(seed, ruled=True)
    plan = best(case)
    asked = 0
    for offer in case.offers:
        placement = Placement(offer=offer.name)
        spec = ExplanationSpec(portfolio=case, decisions=plan.decisions, placement=placement, options=EXACT)
        found, wide = explain(spec), explain(spec.model_copy(update={"relaxed_only": True}))
        field = "forbidden" if found.signed else "mandatory"
        ruled = changed(case, {}, {f"policy.{field}": (*getattr(case.policy, field), placement)})
        other = best_that_passes_usd(ruled)
        assert found.possible == (other is not None)
        if other is not None:
            lost = plan.termination.objective_usd - other
            assert close(found.least_lost_usd, lost, usd=3.0)
            assert close(found.most_lost_usd, lost, usd=3.0)
            assert wide.least_lost_usd <= lost + 3.0
            assert wide.most_lost_usd is None or wide.most_lost_usd >= lost - 3.0
            asked += 1
    assert asked > 0
