"""Never trust one run: HiGHS, HiGHS without presolve and another seed, and SCIP on the exported file, on seeded portfolios.

``OPTIMIZER_THOROUGH=1`` tries a few hundred portfolios instead of a few dozen.
"""

from __future__ import annotations

import os

import highspy
import pytest
from random_portfolios import random_portfolio
from support import EXACT, assembled

from optimizer.domain import TerminationReason
from optimizer.model.names import column_names, row_names
from optimizer.solve import LiveModel, Search, solve_program, write_program

COUNT = 300 if os.environ.get("OPTIMIZER_THOROUGH") == "1" else 40
USD = 20.0
"""Two solvers at a closed gap may differ by their tolerances on a few million USD."""


def by_scip(path):
    """Objective in USD of a file, None if nothing satisfies it."""
    from pyscipopt import Model

    model = Model()
    model.hideOutput()
    model.readProblem(str(path))
    model.setParam("limits/time", 60.0)
    model.optimize()
    assert model.getStatus() in ("optimal", "infeasible"), model.getStatus()
    return model.getObjVal() * 1e6 if model.getStatus() == "optimal" else None


def by_highs(path):
    """Objective in USD of a file read back into HiGHS, None if nothing satisfies it."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    assert highs.readModel(str(path)) == highspy.HighsStatus.kOk
    highs.run()
    if highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
        return None
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return highs.getInfo().objective_function_value * 1e6


def without_presolve(matrix, seed):
    """Objective in USD from another path through the search."""
    other = EXACT.model_copy(update={"seed": seed + 1})
    ended = LiveModel(matrix).run(other, Search(), presolve="off")
    return ended.objective_usd if ended.reason is TerminationReason.OPTIMAL else None


@pytest.mark.parametrize("seed", range(COUNT))
def test_all_agree(seed, tmp_path):
    program = assembled(random_portfolio(7000 + seed, machines=seed % 2 == 0))
    matrix = program.compile()
    file = tmp_path / ("program.mps" if seed % 4 < 2 else "program.lp")
    write_program(matrix, column_names(program), row_names(program), file)
    ended = solve_program(matrix, EXACT).termination
    assert ended.reason in (TerminationReason.OPTIMAL, TerminationReason.INFEASIBLE)
    others = {"no presolve": without_presolve(matrix, seed), "file": by_highs(file), "SCIP": by_scip(file)}
    if ended.objective_usd is None:
        assert others == dict.fromkeys(others)
    else:
        assert others == {name: pytest.approx(ended.objective_usd, rel=1e-6, abs=USD) for name in others}


def test_the_family_is_not_all_alike():
    ends = [solve_program(assembled(random_portfolio(7000 + seed, machines=True)).compile(), EXACT).termination
            for seed in range(0, 24, 2)]  # fmt: skip
    worth = {round(item.objective_usd) for item in ends if item.objective_usd is not None}
    assert len(worth) > 6
