r"""Offers bound together.

.. math::
   \sum_{o \in E} \mathrm{signed}_o \le n_E \quad \forall E \text{ exclusive} \qquad
   \mathrm{signed}_o = \mathrm{signed}_{o'} \quad \forall o, o' \in A \text{ all or nothing}

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{signed}_o`               0/1      offer *o* is signed, anywhere and at any time
:math:`n_E`                             1        most offers of the group
======================================  =======  =========================================================

Dual of ``exclusive_group_within_count``: NPV of one more signature in the group.
"""

from __future__ import annotations

import numpy as np

from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    policy, names = problem.portfolio.policy, [offer.name for offer in problem.portfolio.offers]
    sign, offer = program.variables["sign"].columns, problem.starts.offer
    exclusive, bound = Triplets(), Triplets()
    for row, group in enumerate(policy.exclusive_groups):
        exclusive.add(row, sign[np.isin(offer, [names.index(name) for name in group.offers])], 1.0)
    program.add_rows(
        "exclusive_group_within_count",
        [group.name for group in policy.exclusive_groups],
        exclusive,
        upper=np.array([group.maximum_count for group in policy.exclusive_groups], dtype=float),
    )
    keys: list[tuple[str, str]] = []
    for together in policy.all_or_nothing_groups:
        first, *rest = together.offers
        for other in rest:
            bound.add(len(keys), sign[offer == names.index(first)], 1.0)
            bound.add(len(keys), sign[offer == names.index(other)], -1.0)
            keys.append((together.name, other))
    program.add_rows("all_or_nothing_group_together", keys, bound, lower=0.0, upper=0.0)


OFFER_GROUPS = ConstraintFamily(
    "offer_groups", ("sign",), ("exclusive_group_within_count", "all_or_nothing_group_together"), build
)
