r"""Own GPU blocks that are refreshed in place at the end of their life.

.. math::
   r_{g,s,m} \le n_{g,s,m} \quad \forall g,s,m

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`r_{g,s,m}`                       blocks   blocks of option *g* at site *s*, ordered in month *m*, that are refreshed
:math:`n_{g,s,m}`                       blocks   blocks ordered
======================================  =======  =========================================================

A block keeps its power and halls; a refresh adds to the power of a period what the block then reserves above what it would without.

Dual of ``refreshed_blocks_ordered``: NPV of one more block to refresh.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import post_by_site, post_cash, post_earnings, post_npv
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    orders, refreshes, calendar = problem.gpu_orders, problem.gpu_refreshes, problem.calendar
    blocks = program.variables["gpu_blocks"]
    keys = [blocks.keys[order] for order in refreshes.order]
    upper = blocks.upper[refreshes.order]
    columns = program.add_variables("refreshed_gpu_blocks", keys, upper=upper, integer=True).columns
    terms = Triplets()
    terms.add(np.arange(refreshes.count), columns, 1.0)
    terms.add(np.arange(refreshes.count), blocks.columns[refreshes.order], -1.0)
    program.add_rows("refreshed_blocks_ordered", keys, terms, upper=0.0)
    if not refreshes.count:
        return
    cash = refreshes.margin_musd - refreshes.capex_musd + refreshes.residual_musd
    post_cash(program, problem, "gpu", columns, cash)
    post_earnings(program, problem, "gpu", columns, refreshes.margin_musd)
    last = calendar.month_count - 1
    post_npv(program, "gpu", columns, refreshes.terminal_musd * calendar.discount("gpu")[last])
    program.post("capex_musd", np.arange(calendar.month_count), columns[:, None], refreshes.capex_musd)
    before = orders.reserved_mw[refreshes.order]
    added = calendar.period_max(before + refreshes.reserved_mw) - calendar.period_max(before)
    post_by_site(program, problem, "power_mw", refreshes.site, columns, added)


GPU_REFRESH = ConstraintFamily(
    "gpu_refresh", ("gpu_blocks",), ("refreshed_gpu_blocks", "refreshed_blocks_ordered"), build
)
