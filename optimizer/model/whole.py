"""From decisions back to the whole columns of a program: the inverse of :mod:`optimizer.model.read` for them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import numpy as np

from optimizer.domain.decisions import Decisions
from optimizer.errors import InvalidInputError, Problem
from optimizer.model.calendar import Floats
from optimizer.model.program import Program


def whole_columns(program: Program, decisions: Decisions) -> Floats:
    """Values of all whole columns, NaN elsewhere.

    Raises:
        InvalidInputError: for decisions that the terms do not allow at that place and month.
    """
    values = np.full(program.column_count, np.nan)
    for block in program.variables.values():
        if block.integer:
            values[block.columns] = 0.0
    problems = []
    for name, key, value, path in _whole(decisions):
        block = program.variables[name]
        if key in block.keys:
            values[block.offset + block.keys.index(key)] = value
        else:
            told = f"{', '.join(map(str, key))}: the terms do not allow it there and then"
            problems.append(Problem(path, told, "evaluate the plan to see which limits it breaks"))
    if problems:
        raise InvalidInputError(problems, "decisions")
    return values


def _whole(decisions: Decisions) -> Iterator[tuple[str, tuple[Hashable, ...], float, str]]:
    """Variable, key and value of every whole decision, and its path."""
    for i, item in enumerate(decisions.contracts):
        yield "sign", (item.offer, item.site, f"{item.sign_month:%Y-%m}"), 1.0, f"contracts[{i}]"
    for i, order in enumerate(decisions.gpu_orders):
        key, path = (order.gpu_option, order.site, f"{order.order_month:%Y-%m}"), f"gpu_orders[{i}]"
        yield "gpu_blocks", key, float(order.block_count), path
        if order.refreshed_block_count:
            yield "refreshed_gpu_blocks", key, float(order.refreshed_block_count), path
    for i, opening in enumerate(decisions.site_openings):
        yield "open_site", (opening.site, f"{opening.month:%Y-%m}"), 1.0, f"site_openings[{i}]"
    for i, step in enumerate(decisions.grid_advances):
        earlier = (step.site, f"{step.step_month:%Y-%m}", step.advance_months)
        yield "advance_step", earlier, 1.0, f"grid_advances[{i}]"
    for i, building in enumerate(decisions.building_orders):
        key = (building.site, building.building, f"{building.month:%Y-%m}")
        yield "build_building", key, 1.0, f"building_orders[{i}]"
