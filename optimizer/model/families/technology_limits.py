r"""Dependence on single uses of power and sorts of mining machines.

.. math::
   \sum_s \mathrm{use}_{k,s,p} \le f_k \sum_s G_{s,p} \quad \forall k, p \qquad
   (1 - f_K) \sum_{s, m \in K} h_{m,s,p} \le f_K \sum_{s, m \notin K} h_{m,s,p} \quad \forall K, p

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{use}_{k,s,p}`            MW       mining, contracts or GPUs at the site; of the last two the most in the period
:math:`G_{s,p}`                         MW       import limit of the sites that are open from the start
:math:`h_{m,s,p}`                       EH/s     running hashrate of the machines of a model at the site
:math:`f_k, f_K`                        1        largest share of use *k*, of the models in *K*, listed or of one manufacturer
======================================  =======  =========================================================

Dual: NPV of one more MW for that use, or of one more EH/s from those machines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.domain.policy import PowerUse, TechnologyLimit
from optimizer.model.calendar import Ints
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import period_keys
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    limits = problem.portfolio.policy.technology_limits
    _limit_uses(program, problem, [limit for limit in limits if limit.use is not None])
    _limit_machines(program, problem, [limit for limit in limits if limit.use is None])


def _limit_uses(program: Program, problem: PlanningProblem, limits: list[TechnologyLimit]) -> None:
    calendar, periods = problem.calendar, problem.calendar.period_count
    total = calendar.period_min(problem.grid_mw[problem.open_from_start].sum(axis=0))
    row, column, coefficient = program.close("power_mw").terms.arrays()
    mining = _is_of(program, "running_machines", column)
    gpu = _is_of(program, "gpu_blocks", column) | _is_of(program, "refreshed_gpu_blocks", column)
    drawn = {PowerUse.MINING: mining, PowerUse.GPU: gpu, PowerUse.HOSTING: ~mining & ~gpu}
    terms, upper = Triplets(), np.full((len(limits), periods), np.inf)
    for number, limit in enumerate(limits):
        inside = drawn[limit.use or PowerUse.MINING]
        terms.add(number * periods + row[inside] % periods, column[inside], coefficient[inside])
        upper[number] = np.where(_holds(problem, limit), limit.maximum_share_frac * total, np.inf)
    keys = [(str(limit.use), month) for limit in limits for month in period_keys(problem)]
    program.add_rows("use_within_share", keys, terms, upper=upper.ravel())


def _limit_machines(program: Program, problem: PlanningProblem, limits: list[TechnologyLimit]) -> None:
    periods = problem.calendar.period_count
    row, column, coefficient = program.close("hashrate_eh_s").terms.arrays()
    first, machines = program.variables["running_machines"].offset, problem.machines
    by_pair = [(machines.classes[k].model.name, len(machines.classes[k].modes)) for k in machines.machine_class]
    model = np.repeat([name for name, _ in by_pair], [modes * periods for _, modes in by_pair])[column - first]
    terms, upper = Triplets(), np.full((len(limits), periods), np.inf)
    counted = [
        limit.asic_models
        or [item.name for item in problem.portfolio.asic_models if item.manufacturer == limit.manufacturer]
        for limit in limits
    ]
    for number, limit in enumerate(limits):
        share = limit.maximum_share_frac
        weight = np.where(np.isin(model, counted[number]), 1.0 - share, -share)
        terms.add(number * periods + row % periods, column, coefficient * weight)
        upper[number] = np.where(_holds(problem, limit), 0.0, np.inf)
    names = [limit.manufacturer or ", ".join(limit.asic_models) for limit in limits]
    keys = [(name, month) for name in names for month in period_keys(problem)]
    program.add_rows("machines_within_share", keys, terms, upper=upper.ravel())


def _is_of(program: Program, name: str, columns: Ints) -> NDArray[np.bool_]:
    """Which columns are of a block of variables."""
    block = program.variables[name]
    return (columns >= block.offset) & (columns < block.offset + len(block.keys))


def _holds(problem: PlanningProblem, limit: TechnologyLimit) -> NDArray[np.bool_]:
    """The periods in some month of which a limit holds, ``[P]``."""
    first = problem.portfolio.horizon.index_of(limit.from_month) if limit.from_month else 0
    return np.asarray(problem.calendar.period_last >= first)


TECHNOLOGY_LIMITS = ConstraintFamily(
    "technology_limits",
    ("sign", "critical_mw", "gpu_blocks", "refreshed_gpu_blocks", "running_machines"),
    ("use_within_share", "machines_within_share"),
    build,
)
