"""Questions and answers about a cluster over its size; the arithmetic is in :mod:`optimizer.app.cluster_curves`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from optimizer.domain.base import Frac, Pue, Quantity, Real, UsdPerMwh, Value
from optimizer.domain.curves import MAXIMUM_POINT_COUNT, GpuPowerKw
from optimizer.domain.gpu import CapCurve


class ClusterLosses(Value):
    """What a cluster loses to its size: scaling beyond a reference size, and failures that stop the whole job."""

    failures_per_1000_gpu_days: Annotated[float, Quantity("failures", 0.0, 1e6)] = 0.0
    """Failures per 1000 GPU-days; each stops the whole job. 0.47 in Llama 3's training."""
    checkpoint_save_s: Annotated[float, Quantity("s", 0.0, 1e6)] = 0.0
    """Seconds that saving a checkpoint takes."""
    restart_s: Annotated[float, Quantity("s", 0.0, 1e6)] = 0.0
    """Seconds from a failure to training again."""
    reference_gpu_count: Annotated[int, Quantity("GPUs", 1, 100_000_000)] = 1
    """Size up to which throughput is proportional to the GPUs."""
    kept_per_doubling_frac: Annotated[
        float, Quantity("fraction", 0.5, 1.0, "below a half, twice the GPUs would do less")
    ] = 1.0
    """Throughput per GPU that each doubling beyond that size keeps."""


class ClusterCurveSpec(Value):
    """What clusters of several sizes get done."""

    gpu_counts: tuple[Annotated[int, Quantity("GPUs", 1, 100_000_000)], ...] = Field(
        min_length=1, max_length=MAXIMUM_POINT_COUNT
    )
    """Sizes."""
    power_kw_per_gpu: GpuPowerKw
    """Critical IT power per GPU including its share of the server and network."""
    pue: Pue = 1.25
    """Grid draw over critical IT power."""
    losses: ClusterLosses = ClusterLosses()
    """What a cluster loses to its size."""


class ClusterCurvePoint(Value):
    """A cluster of one size."""

    gpu_count: int
    """GPUs."""
    critical_mw: Real
    """Critical IT power in MW."""
    grid_mw: Real
    """Power at the meter in MW."""
    scaling_efficiency_frac: Real
    """Throughput per GPU relative to a cluster of the reference size, without failures."""
    goodput_frac: Real
    """Share of the time that is not lost to failures, restarts and checkpoints."""
    checkpoint_interval_s: Real | None = None
    """Best seconds from one checkpoint to the next; absent where nothing fails."""
    effective_gpu_count: Real
    """GPUs without losses that would get the same done."""
    marginal_effective_gpu_frac: Real
    """Effective GPUs that one more GPU adds; negative where it takes away."""


class ClusterCurve(Value):
    """Effective GPUs over the size of a cluster."""

    points: tuple[ClusterCurvePoint, ...]
    """Points in the order of the question."""
    largest_useful_gpu_count: Real | None = None
    """Size at which one more GPU adds nothing; absent where each adds something."""


class ClusterValueSpec(Value):
    """What an own cluster earns over its size in MW, its GPUs rented out by effective hour."""

    largest_mw: Annotated[float, Quantity("MW", 0.001, 100_000.0, "in MW: 500 kW is 0.5")]
    """Largest size, in MW of critical IT."""
    power_kw_per_gpu: GpuPowerKw
    """Critical IT power per GPU including its share of the server and network."""
    rental_usd_per_gpu_hour: Annotated[float, Quantity("USD/GPU-hour", 0.0, 200.0, "per GPU and hour, not per node")]
    """Rental price of an effective GPU."""
    power_usd_per_mwh: UsdPerMwh
    """Price of energy with all adders in USD/MWh."""
    utilisation_frac: Frac = 1.0
    """Share of GPU-hours that are rented."""
    pue: Pue = 1.25
    """Grid draw over critical IT power."""
    cap_curve: CapCurve = CapCurve.UNCAPPED
    """How throughput answers to a power cap; the best cap for the prices is used."""
    losses: ClusterLosses = ClusterLosses()
    """What a cluster loses to its size."""
    relative_error_frac: Annotated[float, Quantity("fraction", 1e-6, 0.5)] = 1e-3
    """Error allowed, of the largest value; a smaller one takes more pieces."""


class ClusterValueKnot(Value):
    """A cluster at one end of a straight piece; it lies on the curve itself."""

    critical_mw: Real
    """Critical IT power without caps, in MW."""
    gpu_count: Real
    """GPUs; need not be whole."""
    usd_per_month: Real
    """Rent less energy in the mean month of a year."""
    usd_per_mw_month: Real | None = None
    """Value of a MW in the piece that ends here; absent at the first knot."""


class ClusterValue(Value):
    """Value of a cluster over its MW, as few straight pieces as the error allows: concave."""

    knots: tuple[ClusterValueKnot, ...]
    """Ends of the pieces, ascending."""
    error_bound_usd_per_month: Real
    """The curve is nowhere further from the pieces."""
