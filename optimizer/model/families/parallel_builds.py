r"""Contracts under construction at the same time.

.. math:: \sum_{(o,s,m):\, b \le t < F,\ s \in R} \mathrm{sign}_{o,s,m} \le n_R \qquad \forall R, t

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`b, F`                            month    start of building and energization of the last phase
:math:`R`                                        region of the limit; all sites if it names none
:math:`n_R`                             1        most builds at a time
======================================  =======  =========================================================

Only months in which a build starts can be the busiest, so only they get a row.

Dual: NPV of one more building crew in that region and month.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import month_key
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    starts, sign = problem.starts, program.variables["sign"].columns
    regions = np.array([site.region for site in problem.portfolio.sites])[starts.site]
    terms = Triplets()
    keys: list[tuple[str, str]] = []
    limits: list[float] = []
    for limit in problem.portfolio.policy.parallel_builds:
        inside = np.full(starts.count, True) if limit.region is None else regions == limit.region
        for month in np.unique(np.maximum(starts.build_month[inside], 0)):
            building = inside & (starts.build_month <= month) & (month < starts.full_month)
            if building.sum() > limit.maximum_count:
                terms.add(len(keys), sign[building], 1.0)
                keys.append((limit.region or "everywhere", month_key(problem, month)))
                limits.append(float(limit.maximum_count))
    program.add_rows("parallel_builds_within_limit", keys, terms, upper=np.array(limits))


PARALLEL_BUILDS = ConstraintFamily("parallel_builds", ("sign",), ("parallel_builds_within_limit",), build)
