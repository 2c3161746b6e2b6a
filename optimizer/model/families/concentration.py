r"""Dependence on single tenants and countries.

.. math::
   \sum_{(o,s,m):\, \mathrm{tenant}(o) = \tau} g_{o,s,m}(p)\, q_{o,s,m} \le f_\tau \sum_s G_{s,p} \quad \forall \tau, p \qquad
   \sum_{s \in c} \mathrm{use}_{s,p} \le f_c \sum_s G_{s,p} \quad \forall c, p

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`g_{o,s,m}(p)`                    MW/MW    grid MW reserved per critical MW, the most in the period
:math:`\mathrm{use}_{s,p}`              MW       mining, hosting and GPUs at the site
:math:`G_{s,p}`                         MW       import limit of the sites that are open from the start
:math:`f_\tau, f_c`                     1        largest share
======================================  =======  =========================================================

Dual: NPV of one more MW for that tenant or country.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import contract_quantity, period_keys
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    portfolio, starts, calendar = problem.portfolio, problem.starts, problem.calendar
    policy, periods = portfolio.policy, calendar.period_count
    total = calendar.period_min(problem.grid_mw[problem.open_from_start].sum(axis=0))
    months, time = period_keys(problem), np.arange(periods)

    tenants, terms = np.array([offer.tenant for offer in portfolio.offers], dtype=object), Triplets()
    columns, factor = contract_quantity(program, problem)
    for number, limit in enumerate(policy.tenant_limits):
        theirs = np.flatnonzero(tenants[starts.offer] == limit.tenant)
        reserved = calendar.period_max(starts.reserved_mw[theirs]) * factor[theirs, None]
        terms.add(number * periods + time, columns[theirs, None], reserved)
    shares = np.array([limit.maximum_share_frac for limit in policy.tenant_limits])
    program.add_rows(
        "tenant_within_share",
        [(limit.tenant, month) for limit in policy.tenant_limits for month in months],
        terms,
        upper=np.outer(shares, total).ravel(),
    )

    row, column, coefficient = program.close("power_mw").terms.arrays()
    countries, terms = np.array([site.country for site in portfolio.sites]), Triplets()
    for number, country in enumerate(policy.country_limits):
        inside = countries[row // periods] == country.country
        terms.add(number * periods + row[inside] % periods, column[inside], coefficient[inside])
    shares = np.array([country.maximum_share_frac for country in policy.country_limits])
    program.add_rows(
        "country_within_share",
        [(country.country, month) for country in policy.country_limits for month in months],
        terms,
        upper=np.outer(shares, total).ravel(),
    )


CONCENTRATION = ConstraintFamily(
    "concentration",
    ("sign", "critical_mw", "gpu_blocks", "refreshed_gpu_blocks", "running_machines"),
    ("tenant_within_share", "country_within_share"),
    build,
)
