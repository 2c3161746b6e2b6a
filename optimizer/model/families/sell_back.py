r"""Power sold back to the market, by site and period.

.. math:: 0 \le \mathrm{sold}_{s,p} \le \overline{S}_{s,p} \qquad \mathrm{used}_{s,p} + \mathrm{sold}_{s,p} \le G_{s,p}

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{sold}_{s,p}`             MW       sold in all hours in which the market pays more than the own price and the fee
:math:`\overline{S}_{s,p}`              MW       most that can be sold in any month of the period
:math:`\mathrm{used}_{s,p}`             MW       mining, hosting and own GPUs
:math:`G_{s,p}`                         MW       import limit
======================================  =======  =========================================================

What is sold is taken off the import limit that :mod:`optimizer.model.families.power_balance` leaves to all other uses.

Dual: that of ``site_power_within_limit``; the bound on what is sold has a reduced cost, the NPV of one more MW that could be.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import period_keys, post_by_site, post_cash, post_earnings
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    sales, calendar, months = problem.sales, problem.calendar, period_keys(problem)
    keys = [(problem.portfolio.sites[s].name, month) for s in sales.site for month in months]
    at = np.repeat(sales.site, calendar.period_count)
    sold = program.add_variables("sold_mw", keys, upper=calendar.period_min(sales.most_mw).ravel(), site=at)
    if not keys:
        return
    period = np.repeat(np.arange(calendar.period_count), calendar.period_length)
    inside = np.arange(calendar.period_count)[:, None] == period
    earned = (sales.earned_musd[:, None, :] * inside).reshape(len(keys), -1)
    post_cash(program, problem, "mining", sold.columns, earned)
    post_earnings(program, problem, "mining", sold.columns, earned)
    taken = np.tile(-np.eye(calendar.period_count), (len(sales.site), 1))
    post_by_site(program, problem, "grid_mw", at, sold.columns, taken)


SELL_BACK = ConstraintFamily("sell_back", (), ("sold_mw",), build)
