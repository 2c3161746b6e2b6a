"""Solve with CVaR in the objective or under a floor: cuts for the tails that bind, until plan and bound agree.

The relaxation collects most of the cuts, at the price of a few re-solves from basis to basis; then whole plans are
searched for and each is valued by its exact CVaR over all scenarios, which gives the next cut. The program's size does
not depend on the number of scenarios.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.curves.futures import Futures
from optimizer.domain.decisions import Decisions
from optimizer.domain.options import SolveOptions
from optimizer.domain.proof import Limit, Termination, TerminationReason
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program
from optimizer.model.read import read_relaxed, read_solution
from optimizer.model.tail import TailCut, cvar_cost, state_cuts, tail_cut
from optimizer.risk import scenario_npv_usd, tail_of
from optimizer.solve import (
    ABSOLUTE_GAP_MUSD,
    LiveModel,
    Search,
    Solution,
    dive,
    in_stages,
    solve_fixed,
    solve_program,
    with_objective,
)
from optimizer.units import USD_PER_MUSD

Floats = NDArray[np.float64]
MOST_RELAXED_ROUNDS, MOST_ROUNDS, MOST_FIXED_ROUNDS = 40, 20, 8
"""Rounds of the relaxation, of whole plans, and of what is not whole beside the same whole decisions."""
RELAXED_TIME_SHARE, TIME_SHARE, END_SHARE = 0.25, 0.85, 0.95
"""Most of the time that is left for the relaxation, and for each search of whole plans; when no other is begun."""
GAP_SHARE, MISSED_SHARE = 0.8, 0.1
"""Shares of the gap asked for: for a search of whole plans, and for what a cut may still be missed by."""
FLOOR_TOLERANCE = 1e-7
"""Relative shortfall of CVaR below its floor that is none."""
NOTHING_MUSD = 1e-7
"""What a solution expects too much of its tail without a cut."""
TIGHT_MUSD = 1e-6
"""Cuts of the relaxation that are further from binding are left out of the program."""


@dataclass(eq=False)
class TailRounds:
    """One solve of a program whose objective or floor counts the tail."""

    futures: Futures
    problem: PlanningProblem
    program: Program
    model: LiveModel
    options: SolveOptions
    search: Search
    weight_frac: float
    """Weight of CVaR in the objective of ``model``."""
    floor_usd: float | None
    """Least CVaR."""
    cut_count: int = 0
    """Cuts that are stated in the program."""
    _best: Floats | None = None
    _worth_musd: float = -np.inf
    _bound_musd: float = np.inf
    _nodes: int = 0
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._shortfall = int(self.program.variables["cvar_shortfall_musd"].columns[0])
        self._quiet = Search(should_stop=lambda: self.search.stopped)
        self._told = Search(on_incumbent=self._tell, should_stop=lambda: self.search.stopped)

    def run(self, starts: Sequence[Floats | None]) -> Solution:
        """The best plan; ``starts`` may help. Where the floor allows none, the ending says how much it is too high."""
        found = self._searched(starts)
        if found.termination.reason is not TerminationReason.INFEASIBLE or self.floor_usd is None:
            return found
        return replace(found, termination=found.termination.model_copy(update={"detail": self._best_cvar()}))

    def _searched(self, starts: Sequence[Floats | None]) -> Solution:
        relaxed = self._relaxed()
        for start in starts:
            if start is not None:
                self._keep(start)
        if relaxed is not None and relaxed.reason is TerminationReason.INFEASIBLE and self._best is None:
            return Solution(relaxed, None)
        if not in_stages(self.model.matrix, self.options):
            dived = dive(self.model, self._left(), self._quiet)
            if dived is not None:
                self._keep(dived)
        ended = Termination(reason=TerminationReason.NO_PLAN_FOUND)
        for _ in range(MOST_ROUNDS):
            options = self._left(TIME_SHARE, GAP_SHARE)
            found = solve_program(self.model, options, self._told, start=self._best, stated=self.program)
            ended, self._nodes = found.termination, self._nodes + found.termination.node_count
            if ended.bound_usd is not None:
                self._bound_musd = min(self._bound_musd, ended.bound_usd / USD_PER_MUSD)
            if found.values is None or not self._followed(found.values) or self._proven or self._over:
                break
        return self._solution(ended)

    # ---------------------------------------------------------------------------------------------------------- rounds

    def _relaxed(self) -> Termination | None:
        """Collect the cuts of the relaxation, and state those that bind at its end; how it ended, if it did."""
        matrix, until = self.model.matrix, time.monotonic() + self._left(RELAXED_TIME_SHARE).time_limit_s
        relaxed, cuts, ended = LiveModel(replace(matrix, integer=np.zeros_like(matrix.integer))), list[TailCut](), None
        for _ in range(MOST_RELAXED_ROUNDS):
            options = self.options.model_copy(update={"time_limit_s": max(until - time.monotonic(), 0.1)})
            ended = relaxed.run(options, self._quiet, presolve="off" if cuts else "choose")
            if ended.reason is not TerminationReason.OPTIMAL:
                break
            values = relaxed.values
            cut = self._cut_at(values, read_relaxed(self.program, self.problem, values))
            if not self._missed(values, cut):
                break
            relaxed.add_row(*_row(cut, self._shortfall))
            cuts.append(cut)
        if relaxed.has_basis and cuts and ended is not None and ended.has_plan:
            at = relaxed.values
            cuts = [cut for cut in cuts if cut.at(at) - at[self._shortfall] <= TIGHT_MUSD * (1.0 + abs(cut.constant))]
        for cut in cuts:
            self._state(cut)
        return ended

    def beside(self, fixed: Floats) -> Solution:
        """The best beside some columns that are fixed, NaN where one is free."""
        found = solve_fixed(self.model, self._left(), fixed, self._told)
        if found.values is not None:
            self._followed(found.values, fixed)
        if self._best is None:
            return Solution(found.termination, None)
        worth = {"objective_usd": self._worth_musd * USD_PER_MUSD}
        return Solution(found.termination.model_copy(update=worth), self._best)

    def _followed(self, values: Floats, fixed: Floats | None = None) -> bool:
        """Value a plan exactly, and cut it off where it expects too much; whether there was anything to cut.

        The rest is solved again beside its whole decisions, or what else is ``fixed``, which is cheap, until nothing is
        missed.
        """
        new, integer = False, self.model.matrix.integer
        whole = np.where(integer, np.rint(values), np.nan) if fixed is None else fixed
        for _ in range(MOST_FIXED_ROUNDS):
            cut = self._keep(values)
            if not self._missed(values, cut):
                break
            new = True
            self._state(cut)
            again = solve_fixed(self.model, self._left(), whole, self._told)
            if again.values is None or again.termination.reason is not TerminationReason.OPTIMAL:
                break
            values = again.values
        return new

    def _keep(self, values: Floats) -> TailCut:
        """Take note of a plan with its exact CVaR, if it keeps the floor and is the best; the cut of its tail."""
        cut = self._cut_at(values, read_solution(self.program, self.problem, values).decisions)
        exact = self._exact(values, cut)
        worth = float(self.model.matrix.cost @ exact + self.model.matrix.constant)
        if worth > self._worth_musd and self._keeps_floor(exact) and self.model.matrix.holds(exact):
            self._best, self._worth_musd = exact, worth
            self.search.tell_plan(exact)
        return cut

    def _cut_at(self, values: Floats, decisions: Decisions) -> TailCut:
        """The cut of the tail of decisions."""
        portfolio = self.problem.portfolio
        npv = scenario_npv_usd(portfolio, self.futures, decisions, self._npv_usd(values))
        return tail_cut(self.program, self.problem, tail_of(self.futures, npv, portfolio.risk.tail_probability))

    def _exact(self, values: Floats, cut: TailCut) -> Floats:
        """A solution that expects of its tail no more than a cut allows."""
        exact = values.copy()
        exact[self._shortfall] = min(cut.at(values), 0.0)
        return exact

    def _missed(self, values: Floats, cut: TailCut) -> bool:
        """Whether a solution expects noticeably more of its tail than the cut allows."""
        worth = abs(float(self.model.matrix.cost @ values + self.model.matrix.constant))
        excess = self.weight_frac * (values[self._shortfall] - cut.at(values))
        if excess > max(MISSED_SHARE * self.options.gap_frac * worth, NOTHING_MUSD):
            return True
        return not self._keeps_floor(self._exact(values, cut))

    def _keeps_floor(self, exact: Floats) -> bool:
        if self.floor_usd is None:
            return True
        cvar_usd = self._npv_usd(exact) + exact[self._shortfall] * USD_PER_MUSD
        return bool(cvar_usd >= self.floor_usd - FLOOR_TOLERANCE * max(abs(self.floor_usd), USD_PER_MUSD))

    def _npv_usd(self, values: Floats) -> float:
        return float(self.program.account_value("npv_musd", values).sum()) * USD_PER_MUSD

    def _state(self, cut: TailCut) -> None:
        self.cut_count += 1
        state_cuts(self.program, f"tail_cut_{self.cut_count}", [cut])
        self.model.add_row(*_row(cut, self._shortfall))

    # ------------------------------------------------------------------------------------------------------------- end

    @property
    def _proven(self) -> bool:
        if not np.isfinite(self._worth_musd):
            return False
        gap_musd = self.options.gap_frac * abs(self._worth_musd)
        return self._bound_musd - self._worth_musd <= max(gap_musd, ABSOLUTE_GAP_MUSD)

    @property
    def _over(self) -> bool:
        self.search.interrupted |= self._quiet.interrupted or self._told.interrupted
        return self.search.stopped or time.monotonic() - self._began >= END_SHARE * self.options.time_limit_s

    def _left(self, share: float = 1.0, gap_share: float = 1.0) -> SolveOptions:
        """The options with shares of the time that is left and of the gap."""
        left = share * (self.options.time_limit_s - (time.monotonic() - self._began))
        gap = gap_share * self.options.gap_frac
        return self.options.model_copy(update={"time_limit_s": max(left, 0.1), "gap_frac": gap})

    def _tell(self, _: float | None, bound_usd: float | None, nodes: int) -> None:
        """Tell what plans are worth, not what they seem to be worth before they are cut off."""
        if self.search.on_incumbent is None:
            return
        bound = min(self._bound_musd, np.inf if bound_usd is None else bound_usd / USD_PER_MUSD)
        self.search.on_incumbent(
            self._worth_musd * USD_PER_MUSD if np.isfinite(self._worth_musd) else None,
            bound * USD_PER_MUSD if np.isfinite(bound) else None,
            self._nodes + nodes,
        )

    def _best_cvar(self) -> str:
        """How good CVaR can be, in words: the program with it as its objective, without the floor."""
        matrix, (constant, cost) = self.model.matrix, cvar_cost(self.program)
        lower, floor = matrix.row_lower.copy(), self.program.first_row("minimum_cvar")
        lower[floor] = -np.inf
        free = LiveModel(replace(matrix, cost=cost, constant=constant, row_lower=lower))
        options = self._left().model_copy(update={"solver": "highs"})
        rounds = TailRounds(
            self.futures, self.problem, self.program, free, options, self.search, 1.0, None, self.cut_count
        )
        ended = rounds.run([]).termination
        assert self.floor_usd is not None
        if ended.reason is TerminationReason.INFEASIBLE:
            return "no plan exists, whatever its CVaR"
        if ended.objective_usd is None or ended.bound_usd is None:
            return "no plan with such a CVaR exists; how good it can be was not found in time"
        short = self.floor_usd - ended.objective_usd
        return (
            f"the best CVaR found is {ended.objective_usd:,.0f} USD, {short:,.0f} below the floor; "
            f"none is better than {ended.bound_usd:,.0f}"
        )

    def _solution(self, ended: Termination) -> Solution:
        bound = self._bound_musd * USD_PER_MUSD if np.isfinite(self._bound_musd) else None
        known = {"node_count": self._nodes, "bound_usd": bound}
        if self._best is None:
            reason = TerminationReason.NO_PLAN_FOUND if ended.has_plan else ended.reason
            return Solution(ended.model_copy(update={**known, "reason": reason, "objective_usd": None}), None)
        limit = ended.limit if ended.limit is not Limit.NONE else Limit.TIME if self._over else Limit.NONE
        reason = TerminationReason.OPTIMAL if self._proven else TerminationReason.FEASIBLE
        told = ended.model_copy(update={**known, "reason": reason, "limit": Limit.NONE if self._proven else limit})
        return Solution(with_objective(told, self._worth_musd * USD_PER_MUSD, self.options.gap_frac), self._best)


def _row(cut: TailCut, shortfall: int) -> tuple[NDArray[np.int64], Floats, float, float]:
    """A cut as a row: columns, coefficients, limits."""
    used = np.flatnonzero(cut.slope)
    return np.append(used, shortfall), np.append(-cut.slope[used], 1.0), -np.inf, cut.constant
