"""Pinned answers. ``UPDATE_GOLDEN=1 pytest tests/golden`` rewrites them; a reviewer reads the difference.

The value of the linear relaxation is pinned too: it moves when a row is lost or loosened, even if the plan does not.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_cases import CASES
from support import EXACT, assembled, best, problem_of

from optimizer.curves.futures import Futures
from optimizer.model.program import Matrix, Program
from optimizer.model.tail import state_extensively
from optimizer.solve import solve_program

FOLDER = Path(__file__).parent / "answers"
UNIQUE_BY = 1e-4
"""The contracts are pinned where all other sets of contracts are worse by this share of the worth."""


def other_contracts(program: Program, matrix: Matrix, values: np.ndarray) -> Matrix:
    """The same program with a row that forbids the contracts signed."""
    sign = program.variables["sign"].columns
    signed = np.rint(values[sign]) > 0
    return replace(
        matrix,
        row_lower=np.append(matrix.row_lower, -np.inf),
        row_upper=np.append(matrix.row_upper, signed.sum() - 1.0),
        start=np.append(matrix.start, matrix.start[-1] + len(sign)).astype(np.int32),
        index=np.append(matrix.index, sign).astype(np.int32),
        value=np.append(matrix.value, np.where(signed, 1.0, -1.0)),
    )


def answer_of(name: str) -> dict[str, Any]:
    """What is pinned of a case."""
    case = CASES[name]()
    plan = best(case)
    program = assembled(case)
    if case.risk.counts_tail:
        state_extensively(program, problem_of(case), Futures.of(case))
    matrix = program.compile()
    found = solve_program(matrix, EXACT)
    relaxed = solve_program(replace(matrix, integer=np.zeros(len(matrix.cost), dtype=bool)), EXACT)
    second = solve_program(other_contracts(program, matrix, found.values), EXACT).termination.objective_usd
    objective = plan.termination.objective_usd
    unique = second is None or objective - second > UNIQUE_BY * abs(objective)
    return {
        "objective_usd": objective,
        "relaxation_usd": relaxed.termination.objective_usd,
        "other_contracts_usd": second,
        "size": plan.manifest.model_size.model_dump(),
        "npv": plan.npv.model_dump(),
        "business_as_usual_usd": plan.business_as_usual.npv_usd,
        "contracts": [
            {"offer": item.offer, "site": item.site, "sign_month": f"{item.sign_month:%Y-%m}"}
            for item in plan.decisions.contracts
        ]
        if unique
        else None,
    }


def same(found: Any, pinned: Any) -> Any:
    """``pinned`` with numbers that tolerate a millionth."""
    if isinstance(pinned, float):
        return pytest.approx(pinned, rel=1e-6, abs=1.0)
    if isinstance(pinned, dict):
        return {key: same(None, value) for key, value in pinned.items()}
    return pinned


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_the_pinned_one(name):
    found, file = answer_of(name), FOLDER / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        FOLDER.mkdir(exist_ok=True)
        file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    pinned = json.loads(file.read_text(encoding="utf-8"))
    if pinned["business_as_usual_usd"] is not None:
        assert pinned["business_as_usual_usd"] <= pinned["objective_usd"]
    assert pinned["relaxation_usd"] >= pinned["objective_usd"] >= pinned["other_contracts_usd"]
    for key, value in pinned.items():
        assert found[key] == same(found[key], value), key


def test_the_relaxations_are_not_the_answers():
    gaps = []
    for name in CASES:
        pinned = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        gaps.append(pinned["relaxation_usd"] / pinned["objective_usd"] - 1.0)
    assert sum(gap > 1e-4 for gap in gaps) >= 2


def test_there_is_no_answer_without_a_case():
    assert {file.stem for file in FOLDER.glob("*.json")} == set(CASES)
