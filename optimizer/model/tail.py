"""CVaR in a program: by cuts, one for each tail that binds, or extensively, with a row for every scenario.

What varies of the NPV is linear in the decisions, scenario by scenario, so its mean over some of the scenarios is
the families' NPV again with the coefficients of those. Rockafellar and Uryasev (2000), doi:10.21314/JOR.2000.038;
cuts: Künzi-Bay and Mayer (2006), doi:10.1007/s10287-005-0042-0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.errors import ModelAssemblyError
from optimizer.model.calendar import Floats
from optimizer.model.family import assemble
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import COMPANY, Program, Triplets

Weighted = Sequence[tuple[Futures, float]]
"""Some of the scenarios, each with its share of the mass, which add up to 1."""


@dataclass(frozen=True, eq=False)
class TailCut:
    """``shortfall <= constant + slope x`` in million USD: the mean NPV over a tail, less that over all scenarios."""

    constant: float
    slope: Floats

    def at(self, values: Floats) -> float:
        """The bound at a point."""
        return float(self.constant + self.slope @ values)


def tail_cut(program: Program, problem: PlanningProblem, tail: Weighted) -> TailCut:
    """The cut of a tail, over the columns of ``program``."""
    mean = _npv(program, program.column_count)
    parts = [(_npv(_npv_program(program, problem, part), program.column_count), share) for part, share in tail]
    return TailCut(
        sum(share * constant for (constant, _), share in parts) - mean[0],
        np.sum([share * slope for (_, slope), share in parts], axis=0) - mean[1],
    )


def state_cuts(program: Program, name: str, cuts: Sequence[TailCut]) -> None:
    """State cuts as a block of rows."""
    shortfall, terms = program.variables["cvar_shortfall_musd"], Triplets()
    for row, cut in enumerate(cuts):
        used = np.flatnonzero(cut.slope)
        terms.add(row, used, -cut.slope[used])
        terms.add(row, shortfall.columns, 1.0)
    keys = [f"{name}_{row + 1}" for row in range(len(cuts))]
    program.add_rows(name, keys, terms, upper=[cut.constant for cut in cuts])


def state_extensively(program: Program, problem: PlanningProblem, futures: Futures) -> None:
    r"""State CVaR with a row and a column for every scenario *w* of ``futures``.

    .. math::
       \sigma \le \eta - \frac{1}{aW} \sum_w z_w \qquad z_w \ge \eta - (c_w - c)\,x \qquad z_w \ge 0

    with :math:`a` the mass of the tail; the best :math:`\eta` is VaR less expected NPV.
    """
    count = futures.scenario_count
    shortfall = program.variables["cvar_shortfall_musd"].columns
    cuts = [tail_cut(program, problem, [(futures.only(np.array([w])), 1.0)]) for w in range(count)]
    names = [f"scenario_{w}" for w in range(count)]
    var = program.add_variables("var_shortfall_musd", ["company"], lower=-np.inf, site=COMPANY)
    below = program.add_variables("below_var_musd", names, site=COMPANY)
    terms = Triplets()
    terms.add(0, shortfall, 1.0)
    terms.add(0, var.columns, -1.0)
    terms.add(0, below.columns, 1.0 / (problem.portfolio.risk.tail_probability * count))
    program.add_rows("cvar_below_var", ["company"], terms, upper=0.0)
    terms = Triplets()
    for w, cut in enumerate(cuts):
        used = np.flatnonzero(cut.slope)
        terms.add(w, used, cut.slope[used])
        terms.add(w, var.columns, -1.0)
        terms.add(w, below.columns[w], 1.0)
    program.add_rows("scenario_below_var", names, terms, lower=[-cut.constant for cut in cuts])


def cvar_cost(program: Program) -> tuple[float, Floats]:
    """CVaR in million USD, as a constant and a cost of each column of ``program``."""
    constant, cost = _npv(program, program.column_count)
    cost[program.variables["cvar_shortfall_musd"].columns] = 1.0
    return constant, cost


def _npv_program(program: Program, problem: PlanningProblem, part: Futures) -> Program:
    """The families that post to the NPV, stated again with the coefficients of some scenarios."""
    names = [family.name for family in program.stated]
    again = assemble(problem.over(part), program.stated[: names.index("liquidity")])
    if any(block.keys != program.variables[name].keys for name, block in again.variables.items()):
        raise ModelAssemblyError("the families above liquidity declare other variables in some of the scenarios")
    return again


def _npv(program: Program, column_count: int) -> tuple[float, Floats]:
    """The NPV account, as a constant and a coefficient for each column."""
    npv = program.ledger["npv_musd"]
    _, column, coefficient = npv.terms.arrays()
    return float(npv.constant.sum()), np.bincount(column, coefficient, minlength=column_count).astype(float)
