"""What is heard of a running solve, and the program that it is about."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio, SolveOptions
from optimizer.model.family import ConstraintFamily, assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.names import column_names, row_names
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix, Program
from optimizer.solve import write_program
from optimizer.solve.search import Floats
from optimizer.units import USD_PER_MUSD

UNKNOWN_FROM_MUSD = 1e12
"""What solvers tell for a plan or a bound that they do not have is larger than this."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known at a time: best plan, bound, nodes."""

    seconds: float
    objective_usd: float | None
    bound_usd: float | None
    node_count: int


class Told:
    """The clock of a solve, and all moments that its solver told."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self.moments: list[Moment] = []

    @property
    def seconds(self) -> float:
        """Time so far."""
        return time.perf_counter() - self._began

    def usd(
        self,
        objective_usd: float | None,
        bound_usd: float | None,
        node_count: int,
        seconds: float | None = None,
    ) -> None:
        """Note a moment, now or at ``seconds``, unless it is no news."""
        last = self.moments[-1] if self.moments else Moment(0.0, None, None, -1)
        if (objective_usd, bound_usd, node_count) != (last.objective_usd, last.bound_usd, last.node_count):
            at = self.seconds if seconds is None else seconds
            self.moments.append(Moment(at, objective_usd, bound_usd, node_count))

    def musd(self, objective: float, bound: float, node_count: int) -> None:
        """The same in million USD, where infinite stands for unknown."""
        self.usd(usd_or_none(objective), usd_or_none(bound), node_count)


def usd_or_none(musd: float) -> float | None:
    """USD of a solver's figure in million USD; None for its infinity."""
    return musd * USD_PER_MUSD if abs(musd) < UNKNOWN_FROM_MUSD else None


@dataclass(frozen=True, eq=False)
class Stated:
    """A portfolio as a program."""

    portfolio: Portfolio
    futures: Futures
    problem: PlanningProblem
    program: Program
    matrix: Matrix

    @classmethod
    def of(cls, portfolio: Portfolio, formulation: tuple[ConstraintFamily, ...] = FORMULATION) -> Stated:
        """Curves, rows and columns."""
        futures = Futures.of(portfolio)
        problem = PlanningProblem.of(portfolio, futures)
        program = assemble(problem, formulation)
        return cls(portfolio, futures, problem, program, program.compile())

    def write(self, path: Path) -> None:
        """The program as a file with readable names."""
        write_program(self.matrix, column_names(self.program), row_names(self.program), path)

    def vector(self, by_name: dict[str, float]) -> Floats:
        """Values by name as a solution; 0 where none is told."""
        return np.array([by_name.get(name, 0.0) for name in column_names(self.program)])


@dataclass(frozen=True, eq=False)
class Found:
    """What a solver comes back with."""

    proven: bool
    bound_usd: float | None
    node_count: int
    objective_usd: float | None = None
    """Where the plan is audited already."""
    audit_passed: bool | None = None
    signed: int = 0
    stated: Stated | None = None
    """What the values are a solution of."""
    values: Floats | None = None


def time_left(options: SolveOptions, told: Told) -> SolveOptions:
    """The options with what is left of the time limit."""
    return options.model_copy(update={"time_limit_s": max(options.time_limit_s - told.seconds, 0.1)})
