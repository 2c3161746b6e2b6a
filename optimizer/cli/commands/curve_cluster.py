"""``optimizer curve cluster`` and ``cluster-value``: a GPU cluster over its size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.curve_options import (
    CHECKPOINT_SAVE_S,
    FAILURES,
    GPU,
    OUT,
    PLOT,
    POWER_KW_PER_GPU,
    PUE,
    RESTART_S,
    geometric_counts,
    given,
    gpu_power_kw,
)
from optimizer.cli.curve_output import CLUSTER_COLUMNS, CLUSTER_VALUE_COLUMNS, Answer, Output
from optimizer.cli.output import JSON_OPTION
from optimizer.domain.base import validated
from optimizer.domain.cluster_curves import ClusterCurveSpec, ClusterLosses, ClusterValueSpec
from optimizer.domain.gpu import CapCurve

REFERENCE_COUNT = typer.Option(help="GPUs up to which throughput is proportional.")
KEPT_PER_DOUBLING = typer.Option(help="Throughput per GPU that each doubling beyond keeps, 0.95 is 95 %.")


def cluster(
    # Long, as every option of the command is a parameter.
    gpu: Annotated[str, GPU],
    counts: Annotated[
        str, typer.Option(help="Sizes in GPUs: low:high doubles, low:high:factor multiplies, or a list with commas.")
    ],
    power_kw_per_gpu: Annotated[float | None, POWER_KW_PER_GPU] = None,
    pue: Annotated[float | None, PUE] = None,
    failures_per_1000_gpu_days: Annotated[float | None, FAILURES] = None,
    checkpoint_save_s: Annotated[float | None, CHECKPOINT_SAVE_S] = None,
    restart_s: Annotated[float | None, RESTART_S] = None,
    reference_count: Annotated[int | None, REFERENCE_COUNT] = None,
    kept_per_doubling: Annotated[float | None, KEPT_PER_DOUBLING] = None,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show what GPU clusters of several sizes get done: effective GPUs, goodput, and what one more GPU adds.

    What is not stated is not lost: without failures and scaling every GPU counts in full.

    Examples:

      optimizer curve cluster --gpu H100 --counts 1024:65536 --reference-count 1024 --kept-per-doubling 0.95

      optimizer curve cluster --gpu GB300 --counts 1000,5000,20000 --failures-per-1000-gpu-days 0.47 --restart-s 600
    """
    output = Output(as_json, plot, out)
    sizes = geometric_counts(counts, "counts")
    from optimizer.app.cluster_curves import cluster_curve
    from optimizer.app.curve_inputs import find_gpu

    found = find_gpu(gpu)
    losses = _losses(failures_per_1000_gpu_days, checkpoint_save_s, restart_s, reference_count, kept_per_doubling)
    data = {"gpu_counts": sizes, "power_kw_per_gpu": gpu_power_kw(found, power_kw_per_gpu), "losses": losses}
    spec = validated(ClusterCurveSpec, data | given({"pue": pue}), "question")
    curve = cluster_curve(spec)
    title = f"{found.name}: clusters of {min(sizes):,} to {max(sizes):,} GPUs"
    subtitle = _losses_told(spec.losses)
    useful = curve.largest_useful_gpu_count
    note = f"one more GPU adds nothing at {useful:,.0f}" if useful is not None else "one more GPU always adds something"
    answer = curve.model_dump(mode="json")
    output.show(
        Answer(
            title=title,
            subtitle=subtitle,
            data={"question": {"gpu": found.name, **spec.model_dump(mode="json")}, "curve": answer},
            records=answer["points"],
            columns=CLUSTER_COLUMNS,
            notes=[note],
            chart=lambda charts: charts.cluster_chart(curve, title, subtitle),
        )
    )


