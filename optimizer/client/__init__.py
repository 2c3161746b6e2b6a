"""A client of the planning service: domain objects in, domain objects out. Imports no solver and no modelling."""

from optimizer.client.client import OptimizerClient
from optimizer.client.records import CurveAnswer, PlanRecord, PlanState, PortfolioRecord
from optimizer.domain.cluster_curves import (
    ClusterCurve,
    ClusterCurvePoint,
    ClusterCurveSpec,
    ClusterLosses,
    ClusterValue,
    ClusterValueKnot,
    ClusterValueSpec,
)
from optimizer.domain.curves import (
    Checkpointing,
    HashingCurve,
    HashingCurvePoint,
    HashingCurveSpec,
    ThroughputCurve,
    ThroughputCurvePoint,
    ThroughputCurveSpec,
)
from optimizer.domain.merit_order import MeritOrder, MeritOrderSpec, MeritOrderStep
from optimizer.domain.network_curves import NetworkCurve, NetworkCurveSpec, NetworkMonth, NetworkRow, OwnExit

__all__ = [
    "Checkpointing", "ClusterCurve", "ClusterCurvePoint", "ClusterCurveSpec", "ClusterLosses", "ClusterValue",
    "ClusterValueKnot", "ClusterValueSpec", "CurveAnswer", "HashingCurve", "HashingCurvePoint", "HashingCurveSpec",
    "MeritOrder", "MeritOrderSpec", "MeritOrderStep", "NetworkCurve", "NetworkCurveSpec", "NetworkMonth", "NetworkRow",
    "OptimizerClient", "OwnExit", "PlanRecord", "PlanState", "PortfolioRecord", "ThroughputCurve",
    "ThroughputCurvePoint", "ThroughputCurveSpec",
]  # fmt: skip
