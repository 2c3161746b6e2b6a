r"""CVaR of the NPV in the objective, and its floor.

.. math::
   \text{maximise } \ldots + \lambda\,(\mathrm{NPV} + \sigma) \qquad \mathrm{NPV} + \sigma \ge \underline{C} \qquad
   \sigma \le 0 \qquad \sigma \le (c_q - c)\,x \quad \forall q

======================================  ===========  =====================================================
symbol                                  unit         meaning
======================================  ===========  =====================================================
:math:`\sigma`                          million USD  CVaR less expected NPV: what the tail falls short of the mean
:math:`\lambda`                         1            ``risk.cvar_weight_frac``
:math:`\underline{C}`                   million USD  ``risk.minimum_cvar_usd``
:math:`c\,x,\ c_q\,x`                   million USD  expected NPV, and the mean NPV over the scenarios of a tail *q*
======================================  ===========  =====================================================

CVaR is the least mean over all sets of scenarios that hold ``risk.tail_probability`` of the mass, so a row for every set
states it, and the few sets that bind are enough: this family states the column, :mod:`optimizer.model.tail` the rows.

Dual of ``minimum_cvar``: NPV, negative, of a dollar more of CVaR.
"""

from __future__ import annotations

from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import COMPANY, Program, Triplets
from optimizer.units import USD_PER_MUSD


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    risk = problem.portfolio.risk
    keys = ["company"] if risk.counts_tail else []
    shortfall = program.add_variables("cvar_shortfall_musd", keys, lower=-float("inf"), upper=0.0, site=COMPANY)
    terms, floor = Triplets(), -float("inf")
    if risk.counts_tail:
        program.post("risk_musd", 0, shortfall.columns, risk.cvar_weight_frac)
        program.npv_weight += risk.cvar_weight_frac
    if risk.minimum_cvar_usd is not None:
        npv = program.close("npv_musd")
        _, column, coefficient = npv.terms.arrays()
        terms.add(0, column, coefficient)
        terms.add(0, shortfall.columns, 1.0)
        floor = risk.minimum_cvar_usd / USD_PER_MUSD - float(npv.constant.sum())
    program.add_rows("minimum_cvar", keys, terms, lower=floor)


TAIL_RISK = ConstraintFamily("tail_risk", (), ("cvar_shortfall_musd", "minimum_cvar"), build)
