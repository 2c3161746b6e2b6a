r"""Enterprise value of a stated year as the objective.

.. math::
   V = D\,\Bigl(\sum_\ell \mu_\ell\,E_\ell + C_p - \sum_{o,s,m} \beta_{o,s,m}(p)\,B_{o,s,m}\Bigr) \qquad
   \text{maximise } V + \varepsilon\,\mathrm{NPV}

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`E_\ell`                          million USD  expected earnings of the year: mining margin, hosting income, GPU margin
:math:`\mu_\ell`                        1            multiple of these earnings
:math:`C_p`                             million USD  cash at the end of the year, that is of period *p*
:math:`\beta\,B`                        million USD  project debt outstanding then
:math:`D`                               1            discount factor of the end of the year at the rate of the multiples
:math:`\varepsilon`                     1            weight of the NPV, which chooses among plans of equal value
======================================  ===========  =====================================================

It adds terms to the objective, no rows.

Dual: none of its own; those of all other rows are then in discounted enterprise value instead of NPV.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from optimizer.domain.finance import NPV_WEIGHT_AMONG_EQUALS
from optimizer.model.calendar import EARNINGS
from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program
from optimizer.units import MONTHS_PER_YEAR


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    multiples = problem.portfolio.finance.multiples
    row, column, earned = program.close("earnings_musd").terms.arrays()
    if multiples is None or not problem.value_year.any():
        return
    last = problem.portfolio.horizon.index_of(dt.date(multiples.year, MONTHS_PER_YEAR, 1))
    period = int(np.flatnonzero(problem.calendar.period_last == last)[0])
    factor = (1.0 + multiples.discount_per_year_frac) ** (-(last + 1) / MONTHS_PER_YEAR)
    worth = np.array([getattr(multiples, f"{kind}_multiple") for kind in EARNINGS])
    program.post("enterprise_musd", 0, column, factor * worth[row] * earned)
    program.post("enterprise_musd", 0, program.variables["cash_musd"].columns[period], factor)
    owed, debt, share = program.ledger["debt_musd"].terms.arrays()
    then = owed == period
    program.post("enterprise_musd", 0, debt[then], -factor * share[then])
    program.npv_weight = NPV_WEIGHT_AMONG_EQUALS


ENTERPRISE_VALUE = ConstraintFamily(
    "enterprise_value",
    (
        "sign", "re_leased_mw", "gpu_blocks", "refreshed_gpu_blocks", "scaled_blocks", "running_machines", "debt_musd",
        "cash_musd",
    ),
    (),
    build,
)  # fmt: skip
