"""Clusters: checkpoints, failures, scaling with size, and the value over MW."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves import (
    CAP_CURVES,
    ClusterTerms,
    checkpoint_interval_s,
    cluster_throughput,
    cluster_value,
    cluster_value_breakpoints,
    goodput_frac,
    gpu_block_values,
    largest_useful_gpu_count,
    reference,
    scaling_efficiency_frac,
)
from optimizer.curves.breakpoints import refined_samples
from optimizer.errors import InvalidInputError
from optimizer.units import KW_PER_MW, SECONDS_PER_DAY

TERMS = st.builds(
    ClusterTerms,
    failures_per_1000_gpu_days=st.floats(0.1, 20.0),
    checkpoint_save_s=st.floats(0.0, 600.0),
    restart_s=st.floats(10.0, 7200.0),
    reference_gpu_count=st.floats(1.0, 20_000.0),
    kept_per_doubling_frac=st.floats(0.55, 0.9),
)


def test_published_checkpoint_interval():
    """Mean time between interrupts 6,000 s, restart 600 s, save 10 s, step 15 s: 24 steps (changlan.org)."""
    work_s = checkpoint_interval_s(mtbf_hours=6000 / 3600, checkpoint_save_s=10.0, restart_s=600.0) - 10.0
    assert round(work_s / 15.0) == 24
    assert work_s / 15.0 == pytest.approx(24.2, abs=0.05)


def test_interval_is_the_best_one():
    mtbf_s, save_s, restart_s = 11_000.0, 40.0, 500.0
    best = checkpoint_interval_s(mtbf_hours=mtbf_s / 3600, checkpoint_save_s=save_s, restart_s=restart_s)

    def useful(interval_s):
        return (1 - save_s / interval_s) * mtbf_s / (mtbf_s + restart_s + interval_s / 2)

    grid = np.linspace(save_s * 1.01, 20 * best, 200_001)
    assert grid[np.argmax(useful(grid))] == pytest.approx(best, rel=1e-3)
    goodput = goodput_frac(gpu_count=1, mtbf_hours=mtbf_s / 3600, checkpoint_save_s=save_s, restart_s=restart_s)
    assert goodput == pytest.approx(useful(best), rel=1e-12)


def test_goodput_of_a_published_run():
    """Llama 3 405B: 16,384 GPUs, 419 unexpected interruptions in 54 days, above 90 % effective (Meta)."""
    arguments = {"gpu_count": 16_384, "checkpoint_save_s": 10.0, "restart_s": 480.0}
    by_gpu = goodput_frac(failures_per_1000_gpu_days=419 / 54 / 16.384, **arguments)
    by_cluster = goodput_frac(mtbf_hours=24 * 54 / 419, **arguments)
    assert by_gpu == pytest.approx(by_cluster, rel=1e-12)
    assert 0.90 < by_gpu < 0.95


def test_goodput_falls_with_size():
    goodput = [
        goodput_frac(gpu_count=n, failures_per_1000_gpu_days=0.5, checkpoint_save_s=30.0, restart_s=600.0)
        for n in (8, 128, 2048, 32_768)
    ]
    assert goodput == sorted(goodput, reverse=True)
    assert goodput[0] > 0.99
    assert goodput[-1] < 0.9
    never = goodput_frac(gpu_count=8, failures_per_1000_gpu_days=0.0, checkpoint_save_s=0.0, restart_s=0.0)
    assert never == 1.0
    with pytest.raises(InvalidInputError, match="exactly one"):
        goodput_frac(gpu_count=8, checkpoint_save_s=30.0, restart_s=600.0)


def test_scaling_keeps_a_share_of_each_doubling():
    size = {"reference_gpu_count": 100.0, "kept_per_doubling_frac": 0.9}
    np.testing.assert_allclose(
        scaling_efficiency_frac([0.0, 50.0, 100.0, 200.0, 800.0], **size), [1.0, 1.0, 1.0, 0.9, 0.9**3], rtol=1e-14
    )
    with pytest.raises(InvalidInputError, match=r"kept_per_doubling_frac: is 0\.4"):
        scaling_efficiency_frac(10.0, reference_gpu_count=1.0, kept_per_doubling_frac=0.4)
    with pytest.raises(InvalidInputError, match=r"gpu_count\[1\]: is -1"):
        scaling_efficiency_frac([1.0, -1.0], **size)


@given(st.floats(0.01, 20.0), st.integers(1, 100_000), st.floats(1.0, 600.0), st.floats(0.0, 7200.0))
def test_goodput_equals_the_search_over_intervals(failures, count, save_s, restart_s):
    mtbf_s = 1000.0 * SECONDS_PER_DAY / (failures * count)
    searched_s, searched = reference.best_goodput(mtbf_s=mtbf_s, checkpoint_save_s=save_s, restart_s=restart_s)
    terms = ClusterTerms(failures_per_1000_gpu_days=failures, checkpoint_save_s=save_s, restart_s=restart_s)
    curve = cluster_throughput([count], terms)
    assert curve.goodput_frac[0] == pytest.approx(searched, rel=1e-7)
    assert curve.checkpoint_interval_s[0] == pytest.approx(searched_s, rel=2e-3)
    interval_s = checkpoint_interval_s(mtbf_hours=mtbf_s / 3600.0, checkpoint_save_s=save_s, restart_s=restart_s)
    assert curve.checkpoint_interval_s[0] == pytest.approx(interval_s, rel=1e-12)
    goodput = goodput_frac(
        gpu_count=count, failures_per_1000_gpu_days=failures, checkpoint_save_s=save_s, restart_s=restart_s
    )
    assert curve.goodput_frac[0] == goodput


@given(TERMS, st.floats(0.5, 200_000.0))
def test_the_marginal_gpu_is_the_derivative(terms, size):
    if abs(size / terms.reference_gpu_count - 1.0) < 1e-4:
        size *= 1.01
    step = 1e-5 * size
    below, above = cluster_throughput([size - step, size + step], terms).effective_gpu_count
    curve = cluster_throughput([size], terms)
    assert curve.marginal_effective_gpu_frac[0] == pytest.approx((above - below) / (2.0 * step), rel=1e-5, abs=1e-7)
    assert curve.effective_gpu_count[0] == pytest.approx(
        size * curve.scaling_efficiency_frac[0] * curve.goodput_frac[0], rel=1e-14
    )


@given(TERMS)
def test_effective_gpus_are_concave_up_to_their_largest(terms):
    largest = largest_useful_gpu_count(terms)
    sizes = np.linspace(0.0, largest, 400)
    effective = cluster_throughput(sizes, terms).effective_gpu_count
    assert (np.diff(effective) > -1e-12 * effective.max()).all()
    assert (np.diff(effective, 2) < 1e-12 * effective.max()).all()
    beyond = cluster_throughput(largest * np.geomspace(1.0, 1.5, 50), terms).effective_gpu_count
    assert beyond.argmax() == 0
    assert beyond[-1] < beyond[0]


def test_the_largest_useful_size_of_a_cluster():
    terms = ClusterTerms(
        failures_per_1000_gpu_days=5.0, checkpoint_save_s=60.0, restart_s=900.0, reference_gpu_count=512,
        kept_per_doubling_frac=0.85,
    )  # fmt: skip
    curve = cluster_throughput([16_384], terms)
    size = curve.largest_useful_gpu_count
    assert 16_384 < size < 200_000
    assert cluster_throughput([size], terms).marginal_effective_gpu_frac[0] == pytest.approx(0.0, abs=1e-12)
    # Failures alone slow growth and do not stop it; scaling alone neither.
    for change in ({"kept_per_doubling_frac": 1.0}, {"failures_per_1000_gpu_days": 0.0}):
        alone = ClusterTerms(**({name: getattr(terms, name) for name in terms.__slots__} | change))
        assert largest_useful_gpu_count(alone) == math.inf
        assert cluster_throughput([1e8], alone).marginal_effective_gpu_frac[0] > 0.0
    # Failures so frequent that growth stops at the reference size, where the loss to scaling sets in.
    bad = ClusterTerms(
        failures_per_1000_gpu_days=1e5, restart_s=3600.0, reference_gpu_count=4096, kept_per_doubling_frac=0.55
    )
    assert largest_useful_gpu_count(bad) == 4096


def test_without_failures_nothing_is_lost():
    curve = cluster_throughput([0.0, 10.0], ClusterTerms(checkpoint_save_s=30.0, restart_s=600.0))
    assert curve.goodput_frac.tolist() == [1.0, 1.0]
    assert curve.checkpoint_interval_s.tolist() == [math.inf, math.inf]
    assert curve.effective_gpu_count.tolist() == [0.0, 10.0]
    assert curve.marginal_effective_gpu_frac.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"failures_per_1000_gpu_days": -1.0}, "failures_per_1000_gpu_days: is -1.0"),
        ({"checkpoint_save_s": math.nan}, "checkpoint_save_s: is not finite"),
        ({"restart_s": -5.0}, "restart_s: is -5.0"),
        ({"reference_gpu_count": 0.0}, "reference_gpu_count: is 0.0"),
        ({"kept_per_doubling_frac": 93.0}, "kept_per_doubling_frac: is 93.0"),
    ],
)
def test_cluster_terms_refuse(change, message):
    with pytest.raises(InvalidInputError, match=message):
        ClusterTerms(**change)


CLUSTER = ClusterTerms(
    failures_per_1000_gpu_days=0.47, checkpoint_save_s=30.0, restart_s=600.0, reference_gpu_count=1024,
    kept_per_doubling_frac=0.93,
)  # fmt: skip


def market(months=6, scenarios=400, price=150.0):
    rng = np.random.default_rng(5)
    return {
        "power_kw_per_gpu": 1.3,
        "rental_usd_per_gpu_hour": 1.2 * rng.lognormal(0.0, 0.5, (months, scenarios)),
        "utilisation_frac": 0.8,
        "pue": np.full(months, 1.2),
        "power_usd_per_mwh": price * rng.lognormal(0.0, 0.6, (months, scenarios)),
        "hours_in_month": np.full(months, 730.0),
        "cap_curve": CAP_CURVES["a40-training"],
    }


def fleet_margin_usd(mw, weight, **terms):
    """Margin of a cluster with its caps chosen anew at every size."""
    gpus = mw * KW_PER_MW / terms["power_kw_per_gpu"]
    per_gpu = cluster_throughput([gpus], CLUSTER).effective_gpu_count[0] / gpus
    return gpus * float(weight @ gpu_block_values(gpu_count=1, goodput_frac=per_gpu, **terms).margin_usd)


@pytest.mark.parametrize(("price", "scenarios"), [(50.0, 300), (150.0, 300), (300.0, 300), (300.0, 1)])
def test_value_of_a_cluster_over_its_mw(price, scenarios):
    terms, weight = market(scenarios=scenarios, price=price), 0.99 ** np.arange(6.0)
    pieces = cluster_value_breakpoints(largest_mw=300.0, cluster=CLUSTER, weight=weight, **terms)
    top = pieces.value_usd.max()
    assert pieces.mw[0] == pieces.value_usd[0] == 0.0
    assert pieces.mw[-1] == 300.0
    assert 10 < pieces.mw.size < 60
    assert (np.diff(np.diff(pieces.value_usd) / np.diff(pieces.mw)) < 0.0).all()
    # One scenario switches caps in six months at six sizes: not concave, and the bound says so.
    assert (pieces.error_bound_usd <= 1e-3 * top) == (scenarios > 1)
    for mw, value in zip(pieces.mw[1:], pieces.value_usd[1:], strict=True):
        assert value == pytest.approx(fleet_margin_usd(mw, weight, **terms), rel=1e-12, abs=1e-12 * top)
    sizes = np.random.default_rng(3).uniform(0.01, 300.0, 300)
    missed = [fleet_margin_usd(mw, weight, **terms) - pieces.at(mw) for mw in sizes]
    assert np.abs(missed).max() <= pieces.error_bound_usd
    assert np.abs(missed).max() > 0.5 * pieces.error_bound_usd


@pytest.mark.parametrize("price", [50.0, 300.0])
def test_the_value_between_samples_is_held_from_both_sides(price, monkeypatch):
    """Coarse samples of one scenario, whose caps switch between them: each interval keeps to its own gap."""
    seen = {}

    def coarse(sample, gaps, **range_and_gap):
        seen["samples"] = refined_samples(sample, gaps, **(range_and_gap | {"relative_gap": 1.0}))
        return seen["samples"]

    monkeypatch.setattr(cluster_value, "refined_samples", coarse)
    terms = market(months=3, scenarios=1, price=price)
    cluster_value_breakpoints(largest_mw=300.0, cluster=CLUSTER, **terms)
    mw, rows, gap = seen["samples"]
    above = below = 0.0
    for i in range(mw.size - 1):
        for size in np.linspace(mw[i], mw[i + 1], 12)[1:-1]:
            off = fleet_margin_usd(size, np.ones(3), **terms) - np.interp(size, mw, rows[0])
            share = off / (gap[i] * (1 + 1e-9) + 1e-12 * rows[0].max())
            assert abs(share) <= 1.0
            above, below = max(above, share), max(below, -share)
    assert above > 0.4
    assert below > 0.2 or price < 100.0


def test_a_cluster_that_loses_nothing_to_size_is_one_piece():
    pieces = cluster_value_breakpoints(largest_mw=50.0, cluster=ClusterTerms(), **market())
    assert pieces.mw.tolist() == [0.0, 50.0]
    margin = gpu_block_values(gpu_count=1, goodput_frac=1.0, **market()).margin_usd.sum()
    assert pieces.value_usd[1] == pytest.approx(50.0 * KW_PER_MW / 1.3 * margin, rel=1e-12)


def test_a_cluster_beyond_its_largest_useful_size_is_refused():
    terms = ClusterTerms(
        failures_per_1000_gpu_days=5.0, checkpoint_save_s=60.0, restart_s=900.0, kept_per_doubling_frac=0.85
    )
    useful_mw = largest_useful_gpu_count(terms) * 1.3 / KW_PER_MW
    cluster_value_breakpoints(largest_mw=0.999 * useful_mw, cluster=terms, **market(months=1, scenarios=3))
    with pytest.raises(InvalidInputError, match=r"largest_mw: is .* one more GPU takes away more than it adds"):
        cluster_value_breakpoints(largest_mw=1.001 * useful_mw, cluster=terms, **market(months=1, scenarios=3))
