"""Why a portfolio has no plan: statements that cannot all be kept, and the least changes that give it one.

The conflict is found by deletion: one statement after the other is taken back for good if there is still no plan
without it. What is left cannot all be kept, and without any of it the rest can. Every answer on the way is a search for
any plan.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimizer.app.planning import LEAST_SOLVE_S, check_highs_once, plan
from optimizer.app.statements import PLENTY_USD, Easing, Stated, statements_of
from optimizer.curves.futures import Futures
from optimizer.domain.diagnosis import Diagnosis, DiagnosisSpec, Repair, Statement
from optimizer.domain.options import SolveOptions
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import TerminationReason
from optimizer.errors import InvalidInputError
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem
from optimizer.solve import solve_program
from optimizer.units import USD_PER_MUSD

FIRST_STEP_USD = USD_PER_MUSD
CLOSE_ENOUGH_FRAC = 0.01
"""How near to the least easing the one that is offered is, relative to it."""
LEAST_STEP_USD = 1e4


def diagnose(spec: DiagnosisSpec) -> Diagnosis:
    """Why a portfolio has no plan, and which changes of statements would give it one.

    Raises:
        InvalidInputError: for another solver than HiGHS, and where CVaR has a floor.
        SolverError: as :func:`optimizer.plan`.
    """
    check_highs_once(spec.options, "diagnoses")
    if spec.portfolio.risk.minimum_cvar_usd is not None:
        told, fix = "a floor of CVaR is not diagnosed", "leave it out of the question, and plan with it afterwards"
        raise InvalidInputError.single("portfolio.risk.minimum_cvar_usd", told, fix, "diagnosis")
    return _Diagnosis(spec.options).of(spec.portfolio)


class _Diagnosis:
    """One question and its clock."""

    def __init__(self, options: SolveOptions) -> None:
        self._options, self._started = options, time.monotonic()

    def of(self, portfolio: Portfolio) -> Diagnosis:
        """The answer."""
        feasible = self._has_plan(portfolio)
        if feasible is None:
            return Diagnosis(told="Whether there is a plan was not known in time; raise the time limit.")
        if feasible:
            return Diagnosis(feasible=True, told="There is a plan that keeps every statement.")
        conflict, proven = self._conflict(portfolio, list(statements_of(portfolio)))
        if not conflict:
            told = "No plan exists, whatever is stated by rules, budgets and cash: look at power, halls and machines."
            return Diagnosis(feasible=False, told=told if proven else "No plan exists; why was not known in time.")
        repairs = [repair for stated in conflict if (repair := self._repair(portfolio, stated)) is not None]
        return Diagnosis(
            feasible=False,
            conflict=tuple(item.statement for item in conflict),
            irreducible=proven,
            repairs=tuple(sorted(repairs, key=lambda repair: -repair.worth_usd)),
            told=_told(len(conflict), proven, len(repairs)),
        )

    def _left(self) -> float:
        return max(self._options.time_limit_s - (time.monotonic() - self._started), 0.0)

    def _has_plan(self, portfolio: Portfolio) -> bool | None:
        """Whether any plan exists; None if that was not known in time."""
        if not self._left():
            return None
        matrix = assemble(PlanningProblem.of(portfolio, Futures.of(portfolio)), FORMULATION).compile()
        any_plan = replace(matrix, cost=np.zeros_like(matrix.cost), constant=0.0)
        limit = max(self._left(), LEAST_SOLVE_S)
        options = self._options.model_copy(update={"time_limit_s": limit, "gap_frac": 1.0})
        termination = solve_program(any_plan, options).termination
        if termination.has_plan:
            return True
        return False if termination.reason is TerminationReason.INFEASIBLE else None

    def _conflict(self, portfolio: Portfolio, statements: Sequence[Stated]) -> tuple[list[Stated], bool]:
        """Statements that cannot all be kept, and whether that is proven of every smaller set of them."""
        rest, needed, proven = portfolio, [], True
        for stated in statements:
            without = stated.dropped(rest)
            feasible = self._has_plan(without)
            if feasible is False:
                rest = without
            else:
                needed.append(stated)
                proven = proven and feasible is True
        return needed, proven

    def _repair(self, portfolio: Portfolio, first: Stated) -> Repair | None:
        """What must change if this statement does, as little of it as it takes; None if that was not known in time."""
        rest, changes = first.dropped(portfolio), [first]
        while (feasible := self._has_plan(rest)) is False:
            conflict, _ = self._conflict(rest, list(statements_of(rest)))
            if not conflict:
                return None
            rest = conflict[0].dropped(rest)
            changes.append(conflict[0])
        if feasible is None:
            return None
        told = [item.taken_back for item in changes]
        easing = first.easing if len(changes) == 1 else None
        if easing is not None and (usd := self._least_usd(portfolio, easing)) is not None:
            rest = easing.eased(portfolio, usd)
            told = [Statement(path=first.statement.path, told=easing.told(usd))]
        found = plan(rest, self._options.model_copy(update={"time_limit_s": max(self._left(), LEAST_SOLVE_S)}))
        worth = found.termination.objective_usd
        if worth is None or found.audit is None or not found.audit.passed:
            return None
        return Repair(changes=tuple(told), worth_usd=worth, bound_usd=found.termination.bound_usd)

    def _least_usd(self, portfolio: Portfolio, easing: Easing) -> float | None:
        """The least easing with which there is a plan, from above; None if none was known in time."""
        low, high = 0.0, FIRST_STEP_USD
        while not self._has_plan(easing.eased(portfolio, high)):
            low, high = high, 4.0 * high
            if high > PLENTY_USD or not self._left():
                return None
        while high - low > max(CLOSE_ENOUGH_FRAC * high, LEAST_STEP_USD):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self._has_plan(easing.eased(portfolio, middle)) else (middle, high)
        return high


def _told(count: int, proven: bool, repairs: int) -> str:
    least = "; without any of them the others can" if proven else "; fewer may be to blame, that was not known in time"
    which = f"{count} statements cannot all be kept" if count > 1 else "one statement cannot be kept"
    offered = {0: "No repair was found in time", 1: "One repair, proven by a plan"}
    found = offered.get(repairs, f"{repairs} repairs, each proven by a plan")
    return f"No plan exists (proven): {which}{least if count > 1 else ''}. {found}."
