r"""GPU orders and openings that must be, and a freeze of all others.

.. math::
   n_i \ge b_i, \quad r_i \ge b'_i \quad \forall i \text{ mandatory order} \qquad
   \mathrm{open}_j \ge 1 \quad \forall j \text{ mandatory opening} \qquad
   \sum_{m < f} n_{g,s,m} \le \sum_{i:\, m_i < f} b_i \qquad
   \sum_{m < f} \mathrm{open}_{s,m} \le \sum_{j:\, m_j < f} 1

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`n_{g,s,m}`                       blocks   blocks ordered; :math:`n_i` those of mandatory order *i*
:math:`b_i, b'_i`                       blocks   least blocks of mandatory order *i*, least of them that are refreshed
:math:`r_i`                             blocks   blocks of it that are refreshed; those that are before *f* are frozen as orders are
:math:`\mathrm{open}_{s,m}`             0/1      site *s* is opened in month *m*; :math:`\mathrm{open}_j` mandatory opening *j*
:math:`f`                               month    end of the freeze
======================================  =======  =========================================================

A mandatory order that the terms do not allow cannot be met. Dual of ``mandatory_order_placed``: NPV lost by the obligation. Dual of ``frozen_order_not_placed``: NPV lost by the freeze.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.domain.base import add_months
from optimizer.domain.decisions import GpuOrder, SiteOpening
from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def matching_orders(problem: PlanningProblem, item: GpuOrder) -> NDArray[np.bool_]:
    """Which possible GPU orders are of that option, site and month, ``[N]``."""
    portfolio, orders = problem.portfolio, problem.gpu_orders
    names = [option.name for option in portfolio.gpu_options]
    return np.asarray(
        (orders.option == names.index(item.gpu_option))
        & (orders.site == portfolio.site_index[item.site])
        & (orders.order_month == portfolio.horizon.index_of(item.order_month))
    )


def matching_openings(problem: PlanningProblem, item: SiteOpening) -> NDArray[np.bool_]:
    """Which possible openings are of that site and month, ``[N]``."""
    site, month = problem.openings
    portfolio = problem.portfolio
    return np.asarray((site == portfolio.site_index[item.site]) & (month == portfolio.horizon.index_of(item.month)))


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    policy, horizon = problem.portfolio.policy, problem.portfolio.horizon
    blocks, opened = program.variables["gpu_blocks"].columns, program.variables["open_site"].columns
    refreshed, refreshes = program.variables["refreshed_gpu_blocks"].columns, problem.gpu_refreshes
    mandatory = Triplets()
    keys: list[tuple[str, ...]] = []
    least: list[float] = []
    for order in policy.mandatory_gpu_orders:
        mandatory.add(len(keys), blocks[matching_orders(problem, order)], 1.0)
        keys.append((order.gpu_option, order.site, f"{order.order_month:%Y-%m}"))
        least.append(float(order.block_count))
        if order.refreshed_block_count:
            mandatory.add(len(keys), refreshed[matching_orders(problem, order)[problem.gpu_refreshes.order]], 1.0)
            keys.append((order.gpu_option, order.site, f"{order.order_month:%Y-%m}", "refreshed"))
            least.append(float(order.refreshed_block_count))
    for opening in policy.mandatory_openings:
        mandatory.add(len(keys), opened[matching_openings(problem, opening)], 1.0)
        keys.append((opening.site, f"{opening.month:%Y-%m}"))
        least.append(1.0)
    program.add_rows("mandatory_order_placed", keys, mandatory, lower=np.array(least))

    frozen, until = Triplets(), policy.freeze_orders_until_month
    if until is None:
        program.add_rows("frozen_order_not_placed", [], frozen)
        return
    frozen.add(0, blocks[problem.gpu_orders.order_month < horizon.index_of(until)], 1.0)
    frozen.add(1, opened[problem.openings[1] < horizon.index_of(until)], 1.0)
    replaced = problem.gpu_orders.end_month[refreshes.order] < horizon.index_of(until)
    frozen.add(2, refreshed[replaced], 1.0)
    bound = [
        float(sum(item.block_count for item in policy.mandatory_gpu_orders if item.order_month < until)),
        float(sum(item.month < until for item in policy.mandatory_openings)),
        float(sum(item.refreshed_block_count for item in policy.mandatory_gpu_orders if _replaced_by(problem, item))),
    ]
    kinds = ["GPU blocks", "openings", "refreshes"]
    program.add_rows("frozen_order_not_placed", kinds, frozen, upper=np.array(bound))


def _replaced_by(problem: PlanningProblem, item: GpuOrder) -> bool:
    """Whether the blocks of an order are at the end of their life before the freeze ends."""
    until = problem.portfolio.policy.freeze_orders_until_month
    option = problem.portfolio.gpu_options_by_name[item.gpu_option]
    return until is not None and add_months(item.order_month, option.lead_months + option.life_months) < until


ORDER_PLACEMENTS = ConstraintFamily(
    "order_placements",
    ("gpu_blocks", "refreshed_gpu_blocks", "open_site"),
    ("mandatory_order_placed", "frozen_order_not_placed"),
    build,
)
