"""Plan a portfolio: curves, build, solve, audit, and the twin that mines on."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from optimizer.app.filled_in import filled_in
from optimizer.app.own_hashrate import deviation_frac, own_hashrate, planned_hashrate_eh_s
from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.domain.options import SolveOptions
from optimizer.domain.outcome import BusinessAsUsual
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import Manifest, ModelSize, Seconds, Termination, TerminationReason, Version
from optimizer.io.portfolios import fingerprint
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix, Program
from optimizer.model.read import Reading, read_solution
from optimizer.risk import distribution_of, scenario_npv_usd
from optimizer.solve import Search, Solution, dive, solve_fixed, solve_program

Floats = NDArray[np.float64]
COMPONENTS = ("capacity-optimizer", "pyomo", "highspy", "numpy")
LEAST_SOLVE_S = 1.0
"""However long the curves took, the solver gets this much of the time limit."""
FIRST_ATTEMPT_SHARE = 0.6
"""Share of the time limit of the first solve, where hashprice answers to the plan and it is solved again."""
MOST_ATTEMPTS = 5
SETTLED_FRAC = 1e-3
"""Largest difference of hashprice, assumed and made by the plan, that is not worth another solve."""
TWIN_DECISIONS = ("sign", "open_site", "gpu_blocks")
"""What the business-as-usual twin leaves alone."""


def plan(
    portfolio: Portfolio,
    options: SolveOptions | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Plan:
    """The best plan for a portfolio within the limits of ``options``, audited.

    ``on_progress`` hears of every stage and of better plans; when ``should_stop`` answers True the search ends with
    the best plan so far.
    Infeasible, unbounded and reached limits are results: see ``Plan.termination``.

    Raises:
        InvalidInputError: when the portfolio's series are not loaded.
        SolverError: when the solver fails.
    """
    return _Job(portfolio, options or SolveOptions(), on_progress, should_stop).run()


@dataclass(frozen=True, eq=False)
class _Attempt:
    """One solve: of what, and what came of it."""

    futures: Futures
    matrix: Matrix
    twin: Solution
    solution: Solution
    reading: Reading | None


class _Job:
    """One run of the use case: its clock, its listeners, its timings."""

    def __init__(
        self,
        portfolio: Portfolio,
        options: SolveOptions,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.portfolio, self.options = portfolio, options
        self.on_progress, self.should_stop = on_progress, should_stop
        self.started = time.monotonic()
        self.timings: list[Seconds] = []

    def run(self) -> Plan:
        feedback = self.portfolio.market.own_hashrate_feedback
        attempt = self._attempt(Futures.of(self.portfolio), FIRST_ATTEMPT_SHARE if feedback else 1.0)
        if feedback:
            attempt = self._settled(attempt)
        reading, futures = attempt.reading, attempt.futures
        if reading is None:
            return self._answer(attempt)
        with self._stage("audit"):
            recalculation, report = audit(self.portfolio, futures, reading.decisions, _claims(reading))
            npv = scenario_npv_usd(self.portfolio, futures, reading.decisions, recalculation.objective_usd)
            own = own_hashrate(futures, reading.decisions, recalculation.objective_usd) if feedback else None
        return self._answer(attempt).model_copy(
            update={
                "decisions": reading.decisions,
                "contracts": recalculation.contracts,
                "capacity": recalculation.capacity,
                "mining": recalculation.mining,
                "cash_flow": recalculation.cash_flow,
                "earnings": recalculation.earnings,
                "npv": recalculation.npv,
                "enterprise_value_usd": recalculation.enterprise_value_usd,
                "distribution": distribution_of(npv, self.portfolio.risk.tail_probability),
                "business_as_usual": _business_as_usual(attempt.twin, reading.objective_usd),
                "own_hashrate": own,
                "audit": report,
            }
        )

    def _attempt(self, futures: Futures, share: float, earlier: _Attempt | None = None) -> _Attempt:
        """Evaluate, state and solve the program of these futures within a share of the time that is left."""
        with self._stage("curves"):
            problem = PlanningProblem.of(self.portfolio, futures)
        with self._stage("build"):
            program = assemble(problem, FORMULATION)
        with self._stage("compile", told="build"):
            matrix = program.compile()
        search = self._search()
        with self._stage("twin"):
            twin = earlier.twin if earlier is not None else self._twin(program, matrix, search)
        with self._stage("solve"):
            start = earlier.solution.values if earlier is not None else dive(matrix, self._remaining(share), search)
            start = _better(matrix, start, twin.values)
            solution = solve_program(matrix, self._remaining(share), search, start=start)
        reading = read_solution(program, problem, solution.values) if solution.values is not None else None
        return _Attempt(futures, matrix, twin, solution, reading)

    def _settled(self, attempt: _Attempt) -> _Attempt:
        """Plan again under the hashprice that the plan itself makes, until that no longer changes it much."""
        for _ in range(MOST_ATTEMPTS - 1):
            if attempt.reading is None or (self.should_stop is not None and self.should_stop()):
                break
            answered = attempt.futures.answering(planned_hashrate_eh_s(self.portfolio, attempt.reading.decisions))
            if deviation_frac(attempt.futures, answered) <= SETTLED_FRAC:
                break
            following = self._attempt(answered, 1.0, attempt)
            if following.reading is None:
                break
            attempt = following
        return attempt

    def _answer(self, attempt: _Attempt) -> Plan:
        termination, matrix = attempt.solution.termination, attempt.matrix
        self._tell("done", termination=termination)
        rows, columns = matrix.shape
        size = ModelSize(rows=rows, columns=columns, integers=int(matrix.integer.sum()), nonzeros=len(matrix.value))
        versions = [Version(component="python", version=platform.python_version())]
        versions += [Version(component=name, version=version(name)) for name in COMPONENTS]
        return Plan(
            termination=termination,
            filled_in=filled_in(self.portfolio),
            manifest=Manifest(
                portfolio_name=self.portfolio.name,
                portfolio_sha256=fingerprint(self.portfolio),
                options=self.options,
                versions=tuple(versions),
                model_size=size,
                timings=tuple(self.timings),
            ),
        )

    def _remaining(self, share: float = 1.0) -> SolveOptions:
        """The options with a share of what is left of the time limit."""
        left = share * (self.options.time_limit_s - (time.monotonic() - self.started))
        return self.options.model_copy(update={"time_limit_s": max(left, LEAST_SOLVE_S)})

    def _search(self) -> Search:
        def told(incumbent: float | None, bound: float | None, nodes: int) -> None:
            gap = None
            if incumbent is not None and bound is not None:
                gap = (bound - incumbent) / max(abs(incumbent), 1.0)
            self._tell("solve", incumbent_usd=incumbent, bound_usd=bound, gap_frac=gap, node_count=nodes)

        return Search(on_incumbent=told, should_stop=self.should_stop or (lambda: False))

    def _twin(self, program: Program, matrix: Matrix, search: Search) -> Solution:
        """Mining on, signing nothing: what the plan is compared with, and the first plan the search has."""
        fixed = np.full(program.column_count, np.nan)
        for name in TWIN_DECISIONS:
            fixed[program.variables[name].columns] = 0.0
        return solve_fixed(matrix, self._remaining(), fixed, search)

    @contextmanager
    def _stage(self, name: str, told: str | None = None) -> Iterator[None]:
        self._tell(told or name)
        began = time.monotonic()
        yield
        self.timings.append(Seconds(stage=name, seconds=time.monotonic() - began))

    def _tell(self, stage: str, termination: Termination | None = None, **numbers: float | None) -> None:
        if self.on_progress is None:
            return
        if termination is not None:
            numbers = {
                "incumbent_usd": termination.objective_usd,
                "bound_usd": termination.bound_usd,
                "gap_frac": termination.gap_frac,
                "node_count": termination.node_count,
            }
        elapsed = time.monotonic() - self.started
        self.on_progress(Progress.model_validate({"stage": stage, "elapsed_s": elapsed, **numbers}))


def _better(matrix: Matrix, *starts: Floats | None) -> Floats | None:
    """The start of the highest NPV, if there is any."""
    found = [start for start in starts if start is not None]
    return max(found, key=lambda start: float(matrix.cost @ start), default=None)


def _business_as_usual(twin: Solution, objective_usd: float) -> BusinessAsUsual:
    worth, reason = twin.termination.objective_usd, twin.termination.reason
    if reason is not TerminationReason.OPTIMAL or worth is None:
        infeasible = reason is TerminationReason.INFEASIBLE
        told = "mining on breaks liquidity or a policy" if infeasible else "stopped before it was solved"
        return BusinessAsUsual(feasible=False if infeasible else None, detail=told)
    return BusinessAsUsual(feasible=True, npv_usd=worth, difference_usd=objective_usd - worth)


def _claims(reading: Reading) -> Claims:
    return Claims(
        objective_usd=reading.objective_usd,
        npv_by_line_usd=reading.npv_by_line_usd,
        cash_usd=reading.cash_usd,
        debt_usd=reading.debt_usd,
        mining_mw=reading.mining_mw,
        hosting_mw=reading.hosting_mw,
        gpu_mw=reading.gpu_mw,
    )
