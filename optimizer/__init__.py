"""Plans which of a bitcoin miner's megawatts mine, host AI or wait: per site, per contract, per month.

Five verbs make a day's work, ``load``, ``plan``, ``evaluate``, ``compare`` and ``save``; a plan shows itself in a
notebook, and has its tables as frames and its charts as figures.

>>> import optimizer as opt
>>> answer = opt.plan(opt.load("tiny"))
>>> answer.termination.reason.value
'optimal'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.app import (
        WhatIfs,
        alternatives,
        backtest,
        break_evens,
        compare,
        diagnose,
        evaluate,
        explain,
        frontier,
        one_more,
        plan,
        replan,
        save_scenarios,
        simulate,
        stochastic_value,
        sweep,
    )
    from optimizer.domain import Plan, Portfolio, SolveOptions
    from optimizer.io import load_plan, load_portfolio, save, save_plan, save_portfolio, save_tables
    from optimizer.io import load_portfolio as load

__all__ = [
    "Plan",
    "Portfolio",
    "SolveOptions",
    "WhatIfs",
    "alternatives",
    "backtest",
    "break_evens",
    "compare",
    "diagnose",
    "evaluate",
    "explain",
    "frontier",
    "load",
    "load_plan",
    "load_portfolio",
    "one_more",
    "plan",
    "replan",
    "save",
    "save_plan",
    "save_portfolio",
    "save_scenarios",
    "save_tables",
    "simulate",
    "stochastic_value",
    "sweep",
]

_HOMES = {
    "Plan": "optimizer.domain",
    "Portfolio": "optimizer.domain",
    "SolveOptions": "optimizer.domain",
    "WhatIfs": "optimizer.app",
    "alternatives": "optimizer.app",
    "break_evens": "optimizer.app",
    "backtest": "optimizer.app",
    "compare": "optimizer.app",
    "diagnose": "optimizer.app",
    "evaluate": "optimizer.app",
    "explain": "optimizer.app",
    "frontier": "optimizer.app",
    "load_plan": "optimizer.io",
    "load_portfolio": "optimizer.io",
    "one_more": "optimizer.app",
    "plan": "optimizer.app",
    "replan": "optimizer.app",
    "save": "optimizer.io",
    "save_plan": "optimizer.io",
    "save_portfolio": "optimizer.io",
    "save_scenarios": "optimizer.app",
    "save_tables": "optimizer.io",
    "simulate": "optimizer.app",
    "stochastic_value": "optimizer.app",
    "sweep": "optimizer.app",
}
_SHORT = {"load": "load_portfolio"}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: the client must not drag the solver in."""
    from importlib import import_module

    from optimizer.extras import naming_extras

    full_name = _SHORT.get(name, name)
    if full_name not in _HOMES:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    with naming_extras():
        return getattr(import_module(_HOMES[full_name]), full_name)
