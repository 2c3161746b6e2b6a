"""GPU throughput, goodput and block values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves import (
    CAP_CURVES,
    CAP_FLOOR_FRAC,
    CapCurve,
    _throughput,
    accumulate_scenario_gpu_usd,
    cap_throughput_frac,
    checkpoint_interval_s,
    goodput_frac,
    gpu_block_values,
    reference,
)
from optimizer.errors import InvalidInputError


def gpu_case(rng, months=4, scenarios=7):
    return {
        "gpu_count": int(rng.integers(1, 5000)),
        "power_kw_per_gpu": rng.uniform(0.5, 2.5),
        "rental_usd_per_gpu_hour": rng.choice([0.0, 0.05, 1.0], (months, scenarios))
        * rng.uniform(0, 3, (months, scenarios)),
        "utilisation_frac": rng.uniform(0.3, 1.0),
        "goodput_frac": rng.uniform(0.7, 1.0),
        "pue": rng.uniform(1.0, 1.5, months),
        "power_usd_per_mwh": rng.normal(60.0, 60.0, (months, scenarios)),
        "hours_in_month": rng.choice([672.0, 720.0, 744.0], months),
        "cap_curve": CAP_CURVES[str(rng.choice(sorted(CAP_CURVES)))],
    }


def test_compiled_module_is_loaded():
    assert _throughput.__file__.endswith((".so", ".pyd"))


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


@given(st.integers(0, 2**32 - 1))
def test_gpu_block_values_equal_twin(seed):
    arguments = gpu_case(np.random.default_rng(seed))
    values, twin = gpu_block_values(**arguments), reference.gpu_block_values(**arguments)
    for field in ("margin_usd", "revenue_usd", "power_cost_usd", "energy_mwh"):
        expected = getattr(twin, field)
        top = np.abs(expected).max() + np.abs(twin.revenue_usd).max()
        np.testing.assert_allclose(getattr(values, field), expected, rtol=1e-12, atol=1e-13 * top)


@given(st.integers(0, 2**32 - 1))
def test_accumulated_gpu_margin_equals_twin(seed):
    rng = np.random.default_rng(seed)
    arguments, weight, out = gpu_case(rng), rng.choice([0.0, 1.0, -2.5], 4), rng.normal(0.0, 1e4, 7)
    expected = out.copy()
    accumulate_scenario_gpu_usd(out, **arguments, weight=weight)
    reference.accumulate_scenario_gpu_usd(expected, **arguments, weight=weight)
    np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-11 * (1 + np.abs(expected).max()))


def test_a_scenario_does_not_know_its_batch():
    arguments = gpu_case(np.random.default_rng(8), scenarios=600)
    weight = np.arange(4.0)

    def run(a, b):
        part = {name: arguments[name][:, a:b] for name in ("rental_usd_per_gpu_hour", "power_usd_per_mwh")}
        out = np.zeros(b - a)
        accumulate_scenario_gpu_usd(out, **(arguments | part), weight=weight)
        return out

    whole = run(0, 600)
    assert np.ptp(whole) > 0.0
    np.testing.assert_array_equal(np.concatenate([run(0, 1), run(1, 400), run(400, 600)]), whole)


def test_dear_power_lowers_the_cap_then_stops_the_block():
    arguments = gpu_case(np.random.default_rng(2), months=1, scenarios=1) | {
        "gpu_count": 1000,
        "power_kw_per_gpu": 1.0,
        "pue": [1.0],
        "hours_in_month": [720.0],
        "rental_usd_per_gpu_hour": [[1.0]],
        "utilisation_frac": 1.0,
        "goodput_frac": 1.0,
        "cap_curve": CAP_CURVES["a100-training"],
    }
    energy = [
        gpu_block_values(**(arguments | {"power_usd_per_mwh": [[price]]})).energy_mwh[0]
        for price in (-50.0, 40.0, 500.0, 1040.0, 2000.0)
    ]
    assert energy[0] == energy[1] == pytest.approx(720.0)
    assert energy[1] > energy[2] > energy[3] > energy[4] == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pue": np.ones(3)}, r"pue: has shape \(3,\)"),
        ({"utilisation_frac": 85.0}, "utilisation_frac: is 85.0; pass values between 0 and 1 as a fraction"),
        ({"gpu_count": 0}, "gpu_count: is 0"),
        ({"power_usd_per_mwh": np.full((4, 7), np.inf)}, r"power_usd_per_mwh\[0, 0\]: is not finite"),
    ],
)
def test_gpu_values_refuse(change, message):
    with pytest.raises(InvalidInputError, match=message):
        gpu_block_values(**(gpu_case(np.random.default_rng(1)) | change))
