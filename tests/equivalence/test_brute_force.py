"""The plan against all plans: every combination of whole decisions is tried, by the audit alone where nothing else is decided."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from brute_force import best_that_passes_usd
from random_portfolios import random_portfolio
from support import EXACT, assembled

from optimizer.app import plan
from optimizer.domain import Plan
from optimizer.solve import solve_fixed

CHECKED_BY_AUDIT = [seed for seed in range(1, 46) if seed not in (7, 11, 13, 44)]
"""Those have ten thousands of combinations."""
CHECKED_WITH_MACHINES = (
    *(
        100,
        101,
        102,
        103,
        104,
        107,
        108,
        109,
        111,
        114,
        116,
        118,
        120,
        122,
        123,
        124,
        125,
        126,
        130,
        131,
        132,
        135,
        139,
        144,
    ),
)
MOST = 600
"""Linear programs a case."""


@cache
def answer_of(seed: int, machines: bool) -> Plan:
    """The plan of a random portfolio."""
    return plan(random_portfolio(seed, machines=machines, ruled=True), EXACT)


@pytest.mark.parametrize("seed", CHECKED_BY_AUDIT)
def test_the_best_plan_is_the_best_that_the_audit_lets_pass(seed):
    answer = answer_of(seed, False)
    best_usd = best_that_passes_usd(random_portfolio(seed, ruled=True))
    if best_usd is None:
        assert answer.termination.reason == "infeasible"
    else:
        assert answer.termination.objective_usd == pytest.approx(best_usd, abs=2.0)
        assert answer.audit.failures == ()


def whole_vectors(program: Any) -> Iterator[np.ndarray]:
    """All values of the whole-number columns that sign no offer twice, order no more blocks than there are, open no site twice."""
    count = program.column_count
    per_offer: dict[str, list[int]] = {}
    sign, gpus, opened = (program.variables[name] for name in ("sign", "gpu_blocks", "open_site"))
    for key, column in zip(sign.keys, sign.columns, strict=True):
        per_offer.setdefault(key[0], []).append(int(column))
    per_site: dict[str, list[int]] = {}
    for key, column in zip(opened.keys, opened.columns, strict=True):
        per_site.setdefault(key[0], []).append(int(column))
    groups = [[(), *[((column, 1.0),) for column in columns]] for columns in [*per_offer.values(), *per_site.values()]]
    for column, most in zip(gpus.columns, gpus.upper, strict=True):
        groups.append([(), *[((int(column), float(value)),) for value in range(1, int(most) + 1)]])
    for chosen in itertools.product(*groups):
        vector = np.full(count, np.nan)
        for block in (sign, gpus, opened):
            vector[block.columns] = 0.0
        for column, value in itertools.chain.from_iterable(chosen):
            vector[column] = value
        yield vector


@pytest.mark.parametrize("seed", CHECKED_WITH_MACHINES)
def test_with_machines_debt_and_scale_the_best_of_all_linear_programs_is_found(seed):
    case = random_portfolio(seed, machines=True, ruled=True)
    program = assembled(case)
    vectors = list(itertools.islice(whole_vectors(program), MOST + 1))
    assert len(vectors) <= MOST, "leave this seed out"
    matrix = program.compile()
    answer = answer_of(seed, True)
    values = [solve_fixed(matrix, EXACT, vector).termination.objective_usd for vector in vectors]
    found = [value for value in values if value is not None]
    if not answer.termination.has_plan:
        assert found == []
        return
    assert answer.audit.failures == ()
    assert max(found) == pytest.approx(answer.termination.objective_usd, abs=2.0)


def test_the_cases_are_worth_trying():
    ends, signed, ordered, opened, borrowed, scaled = Counter(), 0, 0, 0, 0, 0
    for seed in [*CHECKED_BY_AUDIT, *CHECKED_WITH_MACHINES]:
        case = random_portfolio(seed, machines=seed in CHECKED_WITH_MACHINES, ruled=True)
        answer = answer_of(seed, seed in CHECKED_WITH_MACHINES)
        ends[answer.termination.reason.value] += 1
        signed += len(answer.decisions.contracts)
        ordered += len(answer.decisions.gpu_orders)
        opened += len(answer.decisions.site_openings)
        borrowed += sum(item.debt_usd > 1e3 for item in answer.decisions.contracts)
        scaled += sum(
            item.critical_mw < case.offers_by_name[item.offer].maximum_mw - 1e-3 for item in answer.decisions.contracts
        )
    assert ends["optimal"] >= 45
    assert ends["infeasible"] >= 3
    assert signed >= 55
    assert ordered >= 8
    assert opened >= 5
    assert borrowed >= 2
    assert scaled >= 2
