"""Decisions in scenarios that they were not chosen for."""

from __future__ import annotations

import dataclasses

import pytest
from support import asic, fleet, portfolio

from optimizer.app.planning import plan
from optimizer.audit import recalculate
from optimizer.curves.futures import Futures
from optimizer.domain import SolveOptions
from optimizer.io import load_portfolio

UNCERTAIN = {"uncertainty": [{"factor": "btc_price", "volatility_per_year_frac": 0.6}]}


def case(market=UNCERTAIN, machines=1000, **risk):
    return portfolio(
        months=4,
        asic_models=[asic()],
        fleets=[fleet(machines)],
        market=market,
        risk={"scenario_count": 100, "seed": 7, **risk},
    )


def test_every_plan_tells_what_the_audit_finds_under_another_seed():
    tiny = load_portfolio("tiny")
    answer = plan(tiny, SolveOptions(gap_frac=0.01))
    again = tiny.model_copy(update={"risk": tiny.risk.model_copy(update={"seed": tiny.risk.seed + 1})})
    found = recalculate(again, Futures.of(again), answer.decisions)
    assert answer.out_of_sample.scenario_count == answer.distribution.scenario_count
    assert answer.out_of_sample.mean_usd == pytest.approx(found.npv_usd, rel=1e-9)
    assert answer.out_of_sample.mean_usd != pytest.approx(answer.distribution.mean_usd, rel=1e-6)


def test_the_seed_after_the_last_is_the_first():
    one = plan(case(seed=2**63 - 1))
    other = plan(case(seed=0))
    assert one.out_of_sample.mean_usd == pytest.approx(other.distribution.mean_usd, rel=1e-9)


def test_where_nothing_is_drawn_there_is_nothing_fresh():
    assert plan(case(market={})).out_of_sample is None


def test_hashprice_goes_on_answering_to_the_plan():
    answering = case(market={**UNCERTAIN, "own_hashrate_feedback": True}, machines=500_000)  # halls for 10,000
    answer = plan(answering)
    assert answer.own_hashrate.months[0].hashprice_multiplier > 1.05
    again = answering.model_copy(update={"risk": answering.risk.model_copy(update={"seed": 8})})
    own = [row.hashrate_eh_s for row in answer.own_hashrate.months]
    found = recalculate(again, dataclasses.replace(Futures.of(again), own_eh_s=own), answer.decisions)
    assert answer.out_of_sample.mean_usd == pytest.approx(found.npv_usd, rel=5e-3)
