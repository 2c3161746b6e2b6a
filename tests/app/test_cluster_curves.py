"""Clusters over their size: against the kernels, the limits by hand, and what is refused."""

import pytest

from optimizer.app.cluster_curves import cluster_curve, cluster_value
from optimizer.app.curves import MEAN_HOURS_IN_MONTH, throughput_curve
from optimizer.curves import CAP_CURVES, ClusterTerms, cluster_throughput, gpu_block_values
from optimizer.domain.base import validated
from optimizer.domain.cluster_curves import ClusterCurveSpec, ClusterValueSpec
from optimizer.domain.curves import ThroughputCurveSpec
from optimizer.errors import InvalidInputError

FAILING = {"failures_per_1000_gpu_days": 0.47, "checkpoint_save_s": 60.0, "restart_s": 600.0}
LOSSES = {**FAILING, "reference_gpu_count": 1024, "kept_per_doubling_frac": 0.9}


def sizes(*counts, **changes):
    return validated(ClusterCurveSpec, {"gpu_counts": counts, "power_kw_per_gpu": 1.3, **changes}, "question")


def value_of(**changes):
    data = {
        "largest_mw": 50.0,
        "power_kw_per_gpu": 1.25,
        "rental_usd_per_gpu_hour": 2.4,
        "power_usd_per_mwh": 60.0,
        "utilisation_frac": 0.8,
        "pue": 1.2,
        "cap_curve": "a100-training",
        "losses": LOSSES,
        **changes,
    }
    return cluster_value(validated(ClusterValueSpec, data, "question"))


def test_without_losses_every_gpu_counts():
    curve = cluster_curve(sizes(1000, 50, pue=1.5))
    assert [point.effective_gpu_count for point in curve.points] == [1000.0, 50.0]
    assert [point.marginal_effective_gpu_frac for point in curve.points] == [1.0, 1.0]
    assert curve.points[0].critical_mw == pytest.approx(1.3)
    assert curve.points[0].grid_mw == pytest.approx(1.95)
    assert curve.points[0].checkpoint_interval_s is None
    assert curve.largest_useful_gpu_count is None


def test_failures_are_those_of_the_throughput_curve():
    (point,) = cluster_curve(sizes(4096, losses=FAILING)).points
    data = {"gpu_count": 4096, "power_kw_per_gpu": 1.3, "checkpointing": FAILING}
    alone = throughput_curve(validated(ThroughputCurveSpec, data, "question"))
    assert point.goodput_frac == pytest.approx(alone.goodput_frac)
    assert point.checkpoint_interval_s == pytest.approx(alone.checkpoint_interval_s)
    assert point.effective_gpu_count == pytest.approx(4096 * alone.goodput_frac)


def test_one_more_gpu_adds_the_difference_and_nothing_at_the_largest_useful_size():
    losses = LOSSES | {"kept_per_doubling_frac": 0.6}
    useful = cluster_curve(sizes(8, losses=losses)).largest_useful_gpu_count
    below, at, above = cluster_curve(sizes(4000, 4001, 4002, losses=losses)).points
    difference = (above.effective_gpu_count - below.effective_gpu_count) / 2.0
    assert at.marginal_effective_gpu_frac == pytest.approx(difference, rel=1e-6)
    near = cluster_curve(sizes(round(useful * 0.99), round(useful * 1.01), losses=losses)).points
    assert near[0].marginal_effective_gpu_frac > 0.0 > near[1].marginal_effective_gpu_frac


def test_knots_are_the_value_itself_in_the_mean_month():
    value = value_of()
    assert pytest.approx(730.0) == MEAN_HOURS_IN_MONTH
    for knot in value.knots[1:]:
        size = cluster_throughput([knot.gpu_count], ClusterTerms(**LOSSES))
        one = gpu_block_values(
            gpu_count=1,
            power_kw_per_gpu=1.25,
            rental_usd_per_gpu_hour=[[2.4]],
            utilisation_frac=0.8,
            goodput_frac=float(size.effective_gpu_count[0] / knot.gpu_count),
            pue=[1.2],
            power_usd_per_mwh=[[60.0]],
            hours_in_month=[730.0],
            cap_curve=CAP_CURVES["a100-training"],
        )
        assert knot.gpu_count == pytest.approx(knot.critical_mw / 1.25e-3)
        assert knot.usd_per_month == pytest.approx(knot.gpu_count * one.margin_usd[0])


def test_pieces_fall_and_more_error_takes_fewer():
    fine, coarse = value_of(relative_error_frac=1e-4), value_of(relative_error_frac=1e-2)
    slopes = [knot.usd_per_mw_month for knot in fine.knots[1:]]
    assert slopes == sorted(slopes, reverse=True)
    assert fine.knots[0].usd_per_mw_month is None
    assert (fine.knots[0].critical_mw, fine.knots[-1].critical_mw) == (0.0, 50.0)
    assert len(coarse.knots) < len(fine.knots)
    for value, relative in ((fine, 1e-4), (coarse, 1e-2)):
        assert 0.0 < value.error_bound_usd_per_month <= relative * value.knots[-1].usd_per_month


def test_a_cluster_that_never_pays_is_worth_nothing_at_any_size():
    value = value_of(rental_usd_per_gpu_hour=0.01)
    assert [(knot.critical_mw, knot.usd_per_month) for knot in value.knots] == [(0.0, 0.0), (50.0, 0.0)]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"gpu_counts": []}, "gpu_counts"),
        ({"gpu_counts": [0]}, "gpu_counts[0]"),
        ({"power_kw_per_gpu": 0.0}, "power_kw_per_gpu"),
        ({"losses": {"kept_per_doubling_frac": 0.4}}, "losses.kept_per_doubling_frac"),
        ({"losses": {"restart_s": -1.0}}, "losses.restart_s"),
    ],
)
def test_nonsense_is_refused_with_its_path(changes, path):
    with pytest.raises(InvalidInputError) as caught:
        sizes(8, **changes)
    assert [problem.path for problem in caught.value.problems] == [path]


def test_a_size_beyond_the_largest_useful_one_is_refused():
    with pytest.raises(InvalidInputError, match=r"largest_mw: is 99000; .*; pass at most"):
        value_of(largest_mw=99_000.0, losses=LOSSES | {"kept_per_doubling_frac": 0.6})
