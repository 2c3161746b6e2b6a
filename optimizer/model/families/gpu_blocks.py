r"""Own GPU clusters, bought in blocks.

.. math::
   \sum_{s,m} n_{g,s,m} \le N_g \quad \forall g \qquad\qquad
   n_{g,s,m} \le N_g \sum_{m' + \mathrm{lead} \le m} \mathrm{open}_{s,m'} \quad \forall s \text{ not open yet}

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`n_{g,s,m}`                       blocks   blocks of option *g* ordered for site *s* in month *m*
:math:`N_g`                             blocks   most blocks of the option
======================================  =======  =========================================================

Dual of ``gpu_blocks_within_option``: NPV of one more block on offer.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import month_key, post_by_site, post_cash, post_earnings, post_npv
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    portfolio, orders, calendar = problem.portfolio, problem.gpu_orders, problem.calendar
    options = portfolio.gpu_options
    keys = [
        (options[g].name, portfolio.sites[s].name, month_key(problem, m))
        for g, s, m in zip(orders.option, orders.site, orders.order_month, strict=True)
    ]
    most = np.array([option.maximum_block_count for option in options], dtype=float)
    upper = most[orders.option] if orders.count else np.zeros(0)
    blocks = program.add_variables("gpu_blocks", keys, upper=upper, integer=True)

    total = Triplets()
    total.add(orders.option, blocks.columns, 1.0)
    program.add_rows("gpu_blocks_within_option", [option.name for option in options], total, upper=most)

    site, month = problem.openings
    lead = np.array([item.opening.lead_months if item.opening else 0 for item in portfolio.sites])
    waiting = np.flatnonzero(~problem.open_from_start[orders.site])
    terms, opened = Triplets(), program.variables["open_site"].columns
    for row, order in enumerate(waiting):
        in_time = (site == orders.site[order]) & (month + lead[site] <= orders.order_month[order])
        terms.add(row, blocks.columns[order], 1.0)
        terms.add(row, opened[in_time], -upper[order])
    program.add_rows("gpu_blocks_at_open_site", [keys[i] for i in waiting], terms, upper=0.0)
    if not orders.count:
        return
    cash = orders.margin_musd - orders.capex_musd + orders.residual_musd
    post_cash(program, problem, "gpu", blocks.columns, cash)
    post_earnings(program, problem, "gpu", blocks.columns, orders.margin_musd)
    last = calendar.month_count - 1
    post_npv(program, "gpu", blocks.columns, orders.terminal_musd * calendar.discount("gpu")[last])
    program.post("capex_musd", np.arange(calendar.month_count), blocks.columns[:, None], orders.capex_musd)
    reserved, displaced = calendar.period_max(orders.reserved_mw), calendar.period_max(orders.displaced_mw)
    post_by_site(program, problem, "power_mw", orders.site, blocks.columns, reserved)
    post_by_site(program, problem, "halls_mw", orders.site, blocks.columns, displaced)


GPU_BLOCKS = ConstraintFamily(
    "gpu_blocks",
    ("open_site",),
    ("gpu_blocks", "gpu_blocks_within_option", "gpu_blocks_at_open_site"),
    build,
)
