r"""Data-centre buildings, and the space in them.

.. math::
   \sum_m \mathrm{build}_{s,b,m} \le 1 \quad \forall s, b \qquad
   \sum_{m' \le m} \mathrm{build}_{s,b,m'} \le \sum_{m'' + \mathrm{lead} \le m} \mathrm{open}_{s,m''} \quad \forall s \text{ not open yet}, b, m \\
   \mathrm{space}_{s,p} \le \sum_{b,\,m + \mathrm{months}_b \le p} K_b\,\mathrm{build}_{s,b,m} \qquad \forall s, p

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{build}_{s,b,m}`          0/1      building *b* of site *s* is decided on in month *m*
:math:`K_b`                             MW       critical IT that the building has space for
:math:`\mathrm{space}_{s,p}`            MW       critical IT live that needs a building: the most in any month of the period
======================================  =======  =========================================================

A building counts from the first period that starts with it finished.

Dual of ``critical_mw_within_buildings``: NPV of one more MW of space at the site in that period.
Dual of ``building_built_at_most_once``: NPV of a second building on the same terms.
Dual of ``building_at_open_site``: NPV that an earlier opening would add through the building.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import month_key, post_by_site, post_cash, site_period_keys, use_within_limit
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    sites, orders, calendar = problem.portfolio.sites, problem.building_orders, problem.calendar
    keys = [
        (sites[s].name, sites[s].buildings[b].name, month_key(problem, m))
        for s, b, m in zip(orders.site, orders.building, orders.order_month, strict=True)
    ]
    column = program.add_variables("build_building", keys, upper=1.0, integer=True).columns

    once, found = Triplets(), [(s, b) for s, site in enumerate(sites) for b in range(len(site.buildings))]
    for row, (s, b) in enumerate(found):
        once.add(row, column[(orders.site == s) & (orders.building == b)], 1.0)
    names = [(sites[s].name, sites[s].buildings[b].name) for s, b in found]
    program.add_rows("building_built_at_most_once", names, once, upper=1.0)

    terms, opened = Triplets(), program.variables["open_site"].columns
    waiting = np.flatnonzero(~problem.open_from_start[orders.site])
    for row, order in enumerate(waiting):
        site, month = orders.site[order], orders.order_month[order]
        same = (orders.site == site) & (orders.building == orders.building[order])
        terms.add(row, column[same & (orders.order_month <= month)], 1.0)
        terms.add(row, opened[problem.opened_by(site, month)], -1.0)
    program.add_rows("building_at_open_site", [keys[i] for i in waiting], terms, upper=0.0)
    if orders.count:
        post_by_site(program, problem, "building_mw", orders.site, column, calendar.period_min(orders.space_mw))
        post_cash(program, problem, "hosting", column, -orders.capex_musd)
        program.post("capex_musd", np.arange(calendar.month_count), column[:, None], orders.capex_musd)
    use_within_limit(program, "critical_mw_within_buildings", site_period_keys(problem), "space_mw", "building_mw")


BUILDINGS = ConstraintFamily(
    "buildings",
    ("open_site", "sign", "critical_mw", "re_leased_mw"),
    (
        "build_building", "building_built_at_most_once", "building_at_open_site", "critical_mw_within_buildings",
    ),
    build,
)  # fmt: skip
