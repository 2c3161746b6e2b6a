r"""Power at each site.

.. math:: \mathrm{mining}_{s,p} + \mathrm{hosting}_{s,p} + \mathrm{gpu}_{s,p} \le G_{s,p} \qquad \forall s, p

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{mining}_{s,p}`           MW       machines running, at the meter
:math:`\mathrm{hosting}_{s,p}`          MW       reserved for contracts and what is let again: the most in any month of the period
:math:`\mathrm{gpu}_{s,p}`              MW       reserved for own GPUs
:math:`G_{s,p}`                         MW       import limit with the steps brought forward: the least in any month of the period, 0 while closed
======================================  =======  =========================================================

What is left is idle. Dual: NPV of one more MW at the site in that period.
"""

from __future__ import annotations

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import site_period_keys, use_within_limit
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    use_within_limit(program, "site_power_within_limit", site_period_keys(problem), "power_mw", "grid_mw")


POWER_BALANCE = ConstraintFamily(
    "power_balance",
    ("sign", "re_leased_mw", "gpu_blocks", "refreshed_gpu_blocks", "running_machines", "open_site", "advance_step"),
    ("site_power_within_limit",),
    build,
)
