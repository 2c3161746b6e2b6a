r"""Contracts: which offer is signed at which site and when, and for how many MW.

.. math::
   \sum_{s,m} \mathrm{sign}_{o,s,m} \le 1 \quad \forall o \qquad
   \underline q_o\,\mathrm{sign}_{o,s,m} \le q_{o,s,m} \le \overline q_o\,\mathrm{sign}_{o,s,m} \quad \forall o \text{ scalable} \qquad
   \mathrm{sign}_{o,s,m} \le \sum_{m' + \mathrm{lead} \le b} \mathrm{open}_{s,m'} \quad \forall s \text{ not open yet}

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{sign}_{o,s,m}`           0/1      offer *o* is signed at site *s* in month *m*
:math:`q_{o,s,m}`                       MW       critical IT; equal to the offer's MW times the signature if it does not scale
:math:`b`                               month    start of building that follows from *m*
======================================  =======  =========================================================

Starts are indexed by their month, so that the whole profile of capex, rent, reserved power and displaced halls is a column of
coefficients and no month-to-month status is needed.

Dual of ``offer_signed_at_most_once``: NPV that a second contract on the same terms would add.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.calendar import Floats
from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import contract_quantity, month_key, post_by_site, post_cash, post_earnings, post_npv
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    keys = declare_contracts(program, problem)
    _need_open_site(program, problem, keys)
    if problem.starts.count:
        post_contract_money(program, problem)
        _post_use(program, problem)


def declare_contracts(program: Program, problem: PlanningProblem) -> list[tuple[str, str, str]]:
    """Signatures and critical MW of all starts, each offer signed at most once; the keys of the starts."""
    portfolio, starts = problem.portfolio, problem.starts
    keys = [
        (portfolio.offers[o].name, portfolio.sites[s].name, month_key(problem, m))
        for o, s, m in zip(starts.offer, starts.site, starts.sign_month, strict=True)
    ]
    sign = program.add_variables("sign", keys, upper=1.0, integer=True)
    scalable = np.flatnonzero(starts.scalable)
    scaled = program.add_variables("critical_mw", [keys[i] for i in scalable], upper=starts.maximum_mw[scalable])

    once = Triplets()
    once.add(starts.offer, sign.columns, 1.0)
    program.add_rows("offer_signed_at_most_once", [offer.name for offer in portfolio.offers], once, upper=1.0)

    rows, bounds = np.arange(len(scalable)), Triplets()
    bounds.add(2 * rows, scaled.columns, 1.0)
    bounds.add(2 * rows, sign.columns[scalable], -starts.maximum_mw[scalable])
    bounds.add(2 * rows + 1, scaled.columns, -1.0)
    bounds.add(2 * rows + 1, sign.columns[scalable], starts.minimum_mw[scalable])
    sides = [(*keys[i], side) for i in scalable for side in ("most", "least")]
    program.add_rows("critical_mw_within_offer", sides, bounds, upper=0.0)
    return keys


def _need_open_site(program: Program, problem: PlanningProblem, keys: list[tuple[str, str, str]]) -> None:
    starts, (site, month) = problem.starts, problem.openings
    waiting = np.flatnonzero(~problem.open_from_start[starts.site])
    lead = np.array([item.opening.lead_months if item.opening else 0 for item in problem.portfolio.sites])
    terms = Triplets()
    opened = program.variables["open_site"].columns
    for row, start in enumerate(waiting):
        in_time = (site == starts.site[start]) & (month + lead[site] <= starts.build_month[start])
        terms.add(row, program.variables["sign"].columns[start], 1.0)
        terms.add(row, opened[in_time], -1.0)
    program.add_rows("contract_at_open_site", [keys[i] for i in waiting], terms, upper=0.0)


def post_contract_money(program: Program, problem: PlanningProblem) -> None:
    """Rents, costs and capex of all starts."""
    starts, calendar = problem.starts, problem.calendar
    columns, factor = contract_quantity(program, problem)
    scale: Floats = factor[:, None]
    months = calendar.month_count
    income = (starts.noi_musd + starts.prepayment_musd) * scale
    capex = starts.capex_musd * scale
    post_cash(program, problem, "hosting", columns, income - capex)
    post_earnings(program, problem, "hosting", columns, starts.noi_musd * scale)
    tail = calendar.discount("hosting")[months:]
    counted = problem.portfolio.finance.terminal.contract_tail_frac * income[:, months:] - capex[:, months:]
    post_npv(program, "hosting", columns, counted @ tail)
    program.post("capex_musd", np.arange(months), columns[:, None], capex[:, :months])


def _post_use(program: Program, problem: PlanningProblem) -> None:
    starts, calendar = problem.starts, problem.calendar
    columns, factor = contract_quantity(program, problem)
    scale: Floats = factor[:, None]
    reserved, displaced = starts.reserved_mw * scale, starts.displaced_mw * scale
    post_by_site(program, problem, "power_mw", starts.site, columns, calendar.period_max(reserved))
    post_by_site(program, problem, "halls_mw", starts.site, columns, calendar.period_max(displaced))
    post_by_site(program, problem, "space_mw", starts.site, columns, calendar.period_max(starts.space_mw * scale))


CONTRACT_START = ConstraintFamily(
    "contract_start",
    ("open_site",),
    ("sign", "critical_mw", "offer_signed_at_most_once", "critical_mw_within_offer", "contract_at_open_site"),
    build,
)
