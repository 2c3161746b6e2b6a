"""Cap curves against the measurements that they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.curves import CAP_CURVES, CAP_FLOOR_FRAC, CapCurve, cap_throughput_frac
from optimizer.errors import InvalidInputError


# Range over five models of A100 training (Zeus and Perseus measurements, ml-energy/zeus), widened by twice the RMSE.
@pytest.mark.parametrize(
    ("cap", "low", "high"),
    [(0.9167, 0.963, 0.974), (0.8333, 0.898, 0.937), (0.75, 0.795, 0.860), (0.6667, 0.684, 0.736)],
)
def test_cap_fit_lies_in_the_measured_range(cap, low, high):
    assert low - 0.032 <= cap_throughput_frac(cap) <= high + 0.032


def test_cap_fit_and_curve_against_all_measurements(shared_rows):
    rows = [
        row
        for row in shared_rows("reference/gpu_power_cap_points.csv")
        if row["gpu"] == "A100 PCIe 80GB" and row["kind"] == "training" and row["confidence"] == "measured"
    ]
    cap, measured = (np.array([float(row[name]) for row in rows]) for name in ("cap_frac_of_max", "rel_throughput"))
    assert len(rows) >= 30
    assert np.sqrt(np.mean((cap_throughput_frac(cap) - measured) ** 2)) < 0.018
    full = {row["workload"]: float(row["avg_power_W"]) for row in rows if float(row["cap_frac_of_max"]) == 1.0}
    drawn = np.array([float(row["avg_power_W"]) / full[row["workload"]] for row in rows])
    curve = CAP_CURVES["a100-training"]
    for c, power in zip(curve.cap_frac, curve.power_frac, strict=True):
        assert drawn[np.abs(cap - c) < 1e-3].mean() == pytest.approx(power, abs=5e-4)


def test_a_cap_under_the_floor_is_refused():
    assert cap_throughput_frac(CAP_FLOOR_FRAC) > 0.5
    with pytest.raises(InvalidInputError, match=r"cap_frac\[1\]: is 0.5; .*a cap under the floor is not honoured"):
        cap_throughput_frac([0.7, 0.5])


def test_built_in_curves_are_concave_and_read_only():
    curve = CAP_CURVES["a100-training"]
    slope = np.diff(curve.throughput_frac) / np.diff(curve.power_frac)
    assert (np.diff(slope) < 0).all()
    assert (slope > 0).all()
    assert curve.throughput_frac[-1] == curve.power_frac[-1] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        curve.power_frac[0] = 0.1


def test_curve_from_measurements_takes_the_envelope():
    curve = CapCurve.from_measurements(
        "test",
        cap_frac=[1.0, 0.6, 0.8, 0.7, 0.9],
        throughput_frac=[1.0, 0.6, 0.9, 0.7, 1.0],
        power_frac=[1.0, 0.6, 0.8, 0.7, 0.9],
    )
    assert curve.power_frac.tolist() == [0.6, 0.8, 0.9]  # 0.7 is below the envelope, 1.0 gains nothing over 0.9
    with pytest.raises(InvalidInputError, match=r"throughput_frac\[1\]: of cap curve 'dent' is not concave"):
        CapCurve("dent", np.array([0.6, 0.8, 1.0]), np.array([0.6, 0.7, 1.0]), np.array([0.6, 0.8, 1.0]))


@pytest.mark.parametrize(
    ("gpu", "rated_w"),
    [("v100", 250.0), ("a40", 300.0), ("rtx6000", 260.0)],
)
def test_training_curves_are_the_mean_over_batch_sizes(shared_rows, gpu, rated_w):
    rows = [
        row
        for row in shared_rows(f"data/gpu_power_limit/summary_power_{gpu}.csv")
        if (row["dataset"], row["network"]) == ("squad", "bert_base_uncased")
    ]
    full = {row["batch_size"]: row for row in rows if float(row["power_limit"]) == rated_w}
    assert len(full) >= 6
    curve = CAP_CURVES[f"{gpu}-training"]
    for cap, throughput, power in zip(curve.cap_frac, curve.throughput_frac, curve.power_frac, strict=True):
        at_cap = [row for row in rows if abs(float(row["power_limit"]) - cap * rated_w) < 0.5]
        assert len(at_cap) == len(full)
        for column, expected, sign in (("time_per_epoch", throughput, -1), ("average_power", power, 1)):
            relative = [(float(row[column]) / float(full[row["batch_size"]][column])) ** sign for row in at_cap]
            assert np.mean(relative) == pytest.approx(expected, abs=1e-4)


def test_the_a40_curve_leaves_out_the_cap_that_was_not_honoured(shared_rows):
    drawn = [
        float(row["average_power"])
        for row in shared_rows("data/gpu_power_limit/summary_power_a40.csv")
        if row["dataset"] == "squad" and float(row["power_limit"]) == 100.0
    ]
    assert np.mean(drawn) > 1.05 * 100.0
    curve = CAP_CURVES["a40-training"]
    assert curve.floor_cap_frac == pytest.approx(125 / 300)
    with pytest.raises(InvalidInputError, match=r"cap_frac: is 0\.33.*a cap under the floor is not honoured"):
        curve.at(100 / 300)


def test_the_inference_curve_is_the_mean_of_four_measured_loads(shared_rows):
    rows = [row for row in shared_rows("reference/gpu_power_cap_points.csv") if row["gpu"] == "RTX PRO 6000 Blackwell"]
    full_w = {row["workload"]: float(row["avg_power_W"]) for row in rows if float(row["cap_W"]) == 600.0}
    assert len(full_w) == 4

    def mean(cap, value):
        return np.mean([value(row) for row in rows if abs(float(row["cap_W"]) - 600.0 * cap) < 0.5])

    curve = CAP_CURVES["rtx-pro-6000-inference"]
    best = max(mean(float(row["cap_W"]) / 600.0, lambda r: float(r["rel_throughput"])) for row in rows)
    for cap, throughput, power in zip(curve.cap_frac, curve.throughput_frac, curve.power_frac, strict=True):
        assert mean(cap, lambda r: float(r["rel_throughput"])) / best == pytest.approx(throughput, abs=2e-4)
        drawn = mean(cap, lambda r: float(r["avg_power_W"]) / full_w[r["workload"]])
        assert drawn == pytest.approx(power, abs=2e-4)
    assert curve.at(0.65).throughput_frac > 0.96
    assert curve.at(0.5).throughput_frac < 0.85


def test_the_training_curves_are_a_bracket():
    """Older GPUs keep more than the A100 under the same cap, down to 60 % (published: 0.81, 0.77, 0.78 near 0.58)."""
    caps = np.linspace(0.6, 0.99, 40)
    pessimistic = CAP_CURVES["a100-training"].at(caps).throughput_frac
    for name in ("v100-training", "a40-training", "rtx6000-training"):
        assert (CAP_CURVES[name].at(caps).throughput_frac > pessimistic).all()


@pytest.mark.parametrize("name", sorted(CAP_CURVES))
def test_a_curve_between_its_points(name):
    curve = CAP_CURVES[name]
    at_points = curve.at(curve.cap_frac)
    np.testing.assert_array_equal(at_points.throughput_frac, curve.throughput_frac)
    np.testing.assert_array_equal(at_points.power_frac, curve.power_frac)
    top = curve.at(1.0)
    assert top.throughput_frac == curve.throughput_frac[-1] == 1.0
    if curve.cap_frac.size > 1:
        middle = curve.at(curve.cap_frac[:2].mean())
        assert middle.power_frac == pytest.approx(curve.power_frac[:2].mean())
        assert middle.throughput_frac == pytest.approx(curve.throughput_frac[:2].mean())


@pytest.mark.parametrize("name", sorted(CAP_CURVES))
def test_efficient_points_are_those_best_at_some_price(name):
    curve = CAP_CURVES[name]
    kept = {
        int(np.argmax(curve.throughput_frac - price * curve.power_frac))
        for price in np.linspace(-1.0, 3.0, 20_001)
        if (curve.throughput_frac - price * curve.power_frac).max() > 0.0
    }
    cap, throughput, power = curve.efficient_points()
    assert cap.tolist() == curve.cap_frac[sorted(kept)].tolist()
    assert throughput.tolist() == curve.throughput_frac[sorted(kept)].tolist()
    assert power.tolist() == curve.power_frac[sorted(kept)].tolist()


def test_noise_above_the_draw_of_a_gpu_does_not_swap_caps():
    curve = CapCurve.from_measurements(
        "noisy", cap_frac=[0.5, 0.8, 1.0], throughput_frac=[0.7, 1.0, 0.999], power_frac=[0.5, 0.95, 0.94]
    )
    assert curve.cap_frac.tolist() == [0.5, 0.8]
    with pytest.raises(InvalidInputError, match=r"cap_frac\[2\]: of cap curve 'swapped' is 0.8, not above"):
        CapCurve("swapped", np.array([0.5, 1.0, 0.8]), np.array([0.7, 0.99, 1.0]), np.array([0.5, 0.94, 0.96]))
