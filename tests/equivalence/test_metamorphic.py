"""What must follow when a portfolio is changed in a known way."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from random_portfolios import random_portfolio
from support import (
    EXACT,
    asic,
    best,
    close,
    fleet,
    gpu_option,
    offer,
    place,
    portfolio,
    problem_of,
    scalable,
    signed,
    site,
    worth,
)  # fmt: skip

from optimizer.app import plan
from optimizer.curves.futures import Futures
from optimizer.domain import Portfolio, validated
from optimizer.errors import InvalidInputError
from optimizer.io import load_portfolio
from optimizer.model.machine_classes import MACHINES_PER_UNIT
from optimizer.risk import scenario_npv_usd
from optimizer.risk.outcomes import varying_npv_usd

SEEDS = [3, 8, 101, 104, 111]


def case_of(seed):
    return random_portfolio(seed, machines=seed > 100)


def data_of(case):
    return case.model_dump(mode="json", exclude_unset=True)


def again(data):
    return validated(Portfolio, data, "portfolio")


def value_of(case):
    """What the best plan is worth; minus infinity if there is none."""
    answer = plan(case, EXACT)
    assert answer.audit is None or answer.audit.failures == ()
    return answer.termination.objective_usd if answer.termination.has_plan else -np.inf


def scaled(item, factor, name=""):
    """All amounts of money in a statement times a factor."""
    if isinstance(item, dict):
        return {
            key: scaled(value, factor, key if key not in ("value", "points") else name) for key, value in item.items()
        }
    if isinstance(item, list):
        return [scaled(value, factor, name) for value in item]
    if "usd" in name and isinstance(item, int | float) and not isinstance(item, bool):
        return item * factor
    return item


@pytest.mark.parametrize("seed", SEEDS)
def test_scaling_all_money_scales_the_worth_and_nothing_else(seed):
    data = data_of(case_of(seed))
    data["market"].setdefault("re_lease_rent_usd_per_kw_month", 120.0)
    for model in data.get("asic_models", []):
        model.setdefault("move_usd_per_machine", 60.0)
    twice = scaled(data, 2.0)
    assert twice["market"]["btc_usd"] == 2 * data["market"]["btc_usd"]
    assert twice["sites"][0]["power"]["flat_usd_per_mwh"] == 2 * data["sites"][0]["power"]["flat_usd_per_mwh"]
    before, after = value_of(again(data)), value_of(again(twice))
    assert np.isfinite(before)
    assert after == pytest.approx(2 * before, abs=5.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_more_power_never_hurts(seed):
    data = data_of(case_of(seed))
    data["policy"].pop("domestic_share", None)
    before = value_of(again(data))
    more = copy.deepcopy(data)
    for place_ in more["sites"]:
        for step in place_["grid"]:
            step["grid_mw"] *= 1.5
    assert value_of(again(more)) >= before - 2.0


def test_more_power_helps_where_it_is_short():
    data = data_of(case_of(104))
    less = copy.deepcopy(data)
    for place_ in less["sites"]:
        for step in place_["grid"]:
            step["grid_mw"] *= 0.2
    assert value_of(again(less)) < value_of(again(data)) - 1e5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_looser_budget_and_more_cash_never_hurt(seed):
    data = data_of(case_of(seed))
    before = value_of(again(data))
    loose = copy.deepcopy(data)
    loose["finance"]["opening_cash_usd"] *= 2
    for budget in loose["finance"].get("capex_budgets", []):
        budget["maximum_capex_usd"] *= 1.5
    assert value_of(again(loose)) >= before - 2.0
    tight = copy.deepcopy(data)
    everything = {"name": "nothing", "from_month": "2027-01", "until_month": "2027-12", "maximum_capex_usd": 0.0}
    tight["finance"]["capex_budgets"] = [everything]
    assert value_of(again(tight)) <= before + 2.0


@pytest.mark.parametrize("seed", SEEDS)
def test_order_does_not_matter(seed):
    data = data_of(case_of(seed))
    turned = copy.deepcopy(data)
    for kind in ("sites", "offers", "fleets"):
        turned[kind] = turned.get(kind, [])[::-1]
    for item in turned["offers"]:
        item["sites"] = item["sites"][::-1]
    assert value_of(again(turned)) == pytest.approx(value_of(again(data)), abs=2.0)


def test_a_plan_that_is_unique_is_permuted_with_its_portfolio():
    sites = [site("A", grid_mw=12.0), site("B", grid_mw=25.0)]
    offers = [
        offer("O1", price_usd_per_kw_month=110.0, sites=[place("A"), place("B", capex_usd_per_critical_mw=1.2e5)]),
        offer("O2", price_usd_per_kw_month=120.0, sites=[place("B")]),
        offer("O3", price_usd_per_kw_month=90.0, sites=[place("A"), place("B", capex_usd_per_critical_mw=1.1e5)]),
    ]
    expected = {"O1": ("A", "2027-01"), "O2": ("B", "2027-01"), "O3": ("B", "2027-01")}
    # At B there is room for two: O3 loses 0.1 million there, O1 would lose 0.2.
    for turn in (1, -1):
        assert signed(best(portfolio(sites=sites[::turn], offers=offers[::turn]))) == expected


def test_names_do_not_matter():
    text = random_portfolio(104, machines=True).model_dump_json(exclude_unset=True)
    renamed = Portfolio.model_validate_json(text.replace('"A"', '"Zeta"').replace('"O1"', '"Xi"'))
    assert value_of(renamed) == pytest.approx(value_of(random_portfolio(104, machines=True)), abs=2.0)


@pytest.mark.parametrize("terms", [offer, scalable])
def test_an_offer_at_no_price_is_never_signed(terms):
    free = terms("F", price_usd_per_kw_month=0.0, sign_until_month="2027-03")
    answer = best(portfolio(8, offers=[free, offer()]))
    assert set(signed(answer)) == {"O1"}


def test_a_contract_of_no_megawatts_is_none():
    with pytest.raises(InvalidInputError, match="a contract of 0 MW is none"):
        portfolio(offers=[scalable("F", least=0.0)])


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if "mandatory" not in data_of(case_of(seed))["policy"]])
def test_no_offer_at_no_price_is_signed_in_random_portfolios(seed):
    data = data_of(case_of(seed))
    for item in data["offers"]:
        item["price_usd_per_kw_month"] = 0.0
        item["credit"]["default_hazard_per_year_frac"] = 0.0
    data["policy"].pop("contract_changes", None)
    data["policy"].pop("domestic_share", None)  # power at home may be worth a contract at a loss
    assert best(again(data)).decisions.contracts == ()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_site_of_no_capacity_changes_nothing(seed):
    data = data_of(case_of(seed))
    with_it = copy.deepcopy(data)
    with_it["sites"].append(site("Z", grid_mw=0.0, hall_mw=0.0, country="SE"))
    assert value_of(again(with_it)) == pytest.approx(value_of(again(data)), abs=2.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rule_never_helps(seed):
    data = data_of(case_of(seed))
    free = copy.deepcopy(data)
    free["policy"] = {}
    assert value_of(again(free)) >= value_of(again(data)) - 2.0


def test_scenarios_of_a_certain_market_are_one():
    parts = {"asic_models": [asic()], "fleets": [fleet()], "offers": [offer()]}
    assert close(
        worth(portfolio(risk={"scenario_count": 1}, **parts)), worth(portfolio(risk={"scenario_count": 9}, **parts))
    )


# ------------------------------------------------------------------------------------------------------------- scenarios


def uncertain(lease_end_month=None, **parts):
    uncertainty = [
        {"factor": factor, "volatility_per_year_frac": 0.6}
        for factor in ("btc_price", "power_price", "gpu_rental", "re_lease_rent")
    ]
    return portfolio(
        6,
        sites=[site(power={"flat_usd_per_mwh": 45.0, "market_exposure_frac": 1.0}, lease_end_month=lease_end_month)],
        discount_per_year_frac=0.1,
        market={"uncertainty": uncertainty, "re_lease_rent_usd_per_kw_month": 70.0},
        risk={"scenario_count": 64},
        **parts,
    )


MODES = [{"hashrate_th_s": 120.0, "power_w": 2500.0}, {"hashrate_th_s": 200.0, "power_w": 5000.0}]


def spread(case, answer):
    """NPV by scenario around an expectation of 0, and what the kernels add up before it is centred."""
    futures = Futures.of(case)
    return scenario_npv_usd(case, futures, answer.decisions, answer.termination.objective_usd)


def test_the_mean_over_the_scenarios_is_the_objective():
    case = load_portfolio("tiny")
    answer = best(case)
    npv = spread(case, answer)
    assert len(npv) == 500
    assert npv.mean() == pytest.approx(answer.termination.objective_usd, rel=1e-12)
    assert npv.std() > 1e6


def varying_of(case, answer):
    """What the scenario evaluation adds up, before the expectation is put in its place."""
    return varying_npv_usd(case, Futures.of(case), answer.decisions)


def test_machine_margins_by_scenario_average_to_the_coefficients():
    case = uncertain(
        asic_models=[asic(modes=MODES)],
        fleets=[fleet(700), fleet(400, condition_frac=0.8)],
        finance={"terminal": {"mining_tail_months": 3}},
    )
    answer = best(case)
    problem = problem_of(case)
    machines, calendar = problem.machines, problem.calendar
    discount = calendar.discount("mining")[: calendar.month_count]
    expected = 0.0
    for row in answer.decisions.machines:
        month = case.horizon.index_of(row.month)
        (pair,) = [
            q for q, k in enumerate(machines.machine_class) if machines.classes[k].condition_frac == row.condition_frac
        ]
        modes = machines.classes[machines.machine_class[pair]].modes.tolist()
        for ran in row.running:
            mode, count = modes.index(ran.mode), ran.machine_count / MACHINES_PER_UNIT
            expected += count * machines.mode_margin_musd[pair][mode, month] * discount[month] * 1e6
            if month == calendar.month_count - 1:
                expected += count * machines.tail_npv_musd[pair][mode] * 1e6
    varying = varying_of(case, answer)
    assert expected > 1e5
    assert varying.std() > 1e4
    assert varying.mean() == pytest.approx(expected, rel=1e-9)


def test_gpu_margins_by_scenario_average_to_the_coefficients():
    case = uncertain(
        gpu_options=[
            gpu_option(life_months=4, maximum_block_count=3, rental_usd_per_gpu_hour=0.2, opex_usd_per_gpu_month=0.0)
        ]
    )
    answer = best(case)
    assert answer.decisions.gpu_orders[0].block_count == 3
    problem = problem_of(case)
    discount = problem.calendar.discount("gpu")[: problem.calendar.month_count]
    chosen = answer.decisions.gpu_orders[0]
    (order,) = np.flatnonzero(problem.gpu_orders.order_month == case.horizon.index_of(chosen.order_month))
    varying = varying_of(case, answer)
    assert varying.std() > 1e3
    assert varying.mean() == pytest.approx(chosen.block_count * 1e6 * problem.gpu_orders.margin_musd[order] @ discount)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"recovery_frac": 0.0, "backstop_share_frac": 0.4, "backstopper": "parent"},
        {"backstop_share_frac": 0.7, "backstopper": "parent", "backstop_hazard_per_year_frac": 0.5},
        {"vacancy_months": 0},
    ],
    ids=["default", "backstop", "failing backstop", "let at once"],
)
@pytest.mark.parametrize(("payer", "lease"), [("tenant", None), ("landlord", None), ("tenant", "2028-06")])
def test_contract_income_by_scenario_averages_to_the_coefficients(changes, payer, lease):
    credit = {"default_hazard_per_year_frac": 0.8, "recovery_frac": 0.25, "vacancy_months": 2, **changes}
    renewal = {"option_count": 2, "term_months": 2, "probability_frac": 0.5, "rent_frac": 0.8}
    terms = offer(
        term_months=14,
        credit=credit,
        renewal=renewal,
        power_payer=payer,
        noi_margin_frac=1.0,
        escalator_per_year_frac=0.1,
        phases=[{"share_frac": 0.4, "offset_months": 0}, {"share_frac": 0.6, "offset_months": 2}],
    )
    case = uncertain(lease, offers=[terms], finance={"terminal": {"contract_tail_frac": 0.6}})
    answer = best(case)
    assert answer.decisions.contracts
    problem = problem_of(case)
    months = problem.calendar.month_count
    counted = np.where(np.arange(problem.calendar.extended_month_count) < months, 1.0, 0.6)
    expected = 1e7 * problem.starts.noi_musd[0] @ (problem.calendar.discount("hosting") * counted)
    varying = varying_of(case, answer)
    assert varying.std() > 1e4
    assert varying.mean() == pytest.approx(expected, rel=1e-9)
    assert expected > 1e6


def test_more_scenarios_are_the_same_ones_and_more():
    case = uncertain(asic_models=[asic()], fleets=[fleet()])
    answer = best(case)
    few = scenario_npv_usd(case, Futures.of(case, scenario_count=16), answer.decisions, 0.0)
    many = scenario_npv_usd(case, Futures.of(case, scenario_count=64), answer.decisions, 0.0)
    difference = many[:16] - few
    assert np.ptp(difference) < 1e-3 * np.ptp(few)
