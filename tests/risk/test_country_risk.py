"""Sites of a country that are shut for months: when, what is lost by hand, in every scenario, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from support import (
    asic,
    best,
    close,
    fleet,
    gpu_option,
    hours,
    place,
    portfolio,
    problem_of,
    scalable,
    site,
    worth,
)

from optimizer.app import save_scenarios
from optimizer.audit import recalculate
from optimizer.curves import futures as futures_module
from optimizer.curves.futures import Futures
from optimizer.curves.information import Known, MarketPath
from optimizer.curves.mean_market import mean_portfolio
from optimizer.domain import Decisions
from optimizer.errors import InvalidInputError
from optimizer.risk import scenario_npv_usd

PARAGUAY = {"country": "PY", "hazard_per_year_frac": 0.5, "shut_months": 3}
COUNT = 20_000


def stated(risk=PARAGUAY, months=12, count=200, market=None, **parts):
    """A site abroad and what is at it."""
    return portfolio(
        months,
        sites=[site("A"), site("P", country="PY", region="PY")],
        market={"country_risks": [risk] if risk else [], **(market or {})},
        risk={"scenario_count": count, "tail_probability": 0.1},
        **parts,
    )


def test_spells_are_as_long_as_stated_and_begin_with_the_hazard():
    futures = Futures.of(stated(months=40, count=COUNT))
    is_open = futures.open_frac("P")
    assert futures.open_frac("A") is None
    monthly = 1.0 - 0.5 ** (1.0 / 12.0)
    # Month by month: open, or in the first, second or third month of a spell.
    state = np.array([1.0, 0.0, 0.0, 0.0])
    for month in range(40):
        waits = state[0] + state[3]
        state = np.array([waits * (1.0 - monthly), waits * monthly, state[1], state[2]])
        error = 4.0 * np.sqrt(state[0] * (1.0 - state[0]) / COUNT)
        assert is_open[month].mean() == pytest.approx(state[0], abs=error)
    whole = np.vstack([np.ones(COUNT), is_open[:40], np.ones(COUNT)])
    for path in whole.T[:500]:
        begins, ends = np.flatnonzero(np.diff(path) < 0), np.flatnonzero(np.diff(path) > 0)
        assert all(length % 3 == 0 for length in (ends - begins)[ends < 40])


def test_a_month_that_is_shut_earns_nothing_from_machines():
    certain = {"country": "PY", "hazard_per_year_frac": 0.9, "shut_months": 60}
    case = stated(
        certain, count=4000, asic_models=[asic()], fleets=[fleet(1000, "P")], market={"network_price_elasticity": 0.0}
    )
    is_open = Futures.of(case).open_frac("P")[:12].mean(axis=1)
    earned = [row.mining_margin_usd for row in best(case).cash_flow]
    assert earned == pytest.approx([200.0 * hours(month) * is_open[month] for month in range(12)])
    assert is_open[-1] == pytest.approx(0.1, abs=0.02)
    assert close(worth(case), sum(earned))


def contracts(**changes):
    credit = {"default_hazard_per_year_frac": 0.4, "recovery_frac": 0.3, "vacancy_months": 2}
    terms = {
        "credit": credit | {"backstop_share_frac": 0.5, "backstopper": "G", "backstop_hazard_per_year_frac": 0.3},
        "power_payer": "landlord",
        "noi_margin_frac": 0.9,
        "price_usd_per_kw_month": 150.0,
        "sites": [place("P", re_lease={"vacancy_months": 1, "refit_usd_per_critical_mw": 0.0, "term_months": 8})],
        **changes,
    }
    rents = {"rent_index": {"factor": "gpu_rental"}}
    return [scalable("O1", most=8.0, term_months=4, **terms), scalable("O2", most=6.0, term_months=9, **terms | rents)]


def rich(risks=(PARAGUAY,), carbon=None):
    """Machines, blocks that are refreshed and share a site, and contracts with all that rents can meet."""
    uncertainty = [
        {"factor": "gpu_rental", "volatility_per_year_frac": 0.6},
        {"factor": "btc_price", "volatility_per_year_frac": 0.6},
        {"factor": "re_lease_rent", "volatility_per_year_frac": 0.4},
    ]
    late = [{"probability_frac": 0.3, "delay_months": 1}]
    return portfolio(
        14,
        sites=[
            site("A", hall_mw=10.0),
            site("P", country="PY", region="PY", construction_outcomes=late, carbon_t_per_mwh=0.3),
        ],
        market={"country_risks": list(risks), "uncertainty": uncertainty},
        policy={"carbon": carbon} if carbon else {},
        asic_models=[asic()],
        fleets=[fleet(1500, "A"), fleet(800, "P")],
        gpu_options=[
            gpu_option(
                sites=["P"],
                maximum_block_count=3,
                life_months=6,
                scale_curve=[{"from_block": 1, "share_frac": 1.0}, {"from_block": 2, "share_frac": 0.8}],
            )
        ],
        offers=contracts(),
        finance={"terminal": {"contract_tail_frac": 0.5, "mining_tail_months": 3}},
        discount_per_year_frac=0.1,
        risk={"scenario_count": 60, "tail_probability": 0.1},
    )


def test_every_scenario_is_what_the_audit_finds_for_it_alone():
    case = rich()
    answer = best(case)
    assert len(answer.contracts) == 2
    assert answer.decisions.gpu_orders
    assert any(item.re_leased_mw for item in answer.decisions.contracts)
    found = scenario_npv_usd(case, Futures.of(case), answer.decisions, answer.npv.total_usd)
    assert found.mean() == pytest.approx(answer.npv.total_usd, abs=1e-2)
    for number in range(10):
        alone = recalculate(case, Futures.of(case, number, 1), answer.decisions).npv_usd
        assert found[number] == pytest.approx(alone, abs=0.1)


def test_energy_that_is_not_used_causes_no_carbon():
    price = {"price_usd_per_t": 5.0}
    case, plain = rich(carbon=price), rich((), price)
    answer = best(case)  # its audit passes: tonnes of machines, blocks and contracts are tied to the model
    assert -sum(row.carbon_usd for row in answer.cash_flow) > 0.0
    mean = problem_of(case).carbon.contract_t.sum() / problem_of(plain).carbon.contract_t.sum()
    assert 0.5 < mean < 0.95


def test_shards_and_choices_change_nothing(monkeypatch):
    whole = Futures.of(stated(count=600)).open_frac("P")
    monkeypatch.setattr(futures_module, "SHARD_SCENARIOS", 256)
    shards = [shard.open_frac("P") for shard in Futures.of(stated(count=600)).shards()]
    np.testing.assert_array_equal(np.concatenate(shards, axis=1), whole)
    chosen = np.array([5, 255, 256, 599])
    np.testing.assert_array_equal(Futures.of(stated(count=600)).only(chosen).open_frac("P"), whole[:, chosen])


def test_a_spell_that_lasts_goes_on_to_its_end():
    case = stated(months=24, count=300)
    whole = Futures.of(case).open_frac("P")
    second = int(np.flatnonzero((whole[3] == 1.0) & (whole[4:6] == 0.0).all(axis=0))[0])
    path = MarketPath.of(Futures.of(case, second, 1))
    later = Futures(case, 0, 300, known=Known(path, 6)).open_frac("P")
    assert (later[:6] == whole[:6, [second]]).all()
    assert (later[6] == 0.0).all()  # the third month of the spell
    assert 0.8 < later[7].mean() < 1.0
    begun = Futures(case, 0, 300, known=Known(path, 7)).open_frac("P")
    np.testing.assert_array_equal(begun[7:], later[7:])


def test_a_stress_shuts_nothing_and_a_risk_of_nothing_is_none():
    case = stated(asic_models=[asic()], fleets=[fleet(1000, "P")], finance={"stresses": [{"name": "S"}]})
    answer = best(case)
    plain = best(stated(None, asic_models=[asic()], fleets=[fleet(1000, "P")]))
    assert answer.stresses[0].npv_usd == pytest.approx(plain.npv.total_usd)
    never = PARAGUAY | {"hazard_per_year_frac": 0.0}
    assert close(worth(stated(never, asic_models=[asic()], fleets=[fleet(1000, "P")])), plain.npv.total_usd)


def test_the_mean_market_shuts_nothing_and_the_table_says_what_is_open(tmp_path):
    case = stated(count=20)
    assert mean_portfolio(Futures.of(case)).market.country_risks == ()
    save_scenarios(case, tmp_path / "scenarios.csv")
    table, is_open = pd.read_csv(tmp_path / "scenarios.csv"), Futures.of(case).open_frac("P")[:12]
    assert table["open PY"].tolist() == (is_open.T.ravel() > 0.0).tolist()
    assert not table["open PY"].all()


def test_who_is_shut_drives_the_tail():
    case = stated(
        asic_models=[asic()], fleets=[fleet(1000, "P"), fleet(1000, "A")], market={"network_price_elasticity": 0.0}
    )
    answer = best(case)
    assert [driver.told for driver in answer.tail_drivers] == ["mining at P"]
    assert answer.decisions != Decisions()


@pytest.mark.parametrize(
    ("risk", "abroad", "told"),
    [
        (PARAGUAY | {"country": "BR"}, {}, r"market.country_risks\[0\].country.*'BR'"),
        (PARAGUAY, {"demand_response": {"usd_per_mw_month": 1.0}}, "P may be shut, and is paid for its load"),
        (PARAGUAY, {"power": {"flat_usd_per_mwh": 40.0, "adder_usd_per_mwh": -1.0}}, "costs less than nothing"),
        (PARAGUAY | {"shut_months": 0}, {}, "shut_months: 0 months is outside"),
    ],
)
def test_what_cannot_be_is_refused(risk, abroad, told):
    with pytest.raises(InvalidInputError, match=told):
        portfolio(6, sites=[site("P", country="PY", region="PY", **abroad)], market={"country_risks": [risk]})


def test_a_country_is_stated_once():
    with pytest.raises(InvalidInputError, match="a country is listed twice"):
        stated(market={"country_risks": [PARAGUAY, PARAGUAY]})
