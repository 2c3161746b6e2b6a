r"""Grid steps brought forward.

.. math::
   \sum_{k} \mathrm{advance}_{s,i,k} \le 1 \quad \forall s, i \qquad
   \sum_{k:\, n_{i,k} \le n} \mathrm{advance}_{s,i,k} \le \sum_{k:\, n_{i-1,k} \le n} \mathrm{advance}_{s,i-1,k} \quad \forall s, i, n < f_{i-1}

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{advance}_{s,i,k}`        0/1      step *i* of site *s* comes *k* months earlier
:math:`f_i`                             month    the step as stated
:math:`n_{i,k}`                         month    the step brought forward, :math:`f_i - k`
======================================  =======  =========================================================

An advance adds what the step adds to the step before it in the months gained, and pays its price in the month of the decision. Steps stay in
order: the second rows let a step come before the stated month of the one before it only if that one comes as early. In a period longer than a
month whose stated limit only rises, a step counts from the first period that starts with it, as stated steps do; otherwise it counts with the
least that it gains in any month. At a site that is not open yet a step may come before the opening; nothing there can use its power before it.

Dual of ``step_advanced_at_most_once``: NPV of an advance beyond its price; positive only in the relaxation, or where the advances are all used.
Dual of ``grid_steps_in_order``: NPV lost because the step before it has to come first.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.calendar import Floats, Ints
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import month_key, post_by_site, post_cash
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    sites, advances = problem.portfolio.sites, problem.grid_advances
    keys = [
        (*_step_key(problem, s, i), int(months))
        for s, i, months in zip(advances.site, advances.step, advances.months, strict=True)
    ]
    column = program.add_variables("advance_step", keys, upper=1.0, integer=True).columns

    steps = [(s, i) for s, site in enumerate(sites) for i, step in enumerate(site.grid) if step.advance is not None]
    once = Triplets()
    for row, step in enumerate(steps):
        once.add(row, column[_of_step(problem, *step)], 1.0)
    program.add_rows("step_advanced_at_most_once", [_step_key(problem, *step) for step in steps], once, upper=1.0)
    _keep_order(program, problem, column)
    if not advances.count:
        return
    post_by_site(program, problem, "grid_mw", advances.site, column, _gained_by_period(problem))
    post_cash(program, problem, "corporate", column, -advances.capex_musd)
    program.post("capex_musd", np.arange(problem.calendar.month_count), column[:, None], advances.capex_musd)


def _step_key(problem: PlanningProblem, site: int, step: int) -> tuple[str, str]:
    item = problem.portfolio.sites[site]
    return item.name, f"{item.grid[step].from_month:%Y-%m}"


def _of_step(problem: PlanningProblem, site: int, step: int, latest: float = np.inf) -> Ints:
    """Advances of a step to ``latest`` or earlier."""
    advances = problem.grid_advances
    return np.flatnonzero((advances.site == site) & (advances.step == step) & (advances.new_month <= latest))


def _keep_order(program: Program, problem: PlanningProblem, column: Ints) -> None:
    horizon, sites, terms = problem.portfolio.horizon, problem.portfolio.sites, Triplets()
    keys: list[tuple[str, str, str]] = []
    advances = problem.grid_advances
    for s, i, month in zip(advances.site, advances.step, advances.new_month, strict=True):
        if i and month < horizon.index_of(sites[s].grid[i - 1].from_month):
            terms.add(len(keys), column[_of_step(problem, s, i, month)], 1.0)
            terms.add(len(keys), column[_of_step(problem, s, i - 1, month)], -1.0)
            keys.append((*_step_key(problem, s, i), month_key(problem, month)))
    program.add_rows("grid_steps_in_order", keys, terms, upper=0.0)


def _gained_by_period(problem: PlanningProblem) -> Floats:
    """MW by period ``[N, P]``: in a period of rising limits those of its first month, otherwise the least of its months."""
    calendar, advances = problem.calendar, problem.grid_advances
    rises = np.diff(problem.grid_mw, axis=1, prepend=0.0) >= 0.0
    rises[:, calendar.period_first] = True  # falling from the period before is no fall within this one
    rising = np.logical_and.reduceat(rises, calendar.period_first, axis=1)
    at_first = advances.gained_mw[:, calendar.period_first]
    return np.where(rising[advances.site], at_first, calendar.period_min(advances.gained_mw))


INTERCONNECT_ADVANCE = ConstraintFamily(
    "interconnect_advance",
    (),
    ("advance_step", "step_advanced_at_most_once", "grid_steps_in_order"),
    build,
)
