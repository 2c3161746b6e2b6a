"""Export: the program of a portfolio as an MPS or LP file that any solver reads."""

from __future__ import annotations

from pathlib import Path

from optimizer.curves.futures import Futures
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import ModelSize
from optimizer.errors import InvalidInputError
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.names import column_names, row_names
from optimizer.model.problem import PlanningProblem
from optimizer.model.tail import state_extensively
from optimizer.solve import check_format, write_program

MOST_STATED_SCENARIOS = 1000
"""Where CVaR counts, every scenario is a row over nearly all decisions."""


def export(portfolio: Portfolio, path: Path) -> ModelSize:
    """Write the program whose optimum is the best plan of a portfolio; ``path`` ends in ``.mps`` or ``.lp``.

    It maximises expected NPV in million USD, power is in MW and machines in thousands. Names are those of the model
    reference with their keys: ``sign.<offer>.<site>.<month>``. Where hashprice answers to the plan
    (``market.own_hashrate_feedback``) it is the program of the first round. Where CVaR counts, it has a row and a
    column for every scenario (Rockafellar and Uryasev).

    Raises:
        InvalidInputError: when the extension names no format, the portfolio's series are not loaded, or CVaR counts and
            there are more scenarios than rows could be stated for.
        SolverError: when the file cannot be written.
    """
    check_format(path)
    if portfolio.risk.counts_tail and portfolio.risk.scenario_count > MOST_STATED_SCENARIOS:
        raise InvalidInputError.single(
            "risk.scenario_count",
            f"{portfolio.risk.scenario_count:,} scenarios cannot all be stated in a file",
            f"export with at most {MOST_STATED_SCENARIOS:,}, or without CVaR; a plan needs only the tails that bind",
        )
    futures = Futures.of(portfolio)
    problem = PlanningProblem.of(portfolio, futures)
    program = assemble(problem, FORMULATION)
    if portfolio.risk.counts_tail:
        state_extensively(program, problem, futures)
    matrix = program.compile()
    write_program(matrix, column_names(program), row_names(program), path)
    return matrix.size