def cluster_value(
    # Long, as every option of the command is a parameter.
    gpu: Annotated[str, GPU],
    largest_mw: Annotated[float, typer.Option(help="Largest size in MW of critical IT.")],
    rental: Annotated[float, typer.Option(help="Rental price of an effective GPU, USD per hour.")],
    power: Annotated[float, typer.Option(help="USD/MWh with all adders, the same in every hour.")],
    utilisation: Annotated[float | None, typer.Option(help="Share of GPU-hours rented, 0.9 is 90 %.")] = None,
    cap_curve: Annotated[CapCurve, typer.Option(help="How throughput answers to a power cap.")] = CapCurve.UNCAPPED,
    power_kw_per_gpu: Annotated[float | None, POWER_KW_PER_GPU] = None,
    pue: Annotated[float | None, PUE] = None,
    failures_per_1000_gpu_days: Annotated[float | None, FAILURES] = None,
    checkpoint_save_s: Annotated[float | None, CHECKPOINT_SAVE_S] = None,
    restart_s: Annotated[float | None, RESTART_S] = None,
    reference_count: Annotated[int | None, REFERENCE_COUNT] = None,
    kept_per_doubling: Annotated[float | None, KEPT_PER_DOUBLING] = None,
    relative_error: Annotated[float | None, typer.Option(help="Error allowed, of the largest value.")] = None,
    plot: Annotated[Path | None, PLOT] = None,
    out: Annotated[Path | None, OUT] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Show what a rented-out GPU cluster earns over its size, in as few straight pieces as the error allows.

    Value is rent less energy in the mean month, at the power cap that is best for the prices.

    Examples:

      optimizer curve cluster-value --gpu H100 --largest-mw 50 --rental 2.35 --power 45 --plot value.png

      optimizer curve cluster-value --gpu GB300 --largest-mw 100 --rental 3.2 --power 60 --cap-curve a100-training
    """
    output = Output(as_json, plot, out)
    from optimizer.app.cluster_curves import cluster_value as answered
    from optimizer.app.curve_inputs import find_gpu

    found = find_gpu(gpu)
    data = {
        "largest_mw": largest_mw,
        "rental_usd_per_gpu_hour": rental,
        "power_usd_per_mwh": power,
        "cap_curve": cap_curve,
        "power_kw_per_gpu": gpu_power_kw(found, power_kw_per_gpu),
        "losses": _losses(failures_per_1000_gpu_days, checkpoint_save_s, restart_s, reference_count, kept_per_doubling),
        **given({"utilisation_frac": utilisation, "pue": pue, "relative_error_frac": relative_error}),
    }
    spec = validated(ClusterValueSpec, data, "question")
    value = answered(spec)
    title = f"{found.name}: value of a cluster of up to {largest_mw:g} MW of critical IT"
    subtitle = f"{rental:g} USD per GPU-hour, {power:g} USD/MWh, PUE {spec.pue:g}; {_losses_told(spec.losses)}"
    answer = value.model_dump(mode="json")
    pieces = len(value.knots) - 1
    output.show(
        Answer(
            title=title,
            subtitle=subtitle,
            data={"question": {"gpu": found.name, **spec.model_dump(mode="json")}, "value": answer},
            records=answer["knots"],
            columns=CLUSTER_VALUE_COLUMNS,
            notes=[
                f"{pieces} straight piece{'s' * (pieces > 1)}; the value is nowhere more than "
                f"{value.error_bound_usd_per_month:,.0f} USD a month off them"
            ],
            chart=lambda charts: charts.cluster_value_chart(value, title, subtitle),
        )
    )


def _losses(
    failures_per_1000_gpu_days: float | None,
    checkpoint_save_s: float | None,
    restart_s: float | None,
    reference_gpu_count: int | None,
    kept_per_doubling_frac: float | None,
) -> dict[str, float]:
    return given(
        {
            "failures_per_1000_gpu_days": failures_per_1000_gpu_days,
            "checkpoint_save_s": checkpoint_save_s,
            "restart_s": restart_s,
            "reference_gpu_count": reference_gpu_count,
            "kept_per_doubling_frac": kept_per_doubling_frac,
        }
    )


def _losses_told(losses: ClusterLosses) -> str:
    """What is lost, in words."""
    told = []
    if losses.failures_per_1000_gpu_days:
        told.append(
            f"{losses.failures_per_1000_gpu_days:g} failures per 1000 GPU-days, save {losses.checkpoint_save_s:g} s, "
            f"restart {losses.restart_s:g} s"
        )
    if losses.kept_per_doubling_frac < 1.0:
        told.append(
            f"each doubling beyond {losses.reference_gpu_count:,} GPUs keeps {losses.kept_per_doubling_frac:.1%}"
        )
    return "; ".join(told) or "nothing lost to failures or scaling"
