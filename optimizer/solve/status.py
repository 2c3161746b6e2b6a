"""One table from HiGHS' model status to what is known about the answer."""

from __future__ import annotations

from typing import Any, Final

import highspy
import numpy as np

from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.units import USD_PER_MUSD

_Status = highspy.HighsModelStatus

ENDED: Final[dict[Any, tuple[TerminationReason, Limit]]] = {
    _Status.kOptimal: (TerminationReason.OPTIMAL, Limit.NONE),
    _Status.kInfeasible: (TerminationReason.INFEASIBLE, Limit.NONE),
    _Status.kUnbounded: (TerminationReason.UNBOUNDED, Limit.NONE),
    _Status.kModelEmpty: (TerminationReason.OPTIMAL, Limit.NONE),
    _Status.kTimeLimit: (TerminationReason.FEASIBLE, Limit.TIME),
    _Status.kInterrupt: (TerminationReason.FEASIBLE, Limit.INTERRUPTED),
    _Status.kHighsInterrupt: (  # type: ignore[attr-defined]
        TerminationReason.FEASIBLE,
        Limit.INTERRUPTED,
    ),
    _Status.kSolutionLimit: (TerminationReason.FEASIBLE, Limit.NONE),
    _Status.kObjectiveBound: (TerminationReason.FEASIBLE, Limit.NONE),
    _Status.kObjectiveTarget: (TerminationReason.FEASIBLE, Limit.NONE),
    _Status.kIterationLimit: (TerminationReason.FEASIBLE, Limit.NONE),
}
"""Reason and limit by status. ``FEASIBLE`` becomes ``NO_PLAN_FOUND`` where there is no solution; what is absent
is an error."""

AMBIGUOUS: Final = frozenset({_Status.kUnboundedOrInfeasible})
"""Presolve proved one of the two without saying which."""


def termination_of(highs: Any, interrupted: bool) -> Termination:
    """What is known about the answer after a run.

    Raises:
        SolverError: for a status that is neither an answer nor a limit.
    """
    status, info = highs.getModelStatus(), highs.getInfo()
    if status in AMBIGUOUS:
        return Termination(
            reason=TerminationReason.INFEASIBLE, detail="infeasible or unbounded; presolve did not tell which"
        )
    if status == _Status.kNotset:
        told = "a process can solve with one number of threads only, that of its first solve"
        raise SolverError(f"HiGHS did not run (kNotset): {told}")
    if status not in ENDED:
        raise SolverError(f"HiGHS ended with status {highs.modelStatusToString(status)!r}")
    reason, limit = ENDED[status]
    if interrupted and limit is not Limit.NONE:
        limit = Limit.INTERRUPTED
    mixed = _is_mip(highs)
    nodes = max(int(info.mip_node_count), 0) if mixed else 0
    has_solution = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    bound = _usd(info.mip_dual_bound) if mixed else None
    if reason in (TerminationReason.INFEASIBLE, TerminationReason.UNBOUNDED):
        return Termination(reason=reason, limit=limit, node_count=nodes)
    if not has_solution:
        return Termination(reason=TerminationReason.NO_PLAN_FOUND, limit=limit, bound_usd=bound, node_count=nodes)
    objective = float(info.objective_function_value) * USD_PER_MUSD
    if bound is None and reason is TerminationReason.OPTIMAL:
        bound = objective
    gap = (bound - objective) / max(abs(objective), 1.0) if bound is not None else None
    return Termination(
        reason=reason, limit=limit, objective_usd=objective, bound_usd=bound, gap_frac=gap, node_count=nodes
    )


def _is_mip(highs: Any) -> bool:
    return any(kind != highspy.HighsVarType.kContinuous for kind in highs.getLp().integrality_)


def _usd(musd: float) -> float | None:
    return float(musd) * USD_PER_MUSD if np.isfinite(musd) else None
