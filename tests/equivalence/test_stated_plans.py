"""A stated plan is possible, and worth as much, as the model says of the same decisions."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from brute_force import by_worth
from random_portfolios import random_portfolio
from support import EXACT, assembled, close

from optimizer.app import evaluate
from optimizer.curves.futures import Futures
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.solve import solve_fixed


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_it_agrees_with_the_model_about_plans_that_nobody_chose(seed):
    """Ten good combinations of contracts, GPUs and openings each: possible, and worth as much, as the model says."""
    case = random_portfolio(seed, ruled=True)
    program = assembled(case)
    for decisions in islice(by_worth(case, Futures.of(case)), 10):
        found = evaluate(EvaluationSpec(portfolio=case, decisions=decisions))
        values = columns_of(program, decisions)
        solved = None if values is None else solve_fixed(program.compile(), EXACT, values)
        if found.feasible:
            assert close(solved.termination.objective_usd, found.plan.termination.objective_usd, usd=2.0)
        else:
            assert solved is None or not solved.termination.has_plan


def columns_of(program, decisions):
    """Values of the whole columns, NaN elsewhere; None where something that is decided has no column."""
    chosen = {("sign", (item.offer, item.site, f"{item.sign_month:%Y-%m}")): 1.0 for item in decisions.contracts}
    chosen |= {("open_site", (item.site, f"{item.month:%Y-%m}")): 1.0 for item in decisions.site_openings}
    chosen |= {
        ("gpu_blocks", (item.gpu_option, item.site, f"{item.order_month:%Y-%m}")): float(item.block_count)
        for item in decisions.gpu_orders
    }
    matrix = program.compile()
    values = np.where(matrix.integer, 0.0, np.nan)
    for (name, key), value in chosen.items():
        block = program.variables[name]
        if key not in block.keys:
            return None
        values[block.offset + block.keys.index(key)] = value
    return values
