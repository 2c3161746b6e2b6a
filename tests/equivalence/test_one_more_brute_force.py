"""What more is worth planned anew is what brute force, or another plan, says; with the decisions kept too."""

from __future__ import annotations

import numpy as np
import pytest
from brute_force import best_that_passes_usd
from random_portfolios import random_portfolio
from support import EXACT, assembled, best, problem_of, worth

from optimizer.app import one_more
from optimizer.app.changes import changed
from optimizer.app.scarce import all_asked
from optimizer.domain.one_more import OneMoreSpec, Scarce
from optimizer.domain.stress import Stress
from optimizer.io import load_portfolio
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.whole import whole_columns
from optimizer.solve import solve_fixed


def asked(case, **terms):
    plan = best(case)
    data = {"portfolio": case, "decisions": plan.decisions, "bound_usd": plan.termination.bound_usd, "options": EXACT}
    return OneMoreSpec.model_validate({**data, **terms})


@pytest.mark.parametrize("seed", [5, 14, 18])
def test_planned_anew_it_is_what_brute_force_says(seed):
    case = random_portfolio(seed)
    spec = asked(case, of=["grid", "earlier_grid", "budget", "liquidity"], step=4.0)
    stated, changes = best_that_passes_usd(case), 0
    for more, item in zip(all_asked(spec), one_more(spec).values, strict=True):
        gained = best_that_passes_usd(more.portfolio(case)) - stated
        assert item.what == more.what
        assert item.least_usd - 3.0 <= gained <= item.most_usd + 3.0
        assert item.most_usd - item.least_usd < 3.0
        changes += gained > 100.0
    assert changes


def test_with_machines_it_is_what_a_plan_of_the_portfolio_with_more_says():
    case = random_portfolio(2, machines=True)
    spec, stated = asked(case, of=["grid", "halls", "liquidity", "machines"]), worth(case)
    program = assembled(case)
    whole = whole_columns(program, spec.decisions)
    for more, item in zip(all_asked(spec), one_more(spec).values, strict=True):
        wider = more.portfolio(case)
        kept = solve_fixed(assembled(wider).compile(), EXACT, whole).termination.objective_usd - stated
        assert item.kept_usd == pytest.approx(kept, abs=1.0)
        assert item.price_usd >= kept - 1.0
        if item.holds_until is None or item.holds_until >= 1.0:
            assert item.price_usd == pytest.approx(kept, abs=1.0)
        gained = worth(wider) - stated
        assert item.least_usd - 3.0 <= gained <= item.most_usd + 3.0
        assert item.most_usd - item.least_usd < 3.0


def test_more_is_stated_as_the_portfolio_with_it_would_be():
    """Nothing that is evaluated once for all depends on what there is more of, in stresses neither."""
    stress = Stress(name="no income", demand_response_end_month="2027-06")
    case = changed(load_portfolio("tiny"), {}, {"finance.stresses": (stress,)})
    problem, found = problem_of(case), {}
    for more in all_asked(OneMoreSpec(portfolio=case, decisions={})):
        found.setdefault(more.of, more)
    assert set(found) == set(Scarce)
    for more in found.values():
        wider = more.portfolio(case)
        again = assemble(problem.limited(wider), FORMULATION).compile()
        full = assembled(wider).compile()
        for part in ("cost", "column_lower", "column_upper", "row_lower", "row_upper", "start", "index", "value"):
            assert np.array_equal(getattr(again, part), getattr(full, part)), (more.what, part)
