r"""Works at sites that must be, and a freeze of all others.

.. math::
   w_i \ge b_i \quad \forall i \text{ mandatory work} \qquad
   \sum_{d < f} w_{k} \le \sum_{i \in k:\, d_i < f} b_i \quad \forall k

======================================  ========  ========================================================
symbol                                  unit      meaning
======================================  ========  ========================================================
:math:`w_i`                             0/1, MW   work *i*: a grid step brought forward, halls, a building
:math:`b_i`                             0/1, MW   1, or least MW of mandatory halls
:math:`k`                                         kind of work
:math:`d`                               month     month of the decision
:math:`f`                               month     end of the freeze
======================================  ========  ========================================================

A mandatory work that the terms do not allow cannot be met. Dual of ``mandatory_work_done``: NPV lost by the obligation. Dual of ``frozen_work_not_done``: NPV lost by the freeze.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.model.calendar import Ints
from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


class _Works(NamedTuple):
    """Possible works of one kind, and those of them that must be."""

    kind: str
    columns: Ints
    decided: Ints
    """Month of the decision of each."""
    mandatory: list[tuple[tuple[str, ...], NDArray[np.bool_], float]]
    """Key, which of them, and how much."""


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    horizon, until = problem.portfolio.horizon, problem.portfolio.policy.freeze_works_until_month
    must, frozen = Triplets(), Triplets()
    keys: list[tuple[str, ...]] = []
    least: list[float] = []
    kinds: list[str] = []
    most: list[float] = []
    for works in (_advances(program, problem), _halls(program, problem), _buildings(program, problem)):
        early = works.decided < (horizon.index_of(until) if until is not None else 0)
        allowed = 0.0
        for key, which, amount in works.mandatory:
            must.add(len(keys), works.columns[which], 1.0)
            keys.append(key)
            least.append(amount)
            allowed += amount * bool((which & early).any())
        frozen.add(len(kinds), works.columns[early], 1.0)
        kinds.append(works.kind)
        most.append(allowed)
    program.add_rows("mandatory_work_done", keys, must, lower=np.array(least))
    program.add_rows("frozen_work_not_done", kinds, frozen, upper=np.array(most))


def _advances(program: Program, problem: PlanningProblem) -> _Works:
    advances, sites, index = problem.grid_advances, problem.portfolio.sites, problem.portfolio.site_index
    steps = [sites[s].grid[i] for s, i in zip(advances.site, advances.step, strict=True)]
    notice = [step.advance.notice_months for step in steps if step.advance is not None]
    stated = np.array([f"{step.from_month:%Y-%m}" for step in steps], dtype=object)
    must: list[tuple[tuple[str, ...], NDArray[np.bool_], float]] = []
    for item in problem.portfolio.policy.mandatory_grid_advances:
        month = f"{item.step_month:%Y-%m}"
        which = (advances.site == index[item.site]) & (stated == month) & (advances.months == item.advance_months)
        must.append(((item.site, "grid step", month), which, 1.0))
    decided = advances.new_month - np.array(notice, dtype=np.int64)
    return _Works("grid steps", program.variables["advance_step"].columns, decided, must)


def _halls(program: Program, problem: PlanningProblem) -> _Works:
    orders, portfolio = problem.hall_orders, problem.portfolio
    must: list[tuple[tuple[str, ...], NDArray[np.bool_], float]] = []
    for item in portfolio.policy.mandatory_hall_orders:
        month = portfolio.horizon.index_of(item.month)
        which = (orders.site == portfolio.site_index[item.site]) & (orders.order_month == month)
        must.append(((item.site, "halls", f"{item.month:%Y-%m}"), which, item.hall_mw))
    return _Works("halls", program.variables["added_hall_mw"].columns, orders.order_month, must)


def _buildings(program: Program, problem: PlanningProblem) -> _Works:
    orders, portfolio = problem.building_orders, problem.portfolio
    names = [portfolio.sites[s].buildings[i].name for s, i in zip(orders.site, orders.building, strict=True)]
    must: list[tuple[tuple[str, ...], NDArray[np.bool_], float]] = []
    for item in portfolio.policy.mandatory_building_orders:
        here = (orders.site == portfolio.site_index[item.site]) & (np.array(names, dtype=object) == item.building)
        which = here & (orders.order_month == portfolio.horizon.index_of(item.month))
        must.append(((item.site, item.building, f"{item.month:%Y-%m}"), which, 1.0))
    return _Works("buildings", program.variables["build_building"].columns, orders.order_month, must)


WORK_PLACEMENTS = ConstraintFamily(
    "work_placements",
    ("advance_step", "added_hall_mw", "build_building"),
    ("mandatory_work_done", "frozen_work_not_done"),
    build,
)
