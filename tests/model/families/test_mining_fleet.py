"""Machines: they run, wait, come, go and are moved, and none appears from nowhere."""

from __future__ import annotations

import pytest
from support import asic, best, binding, close, fleet, hours, portfolio, problem_of, site, worth

from optimizer.model.families.mining_fleet import Epochs, class_epochs

DEAR = {"power": {"flat_usd_per_mwh": 70.0}}
"""Energy that leaves 0.05 USD an hour to a machine."""


def stepped(*prices):
    """A price per TH/s that changes every month; the last one stays."""
    return {
        "points": [{"from_month": f"2027-{month + 1:02}", "value": float(price)} for month, price in enumerate(prices)]
    }


def trades(answer, kind):
    """Machines by site and month that are bought, sold, moved_out or moved_in."""
    rows = answer.decisions.machines
    return {(row.site, row.month.month): getattr(row, f"{kind}_count") for row in rows if getattr(row, f"{kind}_count")}


def test_a_machine_earns_its_margin_every_hour():
    case = portfolio(asic_models=[asic()], fleets=[fleet()])
    assert close(worth(case), 200.0 * hours(0, 1, 2, 3))
    assert binding(case) >= {"running_within_stock", "stock_balance"}


def test_uptime_fees_condition_and_pue_reduce_it():
    case = portfolio(
        1,
        sites=[site(mining_uptime_frac=0.9, mining_pue=1.1)],
        asic_models=[asic()],
        fleets=[fleet(condition_frac=0.8)],
        market={"pool_fee_frac": 0.02},
    )
    assert close(worth(case), 1000.0 * 0.9 * (0.4 * 0.8 * 0.98 - 0.005 * 1.1 * 40.0) * hours(0))


def test_demand_response_and_opex_are_by_load_and_not_by_uptime():
    paid = {"usd_per_mw_month": 1000.0, "until_month": "2027-03"}
    case = portfolio(
        3,
        sites=[site(mining_uptime_frac=0.5, demand_response=paid, mining_opex_usd_per_mw_month=300.0)],
        asic_models=[asic()],
        fleets=[fleet()],
    )
    assert close(worth(case), 100.0 * hours(0, 1, 2) + 5.0 * (2 * 1000.0 - 3 * 300.0))


def test_a_transmission_credit_comes_by_month_until_its_rule_ends():
    credit = {"usd_per_kw_year": 24.0, "until_month": "2027-02"}
    case = portfolio(3, sites=[site(transmission_credit=credit)], asic_models=[asic()], fleets=[fleet()])
    assert close(worth(case), 200.0 * hours(0, 1, 2) + 5.0 * 24.0 * 1000.0 / 12.0)


def test_machines_that_lose_money_stand_still_and_cost_nothing():
    case = portfolio(sites=[site(power={"flat_usd_per_mwh": 90.0})], asic_models=[asic()], fleets=[fleet()])
    answer = best(case)
    assert close(answer.termination.objective_usd, 0.0)
    assert all(row.mining_mw == 0.0 for row in answer.capacity) or close(answer.termination.objective_usd, 0.0)


def test_the_ceiling_mode_is_chosen_under_a_power_limit():
    modes = [{"hashrate_th_s": 120.0, "power_w": 2500.0}, {"hashrate_th_s": 200.0, "power_w": 5000.0}]
    plenty = portfolio(1, asic_models=[asic(modes=modes)], fleets=[fleet()])
    assert close(worth(plenty), 200.0 * hours(0))
    scarce = portfolio(1, sites=[site(grid_mw=2.5)], asic_models=[asic(modes=modes)], fleets=[fleet()])
    # 0.14 USD an hour from 2.5 kW beats half as many machines at 0.20 USD.
    assert close(worth(scarce), 140.0 * hours(0))
    between = portfolio(1, sites=[site(grid_mw=4.0)], asic_models=[asic(modes=modes)], fleets=[fleet()])
    assert close(worth(between), (400.0 * 0.14 + 600.0 * 0.20) * hours(0))


