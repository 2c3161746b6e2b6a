"""Futures of a portfolio: sources of scenarios put together as it says."""

from __future__ import annotations

import numpy as np
import pytest
import support

from optimizer.curves import NEVER
from optimizer.curves.futures import Futures
from optimizer.curves.market_paths import MarketPaths
from optimizer.domain.uncertainty import Factor
from optimizer.errors import InvalidInputError

COUNT = 600
BTC_VOLATILITY = {"uncertainty": [{"factor": "btc_price", "volatility_per_year_frac": 0.6}]}


def futures(months=24, offers=(), **market):
    return Futures.of(support.portfolio(months, market=market, risk={"scenario_count": COUNT}, offers=list(offers)))


def overlay(**changes):
    return {
        "name": "bust",
        "probability_frac": 0.4,
        "begin_from_month": "2027-03",
        "begin_until_month": "2027-08",
        "effects": [
            {
                "factor": "gpu_rental",
                "points": [{"month_offset": 0, "multiplier": 1.0}, {"month_offset": 4, "multiplier": 0.25}],
            }
        ],
        **changes,
    }


def test_an_overlay_multiplies_what_is_drawn_from_its_month_on():
    plain, laid = futures(**BTC_VOLATILITY), futures(**BTC_VOLATILITY, overlays=[overlay()])
    np.testing.assert_array_equal(laid.multiplier(Factor.BTC_PRICE), plain.multiplier(Factor.BTC_PRICE))
    rental = laid.gpu_rental_multiplier
    came = rental[-1] < 1.0
    assert came.mean() == pytest.approx(0.4, abs=4 * np.sqrt(0.24 / COUNT))
    assert (rental[:, ~came] == 1.0).all()
    begins = (rental < 1.0).argmax(axis=0)[came] - 1  # at its first month it is still 1
    assert set(begins) == {2, 3, 4, 5, 6, 7}
    for scenario, begin in zip(np.flatnonzero(came), begins, strict=True):
        path = rental[begin : begin + 7, scenario]
        assert path == pytest.approx([1.0, 0.25**0.25, 0.5, 0.25**0.75, 0.25, 0.25, 0.25])


def test_an_overlay_takes_tenants_with_it():
    offers = [support.offer(credit={"default_hazard_per_year_frac": 0.2})]
    tenant = offers[0]["tenant"]
    hazard = [{"month_offset": 0, "multiplier": 20.0}, {"month_offset": 6, "multiplier": 1.0}]
    plain = futures(offers=offers)
    bust = futures(offers=offers, overlays=[overlay(default_hazard=hazard)])
    came = bust.gpu_rental_multiplier[-1] < 1.0
    before, after = plain.default_month(tenant), bust.default_month(tenant)
    np.testing.assert_array_equal(before[~came], after[~came])
    assert (after[came] <= before[came]).all()
    in_time = 24
    assert (after[came] < in_time).mean() > (before[came] < in_time).mean() + 0.3
    assert (after != NEVER).all()


def test_a_bootstrap_has_the_changes_of_history_and_a_mean_of_one():
    history = np.exp(np.cumsum(np.tile([0.2, -0.1, 0.05, -0.15, 0.1], 8)))
    drawn = futures(
        bootstrap={"history": [{"factor": "btc_price", "values": history.tolist()}], "mean_block_months": 1.0}
    )
    btc = drawn.multiplier(Factor.BTC_PRICE)
    changes = np.diff(np.log(btc), axis=0)
    assert len(np.unique(changes.round(9))) == 5
    assert btc[-1].mean() == pytest.approx(1.0, abs=5 * btc[-1].std() / np.sqrt(COUNT))
    assert (drawn.multiplier(Factor.NETWORK_HASHRATE) == 1.0).all()


