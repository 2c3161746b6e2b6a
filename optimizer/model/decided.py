"""When each column of a program is decided, for whoever goes on from decisions that have been taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from optimizer.model.calendar import Ints
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, VariableBlock

CONSEQUENCE: Final = 10**6
"""Month of what is not decided but follows."""


def decision_months(program: Program, problem: PlanningProblem) -> Ints:
    """Month in which each column is decided, from the start of the horizon; :data:`CONSEQUENCE` where it follows.

    What becomes of halls at the end of a contract and of GPU blocks at the end of their life is decided then.
    """
    found = np.full(program.column_count, CONSEQUENCE, dtype=np.int64)
    for name, block in program.variables.items():
        if len(block.keys):
            found[block.columns] = DECIDED[name](problem, block)
    return found


def _at(position: int) -> Callable[[PlanningProblem, VariableBlock], Ints]:
    """The month that stands in the key."""

    def months(problem: PlanningProblem, block: VariableBlock) -> Ints:
        index = {key: month for month, key in enumerate(problem.month_keys)}
        return np.array([index[key[position]] for key in block.keys], dtype=np.int64)  # type: ignore[index]

    return months


def _follows(_: PlanningProblem, block: VariableBlock) -> Ints:
    return np.full(len(block.keys), CONSEQUENCE, dtype=np.int64)


def _at_end(problem: PlanningProblem, block: VariableBlock) -> Ints:
    """The month in which the contract has ended."""
    offers, starts = problem.portfolio.offers, problem.starts
    terms = np.array([offers[offer].term_months for offer in starts.offer], dtype=np.int64)
    names = [(offers[o].name, problem.portfolio.sites[s].name) for o, s in zip(starts.offer, starts.site, strict=True)]
    ends = {
        (*name, problem.month_keys[int(month)]): int(end)
        for name, month, end in zip(names, starts.sign_month, starts.energize_month + terms, strict=True)
    }
    return np.array([ends[key] for key in block.keys], dtype=np.int64)  # type: ignore[index]


def _at_refresh(problem: PlanningProblem, block: VariableBlock) -> Ints:
    """The month in which the blocks' life is over."""
    options = problem.portfolio.gpu_options_by_name
    ordered = _at(-1)(problem, block)
    lives = [options[key[0]].lead_months + options[key[0]].life_months for key in block.keys]  # type: ignore[index]
    return ordered + np.array(lives, dtype=np.int64)


def _before_arrival(problem: PlanningProblem, _: VariableBlock) -> Ints:
    """The month of the notice that brings a grid step forward."""
    advances, portfolio = problem.grid_advances, problem.portfolio
    found = []
    for site, step, months in zip(advances.site, advances.step, advances.months, strict=True):
        stated = portfolio.sites[site].grid[step]
        assert stated.advance is not None
        found.append(portfolio.horizon.index_of(stated.from_month) - int(months) - stated.advance.notice_months)
    return np.array(found, dtype=np.int64)


DECIDED: Final[dict[str, Callable[[PlanningProblem, VariableBlock], Ints]]] = {
    "sign": _at(-1),
    "critical_mw": _at(-1),
    "debt_musd": _at(-1),
    "reconverted_mw": _at_end,
    "re_leased_mw": _at_end,
    "open_site": _at(-1),
    "advance_step": _before_arrival,
    "added_hall_mw": _at(-1),
    "build_building": _at(-1),
    "gpu_blocks": _at(-1),
    "refreshed_gpu_blocks": _at_refresh,
    "stock_machines": _at(-1),
    "bought_machines": _at(-1),
    "sold_machines": _at(-1),
    "moved_out_machines": _at(-1),
    "moved_in_machines": _at(-1),
    "running_machines": _at(-1),
    "sold_mw": _at(-1),
    **dict.fromkeys(
        (
            "scaled_blocks", "scaled_refreshed_blocks", "taxable_profit_musd", "taxable_loss_musd",
            "losses_used_musd", "losses_left_musd", "cash_musd", "stress_cash_musd", "cvar_shortfall_musd",
            "contract_change_count", "kept_gpu_blocks", "changed_gpu_blocks", "kept_refreshed_blocks",
            "changed_refreshed_blocks",
        ),
        _follows,
    ),
}  # fmt: skip
"""Of every variable of the formulation, by name."""
