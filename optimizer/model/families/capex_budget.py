r"""Capital expenditure budgets.

.. math:: \sum_{t \in \mathrm{window}_b} \mathrm{capex}(t) \le K_b \qquad \forall b

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`\mathrm{capex}(t)`               million USD  the owner's builds, machines, GPUs, openings and works at sites in month *t*, before debt
:math:`K_b`                             million USD  budget *b*
======================================  ===========  =====================================================

Dual: NPV of a dollar more of that budget.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets
from optimizer.units import USD_PER_MUSD


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    horizon, budgets = problem.portfolio.horizon, problem.portfolio.finance.capex_budgets
    month, column, coefficient = program.close("capex_musd").terms.arrays()
    terms = Triplets()
    for row, budget in enumerate(budgets):
        first, last = horizon.index_of(budget.from_month), horizon.index_of(budget.until_month)
        inside = (month >= first) & (month <= last)
        # A contract's capex falls in many months of one window: add them up, one coefficient a column.
        spent = np.bincount(column[inside], weights=coefficient[inside], minlength=program.column_count)
        used = np.flatnonzero(spent)
        terms.add(row, used, spent[used])
    limits = np.array([budget.maximum_capex_usd / USD_PER_MUSD for budget in budgets])
    program.add_rows("capex_within_budget", [budget.name for budget in budgets], terms, upper=limits)


CAPEX_BUDGET = ConstraintFamily(
    "capex_budget",
    (
        "sign",
        "lease_end_within_contract",
        "bought_machines",
        "gpu_blocks",
        "refreshed_gpu_blocks",
        "open_site",
        "advance_step",
        "added_hall_mw",
        "build_building",
    ),
    ("capex_within_budget",),
    build,
)
