"""Planning in two stages: contracts in a small master problem, machines and cash priced by cuts, until both agree.

The master holds the whole decisions and what is tied to them, exactly as the program states them; what machines and
cash can still earn beside them is bounded by cuts (:mod:`optimizer.solve.stages`). Its bound is a bound on the program;
its best decisions, completed by the best machines and cash, are a plan, and give the next cut. Cuts are also taken
halfway between the decisions and a core that follows them (in-out, Ben-Ameur and Neto 2007, doi:10.1002/net.20190),
first with the relaxation of the master, which costs little, then with the whole decisions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.model.program import Matrix
from optimizer.solve.live import LiveModel
from optimizer.solve.master import Master
from optimizer.solve.recourse import Following, Recourse
from optimizer.solve.search import Floats, Search, Solution
from optimizer.solve.stages import Stages
from optimizer.solve.status import AMBIGUOUS
from optimizer.units import USD_PER_MUSD

MOST_RELAXED_ROUNDS = 20
RELAXED_GAP_FRAC = 5e-3
"""Gap of the relaxation at which the whole decisions are turned to."""
GUESS_SHARE, IN_OUT_SHARE = 0.9, 0.2
"""How far from the best point towards the new decisions a cut is taken."""
RELAXED_TIME_SHARE, AFFORDABLE_TIME_SHARE, FIRST_TIME_SHARE, TIME_SHARE = 0.5, 0.15, 0.5, 0.9
"""Most of the time that is left for the relaxation, for a guess made whole, for the first whole decisions after it, and
for those of each later round: a large program gets a plan, if not a small gap, and what follows is evaluated."""
FAR_FRAC = 0.25
"""How much more a guess expects than the best plan is worth, to be made whole at once."""
GUESS_GAIN_FRAC = 3e-3
"""Least gain of a guess that is worth another one."""
PROMISING_SHARE, AFFORDABLE_SHARE, LEAST_PROMISING = 0.35, 0.1, 100
"""Shares, and least number, of the whole decisions that the first round, and a guess made whole, choose from."""
FIRST_GAP_FRAC, COARSE_GAP_FRAC = 0.01, 0.03
"""Gaps to which the first whole decisions, and a guess made whole, are chosen."""
LEAST_MOVE_SHARE = 0.01
"""A round is idle when plan and bound move by less than this share of the gap asked for."""
MASTER_GAP_SHARE = 0.3
"""The master is solved to this share of the gap that is left: early rounds need no proof to the end."""
MISSED = 1e-7
"""Missing linking rows by less is missing none."""
MOST_IDLE_ROUNDS = 4
"""Rounds without a better plan or bound after which the rest is left to the whole program."""


@dataclass
class _Known:
    """The best plan, and the least bound."""

    bound_musd: float = np.inf
    worth_musd: float = -np.inf
    values: Floats | None = None
    nodes: int = 0

    @property
    def gap_frac(self) -> float:
        """Relative gap between the two; infinite without a plan or a bound."""
        if not np.isfinite(self.worth_musd):
            return float("inf")
        return (self.bound_musd - self.worth_musd) / max(abs(self.worth_musd), 1e-6)


@dataclass
class _Decomposition:
    """One solve: its cuts, and what is known."""

    matrix: Matrix
    options: SolveOptions
    search: Search
    deadline: float
    stages: Stages = field(init=False)
    known: _Known = field(default_factory=_Known)
    infeasible: bool = False
    """Whether no first decisions can be part of a plan."""

    def __post_init__(self) -> None:
        self.stages = Stages(self.matrix)
        self.recourse = Recourse(self.stages, self.options, Search(should_stop=self.search.should_stop))
        self.master = Master(self.stages.master())
        self._affordable: Master | None = None

    # ---------------------------------------------------------------------------------------------------- both stages

    def follow(self, first: Floats, *, whole_only: bool = False) -> Following | None:
        """Evaluate the second stage, keep its cut, and its plan if it is one."""
        follow = self.recourse.beside if whole_only else self.recourse.at
        found = follow(first, self.deadline)
        if found is None:
            return None
        for model in (self.master, self._affordable):
            if model is not None:
                model.add(found.cut)
        whole = found.values[self.matrix.integer]
        is_plan = found.missed <= MISSED and bool((np.abs(whole - np.rint(whole)) <= MISSED).all())
        if is_plan and found.worth_musd > self.known.worth_musd:
            self.known.worth_musd, self.known.values = found.worth_musd, found.values
            self.search.tell_plan(found.values)
            self._tell()
        return found

    def anywhere(self) -> Floats | None:
        """Decisions to do nothing, or where that is not allowed those that are best if nothing followed, or None."""
        nothing = np.maximum(self.matrix.column_lower[self.stages.first], 0.0)
        if self.stages.master().holds(nothing):
            return nothing
        model = self.master.model
        upper = model.matrix.column_upper.copy()
        upper[-1] = 0.0
        with model.changed(column_upper=upper):
            ended = model.run(self._left(), self._quiet)
            self.infeasible = self._impossible(ended)
            return model.values[self.master.first] if ended.reason is TerminationReason.OPTIMAL else None

    def guess(self, following: Following) -> tuple[Floats, float] | None:
        """Relaxed first decisions that are likely to be affordable while sites go on like that, and their worth."""
        program = self.stages.affordable(following.values)
        if self._affordable is None:
            self._affordable = Master(program)
            for cut in self.master.cuts:
                self._affordable.add(cut)
        else:
            self._affordable.limit(program)
        model = self._affordable.model
        ended = model.run(self._left(), self._quiet, presolve="off" if model.has_basis else "choose")
        if ended.reason is not TerminationReason.OPTIMAL or ended.objective_usd is None:
            return None
        return model.values[self._affordable.first], ended.objective_usd / USD_PER_MUSD

    def made_whole(self) -> Floats | None:
        """The last guess in whole decisions, chosen from those that it takes or nearly takes; None if none is found."""
        master = self._affordable
        assert master is not None
        upper = promising(master, AFFORDABLE_SHARE)
        options = self._left(AFFORDABLE_TIME_SHARE).model_copy(update={"gap_frac": COARSE_GAP_FRAC})
        basis = master.model.basis
        with master.model.changed(integer=master.integer, column_upper=upper):
            master.model.forget()
            found = master.model.run(options, self._quiet).has_plan
            whole = master.model.values[master.first]
        master.model.start_from_basis(basis)
        return whole if found else None

    def relaxed(self) -> tuple[Floats, float] | None:
        """The relaxed master: its decisions, and what it expects them to be worth; None if there are none."""
        model = self.master.model
        model.update(integer=np.zeros_like(self.master.integer))
        ended = model.run(self._left(), self._quiet, presolve="off")
        self._ended(ended)
        if ended.reason is not TerminationReason.OPTIMAL or ended.objective_usd is None:
            return None
        return model.values[self.master.first], ended.objective_usd / USD_PER_MUSD

    def whole(self, gap_frac: float, allowed: Floats | None = None) -> Floats | None:
        """The master in whole decisions; None if it finds none.

        With upper limits ``allowed`` on its columns, it is no bound.
        """
        master = self.master
        upper = master.model.matrix.column_upper
        with master.model.changed(integer=master.integer, column_upper=upper if allowed is None else allowed):
            master.model.forget()
            if self.known.values is not None and allowed is None:
                master.model.start_from_plan(master.complete(self.known.values[self.stages.first]))
            told = self._told_by_master if allowed is None else None
            left = self._left(TIME_SHARE if allowed is None else FIRST_TIME_SHARE)
            options = left.model_copy(update={"gap_frac": gap_frac})
            ended = master.model.run(options, Search(told, should_stop=self.search.should_stop))
            self.known.nodes += ended.node_count
            if allowed is None:
                self._ended(ended)
            return master.model.values[master.first] if ended.has_plan else None

    def _ended(self, master: Termination) -> None:
        """Take note of what the end of a run of the master, relaxed or not, proves of the program."""
        if self._impossible(master):
            self.infeasible = True
        elif master.bound_usd is not None:
            self.known.bound_musd = min(self.known.bound_musd, master.bound_usd / USD_PER_MUSD)
        self._tell()

    def _impossible(self, master: Termination) -> bool:
        """Whether a run of the master proved that there are no first decisions, and not only that or unboundedness."""
        return master.reason is TerminationReason.INFEASIBLE and self.master.model.status not in AMBIGUOUS

    def _left(self, share: float = 1.0) -> SolveOptions:
        """The options with a share of the time that is left."""
        left = share * (self.deadline - time.monotonic())
        return self.options.model_copy(update={"time_limit_s": max(left, 0.1)})

    @property
    def _quiet(self) -> Search:
        return Search(should_stop=self.search.should_stop)

    # ------------------------------------------------------------------------------------------------------- reporting

    def _told_by_master(self, _: float | None, bound_usd: float | None, nodes: int) -> None:
        if bound_usd is not None:
            self._tell(min(self.known.bound_musd, bound_usd / USD_PER_MUSD), nodes)

    def _tell(self, bound_musd: float | None = None, nodes: int = 0) -> None:
        if self.search.on_incumbent is None:
            return
        bound = self.known.bound_musd if bound_musd is None else bound_musd
        worth = self.known.worth_musd
        self.search.on_incumbent(
            worth * USD_PER_MUSD if np.isfinite(worth) else None,
            bound * USD_PER_MUSD if np.isfinite(bound) else None,
            self.known.nodes + nodes,
        )

    @property
    def over(self) -> bool:
        """Whether to end with what there is."""
        return self.search.stopped or time.monotonic() >= self.deadline


def solve_in_stages(
    program: Matrix | LiveModel, options: SolveOptions, search: Search, start: Floats | None = None
) -> Solution:
    """Solve a program by decomposition, from a feasible ``start`` if there is one.

    It ends when the gap is proven, at a limit, or when rounds no longer help.
    """
    matrix = LiveModel.of(program).matrix
    job = _Decomposition(matrix, options, search, time.monotonic() + options.time_limit_s)
    first = job.anywhere() if start is None else start[job.stages.first]
    core = None if first is None else job.follow(first)
    if core is not None:
        core = _relaxed_rounds(job, core)
        if not job.over:
            _whole_rounds(job, core.values[job.stages.first])
    if job.infeasible:
        return Solution(Termination(reason=TerminationReason.INFEASIBLE, node_count=job.known.nodes), None)
    return _solution(job)


def _relaxed_rounds(job: _Decomposition, core: Following) -> Following:
    """Cuts around the optimum of the relaxation, where they bound best; the best point found.

    Affordable decisions lead near it in a few steps; then the master's own decisions are cut off until it expects
    little more than there is.
    """
    guessing, until = True, time.monotonic() + RELAXED_TIME_SHARE * (job.deadline - time.monotonic())
    for _ in range(MOST_RELAXED_ROUNDS):
        if time.monotonic() >= until:
            break
        point, worth = core.values[job.stages.first], core.worth_musd
        master = job.relaxed()
        if job.over or master is None or master[1] - worth <= RELAXED_GAP_FRAC * abs(worth):
            break
        affordable = job.guess(core) if guessing else None
        share, target = (IN_OUT_SHARE, master[0]) if affordable is None else (GUESS_SHARE, affordable[0])
        if affordable is not None and affordable[1] > job.known.worth_musd + FAR_FRAC * abs(job.known.worth_musd):
            whole = job.made_whole()
            if whole is not None:
                job.follow(whole)
        found = job.follow(point + share * (target - point))
        if found is None:
            break
        guessing = affordable is not None and found.worth_musd > worth + GUESS_GAIN_FRAC * abs(worth)
        core = found if found.worth_musd > worth else core
    return core


def _whole_rounds(job: _Decomposition, point: Floats) -> None:
    """Rounds of whole decisions, the first among promising ones only."""
    allowed: Floats | None = promising(job.master, PROMISING_SHARE)
    idle, gap = 0, FIRST_GAP_FRAC
    while not job.over and job.known.gap_frac > job.options.gap_frac and idle < MOST_IDLE_ROUNDS:
        before = job.known.bound_musd, job.known.worth_musd
        first = job.whole(gap, allowed)
        if job.infeasible:
            break
        if first is not None:
            point = (point + first) / 2.0
            job.follow(point)
            found = job.follow(first)
            if found is not None and found.missed > MISSED:
                found = job.follow(first, whole_only=True)
            if found is None:
                break
            if found.missed > MISSED:
                job.recourse.raise_penalty()
        moved = (before[0] - job.known.bound_musd, job.known.worth_musd - before[1])
        least = LEAST_MOVE_SHARE * job.options.gap_frac * abs(job.known.bound_musd)
        idle = 0 if max(moved) > least else idle + 1
        allowed = None
        gap = max(MASTER_GAP_SHARE * min(job.known.gap_frac, FIRST_GAP_FRAC), job.options.gap_frac / 2.0)


def promising(master: Master, share: float) -> Floats:
    """Upper limits that leave a master the whole decisions which its relaxation takes or nearly takes."""
    model, whole = master.model, np.flatnonzero(master.integer)
    taken, price = model.values[whole] > MISSED, model.reduced_costs[whole]
    order = np.argsort(np.where(taken, -np.inf, -price), kind="stable")
    upper = model.matrix.column_upper.copy()
    upper[whole[order[max(int(share * len(whole)), LEAST_PROMISING) :]]] = 0.0
    return np.maximum(upper, model.matrix.column_lower)


def _solution(job: _Decomposition) -> Solution:
    known, search = job.known, job.search
    stopped = Limit.INTERRUPTED if search.stopped else Limit.TIME if job.over else Limit.NONE
    bound = known.bound_musd * USD_PER_MUSD if np.isfinite(known.bound_musd) else None
    told: dict[str, Any] = {"node_count": known.nodes, "bound_usd": bound}
    if known.values is None:
        return Solution(Termination(reason=TerminationReason.NO_PLAN_FOUND, limit=stopped, **told), None)
    told |= {"objective_usd": known.worth_musd * USD_PER_MUSD}
    if bound is not None:
        told["gap_frac"] = known.gap_frac
    proven = bound is not None and known.gap_frac <= job.options.gap_frac
    reason = TerminationReason.OPTIMAL if proven else TerminationReason.FEASIBLE
    return Solution(Termination(reason=reason, limit=Limit.NONE if proven else stopped, **told), known.values)
