"""Fleets at a site: envelopes, ordered scenarios, shards and threads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from margin_cases import PATHS, S19J_PRO_TH_S, S19J_PRO_W, fleet_and_paths, mining_case

from optimizer.curves import (
    Machine,
    MarketPaths,
    MiningSums,
    PowerShape,
    _margin,
    accumulate_fleet_margin_usd,
    accumulate_scenario_margin_usd,
    envelope,
    fleet_month_values,
    mining_month_values,
    reference,
)
from optimizer.curves.threads import limit_threads
from optimizer.errors import InvalidInputError

FIELDS = ("margin_usd", "revenue_usd", "power_cost_usd", "energy_mwh", "hash_ph_days", "running_hours", "mined_btc")


def test_envelope_of_a_measured_machine():
    """The three lowest steps cost more per hash than 62.1 TH/s at 1,714 W does, and never run."""
    assert envelope(S19J_PRO_TH_S, S19J_PRO_W).tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(
    ("hashrate", "power", "kept"),
    [
        ([100.0], [3000.0], [0]),
        ([50.0, 100.0], [1500.0, 3000.0], [1]),  # collinear
        ([100.0, 50.0, 99.0], [3000.0, 1000.0, 3500.0], [1, 0]),  # any order, dominated
        ([100.0, 90.0], [3000.0, 3000.0], [0]),  # same power
        ([100.0, 100.0], [3000.0, 3000.0], [0]),  # the same twice
        ([40.0, 60.0, 100.0], [2000.0, 2500.0, 3000.0], [2]),
    ],
)
def test_envelope(hashrate, power, kept):
    assert envelope(hashrate, power).tolist() == kept


@given(st.integers(0, 2**32 - 1))
def test_envelope_loses_no_margin(seed):
    rng = np.random.default_rng(seed)
    hashrate, power = rng.integers(1, 12, 6) * 10.0, rng.integers(1, 12, 6) * 300.0
    kept = envelope(hashrate, power)
    assert (np.diff(power[kept]) > 0).all()
    for worth in np.linspace(0.0, 100.0, 41):
        every = np.maximum(hashrate * worth - power, 0.0).max()
        assert np.maximum(hashrate[kept] * worth - power[kept], 0.0).max() == pytest.approx(every)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_ordered_scenarios_give_the_same_values(seed, one_level):
    rng = np.random.default_rng(seed)
    shape, by_month, arguments = mining_case(rng, scenarios=90)
    arguments["btc_usd"] = rng.uniform(2e4, 2e5, (4, 90))
    if one_level:
        arguments["level"] = np.repeat(arguments["level"][:, :1], 90, axis=1)
    else:
        arguments["adder_usd_per_mwh"] = np.zeros(4)
    fleet, paths = fleet_and_paths(shape, arguments, ordered=True)
    (values,) = fleet_month_values(fleet, paths)
    searched = mining_month_values(shape, **arguments)
    for field in FIELDS:
        expected = getattr(searched, field)
        np.testing.assert_allclose(
            getattr(values, field), expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max(), err_msg=field
        )
    twin = reference.mining_month_values(by_month, **arguments)
    np.testing.assert_allclose(values.running_hours, twin.running_hours, rtol=1e-12)
    np.testing.assert_allclose(values.mined_btc, twin.mined_btc, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "swept"),
    [
        ({}, [0, 1, 2, 3]),
        ({"adder_usd_per_mwh": np.array([0.0, 3.0, 0.0, -2.0]), "level": "varies"}, [0, 2]),
        ({"hash_factor": 0.0}, []),
        ({"scenarios": 30}, []),
    ],
)
def test_months_that_are_swept_in_order(monkeypatch, change, swept):
    """The order serves where one level or no adder lets it, and where prices are fewer than scenarios."""
    seen = []
    sweep = _margin.add_ordered
    monkeypatch.setattr(_margin, "add_ordered", lambda *given: seen.extend(given[-3].tolist()) or sweep(*given))
    scenarios = change.get("scenarios", 80)
    shape, _, arguments = mining_case(np.random.default_rng(8), scenarios=scenarios, hours=40)
    shape = PowerShape.from_hourly(np.arange(480.0), np.repeat(np.arange(1, 13), 40))
    if "level" not in change:
        arguments["level"] = np.ones((4, scenarios))
    arguments |= {name: value for name, value in change.items() if name not in ("level", "scenarios")}
    fleet, paths = fleet_and_paths(shape, arguments, ordered=True)
    with limit_threads(1):
        fleet_month_values(fleet, paths)
    assert sorted(set(seen)) == swept


def test_another_level_keeps_the_order_where_it_can():
    shape, _, arguments = mining_case(np.random.default_rng(12), scenarios=90)
    arguments["level"] = np.ones((4, 90))
    fleet, paths = fleet_and_paths(shape, arguments, ordered=True)
    flat = np.repeat([[0.5], [0.9], [1.3], [2.0]], 90, axis=1)
    varied = flat * np.linspace(0.9, 1.1, 90)
    assert paths.at_level(flat).order is paths.order
    assert paths.at_level(varied).order is not paths.order
    for level in (flat, varied):
        (values,) = fleet_month_values(fleet, paths.at_level(level))
        expected = mining_month_values(shape, **(arguments | {"level": level}))
        np.testing.assert_allclose(values.energy_mwh, expected.energy_mwh, rtol=1e-12)
        np.testing.assert_allclose(values.power_cost_usd, expected.power_cost_usd, rtol=1e-11)


def test_a_fleet_is_its_machines():
    rng = np.random.default_rng(21)
    shape, _, arguments = mining_case(rng, scenarios=300, modes=2)
    machines = [Machine([60.0, 100.0], [1500.0, 3000.0], 0.9), Machine([110.0], [3400.0]), Machine([9.0], [80.0])]
    fleet, paths = fleet_and_paths(shape, arguments, machines=machines)
    together = fleet_month_values(fleet, paths)
    weights = [rng.uniform(-1.0, 2.0, (len(machine.power_w), 4)) for machine in machines]
    out, alone = np.zeros(300), np.zeros(300)
    accumulate_fleet_margin_usd(out, fleet, paths, weights=weights)
    for values, machine, weight in zip(together, machines, weights, strict=True):
        own = arguments | machine._asdict()
        for field in FIELDS[:-1]:
            np.testing.assert_array_equal(getattr(values, field), getattr(mining_month_values(shape, **own), field))
        assert values.mined_btc is None
        accumulate_scenario_margin_usd(alone, shape, **own, weight=weight)
    assert np.ptp(out) > 0.0
    np.testing.assert_allclose(out, alone, rtol=1e-12, atol=1e-12 * np.abs(out).max())


def test_shards_are_the_whole():
    rng = np.random.default_rng(31)
    shape, _, arguments = mining_case(rng, scenarios=1100)
    arguments["btc_usd"] = rng.uniform(2e4, 2e5, (4, 1100))
    fleet, paths = fleet_and_paths(shape, arguments)
    (whole,) = fleet_month_values(fleet, paths)
    sums = MiningSums(fleet, with_btc=True)
    for first, last in ((0, 256), (256, 1024), (1024, 1100)):
        sums.add(MarketPaths.of(**{name: arguments[name][:, first:last] for name in PATHS}))
    assert sums.scenario_count == 1100
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(sums.values()[0], field), getattr(whole, field))


@pytest.mark.parametrize("ordered", [False, True])
def test_bits_do_not_depend_on_threads(monkeypatch, ordered):
    monkeypatch.setattr("optimizer.curves.margin._EVALUATIONS_PER_SLICE", 1)
    shape, _, arguments = mining_case(np.random.default_rng(41), months=9, scenarios=800)
    arguments["adder_usd_per_mwh"] = np.zeros(9)
    results = []
    for threads in (1, 2, 5):
        with limit_threads(threads):
            fleet, paths = fleet_and_paths(shape, arguments, ordered=ordered)
            out = np.zeros(800)
            accumulate_fleet_margin_usd(out, fleet, paths, weights=[np.ones((3, 9))])
            results.append((fleet_month_values(fleet, paths)[0], out))
    for values, out in results[1:]:
        np.testing.assert_array_equal(out, results[0][1])
        for field in FIELDS[:-1]:
            np.testing.assert_array_equal(getattr(values, field), getattr(results[0][0], field))


def test_fleet_refuses():
    shape, _, arguments = mining_case(np.random.default_rng(1))
    good = Machine([100.0], [3000.0])
    with pytest.raises(InvalidInputError, match="machines: is empty"):
        fleet_and_paths(shape, arguments, machines=[])
    with pytest.raises(InvalidInputError, match=r"machines\[1\]\.power_w\[0\]: mode of 10 TH/s"):
        fleet_and_paths(shape, arguments, machines=[good, Machine([10.0, 99.0], [2000.0, 3000.0])])
    with pytest.raises(InvalidInputError, match=r"machines\[0\]\.hash_factor: is -1"):
        fleet_and_paths(shape, arguments, machines=[Machine([10.0], [200.0], -1.0), good])
    fleet, paths = fleet_and_paths(shape, arguments, machines=[good, good])
    with pytest.raises(InvalidInputError, match="weights: has 1 entries; pass one for each of 2"):
        accumulate_fleet_margin_usd(np.zeros(7), fleet, paths, weights=[np.ones((1, 4))])
    with pytest.raises(InvalidInputError, match=r"weights\[1\]: has shape \(2, 4\)"):
        accumulate_fleet_margin_usd(np.zeros(7), fleet, paths, weights=[np.ones((1, 4)), np.ones((2, 4))])
    with pytest.raises(InvalidInputError, match="btc_usd: was not given"):
        MiningSums(fleet, with_btc=True).add(paths)
    with pytest.raises(InvalidInputError, match="hold no scenario"):
        MiningSums(fleet).values()
    short = MarketPaths.of(hashprice_usd_per_ph_day=np.ones((3, 7)), level=np.ones((3, 7)))
    with pytest.raises(InvalidInputError, match=r"has shape \(3, 7\); pass shape \(4, 7\)"):
        fleet_month_values(fleet, short)


@pytest.mark.parametrize(("factor", "value"), [(1e-3, "0.04"), (1e3, "40000")])
def test_hashprice_in_another_unit_is_told_by_its_place_and_value(factor, value):
    hashprice = np.full((3, 5), 40.0) * factor
    with pytest.raises(InvalidInputError, match=rf"hashprice_usd_per_ph_day\[0, \d\].*is {value}.*per TH/s"):
        MarketPaths.of(hashprice_usd_per_ph_day=hashprice, level=np.ones((3, 5)))


def test_a_far_tail_and_no_revenue_at_all_are_no_other_unit():
    hashprice = np.full((3, 5), 40.0)
    hashprice[0, 0], hashprice[2] = 4e5, 1e-4
    for paths in (hashprice, np.zeros((3, 5))):
        MarketPaths.of(hashprice_usd_per_ph_day=paths, level=np.ones((3, 5)))
