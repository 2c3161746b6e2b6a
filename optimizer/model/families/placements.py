r"""Contracts that must, or must not, be signed.

.. math::
   \sum_{(s,m) \in M_i} \mathrm{sign}_{o,s,m} \ge 1 \quad \forall i \text{ mandatory} \qquad
   \sum_{(s,m) \in X_i} \mathrm{sign}_{o,s,m} \le 0 \quad \forall i \text{ forbidden}

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`M_i, X_i`                                 the sites and months that the statement names; all of them where it names none
======================================  =======  =========================================================

Before ``freeze_until_month`` every start is forbidden that is not mandatory with its month.

Dual of ``mandatory_contract_signed``: NPV lost by the obligation. Dual of ``forbidden_contract_unsigned``: NPV lost by the prohibition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.domain.policy import Placement
from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets


def matching_starts(problem: PlanningProblem, placement: Placement) -> NDArray[np.bool_]:
    """Which starts a statement means, ``[N]``."""
    portfolio, starts = problem.portfolio, problem.starts
    names = [offer.name for offer in portfolio.offers]
    matches = starts.offer == names.index(placement.offer)
    if placement.site is not None:
        matches &= starts.site == portfolio.site_index[placement.site]
    if placement.sign_month is not None:
        matches &= starts.sign_month == portfolio.horizon.index_of(placement.sign_month)
    return np.asarray(matches)


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    policy, sign = problem.portfolio.policy, program.variables["sign"].columns
    mandatory, forbidden = Triplets(), Triplets()
    for row, item in enumerate(policy.mandatory):
        mandatory.add(row, sign[matching_starts(problem, item)], 1.0)
    program.add_rows("mandatory_contract_signed", [*map(_key, policy.mandatory)], mandatory, lower=1.0)

    keys = [*map(_key, policy.forbidden)]
    for row, item in enumerate(policy.forbidden):
        forbidden.add(row, sign[matching_starts(problem, item)], 1.0)
    if policy.freeze_until_month is not None:
        frozen = problem.starts.sign_month < problem.portfolio.horizon.index_of(policy.freeze_until_month)
        for item in policy.mandatory:
            if item.sign_month is not None:
                frozen &= ~matching_starts(problem, item)
        forbidden.add(len(keys), sign[frozen], 1.0)
        keys.append(("freeze", "", f"{policy.freeze_until_month:%Y-%m}"))
    program.add_rows("forbidden_contract_unsigned", keys, forbidden, upper=0.0)


def _key(item: Placement) -> tuple[str, str, str]:
    return item.offer, item.site or "", f"{item.sign_month:%Y-%m}" if item.sign_month else ""


PLACEMENTS = ConstraintFamily(
    "placements", ("sign",), ("mandatory_contract_signed", "forbidden_contract_unsigned"), build
)
