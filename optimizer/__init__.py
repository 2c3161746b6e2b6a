"""Plans which of a bitcoin miner's megawatts mine, host AI or wait: per site, per contract, per month.

>>> import optimizer
>>> answer = optimizer.plan(optimizer.load_portfolio("tiny"))
>>> answer.termination.reason.value
'optimal'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.app import WhatIfs, compare, evaluate, frontier, plan
    from optimizer.domain import Plan, Portfolio, SolveOptions
    from optimizer.io import load_plan, load_portfolio, save_plan, save_portfolio

__all__ = [
    "Plan",
    "Portfolio",
    "SolveOptions",
    "WhatIfs",
    "compare",
    "evaluate",
    "frontier",
    "load_plan",
    "load_portfolio",
    "plan",
    "save_plan",
    "save_portfolio",
]

_HOMES = {
    "Plan": "optimizer.domain",
    "Portfolio": "optimizer.domain",
    "SolveOptions": "optimizer.domain",
    "WhatIfs": "optimizer.app",
    "compare": "optimizer.app",
    "evaluate": "optimizer.app",
    "frontier": "optimizer.app",
    "load_plan": "optimizer.io",
    "load_portfolio": "optimizer.io",
    "plan": "optimizer.app",
    "save_plan": "optimizer.io",
    "save_portfolio": "optimizer.io",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: the client must not drag the solver in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
