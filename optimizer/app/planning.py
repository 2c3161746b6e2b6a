"""Plan a portfolio: curves, build, solve, audit, and the twin that mines on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.app.filled_in import filled_in
from optimizer.app.incumbent import IncumbentSummary
from optimizer.app.outcome import manifest_of, outcome_fields, tail_scenarios
from optimizer.app.own_hashrate import deviation_frac, made, own_hashrate, planned_hashrate_eh_s
from optimizer.app.tail_rounds import TailRounds
from optimizer.audit import Claims, Recalculation, audit
from optimizer.curves.futures import Futures
from optimizer.domain.options import SolveOptions
from optimizer.domain.outcome import BusinessAsUsual
from optimizer.domain.plan import Plan, Progress
from optimizer.domain.portfolio import Portfolio
from optimizer.domain.proof import OwnConstraint, Seconds, Termination, TerminationReason
from optimizer.errors import InvalidInputError
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.own import OwnRule, state_own
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Matrix, Program
from optimizer.model.read import Reading, read_solution
from optimizer.solve import (
    LiveModel,
    Search,
    Solution,
    check_installed,
    dive,
    in_stages,
    solve_fixed,
    solve_program,
    solver_packages,
)

Floats = NDArray[np.float64]
SOLVING = ("pyomo", "highspy")
"""Packages that take part in every plan that is solved for."""
LEAST_SOLVE_S = 1.0
"""However long the curves took, the solver gets this much of the time limit."""
FIRST_ATTEMPT_SHARE = 0.6
"""Share of the time limit of the first solve, where hashprice answers to the plan and it is solved again."""
MOST_ATTEMPTS = 5
SETTLED_FRAC = 1e-3
"""Largest difference of hashprice, assumed and made by the plan, that is not worth another solve."""
TWIN_DECISIONS = ("sign", "open_site", "gpu_blocks", "advance_step", "added_hall_mw", "build_building")
"""What the business-as-usual twin leaves alone."""


def plan(
    portfolio: Portfolio,
    options: SolveOptions | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    own_constraints: Sequence[OwnRule] = (),
) -> Plan:
    """The best plan for a portfolio within the limits of ``options``, audited.

    ``on_progress`` hears of every stage and of better plans; when ``should_stop`` answers True the search ends with
    the best plan so far. ``own_constraints`` add Pyomo constraints: see :class:`optimizer.model.own.OwnModel`.
    Infeasible, unbounded and reached limits are results: see ``Plan.termination``.

    Raises:
        InvalidInputError: when the portfolio's series are not loaded, the solver is not installed, or an own constraint
            cannot be stated.
        SolverError: when the solver fails, or contradicts a plan that is known.
    """
    options = options or SolveOptions()
    check_installed(options.solver)
    return PlanningJob(portfolio, options, on_progress, should_stop, own_constraints).run()


def check_highs_once(options: SolveOptions, what: str) -> None:
    """Refuse another solver, or a second search, for what keeps its program in HiGHS.

    Raises:
        InvalidInputError: saying what to do.
    """
    if options.solver != "highs" or options.paranoid:
        told = f"{what} are solved by HiGHS, once each"
        raise InvalidInputError.single("options.solver", told, "leave solver and paranoid as they are", "options")


class Solved(NamedTuple):
    """A solution and, if there is one, what it says."""

    solution: Solution
    reading: Reading | None


@dataclass(frozen=True, eq=False)
class Attempt:
    """One solve: of what, and what came of it."""

    futures: Futures
    matrix: Matrix
    twin: Solved
    solution: Solution
    reading: Reading | None
    cut_count: int = 0


class Stated(NamedTuple):
    """A program, ready to be solved."""

    problem: PlanningProblem
    program: Program
    matrix: Matrix
    model: LiveModel


class PlanningJob:
    """One run of the use case: its clock, its listeners, its timings."""

    def __init__(
        self,
        portfolio: Portfolio,
        options: SolveOptions,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
        own_constraints: Sequence[OwnRule] = (),
    ) -> None:
        self.portfolio, self.options, self.own_constraints = portfolio, options, own_constraints
        self.on_progress, self.should_stop = on_progress, should_stop
        self.started = time.monotonic()
        self.timings: list[Seconds] = []
        self.stated_own: tuple[OwnConstraint, ...] = ()

    def run(self) -> Plan:
        """Solve, audit, answer."""
        feedback = self.portfolio.market.own_hashrate_feedback
        attempt = self._attempt(Futures.of(self.portfolio), FIRST_ATTEMPT_SHARE if feedback else 1.0)
        if feedback:
            attempt = self._settled(attempt)
        reading, futures = attempt.reading, attempt.futures
        if reading is None:
            return self._answer(attempt)
        with self._stage("audit"):
            tail = tail_scenarios(self.portfolio, futures, reading.decisions)
            recalculation, report = audit(self.portfolio, futures, reading.decisions, claims_of(reading), tail)
            report = report.model_copy(update={"not_audited": tuple(item.name for item in self.stated_own)})
            outcome = self._outcome(futures, recalculation, attempt.cut_count)
            own = own_hashrate(futures, reading.decisions, recalculation.npv_usd) if feedback else None
        return self._answer(attempt).model_copy(
            update={
                **outcome,
                "business_as_usual": self._business_as_usual(attempt.twin, reading.npv_usd),
                "own_hashrate": own,
                "audit": report,
            }
        )

    def _outcome(self, futures: Futures, found: Recalculation, cut_count: int) -> dict[str, Any]:
        """Fields of the plan that follow from its decisions."""
        return outcome_fields(self.portfolio, futures, found, cut_count)

    def _attempt(self, futures: Futures, share: float, earlier: Attempt | None = None) -> Attempt:
        """Evaluate, state and solve the program of these futures within a share of the time that is left."""
        stated = problem, program, matrix, model = self._stated(futures)
        search = self._search(stated)
        if earlier is None:
            with self._stage("twin"):
                twin = read_answer(program, problem, self._twin(program, model, search))
            starts = [twin.solution.values]
        else:
            twin, starts = earlier.twin, [earlier.twin.solution.values, earlier.solution.values]
        with self._stage("solve"):
            solution, cut_count = self._solved(futures, stated, starts, search, share, dives=earlier is None)
        return Attempt(futures, matrix, twin, *read_answer(program, problem, solution), cut_count)

    def _solved(
        self,
        futures: Futures,
        stated: Stated,
        starts: Sequence[Floats | None],
        search: Search,
        share: float = 1.0,
        *,
        dives: bool = True,
    ) -> tuple[Solution, int]:
        """The best plan of a program, and how many tails were stated to find it; ``starts`` may help."""
        _, program, matrix, model = stated
        if self.portfolio.risk.counts_tail:
            rounds = self._rounds(futures, stated, share, search)
            return rounds.run(starts), rounds.cut_count
        dived = None
        if dives and not in_stages(matrix, self.options):
            dived = dive(model, self._remaining(share), search)
        start = better(matrix, *starts, dived)
        search.tell_plan(start)
        return solve_program(model, self._remaining(share), search, start=start, stated=program), 0

    def _settled(self, attempt: Attempt) -> Attempt:
        """Plan again under the hashprice that the plan itself makes, until that no longer changes it much.

        Where a month swings to and fro, as an owner near break-even does, ever smaller steps are taken. If the two do
        not meet, the best of the plans is kept with its running machines, under the hashprice that they make.
        """
        attempts, assumed = [attempt], np.full(self.portfolio.horizon.month_count, self.portfolio.initial_hashrate_eh_s)
        step, direction = np.ones(len(assumed)), np.zeros(len(assumed))
        while attempt.reading is not None:
            planned = planned_hashrate_eh_s(self.portfolio, attempt.reading.decisions)
            if deviation_frac(attempt.futures, attempt.futures.answering(planned)) <= SETTLED_FRAC:
                return attempt
            if len(attempts) == MOST_ATTEMPTS or self._is_over():
                break
            swings = np.sign(planned - assumed) * direction < 0.0
            step, direction = np.where(swings, step / 2.0, step), np.sign(planned - assumed)
            assumed = assumed + step * (planned - assumed)
            attempt = self._attempt(attempt.futures.answering(assumed), 0.5, attempt)
            attempts.append(attempt)
        return self._kept(attempts) if attempts[0].reading is not None else attempt

    def _is_over(self) -> bool:
        """Whether the time is up, or somebody has asked to stop."""
        late = time.monotonic() - self.started >= self.options.time_limit_s
        return late or (self.should_stop is not None and self.should_stop())

    def _kept(self, attempts: list[Attempt]) -> Attempt:
        """The plan that is worth most under the hashprice that it makes, solved again with its machines as they run."""
        worth = [
            (made(item.futures, item.reading.decisions).objective_usd, item)
            for item in attempts
            if item.reading is not None
        ]
        best = max(worth, key=lambda pair: pair[0])[1]
        assert best.reading is not None
        assert best.solution.values is not None
        planned = planned_hashrate_eh_s(self.portfolio, best.reading.decisions)
        futures = attempts[0].futures.answering(planned)
        stated = problem, program, matrix, model = self._stated(futures)
        fixed = np.full(program.column_count, np.nan)
        fixed[program.variables["running_machines"].columns] = best.solution.values[
            program.variables["running_machines"].columns
        ]
        fixed[matrix.integer] = np.rint(best.solution.values[matrix.integer])
        with self._stage("solve"):
            if self.portfolio.risk.counts_tail:
                solution = self._rounds(futures, stated, 1.0, self._search(stated)).beside(fixed)
            else:
                solution = solve_fixed(model, self._remaining(), fixed, self._search(stated))
        detail = "stopped before hashprice and the plan had settled"
        if len(attempts) == MOST_ATTEMPTS:
            detail = "hashprice and the plan do not settle: its own machines move hashprice across their break-even"
        if solution.values is None:
            told = best.solution.termination.model_copy(update={"reason": TerminationReason.FEASIBLE, "detail": detail})
            return replace(best, solution=replace(best.solution, termination=told))
        told = solution.termination.model_copy(
            update={
                "reason": TerminationReason.FEASIBLE,
                "limit": best.solution.termination.limit,
                "bound_usd": None,
                "gap_frac": None,
                "detail": detail,
            }
        )
        reading = read_solution(program, problem, solution.values)
        return Attempt(futures, matrix, best.twin, replace(solution, termination=told), reading)

    def _stated(self, futures: Futures) -> Stated:
        """The program of these futures, ready to be solved."""
        with self._stage("curves"):
            problem = PlanningProblem.of(self.portfolio, futures)
        with self._stage("build"):
            program = assemble(problem, FORMULATION)
            self.stated_own = state_own(program, problem, self.own_constraints)
        with self._stage("compile", told="build"):
            matrix = program.compile()
        with self._stage("pass", told="build"):
            model = self._alive(matrix)
        return Stated(problem, program, matrix, model)

    def _rounds(self, futures: Futures, stated: Stated, share: float, search: Search) -> TailRounds:
        """The rounds of a program that counts the tail."""
        risk, (problem, program, _, model) = self.portfolio.risk, stated
        tail = (risk.cvar_weight_frac, risk.minimum_cvar_usd)
        return TailRounds(futures, problem, program, model, self._remaining(share), search, *tail)

    def _alive(self, matrix: Matrix) -> LiveModel:
        """The program inside the solver."""
        return LiveModel(matrix)

    def _answer(self, attempt: Attempt) -> Plan:
        termination, matrix = attempt.solution.termination, attempt.matrix
        self._tell("done", termination=termination)
        packages = solver_packages(self.options.solver)
        return Plan(
            termination=termination,
            objective=self.portfolio.finance.objective,
            filled_in=filled_in(self.portfolio),
            manifest=manifest_of(
                self.portfolio,
                self.options,
                (*SOLVING, *packages),
                model_size=matrix.size,
                timings=tuple(self.timings),
                own_constraints=self.stated_own,
            ),
        )

    def _remaining(self, share: float = 1.0) -> SolveOptions:
        """The options with a share of what is left of the time limit."""
        left = share * (self.options.time_limit_s - (time.monotonic() - self.started))
        return self.options.model_copy(update={"time_limit_s": max(left, LEAST_SOLVE_S)})

    def _search(self, stated: Stated | None = None) -> Search:
        """What tells of the search; with what is ``stated`` also of what its plans do."""
        summary = None
        if stated is not None and self.on_progress is not None:
            summary = IncumbentSummary(stated.program, stated.problem)

        def told(incumbent: float | None, bound: float | None, nodes: int) -> None:
            gap = None if incumbent is None or bound is None else (bound - incumbent) / max(abs(incumbent), 1.0)
            shown = None if summary is None else summary.tell()
            self._tell(
                "solve", incumbent_usd=incumbent, bound_usd=bound, gap_frac=gap, node_count=nodes, incumbent=shown
            )

        on_plan = None if summary is None else summary.show
        return Search(on_incumbent=told, on_plan=on_plan, should_stop=self.should_stop or (lambda: False))

    def _twin(self, program: Program, model: LiveModel, search: Search) -> Solution:
        """Mining on, signing nothing: what the plan is compared with, and the first plan the search has."""
        return solve_fixed(model, self._remaining(), self._twin_columns(program), search, apart=True)

    def _twin_columns(self, program: Program) -> Floats:
        """Its values, NaN where it decides like the plan."""
        fixed = np.full(program.column_count, np.nan)
        for name in TWIN_DECISIONS:
            fixed[program.variables[name].columns] = 0.0
        return fixed

    def _business_as_usual(self, twin: Solved, npv_usd: float) -> BusinessAsUsual:
        reason = twin.solution.termination.reason
        if reason is not TerminationReason.OPTIMAL or twin.reading is None:
            infeasible = reason is TerminationReason.INFEASIBLE
            told = "mining on breaks liquidity or a policy" if infeasible else "stopped before it was solved"
            return BusinessAsUsual(feasible=False if infeasible else None, detail=told)
        worth, value = twin.reading.npv_usd, twin.reading.enterprise_usd
        if self.portfolio.market.own_hashrate_feedback:
            answered = made(Futures.of(self.portfolio), twin.reading.decisions)
            worth = answered.npv_usd
            value = answered.enterprise.discounted_usd if answered.enterprise is not None else None
        return BusinessAsUsual(feasible=True, npv_usd=worth, difference_usd=npv_usd - worth, discounted_value_usd=value)

    @contextmanager
    def _stage(self, name: str, told: str | None = None) -> Iterator[None]:
        self._tell(told or name)
        began = time.monotonic()
        yield
        self.timings.append(Seconds(stage=name, seconds=time.monotonic() - began))

    def _tell(self, stage: str, termination: Termination | None = None, **told: object) -> None:
        if self.on_progress is None:
            return
        if termination is not None:
            told = {
                "incumbent_usd": termination.objective_usd,
                "bound_usd": termination.bound_usd,
                "gap_frac": termination.gap_frac,
                "node_count": termination.node_count,
            }
        elapsed = time.monotonic() - self.started
        self.on_progress(Progress.model_validate({"stage": stage, "elapsed_s": elapsed, **told}))


def read_answer(program: Program, problem: PlanningProblem, solution: Solution) -> Solved:
    """A solution with what it says."""
    return Solved(solution, read_solution(program, problem, solution.values) if solution.values is not None else None)


def better(matrix: Matrix, *starts: Floats | None) -> Floats | None:
    """The start that is worth most and satisfies all rows, if there is any."""
    found = [start for start in starts if start is not None and matrix.holds(start)]
    return max(found, key=lambda start: float(matrix.cost @ start), default=None)


def claims_of(reading: Reading) -> Claims:
    """What the model says about a solution, for the audit to hold against its own figures."""
    return Claims(
        objective_usd=reading.objective_usd,
        cvar_usd=reading.cvar_usd,
        npv_by_line_usd=reading.npv_by_line_usd,
        cash_usd=reading.cash_usd,
        stress_cash_usd=reading.stress_cash_usd,
        debt_usd=reading.debt_usd,
        mining_mw=reading.mining_mw,
        hosting_mw=reading.hosting_mw,
        gpu_mw=reading.gpu_mw,
    )