def test_machines_are_sold_when_they_fetch_more_than_they_earn():
    model = asic(price_usd_per_th=stepped(1.0, 1.0, 1.0, 0.0), resale_frac=0.5)
    case = portfolio(4, asic_models=[model], fleets=[fleet()])
    # 100 USD at the start of the third month against margins of 0.2 USD for the 1464 hours of the last two.
    assert close(worth(case), 200.0 * hours(0, 1, 2, 3))
    dear = portfolio(
        4, asic_models=[asic(price_usd_per_th=stepped(4.0, 4.0, 4.0, 0.0), resale_frac=0.5)], fleets=[fleet()]
    )
    answer = best(dear)
    assert trades(answer, "sold") == {("A", 3): 1000.0}
    assert close(answer.termination.objective_usd, 200.0 * hours(0, 1) + 400e3)


def test_machines_left_at_the_end_count_with_their_resale_value():
    model = asic(price_usd_per_th=5.0, resale_frac=0.5)
    case = portfolio(2, asic_models=[model], fleets=[fleet(condition_frac=0.8)],
                     finance={"terminal": {"machine_resale_frac": 0.25}}, sites=[site(hall_mw=0.0)])  # fmt: skip
    sold_at_once = 5.0 * 200.0 * 0.5 * 0.8 * 1000
    assert close(worth(case), sold_at_once)
    kept = portfolio(2, asic_models=[model], fleets=[fleet(condition_frac=0.8)], discount_per_year_frac=0.1)
    answer = best(kept)
    margin = 1000.0 * (0.4 * 0.8 - 0.2)
    value = [1.1 ** (-(month + 1) / 12) for month in range(2)]
    keep = margin * (hours(0) * value[0] + hours(1) * value[1]) + sold_at_once * value[1]
    assert close(answer.termination.objective_usd, keep)
    assert answer.cash_flow[-1].machine_sales_usd == 0.0


def test_machines_are_bought_and_run_after_their_delivery():
    model = asic(price_usd_per_th=stepped(1.0, 0.0), purchasable=True, delivery_lead_months=2, resale_frac=0.0)
    cheap_later = portfolio(4, sites=[site(hall_mw=5.0)], asic_models=[model])
    # In the second month they cost nothing and run in the fourth; in the first they cost 200 USD and run from the third.
    assert close(worth(cheap_later), 200.0 * hours(3))
    model["price_usd_per_th"] = stepped(0.5, 0.0)
    assert close(worth(portfolio(4, sites=[site(hall_mw=5.0)], asic_models=[model])), 200.0 * hours(2, 3) - 1e5)


def test_an_import_duty_makes_buying_dearer():
    model = asic(price_usd_per_th=1.0, purchasable=True, delivery_lead_months=0, resale_frac=0.0)
    case = portfolio(1, sites=[site(hall_mw=5.0, import_duty_frac=0.5)], asic_models=[asic(), {**model, "name": "N"}])
    assert close(worth(case), 0.0)  # 300 USD against 0.2 x 744
    cheap = {**model, "price_usd_per_th": 0.4}
    assert close(worth(portfolio(1, sites=[site(hall_mw=5.0, import_duty_frac=0.5)], asic_models=[cheap])),
                 200.0 * hours(0) - 0.4 * 200 * 1.5 * 1000)  # fmt: skip


def test_orders_that_would_arrive_after_the_horizon_are_not_possible():
    model = asic(purchasable=True, delivery_lead_months=4)
    assert close(worth(portfolio(4, asic_models=[model])), 0.0)


def test_used_machines_are_not_for_sale_as_new():
    case = portfolio(1, sites=[site(hall_mw=5.0)], asic_models=[asic(purchasable=True, delivery_lead_months=0)],
                     fleets=[fleet(0, condition_frac=0.9)])  # fmt: skip
    answer = best(case)
    assert {row.condition_frac for row in answer.decisions.machines if row.bought_count} == {1.0}


def test_machines_move_to_cheaper_power_and_miss_the_months_on_the_way():
    model = asic(move_usd_per_machine=10.0, move_downtime_months=1)
    case = portfolio(4, sites=[site("A", **DEAR), site("B")], asic_models=[model], fleets=[fleet()])
    answer = best(case)
    assert trades(answer, "moved_out") == {("A", 1): 1000.0}
    assert trades(answer, "moved_in") == {("B", 2): 1000.0}
    assert close(answer.termination.objective_usd, 200.0 * hours(1, 2, 3) - 10_000.0)
    # Without the rows that let nothing arrive but what has left, machines would come from nowhere.
    assert "machines_in_transit_arrive" in binding(case)


