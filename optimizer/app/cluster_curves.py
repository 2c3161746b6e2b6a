"""A GPU cluster over its size: what it gets done, and what it earns."""

from __future__ import annotations

import math

from optimizer.app.curves import MEAN_HOURS_IN_MONTH
from optimizer.curves import CAP_CURVES, ClusterTerms, cluster_throughput, cluster_value_breakpoints
from optimizer.domain.cluster_curves import (
    ClusterCurve,
    ClusterCurvePoint,
    ClusterCurveSpec,
    ClusterLosses,
    ClusterValue,
    ClusterValueKnot,
    ClusterValueSpec,
)
from optimizer.units import KW_PER_MW


def cluster_curve(spec: ClusterCurveSpec) -> ClusterCurve:
    """What clusters of several sizes get done (formula: :func:`optimizer.curves.cluster_throughput`)."""
    found, fails = (
        cluster_throughput(spec.gpu_counts, _terms(spec.losses)),
        spec.losses.failures_per_1000_gpu_days > 0.0,
    )
    points = tuple(
        ClusterCurvePoint(
            gpu_count=count,
            critical_mw=count * spec.power_kw_per_gpu / KW_PER_MW,
            grid_mw=count * spec.power_kw_per_gpu / KW_PER_MW * spec.pue,
            scaling_efficiency_frac=float(found.scaling_efficiency_frac[i]),
            goodput_frac=float(found.goodput_frac[i]),
            checkpoint_interval_s=_finite(found.checkpoint_interval_s[i]) if fails else None,
            effective_gpu_count=float(found.effective_gpu_count[i]),
            marginal_effective_gpu_frac=float(found.marginal_effective_gpu_frac[i]),
        )
        for i, count in enumerate(spec.gpu_counts)
    )
    return ClusterCurve(points=points, largest_useful_gpu_count=_finite(found.largest_useful_gpu_count))


def cluster_value(spec: ClusterValueSpec) -> ClusterValue:
    """What a cluster earns over its size, in straight pieces (:func:`optimizer.curves.cluster_value_breakpoints`).

    Raises:
        InvalidInputError: the largest size is beyond the largest useful one.
    """
    found = cluster_value_breakpoints(
        largest_mw=spec.largest_mw,
        cluster=_terms(spec.losses),
        power_kw_per_gpu=spec.power_kw_per_gpu,
        rental_usd_per_gpu_hour=[[spec.rental_usd_per_gpu_hour]],
        utilisation_frac=spec.utilisation_frac,
        pue=[spec.pue],
        power_usd_per_mwh=[[spec.power_usd_per_mwh]],
        hours_in_month=[MEAN_HOURS_IN_MONTH],
        cap_curve=CAP_CURVES[spec.cap_curve.value],
        relative_error=spec.relative_error_frac,
    )
    mw, usd = found.mw.tolist(), found.value_usd.tolist()
    if len(mw) == 1:  # it never pays, whatever its size
        mw, usd = [0.0, spec.largest_mw], [0.0, 0.0]
    knots = tuple(
        ClusterValueKnot(
            critical_mw=mw[i],
            gpu_count=mw[i] * KW_PER_MW / spec.power_kw_per_gpu,
            usd_per_month=usd[i],
            usd_per_mw_month=(usd[i] - usd[i - 1]) / (mw[i] - mw[i - 1]) if i else None,
        )
        for i in range(len(mw))
    )
    return ClusterValue(knots=knots, error_bound_usd_per_month=found.error_bound_usd)


def _terms(losses: ClusterLosses) -> ClusterTerms:
    return ClusterTerms(**losses.model_dump())


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
