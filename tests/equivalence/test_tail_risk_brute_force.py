"""CVaR by cuts against all combinations of decisions, tried by the audit scenario by scenario, and the extensive form."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from brute_force import by_worth
from random_portfolios import random_portfolio
from support import EXACT, assembled, best

from optimizer.app import plan
from optimizer.audit import Claims, audit, recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions, Plan, Portfolio, validated
from optimizer.model.problem import PlanningProblem
from optimizer.model.tail import state_extensively
from optimizer.solve import solve_program

SEEDS = range(500, 512)
TAIL = 0.25
"""Of ten scenarios the worst two, and half of the third."""


def averse(seed: int, *, machines: bool = False, **risk: float) -> Portfolio:
    """A random portfolio that counts its tail; one tenant pays more than the other, and fails more often."""
    data, random = random_portfolio(seed, machines=machines).model_dump(exclude_unset=True), np.random.default_rng(seed)
    hazard = {"T": float(random.uniform(0.5, 0.9)), "U": float(random.uniform(0.0, 0.1))}
    for item in data["offers"]:
        item["credit"]["default_hazard_per_year_frac"] = hazard[item["tenant"]]
        item["price_usd_per_kw_month"] *= 1.6 if item["tenant"] == "T" else 1.2
    data["risk"] = {"scenario_count": 10, "seed": seed, "tail_probability": TAIL, **risk}
    return validated(Portfolio, data, "portfolio")


def cvar_usd(case: Portfolio, decisions: Decisions) -> float:
    """CVaR from one recalculation a scenario."""
    count = case.risk.scenario_count
    npv = sorted(recalculate(case, Futures.of(case, w, 1), decisions).npv_usd for w in range(count))
    mass = case.risk.tail_probability * count
    weights = np.clip(mass - np.arange(count), 0.0, 1.0)
    return float(weights @ npv) / mass


def best_usd(case: Portfolio) -> float | None:
    """Objective of the best combination that the audit lets pass; CVaR is at most the mean, so few need be valued."""
    risk, futures, found = case.risk, Futures.of(case), -math.inf
    neutral = case.model_copy(update={"risk": risk.model_copy(update={"cvar_weight_frac": 0.0})})
    for decisions in by_worth(neutral, futures):
        recalculation, report = audit(neutral, futures, decisions, Claims())
        if (1.0 + risk.cvar_weight_frac) * recalculation.npv_usd <= found:
            break
        if report.passed:
            cvar = cvar_usd(case, decisions)
            if risk.minimum_cvar_usd is None or cvar >= risk.minimum_cvar_usd:
                found = max(found, recalculation.npv_usd + risk.cvar_weight_frac * cvar)
    return found if math.isfinite(found) else None


@cache
def weighted(seed: int) -> tuple[Plan, float | None]:
    """The plan of a portfolio that weighs CVaR, and the worth of its best combination."""
    case = averse(seed, cvar_weight_frac=20.0)
    return plan(case, EXACT), best_usd(case)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_best_weighted_plan_is_the_best_of_all_combinations(seed):
    answer, worth = weighted(seed)
    if worth is None:
        assert answer.termination.reason == "infeasible"
        return
    assert answer.audit.failures == ()
    assert answer.termination.objective_usd == pytest.approx(worth, abs=20.0)


@pytest.mark.parametrize("seed", SEEDS[:9:2])
def test_the_best_plan_above_a_floor_is_the_best_of_all_combinations(seed):
    neutral = plan(averse(seed), EXACT)
    floor = neutral.distribution.cvar_usd + 0.02 * abs(neutral.npv.total_usd) + 1e4
    case = averse(seed, minimum_cvar_usd=floor)
    answer, worth = plan(case, EXACT), best_usd(case)
    if worth is None:
        assert answer.termination.reason == "infeasible"
        assert "the best CVaR found is" in answer.termination.detail
        return
    assert answer.audit.failures == ()
    assert answer.cvar.cvar_usd >= floor - 1.0
    assert answer.termination.objective_usd == pytest.approx(worth, abs=20.0)


def test_the_cases_are_worth_trying():
    planned = [(seed, *weighted(seed)) for seed in SEEDS if weighted(seed)[1] is not None]
    assert len(planned) >= 8
    assert sum(answer.cvar.cut_count > 1 for _, answer, _ in planned) >= 2
    others = [plan(averse(seed), EXACT).decisions != answer.decisions for seed, answer, _ in planned]
    assert sum(others) >= 2


def extensive_usd(case: Portfolio) -> float:
    """Optimum with a row and a column for every scenario."""
    program, futures = assembled(case), Futures.of(case)
    state_extensively(program, PlanningProblem.of(case, futures), futures)
    return solve_program(program.compile(), EXACT).termination.objective_usd


@pytest.mark.parametrize(("seed", "count"), [(720, 10), (721, 40), (722, 150)])
def test_cuts_find_the_optimum_of_the_extensive_form(seed, count):
    for risk in ({"cvar_weight_frac": 0.7}, {"cvar_weight_frac": 0.1, "minimum_cvar_usd": 5e5}):
        case = averse(seed, machines=True, scenario_count=count, **risk)
        assert best(case).termination.objective_usd == pytest.approx(extensive_usd(case), abs=20.0)


def test_the_tail_of_all_scenarios_is_the_mean():
    neutral = best(averse(720, machines=True)).termination.objective_usd
    answer = best(averse(720, machines=True, tail_probability=1.0, cvar_weight_frac=1.5))
    assert answer.termination.objective_usd == pytest.approx(2.5 * neutral, abs=20.0)
