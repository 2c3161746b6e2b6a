r"""Cash, and the least of it.

.. math:: C_p = C_{p-1} + \mathrm{cash}_p \qquad C_p \ge \underline C \qquad \forall p

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`C_p`                             million USD  cash at the end of period *p*; opening cash before the first
:math:`\mathrm{cash}_p`                 million USD  expected cash flow of the period, all lines, debt included
:math:`\underline C`                    million USD  minimum liquidity
======================================  ===========  =====================================================

Dual of ``cash_carried_forward``: NPV of a dollar of cash at that time beyond its discounted worth.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import period_keys
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import COMPANY, Program, Triplets
from optimizer.units import USD_PER_MUSD


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    finance, keys = problem.portfolio.finance, period_keys(problem)
    cash = program.add_variables("cash_musd", keys, lower=finance.minimum_liquidity_usd / USD_PER_MUSD, site=COMPANY)
    flows = program.close("cash_musd")
    row, column, coefficient = flows.terms.arrays()
    terms, rows = Triplets(), np.arange(len(keys))
    terms.add(row, column, -coefficient)
    terms.add(rows, cash.columns, 1.0)
    terms.add(rows[1:], cash.columns[:-1], -1.0)
    known = flows.constant.copy()
    known[0] += finance.opening_cash_usd / USD_PER_MUSD
    program.add_rows("cash_carried_forward", keys, terms, lower=known, upper=known)


LIQUIDITY = ConstraintFamily("liquidity", ("sign", "running_machines"), ("cash_musd", "cash_carried_forward"), build)
