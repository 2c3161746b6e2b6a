"""A client of the planning service: domain objects in, domain objects out. Imports no solver and no modelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.client.aio.client import AsyncClient
    from optimizer.client.client import OptimizerClient
    from optimizer.client.credentials import tls_credentials
    from optimizer.client.records import CurveAnswer, PlanRecord, PlanState, PortfolioHead, PortfolioRecord
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
    "AsyncClient", "Checkpointing", "ClusterCurve", "ClusterCurvePoint", "ClusterCurveSpec", "ClusterLosses",
    "ClusterValue", "ClusterValueKnot", "ClusterValueSpec", "CurveAnswer", "HashingCurve", "HashingCurvePoint",
    "HashingCurveSpec", "MeritOrder", "MeritOrderSpec", "MeritOrderStep", "NetworkCurve", "NetworkCurveSpec",
    "NetworkMonth", "NetworkRow", "OptimizerClient", "OwnExit", "PlanRecord", "PlanState", "PortfolioHead",
    "PortfolioRecord", "ThroughputCurve", "ThroughputCurvePoint", "ThroughputCurveSpec", "tls_credentials",
]  # fmt: skip

_HOMES = {
    "AsyncClient": "optimizer.client.aio.client",
    "Checkpointing": "optimizer.domain.curves",
    "ClusterCurve": "optimizer.domain.cluster_curves",
    "ClusterCurvePoint": "optimizer.domain.cluster_curves",
    "ClusterCurveSpec": "optimizer.domain.cluster_curves",
    "ClusterLosses": "optimizer.domain.cluster_curves",
    "ClusterValue": "optimizer.domain.cluster_curves",
    "ClusterValueKnot": "optimizer.domain.cluster_curves",
    "ClusterValueSpec": "optimizer.domain.cluster_curves",
    "CurveAnswer": "optimizer.client.records",
    "HashingCurve": "optimizer.domain.curves",
    "HashingCurvePoint": "optimizer.domain.curves",
    "HashingCurveSpec": "optimizer.domain.curves",
    "MeritOrder": "optimizer.domain.merit_order",
    "MeritOrderSpec": "optimizer.domain.merit_order",
    "MeritOrderStep": "optimizer.domain.merit_order",
    "NetworkCurve": "optimizer.domain.network_curves",
    "NetworkCurveSpec": "optimizer.domain.network_curves",
    "NetworkMonth": "optimizer.domain.network_curves",
    "NetworkRow": "optimizer.domain.network_curves",
    "OptimizerClient": "optimizer.client.client",
    "OwnExit": "optimizer.domain.network_curves",
    "PlanRecord": "optimizer.client.records",
    "PlanState": "optimizer.client.records",
    "PortfolioHead": "optimizer.client.records",
    "PortfolioRecord": "optimizer.client.records",
    "ThroughputCurve": "optimizer.domain.curves",
    "ThroughputCurvePoint": "optimizer.domain.curves",
    "ThroughputCurveSpec": "optimizer.domain.curves",
    "tls_credentials": "optimizer.client.credentials",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: gRPC and the domain take longer to load than a script should."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'optimizer.client' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
