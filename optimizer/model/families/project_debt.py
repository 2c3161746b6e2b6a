r"""Project debt of contracts.

.. math::
   B_{o,s,m} \le \bar b_{o,s,m}\, q_{o,s,m} \qquad\qquad
   \sum_{o,s,m} \beta_{o,s,m}(p)\, B_{o,s,m} \le \overline B \quad \forall p

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`B_{o,s,m}`                       million USD  debt that is drawn for the contract
:math:`\bar b_{o,s,m}`                  MUSD/MW      the lesser of loan to cost and what contracted income carries at the least DSCR
:math:`\beta_{o,s,m}(p)`                1            what is outstanding of a dollar of it at the end of period *p*, capitalised interest included
:math:`\overline B`                     million USD  most debt outstanding
======================================  ===========  =====================================================

Draws follow the capex; fee, interest and instalments follow the draws; all of it is a column of coefficients on cash. Debt is discounted at its own
interest, so it is drawn only where cash is short.

Dual of ``debt_within_limit``: NPV of a dollar more that a lender would lend on the contract.
Dual of ``debt_within_cap``: NPV of a dollar more of debt capacity in that period.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.calendar import Floats
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import contract_quantity, period_keys, post_cash, post_npv
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets
from optimizer.units import USD_PER_MUSD


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    starts, calendar = problem.starts, problem.calendar
    financed = np.flatnonzero(starts.debt_limit_musd > 0)
    keys = [program.variables["sign"].keys[i] for i in financed]
    limit = starts.debt_limit_musd[financed]
    debt = program.add_variables("debt_musd", keys, upper=limit * starts.maximum_mw[financed])
    quantity, factor = contract_quantity(program, problem)
    rows, terms = np.arange(len(financed)), Triplets()
    terms.add(rows, debt.columns, 1.0)
    terms.add(rows, quantity[financed], -limit * factor[financed])
    program.add_rows("debt_within_limit", keys, terms, upper=0.0)

    if len(financed):
        balance = starts.debt_balance[financed]
        drawn, paid = starts.debt_draw[financed], starts.debt_service[financed]
        post_cash(program, problem, "debt", debt.columns, drawn - paid, _deductible(problem, drawn, paid, balance))
        last = calendar.month_count - 1
        post_npv(program, "debt", debt.columns, -balance[:, last] * calendar.discount("debt")[last])
        periods = np.arange(calendar.period_count)
        program.post("debt_musd", periods, debt.columns[:, None], balance[:, calendar.period_last])

    terms_of_debt = problem.portfolio.finance.project_debt
    cap = terms_of_debt.maximum_debt_usd if terms_of_debt else None
    row, column, coefficient = program.close("debt_musd").terms.arrays()
    capped = Triplets()
    capped.add(row, column, coefficient)
    most = cap / USD_PER_MUSD if cap is not None else np.inf
    program.add_rows("debt_within_cap", period_keys(problem), capped, upper=most)


def _deductible(problem: PlanningProblem, drawn: Floats, paid: Floats, balance: Floats) -> Floats:
    """What counts for corporate tax: interest and fees as they accrue, paid or added to the balance."""
    tax = problem.portfolio.finance.tax
    if tax is None or not tax.interest_deductible:
        return np.zeros(drawn.shape)
    return drawn - paid - np.diff(balance, axis=1, prepend=0.0)


PROJECT_DEBT = ConstraintFamily(
    "project_debt", ("sign", "critical_mw"), ("debt_musd", "debt_within_limit", "debt_within_cap"), build
)