def test_a_move_without_downtime_arrives_at_once():
    model = asic(move_usd_per_machine=10.0, move_downtime_months=0)
    case = portfolio(2, sites=[site("A", **DEAR), site("B")], asic_models=[model], fleets=[fleet()])
    assert close(worth(case), 200.0 * hours(0, 1) - 10_000.0)


def test_a_move_pays_duty_at_its_destination_on_what_it_is_worth_there_then():
    model = asic(price_usd_per_th=stepped(1.0, 0.5), resale_frac=0.5, move_downtime_months=1)
    terms = {"finance": {"terminal": {"machine_resale_frac": 0.0}}, "fleets": [fleet()], "asic_models": [model]}
    dutiable = site("B", import_duty_frac=0.2)
    case = portfolio(3, sites=[site("A", power={"flat_usd_per_mwh": 90.0}), dutiable], **terms)
    duty = 0.2 * 0.5 * 200.0 * 0.5 * 1000
    assert close(worth(case), 200.0 * hours(1, 2) - duty)


def test_a_move_that_would_arrive_after_the_horizon_is_not_possible():
    model = asic(move_downtime_months=2)
    assert close(worth(portfolio(2, sites=[site("A", **DEAR), site("B")], asic_models=[model], fleets=[fleet()])),
                 50.0 * hours(0, 1))  # fmt: skip


def test_the_mining_tail_repeats_the_last_month_while_the_lease_lasts():
    tail = {"terminal": {"mining_tail_months": 3}}
    case = portfolio(2, asic_models=[asic()], fleets=[fleet()], finance=tail, discount_per_year_frac=0.1)

    def worth_of(month):
        return 1.1 ** (-(month + 1) / 12)

    inside = 200.0 * (hours(0) * worth_of(0) + hours(1) * worth_of(1))
    assert close(worth(case), inside + 200.0 * hours(1) * sum(map(worth_of, (2, 3, 4))))
    leased = portfolio(2, sites=[site(lease_end_month="2027-04")], asic_models=[asic()], fleets=[fleet()],
                       finance=tail, discount_per_year_frac=0.1)  # fmt: skip
    assert close(worth(leased), inside + 200.0 * hours(1) * worth_of(2))
    assert best(case).cash_flow[-1].cash_usd == pytest.approx(1e9 + 200.0 * hours(0, 1))


def test_machines_are_one_stock_whatever_their_fleets():
    split = portfolio(asic_models=[asic()], fleets=[fleet(400), fleet(600)])
    assert problem_of(split).machines.initial.tolist() == [1.0]
    assert close(worth(split), worth(portfolio(asic_models=[asic()], fleets=[fleet(1000)])))


def epochs_of(lead_months, downtime_months, **horizon):
    model = asic(purchasable=True, delivery_lead_months=lead_months, move_downtime_months=downtime_months)
    (clock,) = class_epochs(problem_of(portfolio(asic_models=[model], fleets=[fleet()], **horizon)))
    assert isinstance(clock, Epochs)
    return clock


def test_arrivals_over_months_and_quarters():
    # Months 0, 1, 2, then quarters that start in months 3 and 6.
    clock = epochs_of(2, 1, segments=[(1, 3), (3, 2)])
    assert clock.purchase_arrival == {0: 2, 1: 3, 2: 4, 3: 4}
    assert clock.move_arrival == {0: 1, 1: 2, 2: 3, 3: 4}
    clock = epochs_of(0, 0, segments=[(1, 3), (3, 2)])
    assert clock.purchase_arrival == clock.move_arrival == {period: period for period in range(5)}
    assert clock.of_period.tolist() == [0, 1, 2, 3, 4]


def test_machines_are_traded_in_periods_that_start_on_the_signing_grid():
    model = asic(price_usd_per_th=stepped(10.0, 20.0, 0.0), resale_frac=1.0)
    terms = {"asic_models": [model], "fleets": [fleet()]}
    assert close(worth(portfolio(4, **terms)), 200.0 * hours(0) + 4e6)
    assert close(worth(portfolio(4, sign_every_months=3, **terms)), 2e6)
    sold_late = asic(price_usd_per_th=stepped(0.0, 0.0, 20.0, 10.0, 0.0), resale_frac=1.0)
    case = portfolio(5, sign_every_months=3, asic_models=[sold_late], fleets=[fleet()])
    assert close(worth(case), 200.0 * hours(0, 1, 2) + 2e6)
