"""Export: the program of a portfolio as an MPS or LP file that any solver reads."""

from __future__ import annotations

from pathlib import Path

from optimizer.curves.futures import Futures
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import ModelSize
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.names import column_names, row_names
from optimizer.model.problem import PlanningProblem
from optimizer.solve import check_format, write_program


def export(portfolio: Portfolio, path: Path) -> ModelSize:
    """Write the program whose optimum is the best plan of a portfolio; ``path`` ends in ``.mps`` or ``.lp``.

    It maximises expected NPV in million USD, power is in MW and machines in thousands. Names are those of the model
    reference with their keys: ``sign.<offer>.<site>.<month>``. Where hashprice answers to the plan
    (``market.own_hashrate_feedback``) it is the program of the first round.

    Raises:
        InvalidInputError: when the extension names no format, or the portfolio's series are not loaded.
        SolverError: when the file cannot be written.
    """
    check_format(path)
    program = assemble(PlanningProblem.of(portfolio, Futures.of(portfolio)), FORMULATION)
    matrix = program.compile()
    write_program(matrix, column_names(program), row_names(program), path)
    return matrix.size
