r"""A least share of what runs that must run at home.

.. math:: (1 - f) \sum_{s \in \mathrm{home}} u_{s,p} \ge f \sum_{s \notin \mathrm{home}} u_{s,p} \qquad \forall p

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`u_{s,p}`                         MW or EH/s   power in use, or running hashrate, at the site
:math:`f`                               1            least domestic share
======================================  ===========  =====================================================

Where a contract or GPU block is live in part of a long period only, it counts with its least month at home and its most abroad, so that the share holds in every month.

Dual: NPV lost per unit of what must stay at home.
"""

from __future__ import annotations

import numpy as np

from optimizer.domain.policy import DomesticBasis
from optimizer.model.calendar import Floats, Ints
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import contract_quantity, period_keys
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    rule, portfolio, calendar = problem.portfolio.policy.domestic_share, problem.portfolio, problem.calendar
    if rule is None:
        program.add_rows("domestic_share_kept", [], Triplets())
        return
    share, periods = rule.minimum_share_frac, calendar.period_count
    home = np.array([site.country == rule.country for site in portfolio.sites])
    weight = np.where(home, 1.0 - share, -share)
    terms = Triplets()
    if rule.basis is DomesticBasis.HASHRATE:
        row, column, coefficient = program.close("hashrate_eh_s").terms.arrays()
        terms.add(row % periods, column, coefficient * weight[row // periods])
    else:
        running = set(program.variables["running_machines"].columns.tolist())
        row, column, coefficient = program.close("power_mw").terms.arrays()
        machines = np.isin(column, np.fromiter(running, dtype=np.int64, count=len(running)))
        terms.add(row[machines] % periods, column[machines], (coefficient * weight[row // periods])[machines])
        columns, factor = contract_quantity(program, problem)
        _reserved(terms, problem, problem.starts.site, columns, problem.starts.reserved_mw * factor[:, None], weight)
        again, let = problem.re_leases, program.variables["re_leased_mw"].columns
        _reserved(terms, problem, problem.starts.site[again.start], let, again.reserved_mw, weight)
        orders, blocks = problem.gpu_orders, program.variables["gpu_blocks"].columns
        _reserved(terms, problem, orders.site, blocks, orders.reserved_mw, weight)
        refreshes, blocks = problem.gpu_refreshes, program.variables["refreshed_gpu_blocks"].columns
        before = orders.reserved_mw[refreshes.order]
        _reserved(terms, problem, refreshes.site, blocks, refreshes.reserved_mw, weight, before)
    first = portfolio.horizon.index_of(rule.from_month) if rule.from_month else 0
    required = np.where(calendar.period_last >= first, 0.0, -np.inf)
    program.add_rows("domestic_share_kept", period_keys(problem), terms, lower=required)


def _reserved(
    terms: Triplets,
    problem: PlanningProblem,
    site: Ints,
    columns: Ints,
    reserved: Floats,
    weight: Floats,
    before: Floats | float = 0.0,
) -> None:
    """What columns reserve, ``[N, T]``, on top of what is there before it without them."""
    calendar = problem.calendar
    if not len(columns):
        return
    each = weight[site][:, None]
    there = np.broadcast_to(before, reserved.shape)
    least = calendar.period_min(there + reserved) - calendar.period_min(there)
    most = calendar.period_max(there + reserved) - calendar.period_max(there)
    terms.add(np.arange(calendar.period_count), columns[:, None], each * np.where(each > 0, least, most))


DOMESTIC_SHARE = ConstraintFamily(
    "domestic_share",
    ("sign", "critical_mw", "re_leased_mw", "gpu_blocks", "refreshed_gpu_blocks", "running_machines"),
    ("domestic_share_kept",),
    build,
)
