"""The two curve calls. ``optimizer.app`` is imported when the first one comes: it is slow to load."""

from __future__ import annotations

from dataclasses import asdict

from optimizer.wire.curves import (
    HashingCurve,
    HashingCurvePoint,
    HashingCurveSpec,
    ThroughputCurve,
    ThroughputCurvePoint,
    ThroughputCurveSpec,
)


def compute_hashing_curve(spec: HashingCurveSpec) -> HashingCurve:
    """What one machine earns over the hashprices asked for."""
    from optimizer.app.curves import hashing_curve

    points = hashing_curve(**dict(spec))
    return HashingCurve(points=tuple(HashingCurvePoint(**asdict(point)) for point in points))


def compute_throughput_curve(spec: ThroughputCurveSpec) -> ThroughputCurve:
    """What a cluster gets done over the power caps of its curve."""
    from optimizer.app.curves import Failures, throughput_curve

    failures = Failures(**dict(spec.checkpointing)) if spec.checkpointing is not None else None
    curve = throughput_curve(
        gpu_count=spec.gpu_count,
        power_kw_per_gpu=spec.power_kw_per_gpu,
        cap_curve=spec.cap_curve,
        pue=spec.pue,
        failures=failures,
    )
    points = tuple(ThroughputCurvePoint(**asdict(point)) for point in curve.points)
    return ThroughputCurve(
        points=points, goodput_frac=curve.goodput_frac, checkpoint_interval_s=curve.checkpoint_interval_s
    )
