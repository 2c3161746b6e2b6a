"""Answers to questions about plans: parse, delegate, serialise."""

from __future__ import annotations

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


def diagnosis(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Diagnosis`` message to a ``DiagnosisSpec`` message."""
    return _from_own_process("diagnosed", DiagnosisSpec, Diagnosis, spec, planner, caller)


def diagnosed(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.diagnosis import diagnose  # loads the model and the solver

    return to_bytes(diagnose(from_bytes(DiagnosisSpec, question)))


def explanation(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Explanation`` message to an ``ExplanationSpec`` message."""
    return _from_own_process("explained", ExplanationSpec, Explanation, spec, planner, caller)


def explained(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.explanation import explain  # loads the model and the solver

    return to_bytes(explain(from_bytes(ExplanationSpec, question)))


def frontier(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Frontier`` message to a ``FrontierSpec`` message."""
    return _from_own_process("frontier_of", FrontierSpec, Frontier, spec, planner, caller)


def frontier_of(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.frontier import frontier as found  # loads the model and the solver

    return to_bytes(found(from_bytes(FrontierSpec, question)))


def alternatives(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Alternatives`` message to an ``AlternativesSpec`` message."""
    return _from_own_process("alternatives_of", AlternativesSpec, Alternatives, spec, planner, caller)


def alternatives_of(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.alternatives import alternatives as found  # loads the model and the solver

    return to_bytes(found(from_bytes(AlternativesSpec, question)))


def break_evens(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``BreakEvens`` message to a ``BreakEvensSpec`` message."""
    return _from_own_process("break_evens_of", BreakEvensSpec, BreakEvens, spec, planner, caller)


def break_evens_of(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.break_evens import break_evens as found  # loads the model and the solver

    return to_bytes(found(from_bytes(BreakEvensSpec, question)))


def stochastic_value(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``StochasticValue`` message to a ``StochasticValueSpec`` message."""
    return _from_own_process("stochastic_value_of", StochasticValueSpec, StochasticValue, spec, planner, caller)


def stochastic_value_of(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.stochastic_value import stochastic_value as found  # loads the model and the solver

    return to_bytes(found(from_bytes(StochasticValueSpec, question)))


def simulation(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Simulation`` message to a ``SimulationSpec`` message."""
    return _from_own_process("simulated", SimulationSpec, Simulation, spec, planner, caller)


def simulated(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.simulation import simulate  # loads the model and the solver

    return to_bytes(simulate(from_bytes(SimulationSpec, question)))


def backtest(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Backtest`` message to a ``BacktestSpec`` message."""
    return _from_own_process("backtested", BacktestSpec, Backtest, spec, planner, caller)


def backtested(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.backtest import backtest as found  # loads the model and the solver

    return to_bytes(found(from_bytes(BacktestSpec, question)))


def replan(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Replan`` message to a ``ReplanSpec`` message."""
    return _from_own_process("replan_of", ReplanSpec, Replan, spec, planner, caller)


def replan_of(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.replan import replan as found  # loads the model and the solver

    return to_bytes(found(from_bytes(ReplanSpec, question)))


def sweep(spec: Any, planner: Planner, caller: Caller) -> Any:
    """The ``Sweep`` message to a ``SweepSpec`` message."""
    return _from_own_process("sweep_of", SweepSpec, Sweep, spec, planner, caller)


def sweep_of(question: bytes) -> bytes:
    """The same between processes."""
    from optimizer.app.sweep import sweep as found  # loads the model and the solver

    return to_bytes(found(from_bytes(SweepSpec, question)))


def _from_own_process(
    function: str,
    asked: type[
        AlternativesSpec
        | BacktestSpec
        | BreakEvensSpec
        | DiagnosisSpec
        | ExplanationSpec
        | FrontierSpec
        | ReplanSpec
        | SimulationSpec
        | StochasticValueSpec
        | SweepSpec
    ],
    answered: type[Value],
    spec: Any,
    planner: Planner,
    caller: Caller,
) -> Any:
    """The message that a function of this module answers a question about one portfolio with."""
    question = parse(asked, spec, "spec")
    question = question.model_copy(update={"portfolio": complete(question.portfolio)})
    answer = planner.own_processes.ask(f"{__name__}:{function}", to_bytes(question), caller.is_active)
    return to_message(from_bytes(answered, answer))
