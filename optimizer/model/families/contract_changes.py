r"""A budget of changes against a previous plan.

.. math:: \sum_{i \in \mathrm{previous}} (1 - \mathrm{sign}_i) + \sum_{o \notin \mathrm{previous}} \mathrm{signed}_o \le n

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{sign}_i`                 0/1      previous contract *i* is signed at the same site and month
:math:`\mathrm{signed}_o`               0/1      offer *o* is signed, anywhere and at any time
:math:`n`                               1        most changes
======================================  =======  =========================================================

A previous contract that can no longer be signed as it was counts as changed.

Dual: NPV of one more change.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.families.placements import matching_starts
from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    rule, terms = problem.portfolio.policy.contract_changes, Triplets()
    if rule is None:
        program.add_rows("contract_changes_within_budget", [], terms)
        return
    sign, names = program.variables["sign"].columns, [offer.name for offer in problem.portfolio.offers]
    for item in rule.previous:
        terms.add(0, sign[matching_starts(problem, item)], -1.0)
    before = [names.index(item.offer) for item in rule.previous]
    terms.add(0, sign[~np.isin(problem.starts.offer, before)], 1.0)
    most = float(rule.maximum_count - len(rule.previous))
    program.add_rows("contract_changes_within_budget", ["changes"], terms, upper=most)


CONTRACT_CHANGES = ConstraintFamily("contract_changes", ("sign",), ("contract_changes_within_budget",), build)
