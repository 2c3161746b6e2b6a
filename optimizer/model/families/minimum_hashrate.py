r"""Hashrate that must be kept running.

.. math:: \sum_{s,k,j} h_{k,j}\,\mathrm{run}_{s,k,j,p} \ge \underline h_p \qquad \forall p

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`h_{k,j}`                         EH/s     hashrate of a thousand machines at mode *j*, condition included
:math:`\underline h_p`                  EH/s     least hashrate in force in any month of the period
======================================  =======  =========================================================

Dual: NPV lost per EH/s that must be kept.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import period_keys
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    horizon, calendar = problem.portfolio.horizon, problem.calendar
    least = np.zeros(calendar.month_count)
    for rule in problem.portfolio.policy.minimum_hashrate:
        first = max(horizon.index_of(rule.from_month), 0) if rule.from_month else 0
        after = horizon.index_of(rule.until_month) + 1 if rule.until_month else calendar.month_count
        window = slice(first, max(after, first))
        least[window] = np.maximum(least[window], rule.minimum_eh_s)
    required = calendar.period_max(least)
    row, column, coefficient = program.close("hashrate_eh_s").terms.arrays()
    terms = Triplets()
    terms.add(row % calendar.period_count, column, coefficient)
    lower = np.where(required > 0, required, -np.inf)
    program.add_rows("minimum_hashrate_kept", period_keys(problem), terms, lower=lower)


MINIMUM_HASHRATE = ConstraintFamily("minimum_hashrate", ("running_machines",), ("minimum_hashrate_kept",), build)