@pytest.mark.parametrize("unit", ["multiplier", "level"])
def test_a_table_is_taken_as_it_is(unit):
    scale = support.BTC_USD if unit == "level" else 1.0
    table = [[0.5, 0.4], [1.0, 1.5], [2.0, 3.0]]
    stated = futures(
        scenario_table={
            "unit": unit,
            "paths": [{"factor": "btc_price", "scenarios": [{"values": [scale * x for x in row]} for row in table]}],
        },
        btc_usd={"value": support.BTC_USD, "growth_per_year_frac": 0.1} if unit == "multiplier" else support.BTC_USD,
    )
    btc = stated.multiplier(Factor.BTC_PRICE)
    for scenario in (0, 1, 2, 3, 599):
        assert btc[:3, scenario] == pytest.approx([*table[scenario % 3], table[scenario % 3][1]])
    assert btc[-1, 5] == pytest.approx(3.0)


def test_all_sources_at_once_are_the_same_in_shards(monkeypatch):
    from optimizer.curves import futures as module

    everything = {
        **BTC_VOLATILITY,
        "bootstrap": {"history": [{"factor": "network_hashrate", "values": [100.0 + m % 7 for m in range(30)]}]},
        "scenario_table": {"paths": [{"factor": "power_price", "scenarios": [{"values": [1.0, 1.1]}] * 4}]},
        "overlays": [overlay(), overlay(name="again", begin_until_month="2028-01")],
        "difficulty": "retarget",
    }
    whole = futures(**everything)
    monkeypatch.setattr(module, "SHARD_SCENARIOS", 256)
    shards = list(whole.shards())
    assert len(shards) == 3
    np.testing.assert_array_equal(np.concatenate([shard.multipliers for shard in shards], axis=2), whole.multipliers)
    np.testing.assert_array_equal(
        np.concatenate([shard.hashprice_usd_per_ph_day for shard in shards], axis=1), whole.hashprice_usd_per_ph_day
    )


def test_some_of_the_scenarios_are_what_they_are_among_all(monkeypatch):
    from optimizer.curves import futures as module

    credit = {"default_hazard_per_year_frac": 0.5}
    outcomes = [{"probability_frac": 0.5, "delay_months": 3}]
    market = {
        **BTC_VOLATILITY,
        "bootstrap": {"history": [{"factor": "network_hashrate", "values": [100.0 + m % 7 for m in range(30)]}]},
        "scenario_table": {"paths": [{"factor": "power_price", "scenarios": [{"values": [1.0, 1.1]}] * 4}]},
        "overlays": [overlay(default_hazard=[{"month_offset": 0, "multiplier": 1.5}])],
    }
    stated = support.portfolio(
        24,
        sites=[support.site(construction_outcomes=outcomes)],
        offers=[support.offer(tenant="T", credit=credit)],
        market=market,
        risk={"scenario_count": COUNT},
    )
    whole, chosen = Futures.of(stated), np.array([1, 5, 255, 256, 300, 599])
    monkeypatch.setattr(module, "SHARD_SCENARIOS", 256)
    some = whole.only(chosen)
    parts_of_many = list(whole.only(np.arange(1, 600)).shards())
    assert [part.scenario_count for part in parts_of_many] == [256, 256, 87]
    np.testing.assert_array_equal(parts_of_many[1].multipliers, whole.multipliers[..., 257:513])
    for parts in ([some], [whole.only(chosen[:4]), whole.only(chosen[4:])]):
        for name in ("multipliers", "hashprice_usd_per_ph_day", "re_lease_rent_usd_per_kw_month"):
            joined = np.concatenate([getattr(part, name) for part in parts], axis=-1)
            np.testing.assert_array_equal(joined, getattr(whole, name)[..., chosen])
        for ask in (lambda item: item.default_month("T"), lambda item: item.construction_outcome("A")):
            np.testing.assert_array_equal(np.concatenate([ask(part) for part in parts]), ask(whole)[chosen])
    assert len(set(whole.construction_outcome("A")[chosen])) == 2


