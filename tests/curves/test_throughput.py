"""Values of GPU blocks at the best power cap."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves import (
    CAP_CURVES,
    SHARD_SCENARIOS,
    CapCurve,
    GpuBlockSums,
    _throughput,
    accumulate_scenario_gpu_usd,
    cap_breakevens_usd_per_mwh,
    gpu_block_values,
    reference,
    scenario_gpu_billing_usd,
    throughput,
)
from optimizer.curves.threads import limit_threads
from optimizer.errors import InvalidInputError

PATHS = ("rental_usd_per_gpu_hour", "power_usd_per_mwh")


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


@given(st.integers(0, 2**32 - 1))
def test_gpu_block_values_equal_twin(seed):
    arguments = gpu_case(np.random.default_rng(seed))
    values, twin = gpu_block_values(**arguments), reference.gpu_block_values(**arguments)
    for field in fields(values):
        expected = getattr(twin, field.name)
        top = np.abs(expected).max() + np.abs(twin.revenue_usd).max() * field.name.endswith("_usd")
        np.testing.assert_allclose(getattr(values, field.name), expected, rtol=1e-12, atol=1e-13 * top)


@given(st.integers(0, 2**32 - 1))
def test_accumulated_gpu_margin_equals_twin(seed):
    rng = np.random.default_rng(seed)
    arguments, weight, out = gpu_case(rng), rng.choice([0.0, 1.0, -2.5], 4), rng.normal(0.0, 1e4, 7)
    expected = out.copy()
    accumulate_scenario_gpu_usd(out, **arguments, weight=weight)
    reference.accumulate_scenario_gpu_usd(expected, **arguments, weight=weight)
    np.testing.assert_allclose(out, expected, rtol=1e-11, atol=1e-11 * (1 + np.abs(expected).max()))


@given(st.integers(0, 2**32 - 1))
def test_the_mean_of_what_scenarios_bill_is_the_revenue_of_the_twin(seed):
    arguments = gpu_case(np.random.default_rng(seed))
    billed, revenue = scenario_gpu_billing_usd(**arguments), reference.gpu_block_values(**arguments).revenue_usd
    np.testing.assert_allclose(billed.mean(axis=1), revenue, rtol=1e-12, atol=1e-13 * revenue.max())


def test_a_scenario_does_not_know_its_batch():
    arguments = gpu_case(np.random.default_rng(8), scenarios=600)
    weight = np.arange(4.0)

    def run(a, b):
        part = {name: arguments[name][:, a:b] for name in PATHS}
        out = np.zeros(b - a)
        accumulate_scenario_gpu_usd(out, **(arguments | part), weight=weight)
        return out

    whole = run(0, 600)
    assert np.ptp(whole) > 0.0
    np.testing.assert_array_equal(np.concatenate([run(0, 1), run(1, 400), run(400, 600)]), whole)


def all_bits(values):
    return [getattr(values, field.name).tobytes() for field in fields(values)]


@pytest.mark.parametrize("scenarios", [1, 7, 256, 1000, 1024])
def test_any_number_of_threads_gives_the_same_bits(scenarios, monkeypatch):
    monkeypatch.setattr(throughput, "_THREAD_EVALUATIONS", 600)  # many slices of a small case
    arguments = gpu_case(np.random.default_rng(scenarios), months=9, scenarios=scenarios)
    bits, margins = [], []
    for threads in (1, 2, 5):
        with limit_threads(threads):
            bits.append(all_bits(gpu_block_values(**arguments)))
            out = np.zeros(scenarios)
            accumulate_scenario_gpu_usd(out, **arguments, weight=np.linspace(0.0, 1.0, 9))
            margins.append(out.tobytes())
    assert bits[0] == bits[1] == bits[2]
    assert margins[0] == margins[1] == margins[2]
    assert out.any()


@pytest.mark.parametrize("cuts", [(), (256,), (256, 512, 768), (512, 1024), (1280,)])
def test_shards_of_scenarios_give_the_same_bits(cuts):
    arguments = gpu_case(np.random.default_rng(11), scenarios=1300)
    paths = [arguments.pop(name) for name in PATHS]
    sums = GpuBlockSums(**arguments)
    for first, last in zip((0, *cuts), (*cuts, 1300), strict=True):
        sums.add(**{name: path[:, first:last] for name, path in zip(PATHS, paths, strict=True)})
    assert all_bits(sums.values()) == all_bits(gpu_block_values(**arguments, **dict(zip(PATHS, paths, strict=True))))


def test_shards_are_refused():
    arguments = gpu_case(np.random.default_rng(12), scenarios=SHARD_SCENARIOS + 44)
    shard = {name: arguments.pop(name) for name in PATHS}
    sums = GpuBlockSums(**arguments)
    with pytest.raises(InvalidInputError, match="scenarios: none were added"):
        sums.values()
    with pytest.raises(
        InvalidInputError, match=r"rental_usd_per_gpu_hour: has shape \(3, 300\); pass shape \(4, 300\)"
    ):
        sums.add(**{name: path[:3] for name, path in shard.items()})
    sums.add(**shard)
    with pytest.raises(InvalidInputError, match="a shard that left 300 scenarios in all; pass multiples of 256"):
        sums.add(**shard)


@given(st.integers(0, 2**32 - 1))
def test_the_best_cap_is_never_worse_than_a_fixed_one(seed):
    arguments = gpu_case(np.random.default_rng(seed))
    curve, margin = arguments["cap_curve"], gpu_block_values(**arguments).margin_usd
    for cap, throughput_frac, power_frac in zip(curve.cap_frac, curve.throughput_frac, curve.power_frac, strict=True):
        fixed = CapCurve("fixed", [cap], [throughput_frac], [power_frac])
        fixed_margin = gpu_block_values(**(arguments | {"cap_curve": fixed})).margin_usd
        assert (margin >= fixed_margin - 1e-12 * np.abs(fixed_margin).max() - 1e-6).all()


@pytest.mark.parametrize("name", sorted(CAP_CURVES))
def test_the_cap_changes_at_its_break_evens(name):
    terms = {"power_kw_per_gpu": 1.3, "utilisation_frac": 0.8, "goodput_frac": 0.95}
    caps = cap_breakevens_usd_per_mwh(CAP_CURVES[name], rental_usd_per_gpu_hour=[2.35, 4.7], pue=1.2, **terms)
    assert caps.power_usd_per_mwh.shape == (caps.cap_frac.size, 2)
    np.testing.assert_allclose(caps.power_usd_per_mwh[:, 1], 2.0 * caps.power_usd_per_mwh[:, 0])
    assert (np.diff(caps.power_usd_per_mwh, axis=0) < 0.0).all()
    assert (np.diff(caps.cap_frac) > 0.0).all()

    def chosen(price):
        values = gpu_block_values(
            gpu_count=8, rental_usd_per_gpu_hour=[[2.35]], pue=[1.2], power_usd_per_mwh=[[price]],
            hours_in_month=[730.0], cap_curve=CAP_CURVES[name], **terms,
        )  # fmt: skip
        assert values.off_frac[0] == (values.mean_cap_frac[0] == 0.0)
        return values.mean_cap_frac[0]

    before = 0.0
    for cap, price in zip(caps.cap_frac, caps.power_usd_per_mwh[:, 0], strict=True):
        assert chosen(price * (1 + 1e-9)) == before
        assert chosen(price * (1 - 1e-9)) == cap
        before = cap
    assert chosen(-100.0) == before


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
