"""A client of the planning service: domain objects in, domain objects out. Imports no solver and no modelling."""

from optimizer.client.client import OptimizerClient
from optimizer.client.records import CurveAnswer, PlanRecord, PlanState, PortfolioRecord
from optimizer.domain.curves import (
    Checkpointing,
    HashingCurve,
    HashingCurvePoint,
    HashingCurveSpec,
    ThroughputCurve,
    ThroughputCurvePoint,
    ThroughputCurveSpec,
)

__all__ = [
    "Checkpointing", "CurveAnswer", "HashingCurve", "HashingCurvePoint", "HashingCurveSpec", "OptimizerClient",
    "PlanRecord", "PlanState", "PortfolioRecord", "ThroughputCurve", "ThroughputCurvePoint", "ThroughputCurveSpec",
]  # fmt: skip
