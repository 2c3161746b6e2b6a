"""Power: what mines, hosts and computes at a site fits under its import limit, month by month."""

from __future__ import annotations

import pytest
from support import asic, best, binding, close, fleet, gpu_option, hours, offer, place, portfolio, reason, site, worth


def test_machines_run_up_to_the_limit():
    case = portfolio(sites=[site(grid_mw=3.0)], asic_models=[asic()], fleets=[fleet()])
    assert close(worth(case), 0.6 * 200.0 * hours(0, 1, 2, 3))
    assert binding(case) == {"site_power_within_limit"}


def test_one_more_megawatt_is_worth_what_it_hashes():
    def at(grid_mw):
        return worth(portfolio(1, sites=[site(grid_mw=grid_mw)], asic_models=[asic()], fleets=[fleet()]))

    assert close(at(4.0) - at(3.0), 40.0 * hours(0))
    assert close(at(7.0) - at(6.0), 0.0)


def test_the_meter_counts_the_halls_own_draw():
    case = portfolio(1, sites=[site(grid_mw=3.0, mining_pue=1.2)], asic_models=[asic()], fleets=[fleet()])
    running = 3.0 / (0.005 * 1.2)
    assert close(worth(case), running * (0.4 - 0.006 * 40.0) * hours(0))


def test_power_goes_to_who_pays_most_for_it():
    everything = {
        "asic_models": [asic()],
        "fleets": [fleet(2000)],
        "offers": [offer(critical_mw=6.0)],
        "gpu_options": [gpu_option(life_months=4)],
    }
    rows = best(portfolio(4, sites=[site(grid_mw=10.0)], **everything)).capacity
    assert [row.mining_mw for row in rows] == pytest.approx([9.0, 3.0, 3.0, 9.0])
    assert [row.hosting_mw for row in rows] == pytest.approx([0.0, 6.0, 6.0, 0.0])
    assert [row.gpu_mw for row in rows] == pytest.approx([1.0] * 4)
    assert [row.idle_mw for row in rows] == pytest.approx([0.0] * 4, abs=1e-6)


def test_reserved_power_is_the_grids_and_not_the_racks():
    case = portfolio(sites=[site(grid_mw=14.9)], offers=[offer(sites=[place(grid_mw_per_critical_mw=1.5)])])
    assert close(worth(case), 0.0)
    assert close(
        worth(portfolio(sites=[site(grid_mw=15.0)], offers=[offer(sites=[place(grid_mw_per_critical_mw=1.5)])])), 1e6
    )


def test_the_limit_follows_the_ramp_and_the_lease():
    ramp = [{"from_month": "2027-02", "grid_mw": 1.0}, {"from_month": "2027-03", "grid_mw": 2.0}]
    case = portfolio(5, sites=[site(grid=ramp, lease_end_month="2027-05")], asic_models=[asic()], fleets=[fleet()])
    assert [row.mining_mw for row in best(case).capacity] == pytest.approx([0.0, 1.0, 2.0, 2.0, 0.0])


def test_within_a_long_period_the_least_limit_and_the_most_reserved_count():
    ramp = [{"from_month": "2026-01", "grid_mw": 1.0}, {"from_month": "2027-02", "grid_mw": 2.0}]
    case = portfolio(segments=[(3, 1)], sites=[site(grid=ramp)], asic_models=[asic()], fleets=[fleet()])
    assert [row.mining_mw for row in best(case).capacity] == pytest.approx([1.0, 1.0, 1.0])


def test_power_that_comes_within_a_long_period_counts_from_the_next():
    # Power and contract come in the same month; by months they fit, by the quarter the contract has to wait.
    ramp = [{"from_month": "2027-02", "grid_mw": 10.0}]
    terms = {"sites": [site(grid=ramp)], "offers": [offer(sites=[place(build_months=1)])]}
    assert close(worth(portfolio(segments=[(1, 6)], **terms)), 1e6)
    assert close(worth(portfolio(segments=[(3, 2)], **terms)), 0.0)


def test_an_obligation_without_power_is_infeasible():
    case = portfolio(sites=[site(grid_mw=9.0)], offers=[offer()], policy={"mandatory": [{"offer": "O1"}]})
    assert reason(case) == "infeasible"
