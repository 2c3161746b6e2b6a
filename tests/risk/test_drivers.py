"""What drives the tail: by hand, against scenarios one by one, and in every plan."""

from __future__ import annotations

import numpy as np
import pytest
from support import EXACT, asic, best, fleet, gpu_option, offer, place, portfolio, site

from optimizer.app import plan
from optimizer.audit import recalculate
from optimizer.curves import futures as futures_module
from optimizer.curves.futures import Futures
from optimizer.domain import Decisions
from optimizer.risk import scenario_npv_usd, tail_drivers, tail_of, tail_shares

UNCERTAIN = {
    "uncertainty": [
        {"factor": "btc_price", "volatility_per_year_frac": 0.8},
        {"factor": "gpu_rental", "volatility_per_year_frac": 0.5},
    ]
}


def varied(count=40, tail=0.17):
    credit = {"default_hazard_per_year_frac": 0.8, "recovery_frac": 0.3}
    return portfolio(
        9,
        sites=[site("A", hall_mw=10.0), site("B", hall_mw=10.0)],
        asic_models=[asic()],
        fleets=[fleet(1500, "A"), fleet(800, "B")],
        offers=[offer("O1", term_months=6, credit=credit, sites=[place("A")])],
        gpu_options=[gpu_option(sites=["B"], maximum_block_count=2, life_months=6)],
        market=UNCERTAIN,
        risk={"scenario_count": count, "tail_probability": tail},
    )


@pytest.fixture(scope="module")
def case():
    stated = varied()
    answer = best(stated)
    assert answer.contracts
    assert answer.decisions.gpu_orders
    return stated, Futures.of(stated), answer


def test_the_shares_of_a_tail_by_hand():
    outcomes = np.array([50.0, 10.0, 40.0, 20.0, 30.0])
    assert tail_shares(outcomes, 0.5) == pytest.approx([0.0, 0.4, 0.0, 0.4, 0.2])
    assert tail_shares(outcomes, 0.1) == pytest.approx([0.0, 1.0, 0.0, 0.0, 0.0])
    assert tail_shares(outcomes, 1.0) == pytest.approx(np.full(5, 0.2))


def test_they_add_up_to_cvar_less_mean(case):
    _, _, answer = case
    spread = answer.distribution
    assert sum(driver.difference_usd for driver in answer.tail_drivers) == pytest.approx(
        spread.cvar_usd - spread.mean_usd, abs=5.0
    )
    assert spread.cvar_usd < spread.mean_usd - 1e5
    told = {driver.told for driver in answer.tail_drivers}
    assert told == {"O1 at A", "G at B", "mining at A", "mining at B"}
    assert list(answer.tail_drivers) == sorted(answer.tail_drivers, key=lambda driver: driver.difference_usd)


def test_a_part_is_what_the_audit_finds_for_it_alone_in_the_tail_and_in_all(case):
    """The contract alone, and the machines of a site alone, in each scenario of the whole plan's tail."""
    stated, futures, answer = case
    npv = scenario_npv_usd(stated, futures, answer.decisions, answer.npv.total_usd)
    share = tail_shares(npv, stated.risk.tail_probability)
    machines = tuple(item for item in answer.decisions.machines if item.site == "A")
    for told, part in (
        ("O1 at A", Decisions(contracts=answer.decisions.contracts)),
        ("mining at A", Decisions(machines=machines)),
    ):
        alone = np.array([recalculate(stated, Futures.of(stated, w, 1), part).npv_usd for w in range(len(npv))])
        found = next(driver.difference_usd for driver in answer.tail_drivers if driver.told == told)
        assert found == pytest.approx((share - 1.0 / len(npv)) @ alone, abs=1.0)


def test_shares_are_of_the_scenarios_of_the_cut(case):
    stated, futures, answer = case
    npv = scenario_npv_usd(stated, futures, answer.decisions, 0.0)
    found = np.zeros(len(npv))
    for part, share in tail_of(futures, npv, stated.risk.tail_probability):
        found[part.chosen] = share / part.scenario_count
    assert tail_shares(npv, stated.risk.tail_probability) == pytest.approx(found)


def test_shards_change_nothing(case, monkeypatch):
    _, _, answer = case
    stated = varied(600)
    futures = Futures.of(stated)
    npv = scenario_npv_usd(stated, futures, answer.decisions, 0.0)
    whole = tail_drivers(stated, futures, answer.decisions, npv)
    monkeypatch.setattr(futures_module, "SHARD_SCENARIOS", 256)
    again = tail_drivers(stated, futures, answer.decisions, npv)
    assert [driver.told for driver in again] == [driver.told for driver in whole]
    for one, other in zip(whole, again, strict=True):
        assert other.difference_usd == pytest.approx(one.difference_usd, abs=1e-2)


def test_the_tail_of_all_scenarios_and_one_future_have_no_drivers():
    assert plan(varied(count=10, tail=1.0), EXACT).tail_drivers == ()
    assert best(portfolio(2, asic_models=[asic()], fleets=[fleet()])).tail_drivers == ()
