r"""Opening sites that are not open yet.

.. math:: \sum_m \mathrm{open}_{s,m} \le 1 \qquad \forall s

=================================  =======  ==============================================================
symbol                             unit     meaning
=================================  =======  ==============================================================
:math:`\mathrm{open}_{s,m}`        0/1      the decision to open site *s* is taken in month *m*
=================================  =======  ==============================================================

An opening pays its capex in month *m*, and from *m* plus the lead it adds the site's import limit and halls to the ledger and pays the fixed costs.

Dual of ``site_opened_at_most_once``: NPV lost because a site can be opened only once; positive only in the relaxation.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import month_key, post_by_site, post_cash
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets
from optimizer.units import USD_PER_MUSD


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    sites, calendar = problem.portfolio.sites, problem.calendar
    site, month = problem.openings
    keys = [(sites[s].name, month_key(problem, m)) for s, m in zip(site, month, strict=True)]
    opened = program.add_variables("open_site", keys, upper=1.0, integer=True)

    once = Triplets()
    once.add(site, opened.columns, 1.0)
    program.add_rows("site_opened_at_most_once", [item.name for item in sites], once, upper=1.0)
    if not len(site):
        return
    usable = np.array([problem.after_opening(s, m) for s, m in zip(site, month, strict=True)])
    grid, halls = problem.grid_mw[site] * usable, problem.hall_mw[site] * usable
    post_by_site(program, problem, "grid_mw", site, opened.columns, calendar.period_min(grid))
    post_by_site(program, problem, "hall_limit_mw", site, opened.columns, calendar.period_min(halls))
    capex = np.zeros((len(site), calendar.month_count))
    price = [item.opening.capex_usd if item.opening else 0.0 for item in sites]
    capex[np.arange(len(site)), month] = np.array(price)[site] / USD_PER_MUSD
    running = np.array([problem.site_cost_usd(s) for s in site]) / USD_PER_MUSD * usable
    post_cash(program, problem, "corporate", opened.columns, -capex - running)
    program.post("capex_musd", np.arange(calendar.month_count), opened.columns[:, None], capex)


SITE_OPENING = ConstraintFamily("site_opening", (), ("open_site", "site_opened_at_most_once"), build)
