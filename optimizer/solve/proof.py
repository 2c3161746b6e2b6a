"""Bounds held against plans: a bound below a plan that is known is a wrong answer, whoever gave it."""

from __future__ import annotations

from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.errors import SolverError
from optimizer.model.program import Matrix
from optimizer.solve.search import Floats
from optimizer.units import USD_PER_MUSD

BOUND_TOLERANCE = 1e-5
"""Relative excess of a plan over the bound that tolerances can explain."""
FEASIBILITY_TOLERANCE = 1e-7
"""HiGHS's own: what violates a row, a bound or a whole number by more does not count as a plan."""


class KnownPlans:
    """Every plan of one program that was seen, and what each is worth."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix
        self._worth_usd: dict[str, float] = {}

    def add(self, source: str, values: Floats | None) -> None:
        """Note a vector if it is a plan of this program: a start may come from another."""
        if values is not None and self._matrix.holds(values, FEASIBILITY_TOLERANCE):
            self.add_worth(source, float(self._matrix.cost @ values + self._matrix.constant) * USD_PER_MUSD)

    def add_worth(self, source: str, worth_usd: float | None) -> None:
        """Note what a plan is worth."""
        if worth_usd is not None:
            self._worth_usd[source] = max(worth_usd, self._worth_usd.get(source, worth_usd))

    def check(self, termination: Termination, solver: str) -> None:
        """Hold what a solver claims against every plan.

        Raises:
            SolverError: naming both figures, when a plan is worth more than the bound allows, or is said not to exist.
        """
        if not self._worth_usd:
            return
        source, worth = max(self._worth_usd.items(), key=lambda item: item[1])
        if termination.reason is TerminationReason.INFEASIBLE:
            raise SolverError(
                f"{solver} says that no plan exists, but {source} is a plan worth {worth:,.0f} USD: "
                "do not trust it; solve again with another seed"
            )
        bound = termination.bound_usd
        if bound is not None and worth - bound > BOUND_TOLERANCE * max(abs(worth), USD_PER_MUSD):
            raise SolverError(
                f"{solver} reports a bound of {bound:,.0f} USD, but {source} is a plan worth {worth:,.0f} USD: "
                "do not trust either; solve again with another seed"
            )


def with_objective(termination: Termination, objective_usd: float, gap_frac: float) -> Termination:
    """The termination with a plan's own objective; its gap is to the bound of the search, if there is one."""
    if termination.bound_usd is None:
        return termination.model_copy(update={"objective_usd": objective_usd, "gap_frac": None})
    bound = max(termination.bound_usd, objective_usd)
    gap = (bound - objective_usd) / max(abs(objective_usd), 1.0)
    known: dict[str, object] = {"objective_usd": objective_usd, "bound_usd": bound, "gap_frac": gap}
    if gap <= gap_frac:
        known |= {"reason": TerminationReason.OPTIMAL, "limit": Limit.NONE}
    return termination.model_copy(update=known)
