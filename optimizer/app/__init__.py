"""Use cases; every front end calls these."""

from optimizer.app.alternatives import alternatives
from optimizer.app.backtest import backtest
from optimizer.app.break_evens import break_evens
from optimizer.app.comparison import compare
from optimizer.app.diagnosis import diagnose
from optimizer.app.evaluation import evaluate
from optimizer.app.explanation import explain
from optimizer.app.frontier import frontier
from optimizer.app.one_more import one_more
from optimizer.app.planning import plan
from optimizer.app.replan import replan
from optimizer.app.scenario_table import save_scenarios
from optimizer.app.simulation import simulate
from optimizer.app.stochastic_value import stochastic_value
from optimizer.app.sweep import sweep
from optimizer.app.what_if import WhatIfs

__all__ = [
    "WhatIfs",
    "alternatives",
    "backtest",
    "break_evens",
    "compare",
    "diagnose",
    "evaluate",
    "explain",
    "frontier",
    "one_more",
    "plan",
    "replan",
    "save_scenarios",
    "simulate",
    "stochastic_value",
    "sweep",
]
