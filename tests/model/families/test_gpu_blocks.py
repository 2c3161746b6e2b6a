"""Own GPUs: whole blocks, as many as are on offer, where there is power and an open site."""

from __future__ import annotations

import pytest
from support import asic, best, binding, close, fleet, gpu_option, hours, opening, portfolio, site, worth

HOUR_USD = 960.0
"""What a block earns in an hour: 1000 GPUs at 1 USD less 0.04 USD of energy."""


def blocks(answer):
    return sum(item.block_count for item in answer.decisions.gpu_orders)


def test_all_blocks_on_offer_are_taken():
    case = portfolio(gpu_options=[gpu_option(maximum_block_count=3, order_until_month="2027-02")])
    answer = best(case)
    assert blocks(answer) == 3
    assert close(answer.termination.objective_usd, 3 * HOUR_USD * max(hours(0, 1), hours(1, 2)))
    assert binding(case) == {"gpu_blocks_within_option"}


def test_blocks_are_whole():
    case = portfolio(
        sites=[site(grid_mw=2.9)], gpu_options=[gpu_option(maximum_block_count=5, grid_mw_per_critical_mw=1.0)]
    )
    assert blocks(best(case)) == 2
    assert binding(case) == {"site_power_within_limit"}


def test_a_block_that_never_pays_back_is_not_ordered():
    price = HOUR_USD * hours(0, 1) / 1000
    assert blocks(best(portfolio(gpu_options=[gpu_option(capex_usd_per_gpu=price + 1)]))) == 0
    assert close(worth(portfolio(gpu_options=[gpu_option(capex_usd_per_gpu=price - 10)])), 10_000.0)


def test_fit_out_opex_and_pue_cost_what_they_say():
    option = gpu_option(fit_out_usd_per_critical_mw=1e5, opex_usd_per_gpu_month=20.0, pue=1.5, utilisation_frac=0.5)
    expected = (500.0 - 60.0) * hours(0, 1) - 1e5 - 2 * 20_000.0
    assert close(worth(portfolio(gpu_options=[option])), expected)


def test_a_block_earns_after_its_lead_and_to_the_end_of_the_horizon():
    assert close(worth(portfolio(4, gpu_options=[gpu_option(lead_months=3)])), HOUR_USD * hours(3))
    assert close(worth(portfolio(3, gpu_options=[gpu_option(lead_months=3)])), 0.0)


def test_the_residual_is_cash_inside_the_horizon_and_worth_at_its_end():
    option = gpu_option(capex_usd_per_gpu=600.0, residual_frac=0.5)
    ended = best(portfolio(4, gpu_options=[option]))
    assert close(ended.termination.objective_usd, HOUR_USD * hours(0, 1) - 3e5)
    assert ended.cash_flow[2].gpu_capex_usd == pytest.approx(3e5)
    alive = best(portfolio(1, gpu_options=[option]))
    # Half its life is gone: three quarters of the price are left, and none of it is cash.
    assert close(alive.termination.objective_usd, HOUR_USD * hours(0) - 0.25 * 6e5)
    assert close(alive.cash_flow[-1].cash_usd, 1e9 + HOUR_USD * hours(0) - 6e5)


def test_halls_are_taken_from_the_order_on():
    option = gpu_option(halls_displaced_mw_per_critical_mw=2.0, lead_months=1)
    assert blocks(best(portfolio(sites=[site(hall_mw=2.0)], gpu_options=[option]))) == 1
    case = portfolio(sites=[site(hall_mw=1.9)], gpu_options=[option])
    assert blocks(best(case)) == 0
    assert binding(case) == {"site_halls_within_limit"}


def test_a_block_is_ordered_for_an_open_site_only():
    closed = site(opening=opening(0.0, 1))
    late = gpu_option(lead_months=1)
    case = portfolio(sites=[closed], gpu_options=[late])
    assert close(worth(case), 0.0)
    assert binding(case) == {"gpu_blocks_at_open_site"}
    assert close(
        worth(portfolio(sites=[closed], gpu_options=[{**late, "order_until_month": "2027-02"}])),
        HOUR_USD * hours(2, 3),
    )


def test_a_lease_must_last_as_long_as_the_block():
    ends = portfolio(4, sites=[site(lease_end_month="2027-03")], gpu_options=[gpu_option()])
    assert close(worth(ends), HOUR_USD * hours(0, 1))
    assert close(worth(portfolio(4, sites=[site(lease_end_month="2027-02")], gpu_options=[gpu_option()])), 0.0)


def test_orders_are_placed_on_the_signing_grid():
    case = portfolio(
        6, sign_every_months=2, gpu_options=[gpu_option(order_from_month="2027-02", order_until_month="2027-02")]
    )
    assert close(worth(case), 0.0)


def test_machines_make_room_while_a_block_is_on_order():
    option = gpu_option(halls_displaced_mw_per_critical_mw=2.0, lead_months=2)
    case = portfolio(4, sites=[site(hall_mw=5.0)], asic_models=[asic()], fleets=[fleet()], gpu_options=[option])
    assert [row.mining_mw for row in best(case).capacity] == pytest.approx([3.0] * 4)
