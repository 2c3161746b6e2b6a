"""Every domain class has its message, every field its field, every enum value its number, every error its status.

The checks are functions of what they check, so that the tests at the end can show each of them a gap.
"""

import importlib
import pkgutil
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest
import wire_cases
from google.api.field_behavior_pb2 import REQUIRED, field_behavior
from google.protobuf.message import Message

import optimizer.domain
from optimizer import errors as domain_errors
from optimizer.domain import Plan, Portfolio, Progress, SolveOptions, Value, curves
from optimizer.domain.alternatives import Alternatives, AlternativesSpec
from optimizer.domain.backtest import Backtest, BacktestSpec
from optimizer.domain.break_evens import BreakEvens, BreakEvensSpec
from optimizer.domain.cluster_curves import ClusterCurve, ClusterCurveSpec, ClusterValue, ClusterValueSpec
from optimizer.domain.comparison import Comparison, ComparisonSpec
from optimizer.domain.curves import (
    BreakevenSpec,
    HashingCurve,
    HashingCurveSpec,
    ModeBreakevens,
    ThroughputCurve,
    ThroughputCurveSpec,
)
from optimizer.domain.diagnosis import Diagnosis, DiagnosisSpec
from optimizer.domain.evaluation import Evaluation, EvaluationSpec
from optimizer.domain.explanation import Explanation, ExplanationSpec
from optimizer.domain.frontier import Frontier, FrontierSpec
from optimizer.domain.market_answers import MarketCalibration, MarketCalibrationSpec, MarketFan, MarketFanSpec
from optimizer.domain.merit_order import MeritOrder, MeritOrderSpec
from optimizer.domain.network_curves import NetworkCurve, NetworkCurveSpec
from optimizer.domain.one_more import OneMore, OneMoreSpec
from optimizer.domain.replan import Replan, ReplanSpec
from optimizer.domain.server_status import ServerStatus
from optimizer.domain.simulation import Simulation, SimulationSpec
from optimizer.domain.stochastic_value import StochasticValue, StochasticValueSpec
from optimizer.domain.sweep import Sweep, SweepSpec
from optimizer.errors import OptimizerError
from optimizer.service.records import JobState
from optimizer.service.resources import STATES
from optimizer.wire import errors as wire_errors
from optimizer.wire import schema

NOT_ON_THE_WIRE = {
    "Value": "the base of all others",
    "Period": "follows from the horizon",
}
WITHOUT_CLASS = {
    "PathPoints": "a list cannot be an arm of a oneof",
    "CriticalMwRange": "two fields cannot be one arm of a oneof",
}
QUESTIONS = {
    HashingCurveSpec: HashingCurve,
    ThroughputCurveSpec: ThroughputCurve,
    BreakevenSpec: ModeBreakevens,
    MeritOrderSpec: MeritOrder,
    ClusterCurveSpec: ClusterCurve,
    ClusterValueSpec: ClusterValue,
    NetworkCurveSpec: NetworkCurve,
    MarketCalibrationSpec: MarketCalibration,
    MarketFanSpec: MarketFan,
    EvaluationSpec: Evaluation,
    ComparisonSpec: Comparison,
    DiagnosisSpec: Diagnosis,
    ExplanationSpec: Explanation,
    FrontierSpec: Frontier,
    AlternativesSpec: Alternatives,
    ReplanSpec: Replan,
    SweepSpec: Sweep,
    BreakEvensSpec: BreakEvens,
    StochasticValueSpec: StochasticValue,
    OneMoreSpec: OneMore,
    SimulationSpec: Simulation,
    BacktestSpec: Backtest,
}
ROOTS = (Portfolio, SolveOptions, Plan, Progress, ServerStatus, *QUESTIONS, *QUESTIONS.values())
INPUTS = (Portfolio, SolveOptions, *QUESTIONS)


def classes_of_the_domain() -> list[type[Value]]:
    modules = [
        importlib.import_module(f"optimizer.domain.{m.name}") for m in pkgutil.iter_modules(optimizer.domain.__path__)
    ]
    return [
        item
        for module in [*modules, curves]
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Value) and item.__module__ == module.__name__
    ]


