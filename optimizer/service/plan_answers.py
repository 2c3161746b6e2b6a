"""Answers to questions about plans: parse, delegate, serialise."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import Any

from optimizer.domain.alternatives import Alternatives, AlternativesSpec
from optimizer.domain.backtest import Backtest, BacktestSpec
from optimizer.domain.base import Value
from optimizer.domain.break_evens import BreakEvens, BreakEvensSpec
from optimizer.domain.comparison import Comparison, ComparisonSpec
from optimizer.domain.diagnosis import Diagnosis, DiagnosisSpec
from optimizer.domain.evaluation import EvaluationSpec
from optimizer.domain.explanation import Explanation, ExplanationSpec
from optimizer.domain.frontier import Frontier, FrontierSpec
from optimizer.domain.one_more import OneMore, OneMoreSpec
from optimizer.domain.replan import Replan, ReplanSpec
from optimizer.domain.simulation import Simulation, SimulationSpec
from optimizer.domain.stochastic_value import StochasticValue, StochasticValueSpec
from optimizer.domain.sweep import Sweep, SweepSpec
from optimizer.service.planner import Caller, Planner
from optimizer.service.resources import complete
from optimizer.wire.convert import from_bytes, parse, to_bytes, to_message


def evaluation(spec: Any) -> Any:
    """The ``Evaluation`` message to an ``EvaluationSpec`` message."""
    from optimizer.app.evaluation import evaluate  # the first call loads the audit, not the server

    question = parse(EvaluationSpec, spec, "spec")
    return to_message(evaluate(question.model_copy(update={"portfolio": complete(question.portfolio)})))


def comparison(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Comparison`` message to a ``ComparisonSpec`` message; baselines take a process of their own."""
    question = parse(ComparisonSpec, spec, "spec")
    completed = {"portfolio": complete(question.portfolio)}
    if question.other_portfolio is not None:
        completed["other_portfolio"] = complete(question.other_portfolio)
    question = question.model_copy(update=completed)
    if question.baseline is None:
        return to_message(_compared(question))
    answer = planner.own_processes.ask(f"{__name__}:compared", to_bytes(question), caller.is_active)
    return to_message(from_bytes(Comparison, answer))


def compared(question: bytes) -> bytes:
    """The same between processes."""
    return to_bytes(_compared(from_bytes(ComparisonSpec, question)))


def _compared(question: ComparisonSpec) -> Comparison:
    from optimizer.app.comparison import compare  # loads the model and the solver

    return compare(question)


@dataclass(frozen=True)
class Solved:
    """A question about one portfolio that is answered by solving, in a process of its own."""

    name: str
    """Its name in this module."""
    asked: type[Any]
    answered: type[Value]
    home: str
    """The use case, as ``module:function``; it loads the model and the solver, so not before it is asked."""

    def __call__(self, spec: Any, planner: Planner, caller: Caller) -> Any:
        """The message that answers a message."""
        question = parse(self.asked, spec, "spec")
        question = question.model_copy(update={"portfolio": complete(question.portfolio)})
        target = f"{__name__}:{self.name}.between_processes"
        answer = planner.own_processes.ask(target, to_bytes(question), caller.is_active)
        return to_message(from_bytes(self.answered, answer))

    def between_processes(self, question: bytes) -> bytes:
        """The same between processes."""
        return to_bytes(pkgutil.resolve_name(self.home)(from_bytes(self.asked, question)))


diagnosis = Solved("diagnosis", DiagnosisSpec, Diagnosis, "optimizer.app.diagnosis:diagnose")
explanation = Solved("explanation", ExplanationSpec, Explanation, "optimizer.app.explanation:explain")
frontier = Solved("frontier", FrontierSpec, Frontier, "optimizer.app.frontier:frontier")
alternatives = Solved("alternatives", AlternativesSpec, Alternatives, "optimizer.app.alternatives:alternatives")
break_evens = Solved("break_evens", BreakEvensSpec, BreakEvens, "optimizer.app.break_evens:break_evens")
one_more = Solved("one_more", OneMoreSpec, OneMore, "optimizer.app.one_more:one_more")
simulation = Solved("simulation", SimulationSpec, Simulation, "optimizer.app.simulation:simulate")
backtest = Solved("backtest", BacktestSpec, Backtest, "optimizer.app.backtest:backtest")
replan = Solved("replan", ReplanSpec, Replan, "optimizer.app.replan:replan")
stochastic_value = Solved(
    "stochastic_value", StochasticValueSpec, StochasticValue, "optimizer.app.stochastic_value:stochastic_value"
)
sweep = Solved("sweep", SweepSpec, Sweep, "optimizer.app.sweep:sweep")
