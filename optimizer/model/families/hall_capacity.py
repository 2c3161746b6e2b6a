r"""Mining halls at each site.

.. math:: \sum_{k,j} w_{k,j}\,\mathrm{run}_{s,k,j,p} + \sum \mathrm{displaced}_{s,p} \le H_{s,p} \qquad \forall s, p

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`w_{k,j}`                         MW       machine power of a thousand at mode *j*, before pue
:math:`\mathrm{displaced}_{s,p}`        MW       halls that contracts and GPU blocks have taken or keep out of use, less those converted back
:math:`H_{s,p}`                         MW       halls there are, with those added
======================================  =======  =========================================================

Dual: NPV of one more MW of halls at the site in that period.
"""

from __future__ import annotations

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import site_period_keys, use_within_limit
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    use_within_limit(program, "site_halls_within_limit", site_period_keys(problem), "halls_mw", "hall_limit_mw")


HALL_CAPACITY = ConstraintFamily(
    "hall_capacity",
    ("sign", "reconverted_mw", "gpu_blocks", "running_machines", "open_site", "added_hall_mw"),
    ("site_halls_within_limit",),
    build,
)