def class_gaps(classes: list[type[Value]], messages: dict[str, type[Message]]) -> list[str]:
    named = {schema.RENAMED.get(kind.__name__, kind.__name__): kind for kind in classes}
    gaps = [f"{kind.__name__} has no message" for name, kind in named.items() if name not in messages]
    gaps = [gap for gap in gaps if gap.split()[0] not in NOT_ON_THE_WIRE]
    gaps += [f"{name} has no class" for name in messages if name not in named and name not in WITHOUT_CLASS]
    gaps += [f"exemption of {name} is stale" for name in NOT_ON_THE_WIRE if name in messages or name not in named]
    gaps += [f"exemption of {name} is stale" for name in WITHOUT_CLASS if name in named or name not in messages]
    return gaps


def field_gaps(kind: Any, descriptor: Any) -> list[str]:
    grouped = schema.GROUPED.get(kind.__name__, {})
    theirs = {field.name for field in descriptor.fields}
    expected = {grouped.get(name, name) for name in kind.model_fields}
    gaps = [f"{kind.__name__}.{name} has no proto field" for name in expected - theirs]
    gaps += [f"{descriptor.name}.{name} has no domain field" for name in theirs - expected]
    for field in descriptor.fields:
        if not field.is_repeated and not field.has_presence:
            gaps.append(f"{descriptor.name}.{field.name} cannot be told from not set")
    return gaps


def enum_gaps(values: list[str], numbers: dict[str, int], descriptor: Any) -> list[str]:
    gaps = [f"{descriptor.name} has no number for {value}" for value in values if value not in numbers]
    said = {value.number for value in descriptor.values} - {0}
    gaps += [f"{descriptor.name} {number} has no value" for number in said - set(numbers.values())]
    gaps += [] if len(set(numbers.values())) == len(numbers) else [f"{descriptor.name} has one number for two values"]
    gaps += [] if descriptor.values_by_number[0].name.endswith("_UNSPECIFIED") else [f"{descriptor.name} 0 is a value"]
    return gaps


def error_gaps(kinds: list[type[OptimizerError]]) -> list[str]:
    return [f"{kind.__name__} has no status" for kind in kinds if wire_errors.row_of(kind) is None]


def subclasses(kind: type) -> list[type]:
    return [below for child in kind.__subclasses__() for below in (child, *subclasses(child))]


def wire_classes() -> list[type[Value]]:
    return [kind for kind in classes_of_the_domain() if kind.__name__ not in NOT_ON_THE_WIRE]


def test_every_class_has_its_message_and_every_message_its_class():
    assert not class_gaps(classes_of_the_domain(), dict(schema.MESSAGES))


@pytest.mark.parametrize("kind", wire_classes(), ids=lambda kind: kind.__name__)
def test_every_field_has_its_field(kind):
    assert not field_gaps(kind, schema.message_class(kind).DESCRIPTOR)
    pairs = schema.pairs_of(kind)
    assert [pair.name for pair in pairs] == list(kind.model_fields)


def enum_pairs() -> list[tuple[str, Any, Any]]:
    found = []
    for kind in wire_classes():
        descriptor = schema.message_class(kind).DESCRIPTOR
        found += [
            (f"{kind.__name__}.{pair.name}", pair, descriptor.fields_by_name[pair.name].enum_type)
            for pair in schema.pairs_of(kind)
            if pair.kind is schema.Kind.ENUM
        ]
    return found


@pytest.mark.parametrize(
    ("where", "pair", "descriptor"), enum_pairs(), ids=lambda item: item if isinstance(item, str) else ""
)
def test_every_enum_value_has_its_number(where, pair, descriptor):
    kind = {kind.__name__: kind for kind in wire_classes()}[where.split(".")[0]]
    item, _ = schema.item_type(kind.model_fields[pair.name].annotation)
    values = [member.value for member in item] if isinstance(item, type) else list(item.__args__)
    assert not enum_gaps(values, dict(pair.number_of), descriptor)


def test_every_enum_of_the_domain_is_an_enum_on_the_wire():
    strings = [
        f"{kind.__name__}.{name}"
        for kind in wire_classes()
        for name, field in kind.model_fields.items()
        if isinstance(item := schema.item_type(field.annotation)[0], type)
        and issubclass(item, StrEnum)
        and {pair.name: pair for pair in schema.pairs_of(kind)}[name].kind is not schema.Kind.ENUM
    ]
    assert not strings


