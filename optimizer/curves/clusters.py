"""How many GPUs' worth of work a cluster does: scaling with its size, failures and checkpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from optimizer.curves import _checks as check
from optimizer.curves._checks import Float64Array
from optimizer.units import HOURS_PER_DAY, SECONDS_PER_DAY

_SECONDS: Final = check.Range(0.0, 1e9, "seconds")
_MTBF_HOURS: Final = check.Range(1e-3, 1e9, "hours")
_FAILURES: Final = check.Range(0.0, 1e6, "failures per 1000 GPU-days")
_GPUS: Final = check.Range(0.0, 1e9, "GPUs")
_REFERENCE_GPUS: Final = check.Range(1.0, 1e9, "GPUs")
_KEPT: Final = check.Range(0.5, 1.0, "as a fraction of 1; below a half, twice the GPUs would do less")
_SECONDS_PER_HOUR: Final = SECONDS_PER_DAY / HOURS_PER_DAY
_GPU_DAYS: Final = 1000.0
"""GPU-days over which failures are counted."""


def checkpoint_interval_s(*, mtbf_hours: float, checkpoint_save_s: float, restart_s: float) -> float:
    """Seconds from one checkpoint's start to the next's that maximise availability.

    ``T = S + sqrt(2 (M + R) S + S**2)`` with save ``S``, restart ``R`` and mean time between failures ``M`` (NVIDIA,
    arXiv 2410.18124; Young's ``sqrt(2 M S)`` is its limit). ``T - S`` is the work between two saves.
    """
    mtbf_s = check.scalar("mtbf_hours", mtbf_hours, _MTBF_HOURS) * _SECONDS_PER_HOUR
    save_s = check.scalar("checkpoint_save_s", checkpoint_save_s, _SECONDS)
    recovery_s = check.scalar("restart_s", restart_s, _SECONDS)
    return save_s + math.sqrt(2.0 * (mtbf_s + recovery_s) * save_s + save_s**2)


def goodput_frac(
    *,
    gpu_count: int,
    checkpoint_save_s: float,
    restart_s: float,
    failures_per_1000_gpu_days: float | None = None,
    mtbf_hours: float | None = None,
) -> float:
    """Share of time that trains: ``(1 - S / T) M / (M + R + T / 2)`` at the best interval ``T``.

    Each mean time between failures ``M`` costs a restart ``R`` and half an interval done again; each interval costs a
    save ``S``. Exactly one of ``failures_per_1000_gpu_days``, which scales with ``gpu_count`` as one failure stops the
    whole job, and ``mtbf_hours``, which is that of the whole cluster.
    """
    count = check.integer("gpu_count", gpu_count, check.COUNT)
    check.exactly_one(failures_per_1000_gpu_days=failures_per_1000_gpu_days, mtbf_hours=mtbf_hours)
    if failures_per_1000_gpu_days is not None:
        per_gpu = check.scalar("failures_per_1000_gpu_days", failures_per_1000_gpu_days, _FAILURES)
        failures_per_s = _failures_per_gpu_s(per_gpu) * count
    else:
        assert mtbf_hours is not None
        failures_per_s = 1.0 / (check.scalar("mtbf_hours", mtbf_hours, _MTBF_HOURS) * _SECONDS_PER_HOUR)
    save_s = check.scalar("checkpoint_save_s", checkpoint_save_s, _SECONDS)
    recovery_s = check.scalar("restart_s", restart_s, _SECONDS)
    return float(_Checkpointing.best(np.array(failures_per_s), save_s, recovery_s).goodput_frac)


def scaling_efficiency_frac(
    gpu_count: ArrayLike, *, reference_gpu_count: float, kept_per_doubling_frac: float
) -> Float64Array:
    """Throughput per GPU relative to that of a cluster of ``reference_gpu_count``, without failures.

    1 up to the reference size; each doubling beyond it keeps ``kept_per_doubling_frac`` of the throughput per GPU::

        efficiency = (gpu_count / reference_gpu_count) ** log2(kept_per_doubling_frac)

    This is a definition, not a fit: state what two measured sizes of your own job kept. As each doubling keeps at least
    a half, the cluster's throughput is increasing and concave in its size.

    >>> scaling_efficiency_frac([512, 1024, 4096], reference_gpu_count=1024, kept_per_doubling_frac=0.9).round(4)
    array([1.  , 1.  , 0.81])
    """
    count = check.floats("gpu_count", gpu_count, _GPUS)
    reference = check.scalar("reference_gpu_count", reference_gpu_count, _REFERENCE_GPUS)
    kept = check.scalar("kept_per_doubling_frac", kept_per_doubling_frac, _KEPT)
    return (np.maximum(count / reference, 1.0) ** math.log2(kept))[()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterTerms:
    """What a cluster loses to its size: scaling beyond a reference size, and failures that stop the whole job."""

    failures_per_1000_gpu_days: float = 0.0
    """0.47 in Llama 3's training: 419 unexpected interruptions of 16,384 GPUs in 54 days (Meta)."""
    checkpoint_save_s: float = 0.0
    restart_s: float = 0.0
    reference_gpu_count: float = 1.0
    """Size up to which throughput is proportional to the GPUs."""
    kept_per_doubling_frac: float = 1.0
    """See :func:`scaling_efficiency_frac`."""

    def __post_init__(self) -> None:
        check.scalar("failures_per_1000_gpu_days", self.failures_per_1000_gpu_days, _FAILURES)
        check.scalar("checkpoint_save_s", self.checkpoint_save_s, _SECONDS)
        check.scalar("restart_s", self.restart_s, _SECONDS)
        check.scalar("reference_gpu_count", self.reference_gpu_count, _REFERENCE_GPUS)
        check.scalar("kept_per_doubling_frac", self.kept_per_doubling_frac, _KEPT)


@dataclass(frozen=True, slots=True, eq=False)
class ClusterCurve:
    """Clusters of ``N`` sizes; arrays are ``[N]``."""

    gpu_count: Float64Array
    scaling_efficiency_frac: Float64Array
    goodput_frac: Float64Array
    checkpoint_interval_s: Float64Array
    """Infinite where nothing fails."""
    effective_gpu_count: Float64Array
    """GPUs without losses that would do the same work."""
    marginal_effective_gpu_frac: Float64Array
    """Effective GPUs that one more GPU adds (at the reference size: beyond it); negative where it takes away."""
    largest_useful_gpu_count: float
    """Size at which one more GPU adds nothing; infinite where each adds something."""


def cluster_throughput(gpu_count: ArrayLike, terms: ClusterTerms) -> ClusterCurve:
    """Work of clusters of sizes ``gpu_count`` ``[N]``, which need not be whole numbers.

    ::

        effective = gpu_count * scaling efficiency * goodput
        marginal  = effective / gpu_count * (1 - a - L / (1 + L))    L = (R + T / 2) / M,  M = M of one GPU / gpu_count

    with the notation of :func:`goodput_frac` and ``a = -log2(kept_per_doubling_frac)`` beyond the reference size, else
    0. The interval ``T`` is the best one, so it adds nothing to the derivative. Both factors of the marginal fall with
    the size as long as they are positive: up to ``largest_useful_gpu_count`` the effective GPUs are concave.
    """
    count = check.vector("gpu_count", gpu_count, _GPUS)
    efficiency = scaling_efficiency_frac(
        count, reference_gpu_count=terms.reference_gpu_count, kept_per_doubling_frac=terms.kept_per_doubling_frac
    )
    failures_per_s = _failures_per_gpu_s(terms.failures_per_1000_gpu_days) * count
    checkpointing = _Checkpointing.best(failures_per_s, terms.checkpoint_save_s, terms.restart_s)
    per_gpu = efficiency * checkpointing.goodput_frac
    lost_to_scaling = np.where(count >= terms.reference_gpu_count, -math.log2(terms.kept_per_doubling_frac), 0.0)
    lost_to_failures = checkpointing.lost_per_mtbf / (1.0 + checkpointing.lost_per_mtbf)
    return ClusterCurve(
        gpu_count=count,
        scaling_efficiency_frac=efficiency,
        goodput_frac=checkpointing.goodput_frac,
        checkpoint_interval_s=checkpointing.interval_s,
        effective_gpu_count=count * per_gpu,
        marginal_effective_gpu_frac=per_gpu * (1.0 - lost_to_scaling - lost_to_failures),
        largest_useful_gpu_count=largest_useful_gpu_count(terms),
    )


def largest_useful_gpu_count(terms: ClusterTerms) -> float:
    """Size at which one more GPU adds nothing: ``L = (1 - a) / a`` in the notation of :func:`cluster_throughput`.

    ``L = (R + T / 2) / M`` grows with the size. Squaring its definition gives a quadratic in ``1 / M``, of which the
    smaller root is meant. Without a loss to scaling no size is the largest useful one: failures alone only slow growth.
    """
    lost_to_scaling = -math.log2(terms.kept_per_doubling_frac)
    per_gpu_s = _failures_per_gpu_s(terms.failures_per_1000_gpu_days)
    save_s, recovery_s = terms.checkpoint_save_s, terms.restart_s
    if lost_to_scaling == 0.0 or per_gpu_s == 0.0 or save_s == recovery_s == 0.0:
        return math.inf
    lost = (1.0 - lost_to_scaling) / lost_to_scaling
    # (4 R^2 + 2 R S) x^2 - (8 L R + 4 L S + 2 S) x + 4 L^2 = 0 for x = 1 / M, all of it halved
    linear = 4.0 * lost * recovery_s + (2.0 * lost + 1.0) * save_s
    root = ((2.0 * lost + 1.0) * save_s) ** 2 + 8.0 * lost * (lost + 1.0) * recovery_s * save_s
    failures_per_s = 4.0 * lost**2 / (linear + math.sqrt(root))
    return max(terms.reference_gpu_count, failures_per_s / per_gpu_s)


@dataclass(frozen=True, slots=True, eq=False)
class _Checkpointing:
    """The best checkpoint interval and what it leaves; arrays of one shape."""

    interval_s: Float64Array
    goodput_frac: Float64Array
    lost_per_mtbf: Float64Array
    """Restart and work done again after a failure, over the mean time between failures."""

    @classmethod
    def best(cls, failures_per_s: Float64Array, save_s: float, recovery_s: float) -> _Checkpointing:
        """Formulas of :func:`checkpoint_interval_s` and :func:`goodput_frac`, times the failure rate.

        So they hold where nothing fails: the interval is then infinite, or 0 where a save takes no time.
        """
        save, recovery = failures_per_s * save_s, failures_per_s * recovery_s
        interval = save + np.sqrt(2.0 * save * (1.0 + recovery) + save**2)
        lost = recovery + interval / 2.0
        saving = np.divide(save, interval, out=np.zeros_like(interval), where=interval > 0.0)
        never = np.full_like(interval, math.inf if save_s else 0.0)
        interval_s = np.divide(interval, failures_per_s, out=never, where=failures_per_s > 0.0)
        return cls(interval_s, (1.0 - saving) / (1.0 + lost), lost)


def _failures_per_gpu_s(failures_per_1000_gpu_days: float) -> float:
    return failures_per_1000_gpu_days / (_GPU_DAYS * SECONDS_PER_DAY)
