r"""Mining halls added.

.. math::
   \sum_m h_{s,m} \le \overline H_s \quad \forall s \qquad
   \sum_{m' \le m} h_{s,m'} \le \overline H_s \sum_{m'' + \mathrm{lead} \le m} \mathrm{open}_{s,m''} \quad \forall s \text{ not open yet}, m

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`h_{s,m}`                         MW       halls ordered for site *s* in month *m*, in MW of machine power
:math:`\overline H_s`                   MW       most halls that can be added
======================================  =======  =========================================================

An order is paid in its month; from its lead on it adds to the halls of the site until the end of the horizon. Nothing comes back for it.

Dual of ``halls_within_expansion``: NPV of one more MW that could be added.
Dual of ``halls_ordered_at_open_site``: NPV that an earlier opening would add through the halls.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import month_key, post_by_site, post_cash
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    sites, orders, calendar = problem.portfolio.sites, problem.hall_orders, problem.calendar
    most = np.array([item.hall_expansion.maximum_mw if item.hall_expansion else 0.0 for item in sites])
    keys = [(sites[s].name, month_key(problem, m)) for s, m in zip(orders.site, orders.order_month, strict=True)]
    column = program.add_variables("added_hall_mw", keys, upper=most[orders.site], site=orders.site).columns

    total = Triplets()
    total.add(orders.site, column, 1.0)
    program.add_rows("halls_within_expansion", [item.name for item in sites], total, upper=most)

    terms, opened = Triplets(), program.variables["open_site"].columns
    waiting = np.flatnonzero(~problem.open_from_start[orders.site])
    for row, order in enumerate(waiting):
        site, month = orders.site[order], orders.order_month[order]
        terms.add(row, column[(orders.site == site) & (orders.order_month <= month)], 1.0)
        terms.add(row, opened[problem.opened_by(site, month)], -most[site])
    program.add_rows("halls_ordered_at_open_site", [keys[i] for i in waiting], terms, upper=0.0)
    if not orders.count:
        return
    post_by_site(program, problem, "hall_limit_mw", orders.site, column, calendar.period_min(orders.added_mw))
    post_cash(program, problem, "mining", column, -orders.capex_musd)
    program.post("capex_musd", np.arange(calendar.month_count), column[:, None], orders.capex_musd)


HALL_EXPANSION = ConstraintFamily(
    "hall_expansion",
    ("open_site",),
    ("added_hall_mw", "halls_within_expansion", "halls_ordered_at_open_site"),
    build,
)
