r"""A budget of changes against a previous plan, and their price.

.. math::
   \sum_{i \in \mathrm{previous}} (1 - \mathrm{sign}_i) + \sum_{o \notin \mathrm{previous}} \mathrm{signed}_o
   + \sum_g c_g + \sum_{j \in \mathrm{previous}} (1 - \mathrm{open}_j) + \sum_{s \notin \mathrm{previous}} \mathrm{opened}_s = \kappa \le n \qquad
   \text{maximise } \ldots - h\,\kappa \qquad c_g \ge \sum_i b_i - \sum_i k_i, \quad c_g \ge \sum_{s,m} n_{g,s,m} - \sum_i k_i, \quad k_i \le n_i, \quad k_i \le b_i

======================================  =======  =========================================================
symbol                                  unit     meaning
======================================  =======  =========================================================
:math:`\mathrm{sign}_i`                 0/1      previous contract *i* is signed at the same site and month
:math:`\mathrm{signed}_o`               0/1      offer *o* is signed, anywhere and at any time
:math:`\mathrm{open}_j`                 0/1      previous opening *j* is decided in the same month
:math:`\mathrm{opened}_s`               0/1      site *s* is opened at any time
:math:`b_i, n_i, k_i`                   blocks   of a previous GPU order of option *g*: before, now, kept
:math:`c_g`                             blocks   blocks of option *g* that are dropped, added or moved; refreshes of them likewise
:math:`n`                               1        most changes, where there is a most
:math:`\kappa, h`                       1, USD   changes, and ``cost_usd_per_change``: off the objective, no cash
======================================  =======  =========================================================

A previous contract, order or opening that can no longer be as it was counts as changed. Orders and openings count only where the
rule says so.

Dual of ``contract_changes_within_budget``: NPV of one more change; of ``contract_changes_counted``: its price.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from optimizer.domain.policy import ContractChanges
from optimizer.model.calendar import Ints
from optimizer.model.families.order_placements import matching_openings, matching_orders
from optimizer.model.families.placements import matching_starts
from optimizer.model.family import ConstraintFamily
from optimizer.model.problem import PlanningProblem
from optimizer.model.program import Program, Triplets
from optimizer.units import USD_PER_MUSD

COUNTED: Final = {"gpu_blocks": "block_count", "refreshed_blocks": "refreshed_block_count"}
"""What of a GPU order is counted, by kind of variable."""


def build(program: Program, problem: PlanningProblem) -> None:
    """State the family."""
    rule, terms = problem.portfolio.policy.contract_changes, Triplets()
    counted = rule if rule is not None and rule.counts_orders else None
    blocks, refreshed = program.variables["gpu_blocks"].columns, program.variables["refreshed_gpu_blocks"].columns
    _count_blocks(program, problem, counted, "gpu_blocks", blocks, np.arange(len(blocks)))
    _count_blocks(program, problem, counted, "refreshed_blocks", refreshed, problem.gpu_refreshes.order)
    priced = rule is not None and rule.cost_usd_per_change > 0.0
    count = program.add_variables("contract_change_count", ["company"] if priced else [])
    if rule is None:
        program.add_rows("contract_changes_within_budget", [], terms)
        program.add_rows("contract_changes_counted", [], terms)
        return
    sign, names = program.variables["sign"].columns, [offer.name for offer in problem.portfolio.offers]
    for item in rule.previous:
        terms.add(0, sign[matching_starts(problem, item)], -1.0)
    before = [names.index(item.offer) for item in rule.previous]
    terms.add(0, sign[~np.isin(problem.starts.offer, before)], 1.0)
    dropped = len(rule.previous)
    if counted is not None:
        opened = program.variables["open_site"].columns
        for opening in counted.previous_openings:
            terms.add(0, opened[matching_openings(problem, opening)], -1.0)
        sites = [problem.portfolio.site_index[opening.site] for opening in counted.previous_openings]
        terms.add(0, opened[~np.isin(problem.openings[0], sites)], 1.0)
        for name in ("changed_gpu_blocks", "changed_refreshed_blocks"):
            terms.add(0, program.variables[name].columns, 1.0)
        dropped += len(counted.previous_openings)
    most = np.inf if rule.maximum_count is None else float(rule.maximum_count - dropped)
    program.add_rows("contract_changes_within_budget", ["changes"], terms, upper=most)
    if priced:
        terms.add(0, count.columns, -1.0)
        program.post("hurdle_musd", 0, count.columns, -rule.cost_usd_per_change / USD_PER_MUSD)
    keys = ["changes"] if priced else []
    program.add_rows("contract_changes_counted", keys, terms if priced else Triplets(), upper=-float(dropped))


def _count_blocks(
    program: Program, problem: PlanningProblem, rule: ContractChanges | None, kind: str, columns: Ints, order: Ints
) -> None:
    """Blocks, or refreshes, kept of each previous order, and changed of each option; ``columns`` are of an ``order`` each."""
    count, options = COUNTED[kind], problem.portfolio.gpu_options if rule is not None else ()
    previous = [item for item in rule.previous_gpu_orders if getattr(item, count)] if rule is not None else []
    names = [item.name for item in options if kind == "gpu_blocks" or item.refresh is not None]
    keys = [(item.gpu_option, item.site, f"{item.order_month:%Y-%m}") for item in previous]
    upper = np.array([getattr(item, count) for item in previous], dtype=float)
    kept = program.add_variables(f"kept_{kind}", keys, upper=upper)
    changed = program.add_variables(f"changed_{kind}", [(name,) for name in names])
    option, within, counted = problem.gpu_orders.option[order], Triplets(), Triplets()
    for row, item in enumerate(previous):
        within.add(row, kept.columns[row], 1.0)
        within.add(row, columns[matching_orders(problem, item)[order]], -1.0)
    program.add_rows(f"kept_{kind}_ordered", keys, within, upper=0.0)
    least = np.zeros(2 * len(names))
    index = [item.name for item in problem.portfolio.gpu_options]
    for g, name in enumerate(names):
        ours = [i for i, item in enumerate(previous) if item.gpu_option == name]
        for row in (2 * g, 2 * g + 1):
            counted.add(row, changed.columns[g], 1.0)
            counted.add(row, kept.columns[ours], 1.0)
        counted.add(2 * g + 1, columns[option == index.index(name)], -1.0)
        least[2 * g] = upper[ours].sum()
    sides = [(name, side) for name in names for side in ("dropped", "added")]
    program.add_rows(f"changed_{kind}_counted", sides, counted, lower=least)


CONTRACT_CHANGES = ConstraintFamily(
    "contract_changes",
    ("sign", "gpu_blocks", "refreshed_gpu_blocks", "open_site"),
    (
        "kept_gpu_blocks", "changed_gpu_blocks", "kept_gpu_blocks_ordered", "changed_gpu_blocks_counted",
        "kept_refreshed_blocks", "changed_refreshed_blocks", "kept_refreshed_blocks_ordered",
        "changed_refreshed_blocks_counted",
        "contract_change_count", "contract_changes_within_budget", "contract_changes_counted",
    ),
    build,
)  # fmt: skip
