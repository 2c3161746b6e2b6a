r"""Cash in every stress, and the least of it.

.. math:: C^k_p = C^k_{p-1} + \mathrm{cash}^k_p \qquad C^k_p \ge \underline C^k \qquad \forall k, p

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`C^k_p`                           million USD  cash at the end of period *p* in stress *k*; opening cash before the first
:math:`\mathrm{cash}^k_p`               million USD  cash flow of the period on the one path of the stress, all lines, debt included
:math:`\underline C^k`                  million USD  minimum liquidity in the stress
======================================  ===========  =====================================================

The decisions are those of the plan: they are taken before anybody knows that the stress comes. What they pay in it is what
the families above post to cash when their coefficients are those of the stress.

Dual of ``stress_cash_carried_forward``: NPV of a dollar of cash at that time in that stress.
"""

from __future__ import annotations

import numpy as np

from optimizer.errors import ModelAssemblyError
from optimizer.model.family import ConstraintFamily, assemble
from optimizer.model.posting import period_keys
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import COMPANY, Account, Program, Triplets
from optimizer.units import USD_PER_MUSD


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    finance, months = problem.portfolio.finance, period_keys(problem)
    flows = [_cash_in(stressed, program) for stressed in problem.stresses]
    keys = [(stress.name, month) for stress in finance.stresses for month in months]
    floor = np.repeat([stress.minimum_liquidity_usd / USD_PER_MUSD for stress in finance.stresses], len(months))
    cash = program.add_variables("stress_cash_musd", keys, lower=floor, site=COMPANY)
    terms, known, rows = Triplets(), np.zeros(len(keys)), np.arange(len(months))
    for index, flow in enumerate(flows):
        first = index * len(months)
        row, column, coefficient = flow.terms.arrays()
        terms.add(first + row, column, -coefficient)
        terms.add(first + rows, cash.columns[first + rows], 1.0)
        terms.add(first + rows[1:], cash.columns[first + rows[:-1]], -1.0)
        known[first : first + len(months)] = flow.constant
        known[first] += finance.opening_cash_usd / USD_PER_MUSD
    program.add_rows("stress_cash_carried_forward", keys, terms, lower=known, upper=known)


def _cash_in(stressed: PlanningProblem, program: Program) -> Account:
    """Cash by period in a stress, over the columns of ``program``: its families stated again with other coefficients."""
    again = assemble(stressed, program.stated)
    if [(name, block.keys) for name, block in again.variables.items()] != [
        (name, block.keys) for name, block in program.variables.items()
    ]:
        raise ModelAssemblyError("the families above stress_liquidity declare other variables in a stress")
    return again.close("cash_musd")


STRESS_LIQUIDITY = ConstraintFamily(
    "stress_liquidity", ("cash_musd",), ("stress_cash_musd", "stress_cash_carried_forward"), build
)