def test_a_steady_network_earns_the_same_with_and_without_retargets():
    steady, retargeted = futures(), futures(difficulty="retarget")
    np.testing.assert_allclose(retargeted.hashprice_usd_per_ph_day, steady.hashprice_usd_per_ph_day, rtol=1e-9)


def test_a_growing_network_halves_earlier_and_pays_more_until_its_difficulty_follows():
    growing = {"network_eh_s": {"value": 1000.0, "growth_per_year_frac": 1.0}, "block_height_at_start": 982_000}
    at_once, retargeted = futures(**growing), futures(**growing, difficulty="retarget")
    before, after = at_once.hashprice_usd_per_ph_day[:, 0], retargeted.hashprice_usd_per_ph_day[:, 0]
    halving = [int((path[1:] / path[:-1] < 0.7).argmax()) for path in (before, after)]
    assert halving[1] < halving[0]
    assert (after[1 : halving[1]] > before[1 : halving[1]]).all()


def test_the_lagged_answer_to_price_is_in_both_rules():
    lagged = {**BTC_VOLATILITY, "network_price_elasticity": 0.5, "network_lag_months": 3}
    one, other = futures(**lagged), futures(**lagged, difficulty="retarget")
    ratio = other.hashprice_usd_per_ph_day / one.hashprice_usd_per_ph_day
    assert np.median(ratio) == pytest.approx(1.0, abs=0.02)
    assert ratio.min() > 0.6
    assert ratio.max() < 1.6


def test_a_stated_level_is_held_while_the_base_path_goes_on():
    paths = [{"factor": "btc_price", "scenarios": [{"values": [1e5, 1.1e5]}]}]
    stated = futures(
        months=24,
        btc_usd={"value": 9e4, "growth_per_year_frac": 0.2},
        scenario_table={"unit": "level", "paths": paths},
    )
    assert stated.btc_usd[:, 7] == pytest.approx([1e5] + [1.1e5] * 23)


def test_a_stated_network_does_not_answer_to_the_price_once_more():
    btc = {"factor": "btc_price", "scenarios": [{"values": [2 * support.BTC_USD]}]}
    hashrate = {"factor": "network_hashrate", "scenarios": [{"values": [1000.0]}]}
    lag = {"network_lag_months": 0, "network_price_elasticity": 0.5}
    both = futures(**lag, scenario_table={"unit": "level", "paths": [btc, hashrate]})
    price_alone = futures(**lag, scenario_table={"unit": "level", "paths": [btc]})
    assert both.network_eh_s == pytest.approx(1000.0)
    assert price_alone.network_eh_s == pytest.approx(1000.0 * 2**0.5)
    assert both.hashprice_usd_per_ph_day == pytest.approx(2 * support.HASHPRICE_USD_PER_PH_DAY)


@pytest.mark.parametrize(
    ("market", "path"),
    [
        ({"overlays": [overlay(effects=[], preset="ai-bust")]}, r"market.overlays\[bust\].effects"),
        (
            {"bootstrap": {"file": {"path": "h.csv", "columns": [{"factor": "btc_price", "column": "x"}]}}},
            "market.bootstrap.history",
        ),
        (
            {"scenario_table": {"file": {"path": "t.csv", "columns": [{"factor": "btc_price", "column": "x"}]}}},
            "market.scenario_table.paths",
        ),
    ],
)
def test_what_has_not_been_read_is_told_and_not_left_out(market, path):
    with pytest.raises(InvalidInputError, match=f"{path}.*load_portfolio"):
        futures(**market).multipliers  # noqa: B018


def test_wild_volatility_is_planned_with():
    wild = futures(
        months=120,
        uncertainty=[{"factor": factor, "volatility_per_year_frac": 3.0} for factor in ("btc_price", "power_price")],
    )
    assert np.isfinite(wild.hashprice_usd_per_ph_day).all()
    MarketPaths.of(hashprice_usd_per_ph_day=wild.hashprice_usd_per_ph_day, level=wild.market_power_level[:120])
