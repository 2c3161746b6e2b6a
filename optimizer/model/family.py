"""Constraint families: one file each, declaring what they need and what they add; assembly checks both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.errors import ModelAssemblyError
from optimizer.model.calendar import EARNINGS, LINES
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program

ACCOUNTS = {
    "npv_musd": "expected NPV, by business line",
    "cash_musd": "cash flow, by period",
    "capex_musd": "the owner's capital expenditure, by month",
    "debt_musd": "project debt outstanding, by period",
    "earnings_musd": "earnings of the year of the enterprise value, by kind; empty where it is not the objective",
    "enterprise_musd": "discounted enterprise value; empty where it is not the objective",
    "risk_musd": "weighted shortfall of CVaR against expected NPV; empty where it does not count",
    "hurdle_musd": "what changes against a previous plan take off the objective; empty where they have no price",
    "income_musd": "cash that counts for corporate tax, capex with it, by calendar year; empty without tax",
    "power_mw": "grid MW in use, by site and period",
    "grid_mw": "import limit, by site and period",
    "halls_mw": "hall MW in use or displaced, by site and period",
    "hall_limit_mw": "hall MW there are, by site and period",
    "space_mw": "critical MW that need a building, by site and period",
    "building_mw": "critical MW that finished buildings have space for, by site and period",
    "hashrate_eh_s": "running hashrate, by site and period",
}
"""The ledger: shared totals that families post to. Rows by site and period run through all periods of a site,
then the next."""


@dataclass(frozen=True)
class ConstraintFamily:
    """One aspect of the planning problem."""

    name: str
    """Its name: the module's, the docs anchor's and the test's."""
    needs: tuple[str, ...]
    """Variables or row blocks that earlier families must have added."""
    adds: tuple[str, ...]
    """Variables and row blocks that it adds, no more and no less."""
    build: Callable[[Program, PlanningProblem], None]
    """States it."""


def assemble(problem: PlanningProblem, formulation: Sequence[ConstraintFamily]) -> Program:
    """The program of a problem under a formulation.

    Raises:
        ModelAssemblyError: when a family lacks what it needs, or adds other components than it declares.
    """
    program = Program(problem.portfolio.name)
    _open_ledger(program, problem)
    for family in formulation:
        missing = [name for name in family.needs if name not in program.components]
        if missing:
            raise ModelAssemblyError(
                f"family {family.name!r} needs {', '.join(missing)}, which no earlier family adds; check FORMULATION"
            )
        before = program.components
        family.build(program, problem)
        program.stated += (family,)
        added = program.components - before
        if added != set(family.adds):
            raise ModelAssemblyError(f"family {family.name!r} declares {sorted(family.adds)} but added {sorted(added)}")
    return program


def _open_ledger(program: Program, problem: PlanningProblem) -> None:
    """Open all accounts with what is there whatever is decided: fixed costs, and the limits of sites that are open."""
    portfolio, calendar = problem.portfolio, problem.calendar
    by_site = len(portfolio.sites) * calendar.period_count
    fixed, always_open = problem.fixed_cash_musd, problem.open_from_start[:, None]
    npv = np.zeros(len(LINES))
    npv[LINES.index("corporate")] = fixed @ calendar.discount("corporate")[: calendar.month_count]
    constants = {
        "npv_musd": npv,
        "cash_musd": calendar.period_sum(fixed),
        "capex_musd": np.zeros(calendar.month_count),
        "debt_musd": np.zeros(calendar.period_count),
        "earnings_musd": np.zeros(len(EARNINGS)),
        "enterprise_musd": np.zeros(1),
        "risk_musd": np.zeros(1),
        "hurdle_musd": np.zeros(1),
        "income_musd": problem.year_sum(fixed),
        "grid_mw": (calendar.period_min(problem.grid_mw) * always_open).ravel(),
        "hall_limit_mw": (calendar.period_min(problem.hall_mw) * always_open).ravel(),
    }
    for name in ACCOUNTS:
        program.open_account(name, constants.get(name, np.zeros(by_site)))
