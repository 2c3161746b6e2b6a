"""Power sold back: what the market pays above the own price, what limits it, and what it takes from other uses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support import asic, assembled, best, binding, close, fleet, hours, offer, opening, place, portfolio, site, worth

from optimizer.audit import Claims, audit
from optimizer.curves.futures import Futures
from optimizer.curves.selling import sale_usd_per_mw
from optimizer.domain import Decisions, PowerSale
from optimizer.errors import InvalidInputError
from optimizer.model.families.sell_back import SELL_BACK
from optimizer.model.family import assemble
from optimizer.model.formulation import FORMULATION
from optimizer.model.problem import PlanningProblem

HOURS = 24 * 365
DEAR_USD_PER_MWH, CHEAP_USD_PER_MWH = 100.0, 20.0


def series(dear_share: float = 0.25):
    """A market that pays 100 USD/MWh in one hour of four, 20 in the others."""
    every = round(1 / dear_share)
    prices = [DEAR_USD_PER_MWH if hour % every == 0 else CHEAP_USD_PER_MWH for hour in range(HOURS)]
    return {"name": "market", "hours": {"first_hour": "2025-01-01T00:00", "usd_per_mwh": prices}}


def selling(maximum_mw: float = 10.0, name: str = "A", grid_mw: float = 100.0, **terms):
    sell_back = {"hourly_series": "market", "maximum_mw": maximum_mw, **terms}
    return site(name, grid_mw, power={"flat_usd_per_mwh": 40.0, "sell_back": sell_back})


def case(*sites, months=4, **parts):
    return portfolio(months, sites=list(sites) or [selling()], series=[series()], **parts)


def per_mw(*months: int, above: float = 60.0) -> float:
    """A quarter of the hours, 100 less 40 USD/MWh."""
    return 0.25 * above * hours(*months)


def test_a_mw_earns_in_the_hours_that_pay():
    answer = best(case())
    assert close(answer.termination.objective_usd, 10.0 * per_mw(0, 1, 2, 3))
    assert [row.sold_mw for row in answer.capacity] == pytest.approx([10.0] * 4)
    assert [row.idle_mw for row in answer.capacity] == pytest.approx([90.0] * 4)
    assert [row.power_sales_usd for row in answer.cash_flow] == pytest.approx([10.0 * per_mw(t) for t in range(4)])
    assert answer.npv.mining_usd == pytest.approx(10.0 * per_mw(0, 1, 2, 3))
    assert answer.earnings[0].mining_usd == pytest.approx(10.0 * per_mw(0, 1, 2, 3))
    assert close(answer.business_as_usual.difference_usd, 0.0)


def test_the_fee_and_the_adder_come_off_in_every_hour():
    dear = selling(fee_usd_per_mwh=5.0)
    dear["power"]["adder_usd_per_mwh"] = 7.0
    assert close(worth(case(dear)), 10.0 * per_mw(0, 1, 2, 3, above=48.0))
    assert close(worth(case(selling(fee_usd_per_mwh=61.0))), 0.0)


def test_it_is_sold_only_in_its_months():
    answer = best(case(selling(from_month="2027-02", until_month="2027-04")))
    assert close(answer.termination.objective_usd, 10.0 * per_mw(1, 2))
    assert [row.sold_mw for row in answer.capacity] == pytest.approx([0.0, 10.0, 10.0, 0.0])


def test_a_period_that_is_not_all_inside_sells_nothing():
    quarter = portfolio(segments=[(3, 2)], sites=[selling(from_month="2027-02")], series=[series()])
    assert close(worth(quarter), 10.0 * per_mw(3, 4, 5))


def test_mining_that_earns_more_leaves_less_to_sell():
    # 6 MW of grid and machines for 5: 40 USD/MWh of mining, 15 of the market on average.
    tight = case(selling(grid_mw=6.0), asic_models=[asic()], fleets=[fleet()])
    answer = best(tight)
    assert close(answer.termination.objective_usd, 200.0 * hours(0, 1, 2, 3) + 1.0 * per_mw(0, 1, 2, 3))
    assert [row.sold_mw for row in answer.capacity] == pytest.approx([1.0] * 4)
    assert "site_power_within_limit" in binding(tight)


def test_power_that_a_contract_reserves_cannot_be_sold():
    # A mandatory lease of 10 MW in February and March on 12 MW of grid.
    leased = case(selling(grid_mw=12.0), offers=[offer(sites=[place()])], policy={"mandatory": [{"offer": "O1"}]})
    answer = best(leased)
    assert close(answer.termination.objective_usd, 1e6 + 10.0 * per_mw(0, 3) + 2.0 * per_mw(1, 2))


def test_a_site_that_is_closed_sells_nothing():
    closed = selling()
    closed["opening"] = opening(1e9)
    answer = best(case(site("B"), {**closed, "name": "C"}))
    assert close(answer.termination.objective_usd, 0.0)
    gone = selling()
    gone["lease_end_month"] = "2027-03"
    assert close(worth(case(gone)), 10.0 * per_mw(0, 1))


def test_what_is_sold_is_not_in_use_for_a_policy():
    abroad = {**selling(name="P"), "country": "PY"}
    ruled = case(site("A"), abroad, policy={"country_limits": [{"country": "PY", "maximum_share_frac": 0.0}]})
    assert close(worth(ruled), 10.0 * per_mw(0, 1, 2, 3))


def test_the_market_moves_and_the_scenarios_average_to_the_objective():
    uncertain = {"uncertainty": [{"factor": "power_price", "volatility_per_year_frac": 0.8}], "power_level": 1.2}
    moved = case(market=uncertain, risk={"scenario_count": 40})
    answer = best(moved)
    assert answer.distribution.standard_deviation_usd > 1e4
    assert answer.distribution.mean_usd == pytest.approx(answer.npv.total_usd, abs=1.0)
    futures = Futures.of(moved)
    terms = moved.sites[0].power.sell_back
    level = futures.market_power_level[:4]
    prices = np.array([DEAR_USD_PER_MWH, CHEAP_USD_PER_MWH])[:, None, None]
    gained = np.maximum(level * prices - 40.0, 0.0) * futures.hours_in_month[:4, None]
    assert sale_usd_per_mw(futures, "A", terms) == pytest.approx(0.25 * gained[0] + 0.75 * gained[1])


def test_in_a_stress_the_market_pays_what_it_pays_then():
    points = [{"month_offset": 0, "multiplier": 0.5}]
    shock = {"begin_month": "2027-01", "effects": [{"factor": "power_price", "points": points}]}
    money = {"opening_cash_usd": 0.0, "stresses": [{"name": "cheap", "shocks": [shock]}]}
    answer = best(case(finance=money))
    assert answer.stresses[0].least_cash_usd == pytest.approx(10.0 * per_mw(0, above=10.0))


def test_without_terms_nothing_is_added():
    plain = portfolio(4, asic_models=[asic()], fleets=[fleet()], offers=[offer()])
    without = [family for family in FORMULATION if family is not SELL_BACK]
    bare = assemble(PlanningProblem.of(plain, Futures.of(plain)), without).compile()
    for field in dataclasses.fields(bare):
        assert np.array_equal(getattr(assembled(plain).compile(), field.name), getattr(bare, field.name)), field.name


def test_the_audit_sees_more_than_is_there():
    full = case(selling(grid_mw=8.0))
    months = full.horizon.months
    sold = Decisions(power_sales=tuple(PowerSale(site="A", month=month, sold_mw=12.0) for month in months))
    _, report = audit(full, Futures.of(full), sold, Claims(objective_usd=8.0 * per_mw(0, 1, 2, 3)))
    assert {check.name for check in report.failures} == {
        "power within the import limit", "power sold back within its terms", "claimed objective"
    }  # fmt: skip
    for wrong in ({"site": "Z"}, {"month": "2030-01"}):
        sale = PowerSale.model_validate({"site": "A", "month": "2027-01", "sold_mw": 1.0, **wrong})
        with pytest.raises(InvalidInputError, match="power_sales"):
            audit(full, Futures.of(full), Decisions(power_sales=(sale,)), Claims())


@pytest.mark.parametrize(
    ("power", "told"),
    [
        ({"hourly_series": "market", "sell_back": {"hourly_series": "market", "maximum_mw": 1.0}}, "not sold back to it"),
        ({"flat_usd_per_mwh": 4.0, "sell_back": {"hourly_series": "markt", "maximum_mw": 1.0}}, "no series is named"),
        (
            {
                "flat_usd_per_mwh": 4.0,
                "sell_back": {
                    "hourly_series": "market", "maximum_mw": 1.0, "from_month": "2027-02", "until_month": "2027-02"
                },
            },
            "swap the months",
        ),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_are_refused(power, told):
    with pytest.raises(InvalidInputError, match=told):
        case(site(power=power))