def test_required_is_said_exactly_of_what_is_required():
    wrong = []
    for kind in {part for root in INPUTS for part in reachable(root)}:
        descriptor = schema.message_class(kind).DESCRIPTOR
        for name, field in kind.model_fields.items():
            if name in schema.GROUPED.get(kind.__name__, {}):
                continue
            told = REQUIRED in descriptor.fields_by_name[name].GetOptions().Extensions[field_behavior]
            if told != field.is_required():
                wrong.append(f"{kind.__name__}.{name}")
    assert not wrong


def reachable(kind: type[Value]) -> set[type[Value]]:
    found = {kind}
    for field in kind.model_fields.values():
        item, _ = schema.item_type(field.annotation)
        if isinstance(item, type) and issubclass(item, Value):
            found |= reachable(item)
    return found


def test_every_class_on_the_wire_is_reachable_from_a_call():
    assert set(wire_classes()) == {part for root in ROOTS for part in reachable(root)}


def test_the_rich_portfolio_states_every_field():
    said = {
        (type(part).__name__, name)
        for part in wire_cases.parts(wire_cases.rich_portfolio())
        for name in part.model_fields_set
    }
    # The optional ones of a oneof, and what a default keeps, are stated somewhere, not everywhere.
    every = {(kind.__name__, name) for kind in reachable(Portfolio) for name in kind.model_fields}
    assert said == every


def test_the_rich_plan_fills_every_field():
    empty = [
        f"{type(part).__name__}.{name}"
        for part in wire_cases.parts(wire_cases.rich_plan())
        for name in type(part).model_fields
        if getattr(part, name) in (None, ())
    ]
    assert not empty


def test_every_error_has_a_status():
    kinds = [kind for kind in subclasses(OptimizerError) if kind.__module__.startswith("optimizer.")]
    assert len(kinds) >= 7
    assert not error_gaps(kinds)


def test_errors_of_the_tree_have_a_row_of_their_own():
    own = [
        kind
        for module in (domain_errors, wire_errors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, OptimizerError) and kind is not OptimizerError
    ]
    assert set(own) == set(wire_errors.STATUSES)
    assert len({row.reason for row in wire_errors.STATUSES.values()}) == len(wire_errors.STATUSES)


def test_every_job_state_has_a_number():
    from optimizer.api.v1.resources_pb2 import PlanState

    said = set(PlanState.DESCRIPTOR.values_by_number) - {PlanState.PLAN_STATE_UNSPECIFIED}
    assert set(STATES) == set(JobState)
    assert set(STATES.values()) == said


# ------------------------------------------------------------------------------------------------- the checks can fail


class Unheard(Value):
    """A class without a message."""

    depth_m: float = 0.0


def test_a_class_without_message_is_seen():
    assert "Unheard has no message" in class_gaps([*classes_of_the_domain(), Unheard], dict(schema.MESSAGES))


def test_a_message_without_class_is_seen():
    assert "Site has no class" in class_gaps([Portfolio], dict(schema.MESSAGES))


def test_a_stale_exemption_is_seen():
    assert "exemption of PathPoints is stale" in class_gaps(classes_of_the_domain(), {})


def test_a_missing_field_is_seen_on_both_sides():
    gaps = field_gaps(Unheard, schema.message_class(SolveOptions).DESCRIPTOR)
    assert "Unheard.depth_m has no proto field" in gaps
    assert "SolveOptions.seed has no domain field" in gaps


def test_a_missing_enum_value_is_seen_on_both_sides():
    descriptor = schema.message_class(Progress).DESCRIPTOR.fields_by_name["stage"].enum_type
    numbers = {"queued": 1, "curves": 1}
    gaps = enum_gaps(["queued", "curves", "lunch"], numbers, descriptor)
    assert gaps[0] == "Stage has no number for lunch"
    assert "Stage 2 has no value" in gaps
    assert "Stage has one number for two values" in gaps


def test_an_error_without_status_is_seen():
    assert error_gaps([SimpleNamespace(__mro__=(Exception,), __name__="Odd")]) == ["Odd has no status"]
