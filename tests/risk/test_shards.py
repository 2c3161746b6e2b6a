"""Scenarios evaluated in shards give what all of them together give."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import support

from optimizer.app.planning import plan
from optimizer.audit import recalculate
from optimizer.curves import futures
from optimizer.curves.futures import Futures
from optimizer.domain import ConstructionOutcome, GpuOption, SolveOptions
from optimizer.io import load_portfolio
from optimizer.model.expectations import Expectations
from optimizer.risk import scenario_npv_usd


@pytest.fixture(scope="module")
def tiny():
    """The example, with own GPUs and a site at which building can be late."""
    example, gpus = load_portfolio("tiny"), support.gpu_option(sites=["Pecos"], order_until_month="2027-06")
    late = (ConstructionOutcome(probability_frac=0.4, delay_months=3, capex_overrun_frac=0.2),)
    sites = tuple(site.model_copy(update={"construction_outcomes": late}) for site in example.sites)
    return example.model_copy(update={"gpu_options": (GpuOption.model_validate(gpus),), "sites": sites})


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(futures, "SHARD_SCENARIOS", 256)


def flat(expected):
    """Every array of the expectations, by where it is."""
    found = {}
    for kind in ("mining", "gpus", "fates"):
        for key, values in getattr(expected, kind).items():
            found |= {(kind, key, name): array for name, array in dataclasses.asdict(values).items()}
    for key, cases in expected.build_cases.items():
        for position, case in enumerate(cases):
            found |= {("build", key, position, name): value for name, value in dataclasses.asdict(case).items()}
    return found | {("power", key): array for key, array in expected.power_usd_per_mwh.items()}


def test_shards_are_the_scenarios_in_order(tiny, small_shards):
    whole = Futures.of(tiny, 5, 700)
    shards = list(whole.shards())
    assert [(shard.first_scenario, shard.scenario_count) for shard in shards] == [(5, 256), (261, 256), (517, 188)]
    hashprice = np.concatenate([shard.hashprice_usd_per_ph_day for shard in shards], axis=1)
    np.testing.assert_array_equal(hashprice, whole.hashprice_usd_per_ph_day)
    assert shards[0].shape(tiny.sites[0].name) is shards[1].shape(tiny.sites[0].name)


def test_expectations_in_shards_are_those_of_the_whole(tiny, monkeypatch):
    whole = flat(Expectations.of(tiny, Futures.of(tiny, 0, 700)))
    monkeypatch.setattr(futures, "SHARD_SCENARIOS", 256)
    parts = flat(Expectations.of(tiny, Futures.of(tiny, 0, 700)))
    assert whole.keys() == parts.keys()
    assert {key[0] for key in whole} == {"mining", "gpus", "fates", "power", "build"}
    for key, array in whole.items():
        if array is None:
            assert parts[key] is None
        else:
            np.testing.assert_allclose(parts[key], array, rtol=1e-12, atol=1e-9, err_msg=str(key))


def test_audit_and_outcomes_in_shards_are_those_of_the_whole(tiny, monkeypatch):
    decisions = plan(tiny, SolveOptions(gap_frac=0.01)).decisions
    whole = Futures.of(tiny, 0, 700)
    found = recalculate(tiny, whole, decisions)
    npv = scenario_npv_usd(tiny, whole, decisions, found.objective_usd)
    monkeypatch.setattr(futures, "SHARD_SCENARIOS", 256)
    parts = recalculate(tiny, Futures.of(tiny, 0, 700), decisions)
    assert parts.objective_usd == pytest.approx(found.objective_usd, rel=1e-12)
    assert [row.mined_btc for row in parts.mining] == pytest.approx([row.mined_btc for row in found.mining], rel=1e-12)
    np.testing.assert_allclose(
        scenario_npv_usd(tiny, Futures.of(tiny, 0, 700), decisions, found.objective_usd), npv, rtol=1e-12
    )
