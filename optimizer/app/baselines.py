"""What a plan can always be compared with: mining on, and signing everything now."""

from __future__ import annotations

import numpy as np

from optimizer.app.planning import PlanningJob, Stated, check_highs_once
from optimizer.curves.futures import Futures
from optimizer.domain.comparison import Baseline
from optimizer.domain.decisions import Decisions
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import TerminationReason
from optimizer.errors import InvalidInputError
from optimizer.model.posting import contract_quantity
from optimizer.model.read import read_solution
from optimizer.solve import Solution, solve_program

KEPT_FRAC = 1.0 - 1e-6
"""Of the most MW-months, what the second search must reach."""
SHARE = 0.5
"""Of the time limit, for the first of the two searches."""


def baseline_decisions(portfolio: Portfolio, baseline: Baseline, options: SolveOptions) -> Decisions | None:
    """The decisions of a baseline, or None if the limits leave no such plan.

    Where hashprice answers to the plan, they are those under the one that does not.

    Raises:
        InvalidInputError: if none was found in time, or another solver is asked for.
    """
    check_highs_once(options, "baselines")
    job = _BaselineJob(portfolio, options, None, None)
    stated = job.stated()
    solution = job.mining_on(stated) if baseline is Baseline.MINE_ON else job.signing_everything(stated)
    if solution.values is None:
        if solution.termination.reason is TerminationReason.INFEASIBLE:
            return None
        told = f"{baseline.value}: none was found in time"
        raise InvalidInputError.single("baseline", told, "raise options.time_limit_s")
    return read_solution(stated.program, stated.problem, solution.values).decisions


class _BaselineJob(PlanningJob):
    """A program that is asked for something else than the best plan."""

    def stated(self) -> Stated:
        """The program, alive."""
        return self._stated(Futures.of(self.portfolio))

    def mining_on(self, stated: Stated) -> Solution:
        """The twin of every plan."""
        return self._twin(stated.program, stated.model, self._search())

    def signing_everything(self, stated: Stated) -> Solution:
        """The most MW-months from signing to the end of the horizon; of the plans that have them the best."""
        problem, program, matrix, model = stated
        columns, critical_mw = contract_quantity(program, problem)
        months = problem.portfolio.horizon.month_count - problem.starts.sign_month
        weight = np.zeros(program.column_count)
        weight[columns] = critical_mw * months
        with model.changed(cost=weight):
            model.update(constant=0.0)
            most = solve_program(model, self._remaining(SHARE), self._search())
        model.update(constant=matrix.constant)
        if most.values is None:
            return most
        where = np.flatnonzero(weight)
        model.add_row(where, weight[where], KEPT_FRAC * float(weight @ most.values), np.inf)
        return solve_program(model, self._remaining(), self._search(), start=most.values)
