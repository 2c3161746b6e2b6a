r"""What happens to a contract's MW when its term ends inside the horizon.

.. math:: c_{o,s,m} + l_{o,s,m} \le q_{o,s,m} \qquad \forall o, s, m

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`c_{o,s,m}`                       MW       critical IT whose halls are converted back
:math:`l_{o,s,m}`                       MW       critical IT that is let again
:math:`q_{o,s,m}`                       MW       critical IT of the contract
======================================  =======  =========================================================

What is neither leaves its halls displaced and its power free. Halls that come back are posted as displaced no longer. In the period in which the
term ends the contract and what is let again take the same power and space one after the other, so there the latter adds nothing.

Dual: NPV of one more MW of the contract at its end.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.posting import contract_quantity, post_by_site, post_cash, post_earnings, post_npv
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    starts, keys = problem.starts, program.variables["sign"].keys
    back, again = problem.reconversions, problem.re_leases
    reconverted = program.add_variables(
        "reconverted_mw", [keys[i] for i in back.start], upper=starts.maximum_mw[back.start]
    )
    re_leased = program.add_variables(
        "re_leased_mw", [keys[i] for i in again.start], upper=starts.maximum_mw[again.start]
    )
    ending = np.union1d(back.start, again.start)
    terms, (quantity, factor) = Triplets(), contract_quantity(program, problem)
    terms.add(np.searchsorted(ending, back.start), reconverted.columns, 1.0)
    terms.add(np.searchsorted(ending, again.start), re_leased.columns, 1.0)
    terms.add(np.arange(len(ending)), quantity[ending], -factor[ending])
    program.add_rows("lease_end_within_contract", [keys[i] for i in ending], terms, upper=0.0)
    if len(back.start):
        _post_reconverted(program, problem)
    if len(again.start):
        _post_re_leased(program, problem)


def _post_reconverted(program: Program, problem: PlanningProblem) -> None:
    back, calendar = problem.reconversions, problem.calendar
    columns, site = program.variables["reconverted_mw"].columns, problem.starts.site[back.start]
    post_by_site(program, problem, "halls_mw", site, columns, -calendar.period_min(back.returned_mw))
    post_cash(program, problem, "mining", columns, -back.price_musd)
    program.post("capex_musd", np.arange(calendar.month_count), columns[:, None], back.price_musd)


def _post_re_leased(program: Program, problem: PlanningProblem) -> None:
    again, calendar, months = problem.re_leases, problem.calendar, problem.calendar.month_count
    columns, site = program.variables["re_leased_mw"].columns, problem.starts.site[again.start]
    for account, before, after in (
        ("power_mw", problem.starts.reserved_mw[again.start], again.reserved_mw),
        ("space_mw", problem.starts.space_mw[again.start], again.space_mw),
    ):
        added = calendar.period_max(before + after) - calendar.period_max(before)
        post_by_site(program, problem, account, site, columns, added)
    post_cash(program, problem, "hosting", columns, again.noi_musd[:, :months] - again.refit_musd)
    post_earnings(program, problem, "hosting", columns, again.noi_musd)
    tail = calendar.discount("hosting")[months:] * problem.portfolio.finance.terminal.contract_tail_frac
    post_npv(program, "hosting", columns, again.noi_musd[:, months:] @ tail)
    program.post("capex_musd", np.arange(months), columns[:, None], again.refit_musd)


LEASE_END = ConstraintFamily(
    "lease_end",
    ("sign", "critical_mw"),
    ("reconverted_mw", "re_leased_mw", "lease_end_within_contract"),
    build,
)
