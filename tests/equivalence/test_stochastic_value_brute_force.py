"""The value of the stochastic solution against all combinations of decisions: for the mean, and over the scenarios."""

from __future__ import annotations

from functools import cache

import pytest
from brute_force import best_that_passes_usd, by_worth
from support import EXACT
from test_tail_risk_brute_force import averse

from optimizer.app import stochastic_value
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.curves.mean_market import mean_portfolio
from optimizer.domain.stochastic_value import StochasticValue, StochasticValueSpec

SEEDS = (500, 501, 502, 505, 506, 509)


@cache
def worked_out(seed: int) -> tuple[StochasticValue, float | None, float | None, float | None]:
    """The answer, and by trying: the best for the mean in the mean, over the scenarios, and the best over these."""
    case = averse(seed)
    mean, futures = mean_portfolio(Futures.of(case)), Futures.of(case)
    promised = held = None
    for decisions in by_worth(mean, Futures.of(mean)):
        found, report = audit(mean, Futures.of(mean), decisions, Claims())
        if report.passed:
            promised = found.objective_usd
            over, again = audit(case, futures, decisions, Claims())
            held = over.objective_usd if again.passed else None
            break
    found = stochastic_value(StochasticValueSpec(portfolio=case, options=EXACT))
    return found, promised, held, best_that_passes_usd(case)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_what_all_combinations_say(seed):
    found, promised, held, best = worked_out(seed)
    if promised is None:
        assert found.told.startswith("no plan for the mean market")
        return
    assert found.promised_usd == pytest.approx(promised, abs=20.0)
    assert (found.mean_plan is None) == (held is None)
    assert (found.plan is None) == (best is None)
    if held is not None:
        assert found.mean_plan.objective_usd == pytest.approx(held, abs=20.0)
        assert found.value_usd == pytest.approx(best - held, abs=40.0)
        assert found.most_value_usd == pytest.approx(found.value_usd, abs=40.0)


def test_the_cases_are_worth_trying():
    held = [worked_out(seed) for seed in SEEDS]
    assert sum(item[2] is not None for item in held) >= 4
    assert sum((item[0].value_usd or 0.0) > 1e4 for item in held) >= 2
