r"""Carbon of the energy that the owner pays for and uses: its price, and the most of it by calendar year.

.. math::
   \sum_{o,s,m} k_{o,s,m}(y)\,q_{o,s,m} + \sum_{g,s,m} \bigl(k_{g,s,m}(y)\,n_{g,s,m} + k'_{g,s,m}(y)\,r_{g,s,m}\bigr) + \sum_{s,k,j,p} k_{s,k,j,p}(y)\,\mathrm{run}_{s,k,j,p}
   \le \overline K_y \qquad \forall y

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`k(y), k'(y)`                     kt       expected carbon in year *y* of a MW, a block, a refreshed block, a thousand machines
:math:`q, n, r, \mathrm{run}`                    critical MW (signed, let again), GPU blocks, those refreshed, machines running
:math:`\overline K_y`                   kt       most carbon of the year
======================================  =======  =========================================================

Its price is cash on the line ``corporate``. In which hours machines run is decided without it.

Dual of ``carbon_within_cap``: NPV of a thousand tonnes more in that year.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.calendar import Floats, Ints
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import contract_quantity, post_cash
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets
from optimizer.units import USD_PER_MUSD

T_PER_KT = 1e3
"""Tonnes are counted in thousands inside the program."""


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    rule, carbon = problem.portfolio.policy.carbon, problem.carbon
    terms = Triplets()
    caps = rule.caps if rule is not None else ()
    if carbon is not None:
        cost = carbon.price_usd_per_t / USD_PER_MUSD
        for columns, tonnes in _tonnes(program, problem):
            post_cash(program, problem, "corporate", columns, -tonnes * cost)
            by_year = problem.year_sum(tonnes)
            for row, cap in enumerate(caps):
                year = problem.tax_years.index(str(cap.year))
                terms.add(row, columns, by_year[:, year] / T_PER_KT)
    most = np.array([cap.maximum_t / T_PER_KT for cap in caps])
    program.add_rows("carbon_within_cap", [str(cap.year) for cap in caps], terms, upper=most)


def _tonnes(program: Program, problem: PlanningProblem) -> list[tuple[Ints, Floats]]:
    """Columns that use energy, and their tonnes by month, ``[N, T]``."""
    carbon, calendar = problem.carbon, problem.calendar
    assert carbon is not None
    columns, factor = contract_quantity(program, problem)
    found = [
        (columns, carbon.contract_t * factor[:, None]),
        (program.variables["re_leased_mw"].columns, carbon.re_lease_t),
        (program.variables["gpu_blocks"].columns, carbon.block_t),
        (program.variables["refreshed_gpu_blocks"].columns, carbon.refresh_t),
    ]
    period = np.repeat(np.arange(calendar.period_count), calendar.period_length)
    inside = np.arange(calendar.period_count)[:, None] == period
    first = program.variables["running_machines"].offset
    for tonnes in carbon.machine_t:
        spread = (tonnes[:, None, :] * inside).reshape(-1, calendar.month_count)
        found.append((first + np.arange(len(spread)), spread))
        first += len(spread)
    return [(where, tonnes) for where, tonnes in found if len(where)]


CARBON = ConstraintFamily(
    "carbon",
    ("sign", "critical_mw", "re_leased_mw", "gpu_blocks", "refreshed_gpu_blocks", "running_machines"),
    ("carbon_within_cap",),
    build,
)
