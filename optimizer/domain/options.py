"""How hard and how long to search."""

from __future__ import annotations

from typing import Annotated, Literal

from optimizer.domain.base import Quantity, Value


class SolveOptions(Value):
    """Limits of a solve. They change how good the plan is proven to be, never what it means."""

    time_limit_s: Annotated[float, Quantity("s", 0.1, 1e7)] = 300.0
    """Wall time for building and solving; the best plan found by then is returned."""
    gap_frac: Annotated[float, Quantity("fraction", 0.0, 1.0, "a fraction, not a percentage: 1 % is 0.01")] = 0.001
    """Stop when the plan is proven to be within this relative gap of the best possible."""
    threads: Annotated[int, Quantity("threads", 1, 1024)] = 1
    """Threads of the solver."""
    seed: Annotated[int, Quantity("1", 0, 2**31 - 1)] = 0
    """Seed of the solver."""
    solver: Literal["highs", "scip", "gurobi", "cbc"] = "highs"
    """Solver of the mixed-integer program; others than HiGHS take it from Pyomo and must be installed."""
    method: Literal["auto", "stages", "whole"] = "auto"
    """How HiGHS is used: on the whole program at once, or in two stages (contracts, then machines and cash, by cuts)
    with the whole program for what they leave open; large programs in stages if not said."""
    paranoid: bool = False
    """Search a second time, in the time that is left, without presolve and with another seed; disagreement is an
    error."""
